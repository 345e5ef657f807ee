"""Columns of times as seconds in order, whatever their unit, form and order: read, unwrapped, sorted or refused."""

from dataclasses import dataclass, field
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ....sensors.errors import RecordingError
from .cells import Moments, moment_in, moments_of
from .column_names import UNIT_S
from .sheet import Sheet

Array = NDArray[np.float64]

_EPOCHS: Final = ((1e17, 1e-9, "ns"), (1e14, 1e-6, "µs"), (1e11, 1e-3, "ms"), (1e8, 1.0, "s"))
_DAY_S, _HALF_DAY_S = 86_400.0, 43_200.0
_SERIAL_DAYS: Final = (20_000.0, 80_000.0)
_BEHIND: Final = 0.05
"""Share of rows behind the newest up to which they are left out."""
_FEW_STEPS_BACK: Final = 3
_STEPS_S: Final = (0.1, 120.0)
_FITS: Final = log(3.0)
_WITH_TIMES: Final = 0.95
"""Share of rows that must have a time for the times to be used."""
_CLOSE: Final = 0.15
"""Largest relative distance of a column without a heading from the sum of the intervals, for it to be their times."""


@dataclass(slots=True)
class Times:
    """Times of rows."""

    order: NDArray[np.int64]
    """Numbers of the rows that are kept, in order of time."""
    t_s: NDArray[np.float64]
    """Time in s of each of them; the first is any number."""
    words: str
    """The unit and order that were found."""
    dated: float | None = None
    """Seconds from 1970 of the first row, where the times are dates."""
    warnings: list[str] = field(default_factory=list)


def times_of_rows(name: str, sheet: Sheet, at_rows: NDArray[np.int64], rr_ms: NDArray[np.float64] | None) -> Times | None:
    """Return the times of some rows, from a date and a time of day, a column of times, or one that rises; None without any.

    Raises `RecordingError` where no order can be found.
    """
    roles = {role: [at for at, column in enumerate(sheet.columns) if column.role == role] for role in ("time", "date", "")}
    dates = next((cells for at in roles["date"] if (cells := _moments(sheet, at, at_rows)) is not None), None)
    for at in roles["time"]:
        moments = _moments(sheet, at, at_rows)
        if moments is None:
            continue
        if dates is not None and moments.form == "clock" and dates.form == "date":
            moments = Moments("date", dates.values + moments.values)
        if (times := _times_of(name, moments, sheet.columns[at].unit, rr_ms, named=True)) is not None:
            if times.dated is None and dates is not None and dates.form == "date":
                times.dated = float(dates.values[times.order[0]])
            return times
    if dates is not None and dates.form == "date" and np.ptp(dates.values) > 0:
        return _times_of(name, dates, "", rr_ms, named=True)
    for at in roles[""] if rr_ms is not None else ():
        moments = _moments(sheet, at, at_rows)
        if moments is not None and moments.form == "number" and rr_ms is not None and _rises(moments.values, rr_ms):
            return _times_of(name, moments, sheet.columns[at].unit, rr_ms, named=False)
    return None


def _moments(sheet: Sheet, at: int, at_rows: NDArray[np.int64]) -> Moments | None:
    cells = sheet.cells(at)
    wanted = cells if at_rows.size == len(cells) else [cells[n] for n in at_rows.tolist()]
    if (plain := moments_of(wanted, comma=sheet.comma)) is not None:
        return plain
    day_first = any(cell[:2].isdecimal() and int(cell[:2]) > 12 and not cell[2:3].isdecimal() for cell in wanted)
    of_cell = {cell: moment_in(cell, comma=sheet.comma, day_first=day_first) for cell in set(wanted)}
    moments = [of_cell[cell] for cell in wanted]
    known = [one for one in moments if one is not None]
    if len(known) < max(2, _WITH_TIMES * len(moments)):
        return None
    values: list[float] = []
    for one in moments:
        values.append(one.value if one is not None else (values[-1] if values else known[0].value))
    forms = {one.form for one in known}
    form = "clock" if forms == {"clock", "minutes"} else known[0].form if len(forms) == 1 else None
    return Moments(form, np.array(values))


def _rises(values: NDArray[np.float64], rr_ms: NDArray[np.float64]) -> bool:
    steps = np.diff(values)
    if not steps.size or np.any(steps <= 0) or np.all(steps == 1):
        return False
    return any(abs(float(steps.sum()) * scale / float(rr_ms[1:].sum()) - 1) < _CLOSE for scale in (1.0, 1000.0, 0.001))


