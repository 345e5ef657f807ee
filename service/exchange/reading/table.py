"""Tables of other programs: which columns hold intervals, heart rates and times, and what they prove to be."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

import numpy as np

from ....sensors.device_text import clean_text
from ....sensors.errors import RecordingError
from ....sensors.recordings.recording import Recording
from ..packet_reconstruction import (
    Arrival,
    ImportedFile,
    Interval,
    from_arrivals,
    from_heart_rates,
    from_intervals,
    timed_intervals,
)
from .cells import Moment, moment_in, number_in, numbers_in
from .column_names import ColumnName, read_name
from .found_file import FoundFile, Source, found_beats, text_of
from .intervals import Beats, beats_of
from .refusals import check_dropped, in_beats_a_minute, warn_of
from .sheet import Sheet
from .time_column import Times, times_of

_MOST: Final = 1e19
_LONGEST_LIST: Final = 120
_LARGEST_ERROR_MS: Final = 30.0
"""Largest error of a pulse interval, by the sensor's own estimate, as for a sensor on the air."""
_NORMAL: Final = frozenset({"N", "n", "normal", ".", "·", "L", "R", "e", "j"})
_VALID: Final = {0.0, 1.0}
"""Codes of validity of an interval that was measured: as it came, or good. Others are bad, corrected, or a gap (Oura)."""
_WITH_TIMES: Final = 0.95
"""Share of rows that must have a time for the times to be used."""
_FIGURES_S, _DAYS_S = 3600.0, 0.9 * 86_400
"""Time between rows from which heart rates are figures of hours, and of days."""
_ROUNDING_S: Final = 0.01
_CLOSE: Final = 0.15
"""Largest relative distance of the time from the sum of the intervals in a table of two columns without a heading."""


class _Row(NamedTuple):
    """A row with values."""

    at: int
    """Its number in the sheet."""
    values: list[float]
    gap: bool
    doubted: bool


def read_sheet(name: str, sheet: Sheet) -> FoundFile:
    """Read a table. Raises `RecordingError` where it holds no beats, saying what it seems to hold."""
    if not sheet.rows:
        raise RecordingError(f"{name} holds no row of numbers.")
    if not sheet.columns:
        return _without_heading(name, sheet)
    rr = _interval_columns(sheet)
    if rr and any(numbers_in(cells[at], comma=sheet.comma) for at in rr for _, cells in sheet.rows if at < len(cells)):
        return _read_intervals(name, sheet, rr)
    for role in ("beats", "hr"):
        for at in (n for n, column in enumerate(sheet.columns) if column.role == role):
            values = [number_in(cell, comma=sheet.comma) for cell in sheet.cells(at)]
            if sum(value is not None for value in values) > 1:
                return _read_beats(name, sheet, at) if role == "beats" else _read_rates(name, sheet, at)
    raise RecordingError(_no_beats(name, sheet))


def _no_beats(name: str, sheet: Sheet) -> str:
    named = _listed(sheet.heading)
    figures = [heading for heading, column in zip(sheet.heading, sheet.columns, strict=False) if column.role == "figure"]
    if len(figures) >= 2:
        return f"{name} seems to hold figures computed from beats ({_listed(figures)}), not the beats themselves."
    what = f"its columns are {named}" if named else "its columns have no names"
    return f"{name} holds no column of RR intervals or heart rates ({what}): a heading such as RR (ms) or HR (bpm) is wanted."


