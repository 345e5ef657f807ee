"""Comparison of a recording's figures with its golden summary, field by field, each with its own tolerance."""

from collections.abc import Iterator
from math import isclose
from typing import Any, NamedTuple

import msgspec

from .figures import SessionFigures

_TIGHT = (1e-6, 1e-9)
_TOLERANCES: dict[str, tuple[float, float]] = {
    "lf_ms2": (1e-3, 1e-6),
    "hf_ms2": (1e-3, 1e-6),
    "resp_per_min": (0.0, 0.05),
    "delta_ln_rmssd": (0.0, 1e-4),
    "half_width": (0.0, 1e-4),
    "percent": (0.0, 0.05),
    "lost_s": (0.0, 0.01),
}
"""Relative and absolute tolerances by field; all other floats use `_TIGHT`. Counts, classes and texts must be equal."""


class Difference(NamedTuple):
    """One field whose value differs from the golden summary."""

    field: str
    """Dotted name, such as "baseline.rmssd_ms" or "integrity.gaps"."""
    golden: Any
    now: Any


def differences(golden: SessionFigures, now: SessionFigures) -> list[Difference]:
    """Return every field that differs by more than its tolerance; a field missing on one side is None there."""
    before, after = dict(_fields(golden)), dict(_fields(now))
    names = [*before, *(name for name in after if name not in before)]
    return [
        Difference(name, before.get(name), after.get(name))
        for name in names
        if not _same(name, before.get(name), after.get(name))
    ]


def _same(name: str, golden: Any, now: Any) -> bool:
    if isinstance(golden, float) and isinstance(now, float):
        relative, absolute = _TOLERANCES.get(name.rpartition(".")[2], _TIGHT)
        return isclose(golden, now, rel_tol=relative, abs_tol=absolute)
    return bool(golden == now)


def _fields(figures: SessionFigures) -> Iterator[tuple[str, Any]]:
    plain = msgspec.to_builtins(figures)
    for name, value in plain.items():
        if name == "phases":
            yield "phases", [phase["phase"] for phase in value]
        if name in {"phases", "responses"}:
            kind = "" if name == "phases" else "response to "
            for part in value:
                yield from ((f"{kind}{part['phase']}.{field}", _number(field, figure)) for field, figure in part.items())
        elif isinstance(value, dict):
            yield from ((f"{name}.{field}", _number(field, figure)) for field, figure in value.items())
        else:
            yield name, value


def _number(field: str, figure: Any) -> Any:
    """Convert an integer to float where the field's unit says float: JSON may drop the decimal point."""
    return float(figure) if isinstance(figure, int) and field.endswith(("_s", "_ms", "_ms2", "_pct", "_bpm", "_min")) else figure
