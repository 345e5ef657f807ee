"""CSV export: tidy tables with a heading, units in the column names, and empty cells for missing values.

beats   one row per beat (`end_s, rr_ms, accepted, kind, gap_before, phase`); for a heart-rate-only sensor one per packet
phases  one row per phase: its figures, the response, the reasons for missing figures
events  one row per event (`t_s, what, value`): phases, techniques, regions, pressures, notes, pain, the connection; at 0 what a
        therapist told: year of birth, sex, medication, caffeine, time of day
"""

from collections.abc import Iterable, Iterator, Sequence
import csv
import io
from typing import Any

import msgspec

from ...analysis.figures import PhaseFigures, ResponseFigures
from ...sensors.model import Phase
from ...sensors.recordings.recording import ConnectionEvent, Event, Mark, MarkContent, Pain, PhaseStart
from .session_data import SessionData

BEATS = ("end_s", "rr_ms", "accepted", "kind", "gap_before", "phase")
REST = "rest"
RATES = ("t_s", "hr_bpm", "phase")
EVENTS = ("t_s", "what", "value")
_FORMULA = "=+-@\t\r"
"""First characters that a spreadsheet would take for a formula; an apostrophe before them keeps a note text."""
PHASES = (
    *PhaseFigures.__struct_fields__,
    *("response", "delta_ln_rmssd", "half_width", "percent", "low_ln_rmssd", "high_ln_rmssd", "why"),
)


def write_beats(data: SessionData) -> bytes:
    """Return the table of beats, intervals to 1 µs; for a heart-rate-only sensor that of its packets."""
    if not data.beats:
        return _table(RATES, ((f"{t:.3f}", hr_bpm, _phase_at(data, t)) for t, hr_bpm in data.heart_rates))
    return _table(
        BEATS,
        (
            (f"{b.end_s:.6f}", f"{b.rr_ms:.3f}", int(b.accepted), b.kind, int(b.gap_before), _phase_at(data, b.end_s))
            for b in data.beats
        ),
    )


def _phase_at(data: SessionData, t: float) -> str:
    """Return the phase at `t` (s); a session of rest alone has a rest in place of a massage, which tells its kind."""
    phase = data.phase_at(t)
    return REST if phase == Phase.MASSAGE.value and data.report.kind == REST else phase


def write_phases(data: SessionData) -> bytes:
    """Return the table of phases with every figure."""
    responses = {response.phase: response for response in data.report.figures.responses}
    rows: list[Sequence[Any]] = []
    for figures in data.report.figures.phases:
        response = responses.get(figures.phase)
        low, high = data.report.intervals.get(figures.phase, (None, None))
        why = " ".join(text for text in (data.why(figures), response.why if response else "") if text)
        cells = [*msgspec.structs.astuple(figures), *_response(response), low, high, why]
        rows.append([round(cell, 6) if isinstance(cell, float) else cell for cell in cells])
    return _table(PHASES, rows)


def write_events(data: SessionData) -> bytes:
    """Return the table of events."""
    told = [("0.000", name, _plain(text)) for name, text in data.reported.told()]
    return _table(EVENTS, [*told, *((f"{event.t:.3f}", *row) for event in data.events for row in _rows_of_event(event))])


def _response(response: ResponseFigures | None) -> tuple[Any, ...]:
    if response is None:
        return (None,) * 4
    return response.class_, response.delta_ln_rmssd, response.half_width, response.percent


def _rows_of_event(event: Event) -> Iterator[tuple[str, str | int]]:
    match event:
        case PhaseStart(phase=phase):
            yield "phase", phase.value
        case Mark():
            for name in MarkContent.__struct_fields__:
                if text := getattr(event, name):
                    yield name, _plain(text)
        case Pain(score=score):
            yield "pain", score
        case ConnectionEvent(up=up):
            yield "link", "up" if up else "lost"
        case _:
            pass


def _plain(text: str) -> str:
    return f"'{text}" if text[0] in _FORMULA else text


def _table(heading: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows(rows)
    return out.getvalue().encode()
