"""CSV import: restbeat's own table of beats, and those of other programs.

Another program's table has a column of RR intervals (RR, IBI, NN … in ms or s) or of heart rates, and mostly one of times;
two columns without a heading are time and RR, as Kubios reads them. Columns are separated by comma, semicolon, tab or spaces.
"""

from collections.abc import Sequence
import csv
from dataclasses import dataclass
from datetime import UTC, datetime, time
from itertools import pairwise
from math import isfinite
import re
from statistics import median
from typing import NamedTuple

from ...sensors.errors import RecordingError
from ...sensors.model import Phase
from ...sensors.recordings.recording import PhaseStart, Recording
from .csv_export import BEATS, EVENTS, PHASES, RATES
from .packet_reconstruction import ImportedFile, Interval, from_heart_rates, from_intervals, from_times
from .session_data import NOT_HEARTBEATS

_NAMES = {
    "rr": re.compile(r"\b(r[ _-]?r|rri|ibi|nn|nni|ppi?|inter ?beat|beat to beat)\b"),
    "hr": re.compile(r"\b(hr|bpm|heart ?rate|pulse)\b"),
    "time": re.compile(r"\b(time|timestamp|date|datetime|t|since|elapsed|seconds)\b"),
}
_DERIVED = re.compile(r"\b(cum|cumulative|sum|mean|avg|average|min|max|sd|count|index)\b")
_IN_MS = re.compile(r"\b(ms|msec|milliseconds)\b")
_IN_S = re.compile(r"\b(s|sec|secs|seconds)\b")
_SECONDS_BELOW = 10.0
_HEAD_LINES = 400
"""Lines within which a heading must be found: reports have long prefaces."""
_MAX_MS = 1e6
_MAX_WARNINGS = 20


class _Columns(NamedTuple):
    rr: int | None
    hr: int | None
    time: int | None
    rr_in_s: bool | None
    """None where the heading does not say."""


@dataclass(frozen=True, slots=True)
class _Sheet:
    rows: list[tuple[int, list[str]]]
    """Line number and cells of each row."""
    comma_decimal: bool


def is_table(text: str) -> bool:
    """Return whether a text is a table rather than one number per line."""
    try:
        sheet = _sheet(text)
    except RecordingError:
        return False
    wide = bool(sheet.rows) and len(sheet.rows[0][1]) > 2
    return wide or _heading(sheet) is not None or _plain_columns(sheet) is not None


def read_table(name: str, text: str) -> Recording:
    """Read a table of beats or heart rates. Raises `RecordingError` where the text holds none."""
    sheet = _sheet(text)
    first = tuple(cell.strip().lower() for cell in sheet.rows[0][1]) if sheet.rows else ()
    if first in {PHASES, EVENTS}:
        what = "figures of phases" if first == PHASES else "what was noted"
        raise RecordingError(f"{name} holds {what}, no beats: take the table of beats of the same session.")
    imported = ImportedFile(name)
    if first in {BEATS, RATES}:
        return _own_table(imported, sheet.rows[1:], rates=first == RATES)
    return _foreign_table(imported, sheet)


def _own_table(imported: ImportedFile, rows: Sequence[tuple[int, list[str]]], *, rates: bool) -> Recording:
    intervals: list[Interval] = []
    sent: list[tuple[float, float]] = []
    phases: list[PhaseStart] = []
    gap = False
    for number, cells in rows:
        t, value = (_number(cell) for cell in [*cells, "", ""][:2])
        if t is None or value is None or not 0 <= value <= _MAX_MS or len(cells) != len(RATES if rates else BEATS):
            gap = bool(intervals)
            _warn(imported, number, cells)
            continue
        if rates:
            sent.append((t, value))
        else:
            intervals.append(Interval(t, value, gap or cells[4] == "1", cells[3] in NOT_HEARTBEATS))
            gap = False
        phase = cells[-1].strip()
        if phase in {p.value for p in Phase} and (not phases or phases[-1].phase.value != phase):
            # in the middle of its first beat, so that rounding moves no beat into another phase
            phases.append(PhaseStart(max(t - (0.0 if rates else value / 2000), phases[-1].t) if phases else 0.0, Phase(phase)))
    imported.events = [*phases, *(from_heart_rates(sent) if rates else from_intervals(intervals))]
    return imported.recording("restbeat CSV", arrival="the ends of the beats")