def _without_heading(name: str, sheet: Sheet) -> FoundFile:
    """Read a table without a heading: a list of numbers, or time and interval, which must agree, and an annotation."""
    if sheet.width == 1:
        numbers = [number_in(cells[0], comma=sheet.comma) for _, cells in sheet.rows]
        known = [value for value in numbers if value is not None]
        if not known:
            raise RecordingError(f"{name} holds no RR interval: one in ms a line is wanted, for example 812.")
        check_dropped(name, len(numbers) - len(known), len(numbers), ())
        beats = beats_of(name, known, [False] * len(known), [None] * len(known), "", named=False)
        return found_beats(name, "RR text", beats, ())
    if sheet.width in {2, 3, 4}:
        for time_at in range(sheet.width - 1):
            columns = [ColumnName("", "")] * sheet.width
            columns[time_at], columns[time_at + 1] = ColumnName("time", ""), ColumnName("rr", "")
            if sheet.width > time_at + 2 and not any(number_in(cell) is not None for cell in sheet.cells(time_at + 2)[:50]):
                columns[time_at + 2] = ColumnName("kind", "")
            if _agree(sheet, time_at):
                return _read_intervals(name, Sheet(sheet.rows, columns, (), sheet.comma), [time_at + 1])
    figures = _header_of_figures(sheet)
    raise RecordingError(
        f"{name} seems to hold figures computed from beats ({figures}), not the beats themselves."
        if figures
        else f"{name} has {sheet.width} columns and no heading that names intervals or heart rates, nor are two of them times "
        "and the intervals between them: a heading such as RR (ms) or HR (bpm) is wanted."
    )


def _header_of_figures(sheet: Sheet) -> str:
    for _, cells in sheet.rows[:3]:
        figures = [cell for cell in cells if read_name(cell).role == "figure"]
        if len(figures) >= 2:
            return _listed(figures)
    return ""


def _listed(headings: Iterable[str]) -> str:
    """Return headings as a person reads them in a sentence: cleaned, for they come from a file, and not too many."""
    return ", ".join(filter(None, map(clean_text, headings)))[:_LONGEST_LIST]


def _agree(sheet: Sheet, time_at: int) -> bool:
    """Return whether a column rises by the intervals in the one beside it, in some units."""
    pairs = [(moment_in(t, comma=sheet.comma), number_in(rr, comma=sheet.comma))
             for t, rr in zip(sheet.cells(time_at), sheet.cells(time_at + 1), strict=True)]  # fmt: skip
    known = [(moment.value, rr) for moment, rr in pairs if moment is not None and rr is not None and rr > 0]
    if len(known) < 3 or len(known) < 0.8 * len(pairs):
        return False
    t, rr_all = np.array(known).T
    steps = np.diff(t)
    if np.mean(steps >= 0) < 0.95 or steps.sum() <= 0:
        return False
    span, total = float(steps.sum()), float(rr_all[1:].sum())
    return any(abs(span * scale / total - 1) < _CLOSE for scale in (1.0, 1000.0, 0.001))


def _interval_columns(sheet: Sheet) -> list[int]:
    """Return the columns of intervals, in order: all that are numbered, or the one that another program has least changed."""
    found = [(at, column) for at, column in enumerate(sheet.columns) if column.role == "rr"]
    plain = [(at, column) for at, column in found if not column.qualified or "raw" in sheet.heading[at].lower()] or found
    numbered = [at for at, column in sorted(plain, key=lambda each: each[1].number or 0) if column.number is not None]
    single = [at for at, column in plain if column.number is None]
    if numbered and (not single or min(sheet.columns[at].number or 0 for at in numbered) >= 2):
        return [*single[:1], *numbered]
    return single[:1]


