"""Data from which every format is written: a session's events, judged beats and figures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from ...analysis.beats.beat_stream import MOVED, NO_CONTACT, TWO_STRAPS, UNSURE, BeatStream, JudgedBeat
from ...analysis.figures import PhaseFigures, SessionReport
from ...analysis.reporting_items import Reported
from ...analysis.session_pain import SessionPain, session_pain
from ...sensors.beat_clock import BeatClock
from ...sensors.errors import PayloadError
from ...sensors.model import Phase
from ...sensors.protocols.heart_rate import parse
from ...sensors.recordings.recording import HEART_RATE, ConnectionEvent, Event, Header, Packet, PhaseStart, StrapChange

NOT_HEARTBEATS = frozenset({NO_CONTACT, TWO_STRAPS, MOVED, UNSURE})
"""Reasons for rejecting a beat that do not show in its interval: without them a reader would take it for a heartbeat."""


@dataclass(frozen=True, slots=True)
class SessionData:
    """A session, ready to be written. Times are in s since `began`; without it only relative times are known."""

    header: Header
    events: tuple[Event, ...]
    beats: tuple[JudgedBeat, ...]
    report: SessionReport
    phases: tuple[tuple[float, Phase], ...]
    """Beginning of each phase, as for the figures: events that lead back to an earlier phase are ignored."""
    pain: SessionPain
    began: datetime | None = None
    """Beginning of the session with its time zone; None where unknown."""
    reported: Reported = field(default_factory=Reported)
    """What a therapist told of the client and the session; empty for a recording."""

    def moment(self, t: float) -> datetime | None:
        """Return the date and time of session time `t`, also over a change of the clocks; None where unknown."""
        return (self.began.astimezone(UTC) + timedelta(seconds=t)).astimezone(self.began.tzinfo) if self.began else None

    def phase_at(self, t: float) -> str:
        """Return the phase at session time `t`."""
        return next((phase for start_s, phase in reversed(self.phases) if start_s <= t), Phase.SETTLE).value

    @property
    def heart_rates(self) -> list[tuple[float, int]]:
        """Heart rates sent by the strap itself: session time in s, bpm."""
        return [(t, hr_bpm) for t, hr_bpm in _heart_rates(self.events) if t <= self.report.duration_s]

    @property
    def gaps(self) -> list[tuple[float, float]]:
        """Gaps in s: from the end of the last beat to the start of the next."""
        return [
            (before.end_s, max(after.end_s - after.rr_ms / 1000, before.end_s))
            for before, after in pairwise(self.beats)
            if after.gap_before
        ]

    def why(self, figures: PhaseFigures) -> str:
        """Return the reasons why figures of a phase are missing, as one text."""
        return " ".join(self.report.reasons.get(figures.phase, []))


def session_data(
    header: Header,
    events: Sequence[Event],
    report: SessionReport,
    began: datetime | None = None,
    *,
    pain: SessionPain | None = None,
    reported: Reported | None = None,
) -> SessionData:
    """Return the data of a session, its beats judged anew in the same way as for its figures.

    `pain`, `reported`: with what was asked around a stored session; None: only what is among the events is known.

    Where the figures come from the strap's ECG this needs NeuroKit2, so it runs in the worker process.
    """
    judged = tuple(_judged(header, events, report))
    told = pain or session_pain(events)
    return SessionData(header, tuple(events), judged, report, _phases(events), told, began, reported or Reported())


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
        elif isinstance(event, StrapChange):
            judged += stream.change_strap(event.t, event.device)
    return stream.of_beats(judged + stream.finish(report.duration_s))


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
                hr_bpm = parse(event.payload).rate_bpm
            except PayloadError:
                continue
            if hr_bpm:
                yield event.t, hr_bpm