def _foreign_table(imported: ImportedFile, sheet: _Sheet) -> Recording:
    heading = _heading(sheet)
    first, columns = heading or (0, _plain_columns(sheet))
    if columns is None:
        raise RecordingError(
            f"{imported.name} holds no column of RR intervals or heart rates: a heading such as RR (ms) or HR (bpm) is wanted."
        )
    values: list[float] = []
    times: list[float | None] = []
    gaps: list[bool] = []
    gap = False
    at = columns.rr if columns.rr is not None else columns.hr
    for number, cells in sheet.rows[first:]:
        value = _number(_cell(cells, at), comma=sheet.comma_decimal)
        if value is None or not 0 <= value <= _MAX_MS:
            gap = bool(values)
            _warn(imported, number, cells)
            continue
        values.append(value)
        times.append(_moment(_cell(cells, columns.time), comma=sheet.comma_decimal))
        gaps.append(gap)
        gap = False
    if not values:
        raise RecordingError(f"{imported.name} has a heading for heart beats but no number beneath it.")
    if columns.rr is None:
        return _rates(imported, times, values)
    return _intervals(imported, times, values, gaps, in_s=columns.rr_in_s)


def _rates(imported: ImportedFile, times: list[float | None], values: list[float]) -> Recording:
    known = [t for t in times if t is not None]
    if len(known) < len(times):
        imported.events = from_heart_rates(enumerate(values, 1))
        return imported.recording("CSV", arrival="one row a second, as the file has no times")
    imported.events = from_heart_rates(_in_order(imported, [(t - known[0], bpm) for t, bpm in zip(known, values, strict=True)]))
    return imported.recording("CSV", arrival="the times in the file")


def _intervals(
    imported: ImportedFile, times: list[float | None], values: list[float], gaps: list[bool], *, in_s: bool | None
) -> Recording:
    if in_s or (in_s is None and 0 < median(values) < _SECONDS_BELOW):
        values = [1000 * value for value in values]
    if any(t is None for t in times):
        end_s, intervals = 0.0, []
        for rr_ms, gap in zip(values, gaps, strict=True):
            end_s += rr_ms / 1000 + (median(values) / 1000 if gap else 0.0)
            intervals.append(Interval(end_s, rr_ms, gap))
        imported.events = from_intervals(intervals)
        return imported.recording("CSV", arrival="the sum of the intervals")
    scale = _scale([t for t in times if t is not None], values)
    start_s = (times[0] or 0.0) * scale - values[0] / 1000
    rows = [((t or 0.0) * scale - start_s, rr, gap) for t, rr, gap in zip(times, values, gaps, strict=True)]
    ordered = [row for row in rows if row[0] >= 0]
    kept = [row for row, latest in zip(ordered, _latest([row[0] for row in ordered]), strict=True) if row[0] >= latest]
    if len(kept) < len(rows):
        imported.warnings.append(f"{imported.name}: time runs backwards in {len(rows) - len(kept)} rows; they are left out.")
    imported.events, arrival = from_times([row[0] for row in kept], [row[1] for row in kept], [row[2] for row in kept])
    return imported.recording("CSV", arrival=arrival)


def _in_order(imported: ImportedFile, rates: list[tuple[float, float]]) -> list[tuple[float, float]]:
    kept = [rate for rate, latest in zip(rates, _latest([t for t, _ in rates]), strict=True) if rate[0] >= max(latest, 0.0)]
    if len(kept) < len(rates):
        imported.warnings.append(f"{imported.name}: time runs backwards in {len(rates) - len(kept)} rows; they are left out.")
    return kept


def _latest(times: Sequence[float]) -> list[float]:
    """Return the running maximum of times."""
    latest: list[float] = []
    for t in times:
        latest.append(max(t, latest[-1]) if latest else t)
    return latest


def _scale(times: Sequence[float], rr_ms: Sequence[float]) -> float:
    """Return the factor that converts times to s: 0.001 where ms fit the intervals' total length better."""
    steps = [b - a for a, b in pairwise(times) if b > a]
    return 0.001 if steps and sum(steps) > 30 * sum(rr_ms) / 1000 and median(steps) > 20 else 1.0


