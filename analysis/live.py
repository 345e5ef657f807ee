"""What a room shows while the session runs: figures of the last 60 s, judged by the same stream as the figures of record."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from math import inf, sqrt

from ..sensors.beat_clock import BeatClock
from ..sensors.model import Contact, Device, Phase
from ..sensors.recording import BATTERY, Event, Link, Packet, PhaseStart
from .live_check import LiveWindow, window_of
from .rolling import RollingHrv
from .so_far import RunningSums, SoFar
from .stream import BeatStream, JudgedBeat

WINDOW_S = 60.0
_FRESH_S, _FRESH_WALL_S = 3.5, 0.25
"""A heart rate older than both is not shown: straps send about once a second."""
_BEATS_FRESH_S, _BEATS_FRESH_WALL_S = 8.0, 0.75
_ENOUGH_PACKETS = 3
"""Without RR tell that a sensor of which nothing is known sends none."""
_MIN_DIFFERENCES = 20
_MAX_REJECTED_PCT = 10.0
"""Of the window; above it RMSSD is withheld (one held-out record was off by 100 % there)."""


@dataclass(frozen=True, slots=True)
class LiveFigures:
    """A moment of a session; None where a figure would be stale or a guess."""

    phase: Phase
    phase_s: float
    hr_bpm: int | None
    rmssd_ms: float | None
    rmssd_why: str | None
    baseline_rmssd_ms: float | None
    change_pct: float | None
    accepted_pct: float | None
    age_s: float | None
    contact: Contact
    rr_seen: bool
    heart_rate_only: bool
    """No HRV is to be had of this sensor: it is known to send no beats, or has sent none."""
    beats_missing: bool
    """Packets come, and beats came, but none of late."""
    packets: int
    battery_pct: int | None


@dataclass(slots=True)
class LiveSession:
    """Push events, get judged beats; ask for the figures of any moment."""

    speed: float = 1.0
    """Of the clock that stamped the packets: at a high speed a short stall of that computer is no silence."""
    pace: float = 0.0
    """Of a replay's own clock, where that is the faster one."""
    stream: BeatStream = field(init=False)
    starts: list[PhaseStart] = field(default_factory=list)
    """Of the phases after settling, as far as they have come."""
    sums: RunningSums = field(default_factory=RunningSums)
    """Differences of the whole session."""
    battery_pct: int | None = None
    _window: RollingHrv = field(default_factory=lambda: RollingHrv(WINDOW_S))
    _last_beat_s: float | None = None

    def __post_init__(self) -> None:
        self.stream = BeatStream(BeatClock.at_speed(self.speed))

    @property
    def phase(self) -> Phase:
        """The phase that the session is in."""
        return self.starts[-1].phase if self.starts else Phase.SETTLE

    @property
    def phase_start_s(self) -> float:
        """When it began."""
        return self.starts[-1].t if self.starts else 0.0

    @property
    def fresh_s(self) -> float:
        """Age in s up to which a packet is news."""
        return max(_FRESH_S, _FRESH_WALL_S * max(self.speed, self.pace))

    def know(self, device: Device) -> None:
        """Take what is known of the strap into account."""
        self.stream.know(device)

    def push(self, event: Event) -> list[JudgedBeat]:
        """Take one event; gives the beats whose verdict became final."""
        match event:
            case Packet(char=char, payload=payload):
                if char == BATTERY and payload and payload[0] <= 100:
                    self.battery_pct = payload[0]
                beats = self.stream.push(event)
            case PhaseStart(phase=phase):
                beats = []
                if phase.comes_after(self.phase):
                    self.starts.append(event)
            case Link(up=False):
                beats = self.stream.broken()
            case _:
                beats = []
        self._count(beats)
        return beats

    def rephase(self, starts: Sequence[PhaseStart]) -> None:
        """Take the phases as they were corrected, in order of time; one that leads back is passed over."""
        self.starts = []
        for start in starts:
            self.push(start)

    def finish(self, t: float) -> list[JudgedBeat]:
        """The session ended at `t`."""
        beats = self.stream.finish(t)
        self._count(beats)
        return beats

    def figures(self, now_s: float) -> LiveFigures:
        """The figures at session time `now_s`."""
        last_t = self.stream.clock.last_t
        age = None if last_t is None else max(now_s - last_t, 0.0)
        fresh = age is not None and age <= self.fresh_s
        last = self.stream.last
        rmssd, why = self._rmssd(now_s)
        base = self._baseline_rmssd()
        beats_fresh = self._last_beat_s is not None and now_s - self._last_beat_s <= self._beats_fresh_s
        return LiveFigures(
            phase=self.phase,
            phase_s=max(now_s - self.phase_start_s, 0.0),
            hr_bpm=last.hr_bpm if last and fresh and last.hr_bpm else None,
            rmssd_ms=rmssd,
            rmssd_why=why,
            baseline_rmssd_ms=base,
            change_pct=None if rmssd is None or base is None else 100 * (rmssd / base - 1),
            accepted_pct=self._window.accepted_pct if beats_fresh else None,
            age_s=age,
            contact=last.contact if last else Contact.NOT_REPORTED,
            rr_seen=self.stream.rr_seen,
            heart_rate_only=self._heart_rate_only,
            beats_missing=fresh and self._last_beat_s is not None and not beats_fresh,
            packets=self.stream.clock.packets,
            battery_pct=self.battery_pct,
        )

    @property
    def window(self) -> LiveWindow:
        """What the figures of the last 60 s rest on, for NeuroKit2 to check."""
        return window_of(self._window)

    @property
    def so_far(self) -> SoFar | None:
        """The baseline and this phase, for a provisional interval; None where there is nothing to compare."""
        baseline = self.span_of(Phase.BASELINE)
        if baseline is None or self.phase not in {Phase.MASSAGE, Phase.RECOVERY}:
            return None
        base, now = self.sums.between(*baseline), self.sums.between(self.phase_start_s)
        return SoFar(phase=self.phase.value, base=base, now=now)

    @property
    def _heart_rate_only(self) -> bool:
        stream = self.stream
        enough = 1 if stream.optical else _ENOUGH_PACKETS
        return not stream.rr_seen and (not stream.trust_rr or stream.clock.packets >= enough)

    @property
    def _beats_fresh_s(self) -> float:
        return max(_BEATS_FRESH_S, _BEATS_FRESH_WALL_S * max(self.speed, self.pace))

    def _rmssd(self, now_s: float) -> tuple[float | None, str | None]:
        if not self.stream.rr_seen:
            return None, "heart rate only – no HRV" if self._heart_rate_only else "waiting for the strap"
        if self._last_beat_s is None or now_s - self._last_beat_s > self._beats_fresh_s:
            return None, "no beats in the last seconds"
        accepted = self._window.accepted_pct
        if accepted is not None and accepted < 100 - _MAX_REJECTED_PCT:
            return None, f"only {accepted:.0f} % of the last minute's beats could be used"
        if self._window.differences < _MIN_DIFFERENCES:
            return None, "collecting beats"
        return self._window.rmssd_ms, None

    def _baseline_rmssd(self) -> float | None:
        span = self.span_of(Phase.BASELINE)
        if span is None:
            return None
        baseline = self.sums.between(*span)
        differences = sum(baseline.differences)
        return (sqrt(sum(baseline.squares) / differences) or None) if differences >= _MIN_DIFFERENCES else None

    def span_of(self, phase: Phase) -> tuple[float, float] | None:
        """Start and end of a phase in s; without end while it lasts, None where it did not come."""
        for start, following in zip_longest(self.starts, self.starts[1:]):
            if start.phase is phase:
                return start.t, following.t if following else inf
        return None

    def _count(self, beats: list[JudgedBeat]) -> None:
        for beat in beats:
            self._last_beat_s = beat.end_s
            self.sums.push(beat)
            self._window.push(beat.end_s, beat.rr_ms, accepted=beat.accepted, diff_ms=beat.diff_ms)