def _read_intervals(name: str, sheet: Sheet, columns: Sequence[int]) -> FoundFile:
    rows, warnings, dropped = _rows(name, sheet, columns)
    values = [value for row in rows for value in row.values]
    if not values:
        raise RecordingError(f"{name} has a heading for heartbeats but no number beneath it.")
    check_dropped(name, dropped, len(rows) + dropped, warnings)
    unit = sheet.columns[columns[0]].unit
    gaps = [row.gap and not n for row in rows for n in range(len(row.values))]
    beats = beats_of(name, values, gaps, [None] * len(values), unit if unit != "bpm" else "", named=True)
    evidence = [*_column_evidence(sheet, columns), *beats.evidence]
    if beats.kind != "RR intervals":
        return found_beats(name, "CSV", beats, warnings, dropped)
    doubted = any(row.doubted for row in rows)
    scaled, at = list[tuple[float, ...]](), 0
    for row in rows:
        scaled.append(tuple(beats.rr_ms[at : at + len(row.values)]))
        at += len(row.values)
    times = _times(name, sheet, [row.at for row in rows], [sum(rr) for rr in scaled])
    if times is None and not doubted:
        told = Beats(beats.rr_ms, beats.gap_before, beats.gap_s, beats.kind, beats.unit, tuple(evidence))
        return found_beats(name, "CSV", told, warnings, dropped)
    if times is None:
        ends = np.cumsum([sum(rr) for rr in scaled]) / 1000
        times = Times(list(range(len(rows))), ends.tolist(), "the sum of the intervals")
    warnings += times.warnings
    start_s = times.t_s[0] - sum(scaled[times.order[0]]) / 1000
    kept = [(t - start_s, scaled[n], rows[n]) for t, n in zip(times.t_s, times.order, strict=True)]
    intervals, arrival = _intervals_in_order(kept)
    if doubted:
        evidence.append(f"{sum(row.doubted for row in rows)} rows are marked as no heartbeats, and are left out of the figures.")
    pulse = any(column.role == "blocker" for column in sheet.columns)
    source = Source(kind="pulse intervals" if pulse else beats.kind, unit=beats.unit, times=f"{arrival} ({times.words})",
                    rows=len(rows), dropped=dropped, evidence=tuple(evidence))  # fmt: skip
    text = None if intervals is None or doubted else text_of(intervals, warnings)

    def make() -> Recording:
        arrivals = (Arrival(t, rr, gap_before=row.gap, doubted=row.doubted) for t, rr, row in kept)
        events = from_arrivals(arrivals) if intervals is None else from_intervals(intervals)
        return ImportedFile(name, events, warnings, source.fields()).recording("CSV", arrival=arrival, began=_began(times))

    return FoundFile(make, source, text)


def _intervals_in_order(kept: Sequence[tuple[float, tuple[float, ...], _Row]]) -> tuple[list[Interval] | None, str]:
    """Return the intervals of rows with their times, and what the times were taken for; None where they are those of packets."""
    times_s, rows_ms, rows = zip(*kept, strict=True)
    gaps = [row.gap for row in rows]
    steps_s, sums_s = np.diff(times_s), np.cumsum([sum(row_ms) for row_ms in rows_ms]) / 1000
    if np.all(np.abs(steps_s - np.rint(steps_s)) < _ROUNDING_S):
        off_s = np.concatenate([[0.0], np.cumsum(steps_s)]) - sums_s
        if np.ptp(off_s) > 1 + _ROUNDING_S or any(gaps):
            return None, "the times in the file"
        told = "the sum of the intervals, as the whole seconds in the file say too"
        ends = zip(sums_s.tolist(), rows_ms, rows, strict=True)
        return [part for t, row_ms, row in ends for part in _parts(Interval(t, 0.0, doubted=row.doubted), row_ms)], told
    timed = timed_intervals(times_s, [sum(row_ms) for row_ms in rows_ms], gaps, [row.doubted for row in rows])
    if timed is None:
        return None, "the times in the file"
    return [part for one, row_ms in zip(timed, rows_ms, strict=True) for part in _parts(one, row_ms)], "the beats' own times"


def _parts(row: Interval, row_ms: Sequence[float]) -> list[Interval]:
    """Return the intervals of a row, the last of which ends with it."""
    return [
        Interval(row.end_s - sum(row_ms[n + 1 :]) / 1000, rr, row.gap_before and not n, row.doubted)
        for n, rr in enumerate(row_ms)
    ]


def _rows(name: str, sheet: Sheet, columns: Sequence[int]) -> tuple[list[_Row], list[str], int]:
    """Return the rows that hold values, notes on those that could not be read, and their number.

    A blank cell holds nothing, and is no gap: the times tell whether beats are missing.
    """
    doubt = _Doubt(sheet)
    rows: list[_Row] = []
    warnings: list[str] = []
    gap, dropped = False, 0
    for n, (number, cells) in enumerate(sheet.rows):
        values: list[float] | None = []
        for at in columns:
            found = numbers_in(cells[at], comma=sheet.comma) if at < len(cells) else []
            values = None if found is None or values is None else [*values, *found]
        if values is None or any(not 0 <= value <= _MOST for value in values):
            dropped += 1
            gap = bool(rows)
            warn_of(name, warnings, number, " ".join(cells))
        elif values:
            rows.append(_Row(n, values, gap, doubt.of(cells)))
            gap = False
    return rows, warnings, dropped


