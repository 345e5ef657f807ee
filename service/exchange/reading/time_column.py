"""A column of times as seconds in order, whatever their unit, form and order: read, unwrapped, sorted or refused."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import log
from statistics import median
from typing import Final

from ....sensors.errors import RecordingError
from .cells import Moment
from .column_names import UNIT_S

_EPOCHS: Final = ((1e17, 1e-9, "ns"), (1e14, 1e-6, "µs"), (1e11, 1e-3, "ms"), (1e8, 1.0, "s"))
_DAY_S, _HALF_DAY_S = 86_400.0, 43_200.0
_SERIAL_DAYS: Final = (20_000.0, 80_000.0)
_BEHIND: Final = 0.05
"""Share of rows behind the newest up to which they are left out."""
_FEW_STEPS_BACK: Final = 3
_STEPS_S: Final = (0.1, 120.0)
_FITS: Final = log(3.0)


@dataclass(slots=True)
class Times:
    """Times of rows."""

    order: list[int]
    """Numbers of the rows that are kept, in order of time."""
    t_s: list[float]
    """Time in s of each of them; the first is any number."""
    words: str
    """The unit and order that were found."""
    dated: float | None = None
    """Seconds from 1970 of the first row, where the times are dates."""
    warnings: list[str] = field(default_factory=list)


def times_of(name: str, moments: Sequence[Moment], unit: str, rr_ms: Sequence[float] | None, *, named: bool) -> Times | None:
    """Return the times of rows that all have one; None where they are only an index.

    `unit`: what the heading says, a key of `UNIT_S` or empty. `rr_ms`: sum of the intervals of each row, None without
    intervals. `named`: whether the heading says that it is a time. Raises `RecordingError` where no order can be found.
    """
    form = "clock" if any(one.form == "clock" for one in moments) else moments[0].form
    if any(one.form != form and not (form == "clock" and one.form == "minutes") for one in moments):
        raise RecordingError(f"{name}: the times are written in more than one way; one column of times is wanted.")
    values = [one.value for one in moments]
    if form == "minutes" and _repeats(values):
        values = [60 * value for value in values]  # hours and minutes
    if form == "number":
        if _is_index(values) and not (named and rr_ms is None):
            return None
        scale, told = _scale(values, unit, rr_ms)
        dated = values[0] * scale if values[0] * scale > 1e8 and told.startswith("since 1970") else None
        values = [(value - values[0]) * scale for value in values]
    else:
        told = {"date": "dates", "clock": "times of day", "minutes": "minutes and seconds"}[form]
        dated = values[0] if form == "date" else None
    return _in_order(name, values, rr_ms, told, dated, clock=form == "clock")


def _is_index(values: Sequence[float]) -> bool:
    return len(values) > 1 and values[0] in {0.0, 1.0} and all(after - before == 1.0 for before, after in pairwise(values))


def _repeats(values: Sequence[float]) -> bool:
    """Return whether times of two parts are hours and minutes: many rows share one."""
    return len(values) > 20 and len(set(values)) < len(values) / 8 and max(values) < 24 * 60


def _scale(values: Sequence[float], unit: str, rr_ms: Sequence[float] | None) -> tuple[float, str]:
    """Return the seconds in one unit of numbers, and the unit in words."""
    largest = abs(median(values))
    for least, scale, word in _EPOCHS:
        if largest >= least:
            return scale, f"since 1970 in {word}"
    span = abs(values[-1] - values[0])
    if rr_ms is not None and span > 0 and sum(rr_ms) > 0:
        ratio = {word: abs(log(span * scale * 1000 / sum(rr_ms))) for word, scale in UNIT_S.items()}
        if unit in UNIT_S and ratio[unit] < _FITS:
            return UNIT_S[unit], unit
        best = min(ratio, key=lambda word: ratio[word])
        if _SERIAL_DAYS[0] < largest < _SERIAL_DAYS[1] and abs(log(span * _DAY_S * 1000 / sum(rr_ms))) < ratio[best]:
            return _DAY_S, "days"
        if not unit or ratio[best] + log(10) < ratio[unit]:
            return UNIT_S[best], f"{best}, by the sum of the intervals"
    if unit in UNIT_S:
        return UNIT_S[unit], unit
    steps = [abs(b - a) for a, b in pairwise(values) if a != b]
    step = median(steps) if steps else 1.0
    for word in ("s", "ms", "min", "us", "ns"):
        if _STEPS_S[0] <= step * UNIT_S[word] <= _STEPS_S[1]:
            return UNIT_S[word], f"{word}, by their steps"
    return 1.0, "s"


def _in_order(
    name: str, values: Sequence[float], rr_ms: Sequence[float] | None, told: str, dated: float | None, *, clock: bool
) -> Times:
    order, words, warnings = list(range(len(values))), told, list[str]()
    steps = [b - a for a, b in pairwise(values)]
    if clock:
        values, wrapped = _unwrapped(values)
        if wrapped:
            words += ", over midnight"
            steps = [b - a for a, b in pairwise(values)]
    back = sum(step < 0 for step in steps)
    if steps and back > 0.6 * len(steps):
        order.reverse()
        words += ", newest first"
        steps = [values[a] - values[b] for b, a in pairwise(order)]
        back = sum(step < 0 for step in steps)
    t_s = [values[at] for at in order]
    if back:
        behind = _behind(t_s)
        if len(behind) <= max(1, _BEHIND * len(t_s)):
            kept = [n for n in range(len(t_s)) if n not in behind]
            order, t_s = [order[n] for n in kept], [t_s[n] for n in kept]
            warnings.append(f"{name}: time runs backwards in {len(behind)} rows; they are left out.")
        elif back <= _FEW_STEPS_BACK:
            t_s = _set_forward(t_s, [rr_ms[at] for at in order] if rr_ms else None)
            words += ", after the clock was set back"
        elif len(set(t_s)) == len(t_s):
            order = [at for _, at in sorted(zip(t_s, order, strict=True))]
            t_s = sorted(t_s)
            words += ", sorted"
        else:
            raise RecordingError(f"{name}: the rows are not in order of time, and many have the same time: sort them first.")
    return Times(order, t_s, words, dated, warnings)


def _unwrapped(values: Sequence[float]) -> tuple[list[float], bool]:
    """Return times of day as seconds that go on over midnight, and over noon on a clock of 12 hours; in either order."""
    out, turn_s, wrapped = [values[0]], 0.0, False
    for before, after in pairwise(values):
        step = after - before
        for whole in (_DAY_S, _HALF_DAY_S):
            if abs(abs(step) - whole) < 0.08 * whole:
                turn_s -= whole if step > 0 else -whole
                wrapped = True
                break
        out.append(after + turn_s)
    return out, wrapped


def _behind(t_s: Sequence[float]) -> set[int]:
    newest, behind = t_s[0], set[int]()
    for n, t in enumerate(t_s):
        if t < newest:
            behind.add(n)
        newest = max(newest, t)
    return behind


def _set_forward(t_s: Sequence[float], rr_ms: Sequence[float] | None) -> list[float]:
    usual_s = median([b - a for a, b in pairwise(t_s) if b >= a] or [1.0])
    out, shift_s = [t_s[0]], 0.0
    for n, (before, after) in enumerate(pairwise(t_s), 1):
        if after < before:
            shift_s += before - after + (rr_ms[n] / 1000 if rr_ms else usual_s)
        out.append(after + shift_s)
    return out