def _sheet(text: str) -> _Sheet:
    lines = [
        (number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip() and not line.lstrip().startswith("#")
    ]
    sample = [line for _, line in lines[:_HEAD_LINES]]
    counts = {mark: sum(mark in line for line in sample) for mark in ("\t", ";", ",")}
    mark = next((mark for mark in ("\t", ";", ",") if sample and counts[mark] >= 0.5 * len(sample)), None)
    if mark is None:
        mark = max(counts, key=lambda each: counts[each]) if any(counts.values()) else None
    if mark is None:
        return _Sheet([(number, line.split()) for number, line in lines], comma_decimal=True)
    try:
        cells = list(csv.reader([line for _, line in lines], delimiter=mark))
    except csv.Error as error:
        raise RecordingError(f"The table cannot be read: {error}.") from error
    numbers = [number for number, _ in lines]
    return _Sheet(list(zip(numbers, cells, strict=False)), comma_decimal=mark != ",")


def _heading(sheet: _Sheet) -> tuple[int, _Columns] | None:
    """Return the index of the first row after the heading, and the columns; a heading has numbers below it."""
    for at, (_, cells) in enumerate(sheet.rows[:_HEAD_LINES]):
        if at + 1 == len(sheet.rows) or not len(cells) == len(sheet.rows[at + 1][1]) > 1:
            continue
        names = [re.sub(r"[^a-z]+", " ", cell.lower()).strip() for cell in cells]
        rr, hr = (_first(sheet, at + 1, names, kind) for kind in ("rr", "hr"))
        if rr is None and hr is None:
            continue
        unit = names[rr] if rr is not None else ""
        in_s = True if _IN_S.search(unit) else False if _IN_MS.search(unit) else None
        return at + 1, _Columns(rr, hr, _time(sheet, at + 1, names, {rr, hr}), in_s)
    return None


def _first(sheet: _Sheet, first: int, names: Sequence[str], kind: str) -> int | None:
    """Return the column of that kind with the shortest name and a number in its first row; None where there is none."""
    candidates = [
        at
        for at, name in enumerate(names)
        if _NAMES[kind].search(name) and not _DERIVED.search(name) and _number_at(sheet, first, at) is not None
    ]
    return min(candidates, key=lambda at: len(names[at]), default=None)


def _time(sheet: _Sheet, first: int, names: Sequence[str], used: set[int | None]) -> int | None:
    """Return the column of times, by its heading or because its values rise; None where there is none."""
    rows = sheet.rows[first : first + _HEAD_LINES]
    rising: list[int] = []
    for at, name in enumerate(names):
        if at in used:
            continue
        if _NAMES["time"].search(name) and _moment(_cell(rows[0][1], at), comma=sheet.comma_decimal) is not None:
            return at
        values = [value for _, cells in rows if (value := _number(_cell(cells, at), comma=sheet.comma_decimal)) is not None]
        counted = all(after - before == 1 for before, after in pairwise(values))
        if len(values) > 2 and values == sorted(set(values)) and not counted:
            rising.append(at)
    return rising[0] if rising else None


def _number_at(sheet: _Sheet, row: int, at: int) -> float | None:
    return _number(_cell(sheet.rows[row][1], at), comma=sheet.comma_decimal)


def _plain_columns(sheet: _Sheet) -> _Columns | None:
    """Return the columns of time and RR without a heading: two numbers per row, the first always rising; else None."""
    pairs = [tuple(_number(cell, comma=sheet.comma_decimal) for cell in cells) for _, cells in sheet.rows[:_HEAD_LINES]]
    complete = [(a, b) for a, b in (pair for pair in pairs if len(pair) == 2) if a is not None and b is not None]
    if len(complete) < 3 or len(complete) < 0.8 * len(pairs):
        return None
    rising = all(before[0] < after[0] for before, after in pairwise(complete))
    return _Columns(1, None, 0, None) if rising else None


def _cell(cells: Sequence[str], at: int | None) -> str:
    return cells[at] if at is not None and at < len(cells) else ""


def _number(text: str, *, comma: bool = False) -> float | None:
    try:
        value = float(text.strip().replace(",", ".") if comma else text)
    except ValueError:
        return None
    return value if isfinite(value) and abs(value) < 1e15 else None


def _moment(text: str, *, comma: bool) -> float | None:
    """Return a time in s, read as a number, a date or a time of day; None where it is none of these."""
    number = _number(text, comma=comma)
    if number is not None:
        return number
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        pass
    try:
        clock = time.fromisoformat(text.strip())
    except ValueError:
        return None
    return 3600 * clock.hour + 60 * clock.minute + clock.second + clock.microsecond / 1e6


def _warn(imported: ImportedFile, number: int, cells: Sequence[str]) -> None:
    if len(imported.warnings) < _MAX_WARNINGS:
        imported.warnings.append(f"{imported.name} line {number}: {' '.join(cells)[:40]!r} is no row of beats; it is left out.")