class _Doubt:
    """Columns that say that an interval is no heartbeat: movement, a large error, no contact, another kind of beat."""

    def __init__(self, sheet: Sheet) -> None:
        self._at = {column.role: at for at, column in reversed(list(enumerate(sheet.columns)))}
        self._contacts = [at for at, column in enumerate(sheet.columns) if column.role == "contact"]
        kind = self._at.get("kind")
        labels = [cell for cell in sheet.cells(kind) if cell] if kind is not None else []
        self._any = bool(self._at.keys() & {"blocker", "error", "contact", "kind", "offline", "validity"})
        self._kind = kind if labels and sum(label in _NORMAL for label in labels) > 0.5 * len(labels) else None
        self._optical = bool(self._at.keys() & {"blocker", "error", "offline"})
        validity = self._at.get("validity")
        codes = {number_in(cell) for cell in sheet.cells(validity)} if validity is not None else set()
        self._valid = {1.0} if codes <= {0.0, 1.0} and len(codes) == 2 else _VALID

    def of(self, cells: Sequence[str]) -> bool:
        """Return whether a row is doubted."""
        if not self._any:
            return False
        blocker, error, offline, validity = (self._number(cells, role) for role in ("blocker", "error", "offline", "validity"))
        contacts = [number_in(cells[at]) for at in self._contacts if at < len(cells)]
        return (
            bool(blocker)
            or bool(offline)
            or (error is not None and error > _LARGEST_ERROR_MS)
            or (validity is not None and validity not in self._valid)
            or (bool(contacts) and contacts[0] == 0 and self._optical)
            or (
                self._kind is not None
                and self._kind < len(cells)
                and bool(cells[self._kind])
                and cells[self._kind] not in _NORMAL
            )
        )

    def _number(self, cells: Sequence[str], role: str) -> float | None:
        at = self._at.get(role)
        return number_in(cells[at]) if at is not None and at < len(cells) else None


def _column_evidence(sheet: Sheet, columns: Sequence[int]) -> list[str]:
    names = [sheet.heading[at] or "without a name" for at in columns if at < len(sheet.heading)]
    if not names:
        return ["Two columns without a heading: one rises by the intervals in the other."]
    others = [name for at, name in enumerate(sheet.heading) if sheet.columns[at].role == "rr" and at not in columns]
    beside = f"; {_listed(others)} is not read" if others else ""
    return [f"Intervals from {'the column' if len(names) == 1 else 'the columns'} {_listed(names)}{beside}."]


def _times(name: str, sheet: Sheet, at_rows: Sequence[int], rr_ms: Sequence[float] | None) -> Times | None:
    """Return the times of some rows, from a date and a time of day, a column of times, or one that rises; None without any."""
    roles = {role: [at for at, column in enumerate(sheet.columns) if column.role == role] for role in ("time", "date", "")}
    dates = next((cells for at in roles["date"] if (cells := _moments(sheet, at, at_rows)) is not None), None)
    for at in roles["time"]:
        moments = _moments(sheet, at, at_rows)
        if moments is None:
            continue
        if dates is not None and all(one.form == "clock" for one in moments) and all(one.form == "date" for one in dates):
            moments = [Moment("date", date.value + clock.value) for date, clock in zip(dates, moments, strict=True)]
        if (times := times_of(name, moments, sheet.columns[at].unit, rr_ms, named=True)) is not None:
            if times.dated is None and dates is not None and dates[0].form == "date":
                times.dated = dates[times.order[0]].value
            return times
    if dates is not None and len({one.value for one in dates}) > 1 and dates[0].form == "date":
        return times_of(name, dates, "", rr_ms, named=True)
    for at in roles[""]:
        moments = _moments(sheet, at, at_rows) if rr_ms is not None else None
        if moments is not None and all(one.form == "number" for one in moments) and _rises(moments, rr_ms or ()):
            return times_of(name, moments, sheet.columns[at].unit, rr_ms, named=False)
    return None


