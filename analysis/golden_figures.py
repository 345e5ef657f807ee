"""Golden summaries: the figures that a recording gave once, compared field by field, each with its tolerance."""

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
"""Relative and absolute, by field; the rest is tight. Counts, classes and words must be equal."""


class Difference(NamedTuple):
    """One field that is no longer what it was."""

    field: str
    """Such as "baseline.rmssd_ms" or "integrity.gaps"."""
    golden: Any
    now: Any


def differences(golden: SessionFigures, now: SessionFigures) -> list[Difference]:
    """Give every field that differs by more than its tolerance; a field that is missing on one side is None there."""
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
    """A float that JSON wrote without its point is a float all the same."""
    return float(figure) if isinstance(figure, int) and field.endswith(("_s", "_ms", "_ms2", "_pct", "_bpm", "_min")) else figure
