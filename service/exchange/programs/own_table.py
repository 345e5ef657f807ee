"""Restbeat's own tables: of beats, which are read again, and of figures and events, which hold none."""

from collections.abc import Sequence
import csv
from typing import Final

from ....sensors.errors import RecordingError
from ....sensors.model import Phase
from ....sensors.recordings.recording import PhaseStart, Recording
from ..csv_export import BEATS, EVENTS, PHASES, RATES, REST
from ..packet_reconstruction import ImportedFile, Interval, from_heart_rates, from_intervals
from ..reading.cells import number_in
from ..reading.refusals import warn_of
from ..session_data import NOT_HEARTBEATS

_MAX_MS: Final = 1e6


def is_own_table(text: str) -> bool:
    """Return whether a text begins as a table that restbeat writes."""
    heading = _heading_of(text)
    return heading in {BEATS, RATES, EVENTS} or heading[:3] == PHASES[:3]


def _heading_of(text: str) -> tuple[str, ...]:
    first = text.split("\n", 1)[0]
    return tuple(cell.strip().lower() for cell in first.split(","))


def read_own_table(name: str, text: str) -> Recording:
    """Read a table of beats. Raises `RecordingError` for a table of figures or events, and where no row is a beat."""
    heading = _heading_of(text)
    if heading not in {BEATS, RATES}:
        what = "what was noted" if heading == EVENTS else "figures of phases"
        raise RecordingError(f"{name} holds {what}, no beats: take the table of beats of the same session.")
    rows = [(n, cells) for n, cells in enumerate(csv.reader(text.splitlines()), 1) if cells][1:]
    return _own_table(ImportedFile(name), rows, rates=heading == RATES)


def _own_table(imported: ImportedFile, rows: Sequence[tuple[int, list[str]]], *, rates: bool) -> Recording:
    intervals: list[Interval] = []
    sent: list[tuple[float, float]] = []
    phases: list[PhaseStart] = []
    gap, kind = False, Phase.MASSAGE.value
    for number, cells in rows:
        t, value = (number_in(cell) for cell in [*cells, "", ""][:2])
        if t is None or value is None or not 0 <= value <= _MAX_MS or len(cells) != len(RATES if rates else BEATS):
            gap = bool(intervals)
            warn_of(imported.name, imported.warnings, number, " ".join(cells))
            continue
        if rates:
            sent.append((t, value))
        else:
            intervals.append(Interval(t, value, gap or cells[4] == "1", cells[3] in NOT_HEARTBEATS))
            gap = False
        phase = cells[-1].strip()
        if phase == REST:
            phase, kind = Phase.MASSAGE.value, REST
        if phase in {p.value for p in Phase} and (not phases or phases[-1].phase.value != phase):
            # in the middle of its first beat, so that rounding moves no beat into another phase
            phases.append(PhaseStart(max(t - (0.0 if rates else value / 2000), phases[-1].t) if phases else 0.0, Phase(phase)))
    imported.events = [*phases, *(from_heart_rates(sent) if rates else from_intervals(intervals))]
    return imported.recording("restbeat CSV", arrival="the ends of the beats", kind=kind)