def _moments(sheet: Sheet, at: int, at_rows: Sequence[int]) -> list[Moment] | None:
    cells = sheet.cells(at)
    wanted = [cells[n] for n in at_rows]
    day_first = any(cell[:2].isdecimal() and int(cell[:2]) > 12 and not cell[2:3].isdecimal() for cell in wanted)
    moments = [moment_in(cell, comma=sheet.comma, day_first=day_first) for cell in wanted]
    known = [one for one in moments if one is not None]
    if len(known) < max(2, _WITH_TIMES * len(moments)):
        return None
    filled: list[Moment] = []
    for one in moments:
        filled.append(one if one is not None else (filled[-1] if filled else known[0]))
    return filled


def _rises(moments: Sequence[Moment], rr_ms: Sequence[float]) -> bool:
    values = np.array([one.value for one in moments])
    steps = np.diff(values)
    if not steps.size or np.any(steps <= 0) or np.all(steps == 1):
        return False
    return any(abs(float(steps.sum()) * scale / sum(rr_ms[1:]) - 1) < _CLOSE for scale in (1.0, 1000.0, 0.001))


def _began(times: Times) -> datetime | None:
    try:
        return None if times.dated is None else datetime.fromtimestamp(times.dated, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _read_beats(name: str, sheet: Sheet, at: int) -> FoundFile:
    values = [number_in(cell, comma=sheet.comma) for cell in sheet.cells(at)]
    known = [value for value in values if value is not None]
    beats = beats_of(name, known, [False] * len(known), [None] * len(known), sheet.columns[at].unit, named=False)
    if beats.kind != "beat times":
        raise RecordingError(
            f"{name}: the column {_listed([sheet.heading[at]])} should hold the times of beats, but they do not rise."
        )
    return found_beats(name, "CSV", beats, ())


def _read_rates(name: str, sheet: Sheet, at: int) -> FoundFile:
    rows, warnings, dropped = _rows(name, sheet, [at])
    check_dropped(name, dropped, len(rows) + dropped, warnings)
    bpm, unit = in_beats_a_minute(name, [row.values[0] for row in rows], sheet.columns[at].unit)
    times = _times(name, sheet, [row.at for row in rows], None)
    _refuse_days(name, sheet, times)
    if times is None:
        rates, arrival = [(float(n), rate) for n, rate in enumerate(bpm, 1)], "one row a second, as the file has no times"
        told = arrival
    else:
        rates = [(t - times.t_s[0], bpm[n]) for t, n in zip(times.t_s, times.order, strict=True)]
        arrival, told = "the times in the file", f"the times in the file ({times.words})"
        warnings += times.warnings
    evidence = f"Heart rates from the column {_listed([sheet.heading[at]])}; no column holds intervals."
    source = Source(kind="heart rates", unit=unit, times=told, rows=len(rows), dropped=dropped, evidence=(evidence,))
    imported = ImportedFile(name, from_heart_rates(rates), warnings, source=source.fields())
    return FoundFile(lambda: imported.recording("CSV", arrival=arrival, began=_began(times) if times else None), source)


def _refuse_days(name: str, sheet: Sheet, times: Times | None) -> None:
    """Raise `RecordingError` where the rows are so far apart that each is a figure of an hour or a day."""
    steps_s = [b - a for a, b in pairwise(times.t_s)] if times else []
    if not steps_s or median(steps_s) < _FIGURES_S:
        return
    figures = [heading for heading, column in zip(sheet.heading, sheet.columns, strict=True) if column.role == "figure"]
    apart = f"{median(steps_s) / 3600:.0f} hours apart" if median(steps_s) < _DAYS_S else "days apart"
    beside = f" ({_listed(figures)})" if figures else ""
    raise RecordingError(
        f"{name} seems to hold figures of past measurements{beside}, whose rows are {apart}, not the heartbeats of one: "
        "export the RR intervals of a single measurement instead."
    )
