"""Tables of other programs: which columns hold intervals, heart rates and times, and what they prove to be."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ....sensors.device_text import clean_text
from ....sensors.errors import RecordingError
from ....sensors.recordings.recording import Recording
from ..packet_reconstruction import (
    Arrival,
    ImportedFile,
    Series,
    from_arrivals,
    from_heart_rates,
    from_intervals,
    timed_intervals,
)
from .cells import moment_in, number_in, numbers_in
from .column_names import ColumnName, read_name
from .found_file import FoundFile, Source, found_beats, text_of
from .intervals import Beats, beats_of
from .refusals import check_dropped, in_beats_a_minute
from .row_values import RowValues, row_values
from .sheet import Sheet
from .time_column import Times, times_of_rows

_LONGEST_LIST: Final = 120
_FIGURES_S, _DAYS_S = 3600.0, 0.9 * 86_400
"""Time between rows from which heart rates are figures of hours, and of days."""
_ROUNDING_S: Final = 0.01
_CLOSE: Final = 0.15
"""Largest relative distance of the time from the sum of the intervals in a table of two columns without a heading."""


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
    rows = row_values(name, sheet, columns)
    if not rows.values.size:
        raise RecordingError(f"{name} has a heading for heartbeats but no number beneath it.")
    warnings = rows.warnings
    check_dropped(name, rows.dropped, rows.at.size + rows.dropped, warnings)
    unit = sheet.columns[columns[0]].unit
    gaps = np.zeros(rows.values.size, dtype=np.bool_)
    gaps[rows.starts] = rows.gap
    unknown: list[float | None] = [None] * rows.values.size
    beats = beats_of(name, rows.values.tolist(), gaps.tolist(), unknown, unit if unit != "bpm" else "", named=True)
    evidence = [*_column_evidence(sheet, columns), *beats.evidence]
    if beats.kind != "RR intervals":
        return found_beats(name, "CSV", beats, warnings, rows.dropped)
    doubted = int(rows.doubted.sum())
    rr_ms = np.asarray(beats.rr_ms)
    sums_ms = np.add.reduceat(rr_ms, rows.starts)
    times = times_of_rows(name, sheet, rows.at, sums_ms)
    if times is None and not doubted:
        told = Beats(beats.rr_ms, beats.gap_before, beats.gap_s, beats.kind, beats.unit, tuple(evidence))
        return found_beats(name, "CSV", told, warnings, rows.dropped)
    if times is None:
        times = Times(np.arange(rows.at.size), np.cumsum(sums_ms) / 1000, "the sum of the intervals")
    warnings += times.warnings
    timed = _in_order(times, rows, rr_ms, sums_ms)
    series, arrival = timed.series()
    if doubted:
        evidence.append(f"{doubted} rows are marked as no heartbeats, and are left out of the figures.")
    pulse = any(column.role == "blocker" for column in sheet.columns)
    source = Source(kind="pulse intervals" if pulse else beats.kind, unit=beats.unit, times=f"{arrival} ({times.words})",
                    rows=rows.at.size, dropped=rows.dropped, evidence=tuple(evidence))  # fmt: skip
    text = None if series is None or doubted else text_of(series, warnings)

    def make() -> Recording:
        events = from_arrivals(timed.arrivals()) if series is None else from_intervals(series.intervals())
        return ImportedFile(name, events, warnings, source.fields()).recording("CSV", arrival=arrival, began=_began(times))

    return FoundFile(make, source, text)


class _TimedRows(NamedTuple):
    """Rows in order of time, and all their intervals one after the other."""

    t_s: NDArray[np.float64]
    sums_ms: NDArray[np.float64]
    gap: NDArray[np.bool_]
    doubted: NDArray[np.bool_]
    counts: NDArray[np.int64]
    rr_ms: NDArray[np.float64]

    def series(self) -> tuple[Series | None, str]:
        """Return the intervals with their times, and what the times were taken for; None where they are those of packets."""
        steps_s = np.diff(self.t_s)
        if np.all(np.abs(steps_s - np.rint(steps_s)) < _ROUNDING_S):
            ends_s = np.cumsum(self.sums_ms) / 1000
            if np.ptp(self.t_s - ends_s) > 1 + _ROUNDING_S or np.any(self.gap):
                return None, "the times in the file"
            whole = Series(ends_s, self.sums_ms, self.gap, self.doubted)
            return self._parts(whole), "the sum of the intervals, as the whole seconds in the file say too"
        timed = timed_intervals(self.t_s, self.sums_ms, self.gap, self.doubted)
        return (None, "the times in the file") if timed is None else (self._parts(timed), "the beats' own times")

    def arrivals(self) -> Iterator[Arrival]:
        """Yield the rows as data under one time stamp each."""
        stops = np.cumsum(self.counts).tolist()
        rr_ms = self.rr_ms.tolist()
        rows = zip(self.t_s.tolist(), [0, *stops[:-1]], stops, self.gap.tolist(), self.doubted.tolist(), strict=True)
        for t, start, stop, gap, doubted in rows:
            yield Arrival(t, tuple(rr_ms[start:stop]), gap_before=gap, doubted=doubted)

    def _parts(self, whole: Series) -> Series:
        """Return the intervals of rows, the last of which ends with its row."""
        if np.all(self.counts == 1):
            return Series(whole.end_s, self.rr_ms, whole.gap_before, whole.doubted)
        firsts = np.cumsum(self.counts) - self.counts
        ends_s = np.cumsum(self.rr_ms) / 1000
        after_s = np.repeat(ends_s[firsts + self.counts - 1], self.counts) - ends_s
        gaps = np.zeros(self.rr_ms.size, dtype=np.bool_)
        gaps[firsts] = whole.gap_before
        return Series(np.repeat(whole.end_s, self.counts) - after_s, self.rr_ms, gaps, np.repeat(whole.doubted, self.counts))


def _in_order(times: Times, rows: RowValues, rr_ms: NDArray[np.float64], sums_ms: NDArray[np.float64]) -> _TimedRows:
    """Return the rows that have times, in order of them; the first begins at 0."""
    order, counts = times.order, rows.counts[times.order]
    if rr_ms.size > rows.at.size:
        starts = rows.starts[order]
        rr_ms = np.concatenate([rr_ms[start : start + count] for start, count in zip(starts, counts, strict=True)])
    else:
        rr_ms = rr_ms[order]
    begins_s = times.t_s[0] - sums_ms[order[0]] / 1000
    return _TimedRows(times.t_s - begins_s, sums_ms[order], rows.gap[order], rows.doubted[order], counts, rr_ms)


def _column_evidence(sheet: Sheet, columns: Sequence[int]) -> list[str]:
    names = [sheet.heading[at] or "without a name" for at in columns if at < len(sheet.heading)]
    if not names:
        return ["Two columns without a heading: one rises by the intervals in the other."]
    others = [name for at, name in enumerate(sheet.heading) if sheet.columns[at].role == "rr" and at not in columns]
    beside = f"; {_listed(others)} is not read" if others else ""
    return [f"Intervals from {'the column' if len(names) == 1 else 'the columns'} {_listed(names)}{beside}."]


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
    rows = row_values(name, sheet, [at])
    warnings, dropped = rows.warnings, rows.dropped
    check_dropped(name, dropped, rows.at.size + dropped, warnings)
    bpm, unit = in_beats_a_minute(name, rows.values[rows.starts].tolist(), sheet.columns[at].unit)
    times = times_of_rows(name, sheet, rows.at, None)
    _refuse_days(name, sheet, times)
    if times is None:
        rates, arrival = [(float(n), rate) for n, rate in enumerate(bpm, 1)], "one row a second, as the file has no times"
        told = arrival
    else:
        seconds = (times.t_s - times.t_s[0]).tolist()
        rates = [(t, bpm[n]) for t, n in zip(seconds, times.order.tolist(), strict=True)]
        arrival, told = "the times in the file", f"the times in the file ({times.words})"
        warnings += times.warnings
    evidence = f"Heart rates from the column {_listed([sheet.heading[at]])}; no column holds intervals."
    source = Source(kind="heart rates", unit=unit, times=told, rows=rows.at.size, dropped=dropped, evidence=(evidence,))
    imported = ImportedFile(name, from_heart_rates(rates), warnings, source=source.fields())
    return FoundFile(lambda: imported.recording("CSV", arrival=arrival, began=_began(times) if times else None), source)


def _refuse_days(name: str, sheet: Sheet, times: Times | None) -> None:
    """Raise `RecordingError` where the rows are so far apart that each is a figure of an hour or a day."""
    step_s = float(np.median(np.diff(times.t_s))) if times is not None and times.t_s.size > 1 else 0.0
    if step_s < _FIGURES_S:
        return
    figures = [heading for heading, column in zip(sheet.heading, sheet.columns, strict=True) if column.role == "figure"]
    apart = f"{step_s / 3600:.0f} hours apart" if step_s < _DAYS_S else "days apart"
    beside = f" ({_listed(figures)})" if figures else ""
    raise RecordingError(
        f"{name} seems to hold figures of past measurements{beside}, whose rows are {apart}, not the heartbeats of one: "
        "export the RR intervals of a single measurement instead."
    )
