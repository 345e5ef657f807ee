"""What every format is written from: a session's events, its judged beats, its figures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from ...analysis.beats.beat_stream import MOVED, NO_CONTACT, TWO_STRAPS, UNSURE, BeatStream, JudgedBeat
from ...analysis.figures import PhaseFigures, SessionReport
from ...sensors.beat_clock import BeatClock
from ...sensors.errors import PayloadError
from ...sensors.model import Phase
from ...sensors.protocols.heart_rate import parse
from ...sensors.recordings.recording import HEART_RATE, ConnectionEvent, Event, Header, Packet, PhaseStart

DOUBTED = frozenset({NO_CONTACT, TWO_STRAPS, MOVED, UNSURE})
"""Why a beat was left out that no interval tells by itself: a reader who does not know it would take it for a heart beat."""


@dataclass(frozen=True, slots=True)
class SessionData:
    """A session, ready to be written. Times are in s since `began`; without it only relative times can be told."""

    header: Header
    events: tuple[Event, ...]
    beats: tuple[JudgedBeat, ...]
    report: SessionReport
    phases: tuple[tuple[float, Phase], ...]
    """When each phase began, as the figures have it: a line that leads back is passed over."""
    began: datetime | None = None
    """With its zone."""

    def moment(self, t: float) -> datetime | None:
        """When session time `t` was; None where nobody knows."""
        return self.began + timedelta(seconds=t) if self.began else None

    def phase_at(self, t: float) -> str:
        """The phase that session time `t` lies in."""
        return next((phase for start_s, phase in reversed(self.phases) if start_s <= t), Phase.SETTLE).value

    @property
    def heart_rates(self) -> list[tuple[float, int]]:
        """What the strap itself sent as heart rate: session time, bpm."""
        return [(t, hr_bpm) for t, hr_bpm in _heart_rates(self.events) if t <= self.report.duration_s]

    @property
    def gaps(self) -> list[tuple[float, float]]:
        """Where beats were lost: from the end of the last to the start of the next."""
        return [
            (before.end_s, max(after.end_s - after.rr_ms / 1000, before.end_s))
            for before, after in pairwise(self.beats)
            if after.gap_before
        ]

    def why(self, figures: PhaseFigures) -> str:
        """The reasons why figures of a phase are missing, as one text."""
        return " ".join(self.report.reasons.get(figures.phase, []))


def session_data(header: Header, events: Sequence[Event], report: SessionReport, began: datetime | None = None) -> SessionData:
    """Judge the beats of a session anew, by the way on which its figures came.

    A session whose figures are of its strap's ECG needs NeuroKit2: for the worker process.
    """
    return SessionData(header, tuple(events), tuple(_judged(header, events, report)), report, _phases(events), began)


def _judged(header: Header, events: Sequence[Event], report: SessionReport) -> list[JudgedBeat]:
    if report.polar and report.polar.rr_source == "ecg":
        from ...analysis.polar.polar_signals import ecg_beats, signals_of

        return ecg_beats(signals_of(events))
    stream = BeatStream(BeatClock.at_speed(header.arrival_speed))
    stream.set_device(header.device)
    judged: list[JudgedBeat] = []
    for event in events:
        if event.t > report.duration_s:
            break
        if isinstance(event, Packet):
            judged += stream.push(event)
        elif isinstance(event, ConnectionEvent) and not event.up:
            judged += stream.connection_lost()
    return judged + stream.finish(report.duration_s)


def _phases(events: Sequence[Event]) -> tuple[tuple[float, Phase], ...]:
    phases: list[tuple[float, Phase]] = []
    for event in events:
        if isinstance(event, PhaseStart) and event.phase.comes_after(phases[-1][1] if phases else Phase.SETTLE):
            phases.append((event.t, event.phase))
    return tuple(phases)


def _heart_rates(events: Sequence[Event]) -> Iterator[tuple[float, int]]:
    for event in events:
        if isinstance(event, Packet) and event.char == HEART_RATE:
            try:
                hr_bpm = parse(event.payload).hr_bpm
            except PayloadError:
                continue
            if hr_bpm:
                yield event.t, hr_bpm