def _times_of(name: str, moments: Moments, unit: str, rr_ms: Array | None, *, named: bool) -> Times | None:
    """Return the times of rows that all have one; None where they are only an index.

    `unit`: what the heading says, a key of `UNIT_S` or empty. `rr_ms`: sum of the intervals of each row, None without
    intervals. `named`: whether the heading says that it is a time. Raises `RecordingError` where no order can be found.
    """
    form, values = moments
    if form is None:
        raise RecordingError(f"{name}: the times are written in more than one way; one column of times is wanted.")
    if form == "minutes" and _repeats(values):
        values = 60 * values  # hours and minutes
    if form == "number":
        if _is_index(values) and not (named and rr_ms is None):
            return None
        scale, told = _scale(values, unit, rr_ms)
        dated = float(values[0]) * scale if values[0] * scale > 1e8 and told.startswith("since 1970") else None
        values = (values - values[0]) * scale
    else:
        told = {"date": "dates", "clock": "times of day", "minutes": "minutes and seconds"}[form]
        dated = float(values[0]) if form == "date" else None
    return _in_order(name, values, rr_ms, told, dated, clock=form == "clock")


def _is_index(values: Array) -> bool:
    return values.size > 1 and values[0] in {0.0, 1.0} and bool(np.all(np.diff(values) == 1.0))


def _repeats(values: Array) -> bool:
    """Return whether times of two parts are hours and minutes: many rows share one."""
    return values.size > 20 and np.unique(values).size < values.size / 8 and bool(values.max() < 24 * 60)


def _scale(values: Array, unit: str, rr_ms: Array | None) -> tuple[float, str]:
    """Return the seconds in one unit of numbers, and the unit in words."""
    largest = abs(float(np.median(values)))
    for least, scale, word in _EPOCHS:
        if largest >= least:
            return scale, f"since 1970 in {word}"
    span = abs(float(values[-1] - values[0]))
    total_ms = 0.0 if rr_ms is None else float(rr_ms.sum())
    if span > 0 and total_ms > 0:
        ratio = {word: abs(log(span * scale * 1000 / total_ms)) for word, scale in UNIT_S.items()}
        if unit in UNIT_S and ratio[unit] < _FITS:
            return UNIT_S[unit], unit
        best = min(ratio, key=lambda word: ratio[word])
        if _SERIAL_DAYS[0] < largest < _SERIAL_DAYS[1] and abs(log(span * _DAY_S * 1000 / total_ms)) < ratio[best]:
            return _DAY_S, "days"
        if not unit or ratio[best] + log(10) < ratio[unit]:
            return UNIT_S[best], f"{best}, by the sum of the intervals"
    if unit in UNIT_S:
        return UNIT_S[unit], unit
    steps = np.abs(np.diff(values))
    step = float(np.median(steps[steps > 0])) if np.any(steps > 0) else 1.0
    for word in ("s", "ms", "min", "us", "ns"):
        if _STEPS_S[0] <= step * UNIT_S[word] <= _STEPS_S[1]:
            return UNIT_S[word], f"{word}, by their steps"
    return 1.0, "s"


def _in_order(name: str, values: Array, rr_ms: Array | None, told: str, dated: float | None, *, clock: bool) -> Times:
    order, words, warnings = np.arange(values.size), told, list[str]()
    if clock:
        values, wrapped = _unwrapped(values)
        words += ", over midnight" if wrapped else ""
    back = np.count_nonzero(np.diff(values) < 0)
    if back > 0.6 * max(values.size - 1, 1):
        order = order[::-1]
        words += ", newest first"
        back = np.count_nonzero(np.diff(values[order]) < 0)
    t_s = values[order]
    if back:
        behind = t_s < np.maximum.accumulate(t_s)
        if np.count_nonzero(behind) <= max(1, _BEHIND * t_s.size):
            order, t_s = order[~behind], t_s[~behind]
            warnings.append(f"{name}: time runs backwards in {np.count_nonzero(behind)} rows; they are left out.")
        elif back <= _FEW_STEPS_BACK:
            t_s = _set_forward(t_s, None if rr_ms is None else rr_ms[order])
            words += ", after the clock was set back"
        elif np.unique(t_s).size == t_s.size:
            sorting = np.argsort(t_s)
            order, t_s = order[sorting], t_s[sorting]
            words += ", sorted"
        else:
            raise RecordingError(f"{name}: the rows are not in order of time, and many have the same time: sort them first.")
    return Times(order, t_s, words, dated, warnings)


def _unwrapped(values: Array) -> tuple[Array, bool]:
    """Return times of day as seconds that go on over midnight, and over noon on a clock of 12 hours; in either order."""
    steps = np.diff(values)
    turns_s = np.zeros(values.size)
    for whole in (_HALF_DAY_S, _DAY_S):
        turns_s[1:] = np.where(np.abs(np.abs(steps) - whole) < 0.08 * whole, -np.sign(steps) * whole, turns_s[1:])
    return values + np.cumsum(turns_s), bool(np.any(turns_s))


def _set_forward(t_s: Array, rr_ms: Array | None) -> Array:
    """Return times that go on where the clock was set back."""
    steps = np.diff(t_s)
    usual_s = float(np.median(steps[steps >= 0])) if np.any(steps >= 0) else 1.0
    on_s = usual_s if rr_ms is None else rr_ms[1:] / 1000
    shifts_s = np.where(steps < 0, -steps + on_s, 0.0)
    moved: Array = t_s + np.concatenate([[0.0], np.cumsum(shifts_s)])
    return moved
