"""One room: the session that runs in it, and its state as the pages show it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import zip_longest
import logging
from math import isfinite
import time

import msgspec

from ...analysis.beats.beat_stream import JudgedBeat
from ...analysis.beats.stream_integrity import integrity_of
from ...analysis.beats.time_filled import MISSING_PCT, SURPLUS_PCT
from ...analysis.figures import LEAST_COMPARED_S
from ...analysis.hrv.engine_parity import Parity
from ...analysis.hrv.rmssd_level import RmssdLevel, rmssd_levels
from ...analysis.live.live_check import LiveWindow
from ...analysis.live.live_session import LiveFigures
from ...analysis.live.running_sums import LENGTH_S, SEGMENT_S, ProvisionalChange, RunningComparison
from ...analysis.pain_rules import STOP_TITLE, STOPPED, notice_during
from ...analysis.response.earlier_rests import EarlierSession
from ...analysis.session_pain import SessionPain, session_pain
from ...sensors.bluetooth.packet_limit import TokenBucket
from ...sensors.bluetooth.reconnect import FLOOD_HINT
from ...sensors.model import Contact, Device, Phase
from ...sensors.protocols.known_devices import known_device
from ...sensors.recordings.recording import ConnectionEvent, Event, Header, Mark, Pain
from ...sensors.source import ConnectionState
from ...sensors.task_cancellation import cancel_and_wait
from ..errors import ServiceError
from ..rendering.plain_words import clock
from ..sessions.models import SessionSetup
from ..settings import Settings
from ..storage.trouble import StorageTrouble
from .live_feed import LiveFeed
from .messages import BeatRow, ClientView, RoomState, Signal, Story, StoryMark, StoryPhase, StorySegment
from .readiness import RecentBeats, readiness
from .session_entries import BEGAN_MASSAGE, SessionEntries, mark_text
from .session_runner import Session

_LOG = logging.getLogger(__name__)
_FIRST_TICK_S, _TICK_S = 1.2, 0.7
"""How long after the last item a room is published without a new one, and then how often; pages advance the clock by
themselves, and straps send about once a second."""
_MOST_A_SECOND = 20.0
"""Publications a second, saved up for one second: more often is no news to a person, and a strap may send as fast as it can."""
_CHECK_EVERY_S = 30.0
_ESTIMATE_EVERY_S = 5.0
_NO_HEARTBEAT = "The strap is connected but hears no heart. Moisten the electrodes, put it on, and pull it a little tighter."
_IN_MS = "This strap sends its intervals in ms, where the standard asks for 1/1024 s: they read 2.4 % short."
_POOR_PCT = 90.0
_BATTERY_LOW_PCT = 15
_ASK_AFTER_S = 120.0
"""Length of a sleep of the computer from which it is asked whether the session goes on."""

_SIGNAL_OF_CONNECTION: dict[ConnectionState, tuple[Signal, str]] = {
    ConnectionState.IDLE: ("connecting", "Waiting for the strap"),
    ConnectionState.SCANNING: ("connecting", "Looking for the strap"),
    ConnectionState.CONNECTING: ("connecting", "Connecting to the strap"),
    ConnectionState.SILENT: ("silent", "Strap connected but silent"),
    ConnectionState.LOST: ("lost", "Strap lost"),
    ConnectionState.GIVING_UP: ("no-strap", "Strap not found"),
}


@dataclass(frozen=True, slots=True)
class Sleep:
    """A sleep of the computer during a session, s of the session's clock."""

    began_s: float
    length_s: float


@dataclass(slots=True, eq=False)
class Room:
    """A room that publishes its session's state with every packet, and by the clock where none arrives for a while."""

    identifier: str
    name: str
    address: str
    """Bluetooth address of the strap; empty on the test bench."""
    header: Header
    """Client and kind of the session."""
    session: Session
    live_feed: LiveFeed
    bench: bool = False
    """Whether a tester plays a recording in it: nothing is stored, and the phases are those of the recording."""
    check: Callable[[LiveWindow], Awaitable[Parity]] | None = None
    """Comparison of the live figures with NeuroKit2's; None where they are not compared."""
    entries: SessionEntries | None = None
    """Entries of the session; None on the test bench, where nothing may be entered."""
    setup: SessionSetup = field(default_factory=SessionSetup)
    settings: Settings | None = None
    """None on the bench, where no phase has a planned length."""
    client_view: ClientView = field(default_factory=ClientView)
    wearer: str | None = None
    """The client who wore the strap last; None where nobody is known."""
    trouble: Callable[[], StorageTrouble | None] = lambda: None
    """What keeps the session's data from reaching the disk."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the session has run to its end, and its strap is let go."""
    end_stored: bool = False
    """Whether the end of the session is on the disk."""
    kept_awake: bool | None = None
    """Whether the system agreed to keep the computer awake; None where it was not asked."""
    sleep: Sleep | None = None
    """Sleep of the computer after which somebody is to say whether the session goes on; None: nothing is asked."""
    end_notice: str | None = None
    """Why the session ended, where nobody at the tablet ended it."""
    _recent: RecentBeats = field(default_factory=RecentBeats)
    _story_key: tuple[int, int, int] | None = None
    _breathing: dict[int, float] = field(default_factory=dict)
    """Breaths per minute at the end of each segment, by the segment's number."""
    estimate: Callable[[RunningComparison], Awaitable[ProvisionalChange]] | None = None
    """Estimate of the change in the running phase; None where none is made."""
    _checked: Parity | None = None
    _checked_at_s: float = 0.0
    _analysis_away: bool = False
    """Whether the newest estimate failed."""
    _estimated: tuple[Phase, ProvisionalChange] | None = None
    """The newest estimate and its phase."""
    _signal: tuple[Signal, str] = ("connecting", "")
    _signal_since_s: float = 0.0
    _verdict: tuple[str | None, str | None] = (None, None)
    _due: float = 0.0
    """Time of the next publication without a new item, in s of the monotonic clock."""
    _allowed: TokenBucket = field(default_factory=lambda: TokenBucket(_MOST_A_SECOND, _MOST_A_SECOND))
    _held_back: list[JudgedBeat] = field(default_factory=list)
    """Beats that came too fast to be published one by one, until the next publication."""
    _ticking: bool = False
    _soon: asyncio.Event = field(default_factory=asyncio.Event)
    """Set where something is held back."""

    def __post_init__(self) -> None:
        self.session.observe = self._observe

    async def run(self) -> None:
        """Run the session to its end, publishing its state."""
        tasks = (
            asyncio.create_task(self._tick(), name=f"tick of {self.identifier}"),
            asyncio.create_task(self._check(), name=f"check of {self.identifier}"),
            asyncio.create_task(self._estimate(), name=f"estimate of {self.identifier}"),
        )
        self._ticking = True
        try:
            await self.session.run()
        finally:
            self._ticking = False
            await cancel_and_wait(*tasks)
        self._publish(())

    def note_sleep(self, slept_s: float) -> None:
        """Put a gap and a mark into the session for a sleep of the computer; after a long one it is asked whether to go on."""
        now_s, length_s = self.session.clock.now(), slept_s * self.session.clock.speed
        self.session.take(ConnectionEvent(now_s, up=False))
        self.session.enter(Mark(now_s, note=f"The computer slept for {clock(length_s)}"))
        if slept_s > _ASK_AFTER_S:
            self.sleep = Sleep(now_s - length_s, length_s)
        self._publish(())

    @property
    def running(self) -> bool:
        """Whether the session has not ended."""
        return self.session.live.phase is not Phase.ENDED

    @property
    def state(self) -> RoomState:
        """The room's state at this moment."""
        now_s = self._now_s()
        figures = self.session.live.figures(now_s)
        signal, text, hint = self._signal_of(figures)
        if (signal, text) != self._signal:
            self._signal, self._signal_since_s = (signal, text), now_s
        pain = session_pain(self._entered_in_order(), self.setup.pain_before)
        shown = figures.phase is not Phase.ENDED and self.session.connection.state is ConnectionState.STREAMING
        change = self._change(figures) if shown else ProvisionalChange(why=text.lower())
        verdict, verdict_why = self._verdict if figures.phase is Phase.ENDED else (None, None)
        state = RoomState(
            room=self.identifier,
            name=self.name,
            session=None if self.bench else self.session.number,
            client=self.header.client,
            kind=self.header.kind,
            strap=self.session.device.name or self.address or None,
            phase=figures.phase.value,
            phase_s=figures.phase_s,
            now_s=now_s,
            hr_bpm=figures.hr_bpm if shown else None,
            rmssd_ms=figures.rmssd_ms if shown else None,
            rmssd_why=figures.rmssd_why if shown else text.lower(),
            rhythm=figures.rhythm.value,
            baseline_rmssd_ms=figures.baseline_rmssd_ms,
            baseline_usable_s=figures.baseline_usable_s,
            still_settling=figures.still_settling,
            baseline_short=figures.baseline_short,
            change_pct=figures.change_pct if shown else None,
            accepted_pct=figures.accepted_pct if shown else None,
            resp_per_min=figures.resp_per_min if shown else None,
            signal=signal,
            signal_text=text,
            signal_s=now_s - self._signal_since_s,
            age_s=figures.age_s,
            hint=hint,
            battery_pct=self._battery_pct(figures),
            bench=self.bench,
            paused=self.session.clock.speed == 0,
            stream=integrity_of(self.session.live.stream),
            checked=self._checked,
            checked_s=now_s - self._checked_at_s,
            speed=self.session.clock.speed if isfinite(self.session.clock.speed) else 0.0,
            actions=self.entries.changeable() if self.entries else [],
            pain_before=pain.before,
            pain=pain.newest,
            notice=self._notice(pain),
            target_s=self.settings.target_s(figures.phase) if self.settings else None,
            kept_awake=self.kept_awake,
            slept_s=self.sleep.length_s if self.sleep and figures.phase is not Phase.ENDED else None,
            saved=figures.phase is not Phase.ENDED or self.bench or self.end_stored,
            posture=self.setup.posture,
            technique=self.setup.technique,
            therapist=self.setup.therapist,
            client_view=self.client_view,
            change_so_far_pct=change.percent,
            change_low_pct=change.low_pct,
            change_high_pct=change.high_pct,
            change_why=change.why,
            verdict=verdict,
            verdict_why=verdict_why,
        )
        if figures.phase is not Phase.SETTLE or self.bench:
            return state
        crowded, coverage = self.session.live.stream.clock.crowded, self._recent.coverage(now_s)
        ready = readiness(state, figures, coverage, wearer=self.wearer, crowded=crowded)
        if signal == "good" and not all(check.ok for check in ready):
            state = msgspec.structs.replace(state, signal="settling", signal_text="Not ready yet")
        return msgspec.structs.replace(state, ready=ready)

    def conclude(self, verdict: tuple[str, str]) -> None:
        """Show the outcome of the ended session, in a few words and as a sentence; a stop for pain precedes it."""
        self._verdict = (STOP_TITLE, STOPPED) if self._stopped else verdict
        self._publish(())

    @property
    def story(self) -> Story:
        """The session's course from its beginning."""
        live, now_s = self.session.live, self._now_s()
        starts = [(Phase.SETTLE, 0.0), *((start.phase, start.t) for start in live.starts)]
        ends = [t for _, t in starts[1:]]
        entered = self._entered_in_order()
        segments = live.sums.segments(now_s)
        level = rmssd_levels(segments, ends)
        return Story(
            room=self.identifier,
            session=None if self.bench else self.session.number,
            phases=[
                StoryPhase(phase.value, start, end)
                for (phase, start), end in zip_longest(starts, ends)
                if phase is not Phase.ENDED and end != start
            ],
            marks=[_story_mark(event) for event in entered if isinstance(event, Mark)],
            pain=[(event.t, event.score) for event in entered if isinstance(event, Pain)],
            segments=[
                StorySegment(mid, rmssd and round(rmssd, 1), *_rounded(level[n]), self._breathing.get(n))
                for n, (mid, rmssd) in enumerate(segments)
            ],
        )

    def _entered_in_order(self) -> list[Event]:
        return sorted(self.session.entered.values(), key=lambda event: event.t)

    def _notice(self, pain: SessionPain) -> str | None:
        phase = self.session.live.phase
        stopped = self._stopped
        if phase is Phase.ENDED or not (stopped or phase in {Phase.MASSAGE, Phase.RECOVERY}):
            return None
        return notice_during(pain, stopped=stopped)

    @property
    def _stopped(self) -> bool:
        return any(isinstance(event, Mark) and event.kind == "stop" for event in self.session.entered.values())

    def _now_s(self) -> float:
        return self.session.end_s if self.session.live.phase is Phase.ENDED else self.session.clock.now()

    def _signal_of(self, figures: LiveFigures) -> tuple[Signal, str, str | None]:
        connection = self.session.connection
        trouble = self.trouble()
        if trouble is not None and not trouble.saves and not (figures.phase is Phase.ENDED and self.end_stored):
            return "unsaved", "Not being saved", trouble.sentence
        if figures.phase is Phase.ENDED:
            return "ended", "Session ended", self.end_notice
        if connection.state is not ConnectionState.STREAMING:
            signal, text = _SIGNAL_OF_CONNECTION[connection.state]
            return signal, text, connection.hint and connection.hint + self._low_battery(figures)
        if figures.age_s is None:
            return "connecting", "Waiting for the first heartbeat", "Moisten the strap and check that it is worn."
        if figures.age_s > self.session.live.fresh_s:
            return "silent", "No data from the strap", connection.hint or "Moisten the strap; is it still on the skin?"
        if connection.hint == FLOOD_HINT:
            return "poor", "The strap sends too much", connection.hint
        if figures.contact is Contact.NO:
            return "poor", "No skin contact", "Moisten the strap and check that it is worn."
        if odd := self._beats_signal(figures):
            return odd
        battery_pct = self._battery_pct(figures)
        if battery_pct is not None and battery_pct <= _BATTERY_LOW_PCT:
            return "good", "Signal good", f"The strap’s battery is at {battery_pct} %. Change it before the next session."
        stream = self.session.live.stream
        return "good", "Signal good", _IN_MS if stream.intervals.in_ms and not stream.corrects_unit else None

    def _beats_signal(self, figures: LiveFigures) -> tuple[Signal, str, str | None] | None:
        """Return what is wrong with the beats of a strap that sends; None where nothing is."""
        if figures.no_heartbeat:
            return "poor", "No heartbeat yet", _NO_HEARTBEAT
        stream = self.session.live.stream
        if figures.heart_rate_only:
            return "hr-only", "Heart rate only – no HRV", _why_no_hrv(self.session.device, stream.no_beats_why)
        if stream.repeats:
            return (
                "poor",
                "The strap repeats beats",
                "It sends beats again that it sent before, so there is no HRV. Use another strap.",
            )
        if stream.clock.crowded:
            return "poor", "Two straps on one signal", "More heartbeats come than time has room for. Take the second strap away."
        if figures.accepted_pct is not None and figures.accepted_pct < _POOR_PCT:
            return "poor", "Signal poor", "Moisten the strap and pull it a little tighter."
        if figures.beats_missing:
            return "poor", "Heart rate comes, beats do not", "Moisten the strap; if it stays so, take it off and on again."
        if figures.filled_pct is not None and not MISSING_PCT <= figures.filled_pct <= SURPLUS_PCT:
            return _not_filled(figures.filled_pct)
        return None

    def _low_battery(self, figures: LiveFigures) -> str:
        battery_pct = self._battery_pct(figures)
        low = battery_pct is not None and battery_pct <= _BATTERY_LOW_PCT
        return f" Its battery was at {battery_pct} %: it may be empty." if low else ""

    def _battery_pct(self, figures: LiveFigures) -> int | None:
        return figures.battery_pct if figures.battery_pct is not None else self.session.device.battery_pct

    async def _tick(self) -> None:
        self._publish(())
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(self._due - time.monotonic(), 0.0)):
                    await self._soon.wait()
            if self._soon.is_set():
                await asyncio.sleep(1 / _MOST_A_SECOND)
                self._publish(())
            elif time.monotonic() >= self._due:
                self._publish(())
                self._due = time.monotonic() + _TICK_S

    async def _check(self) -> None:
        while self.check is not None:
            await asyncio.sleep(_CHECK_EVERY_S)
            now_s, window = self._now_s(), self.session.live.window
            if self.session.live.figures(now_s).rmssd_ms is None:
                continue
            try:
                self._checked, self._checked_at_s = await self.check(window), now_s
            except ServiceError as error:
                _LOG.warning("%s: the figures could not be checked: %s", self.identifier, error)
                continue
            for difference in self._checked.differences:
                _LOG.error("%s: the live engine and NeuroKit2 differ: %s", self.identifier, difference)

    async def _estimate(self) -> None:
        while True:
            await asyncio.sleep(_ESTIMATE_EVERY_S)
            if self.estimate is None:
                continue
            phase, comparison = self.session.live.phase, self.session.live.running_comparison
            try:
                self._estimated = None if comparison is None else (phase, await self.estimate(comparison))
                self._analysis_away = False
            except ServiceError as error:
                self._estimated, self._analysis_away = None, True
                _LOG.warning("%s: the change so far could not be estimated: %s", self.identifier, error)

    def _change(self, figures: LiveFigures) -> ProvisionalChange:
        if figures.phase in {Phase.SETTLE, Phase.BASELINE}:
            return ProvisionalChange(why="the baseline comes first")
        if figures.accepted_pct is None:
            return ProvisionalChange(why=figures.rmssd_why)
        if self.session.live.stream.pulse is not None:
            return ProvisionalChange(why="figures of the pulse, by light, are not compared")
        baseline = self.session.live.span_of(Phase.BASELINE)
        if unlike := self.session.live.stream.why_unlike(baseline[0] if baseline else 0.0):
            return ProvisionalChange(why=unlike)
        if figures.baseline_short:
            return ProvisionalChange(why=self._why_short(figures.baseline_usable_s or 0.0))
        if self._analysis_away:
            return ProvisionalChange(why="the analysis process is away; it is started again by itself")
        if self._estimated is None or self._estimated[0] is not figures.phase:
            return ProvisionalChange(why="about a minute more is needed")
        return self._estimated[1]

    def _why_short(self, usable_s: float) -> str:
        """Return why a baseline cannot be compared with, and what would help now."""
        begun = self.entries is not None and any(entry.text in BEGAN_MASSAGE for entry in self.entries.changeable())
        later = "If it began later than entered, set that below." if begun else "Next time, wait for “Baseline complete”."
        return f"the baseline was too short: {clock(usable_s)} usable, and a comparison takes {clock(LEAST_COMPARED_S)}. {later}"

    def _observe(self, beats: Sequence[JudgedBeat]) -> None:
        """Publish what has changed, at once or, where packets come too fast, together with those that follow."""
        if self._ticking and self.running and self.session.taking_packet:
            if not self._allowed.holds(time.monotonic(), 1):
                self._held_back += beats
                self._soon.set()
                return
            self._allowed.take(1)
        self._publish(beats)

    def _publish(self, newest: Sequence[JudgedBeat]) -> None:
        beats = [*self._held_back, *newest]
        self._held_back.clear()
        self._soon.clear()
        self._recent.push(beats)
        self._due = time.monotonic() + _FIRST_TICK_S
        state = self.state
        self.live_feed.publish(state, beat_rows(beats))
        segments = int(len(self.session.live.sums) * LENGTH_S // SEGMENT_S)
        if state.resp_per_min is not None and segments:
            self._breathing.setdefault(segments - 1, round(state.resp_per_min, 1))
        story_key = (len(self.session.entered), self.session.corrections, segments)
        if story_key != self._story_key:
            self._story_key = story_key
            self.live_feed.publish_story(self.story)


def _story_mark(mark: Mark) -> StoryMark:
    return StoryMark(mark.t, mark_text(mark), mark.technique, mark.region, mark.pressure)


def _rounded(level: RmssdLevel | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if level is None else (round(level[0], 1), round(level[1], 1), round(level[2], 1))


def beat_rows(beats: Sequence[JudgedBeat]) -> list[BeatRow]:
    """Return judged beats as rows for the pages: times rounded to 1 ms, intervals to 0.1 ms."""
    return [BeatRow(round(beat.end_s, 3), round(beat.rr_ms, 1), beat.accepted, beat.gap_before) for beat in beats]


def _not_filled(filled_pct: float) -> tuple[Signal, str, str]:
    if filled_pct > SURPLUS_PCT:
        return "poor", "Too many beats", f"They add up to {filled_pct:.0f} % of the last minute. Is a second strap near?"
    hint = (
        f"Beats fill {filled_pct:.0f} % of the last minute. Moisten the strap and come closer; if it stays so, use another strap."
    )
    return "poor", "Some beats are missing", hint


def _why_no_hrv(device: Device, measured: str | None) -> str:
    if measured is not None:
        return f"This sensor gives no HRV: {measured}. Use a chest strap for HRV."
    row = known_device(device)
    if row is None or row.quirk is None:
        return "This sensor sends no RR intervals; a chest strap does."
    return f"{row.quirk} A chest strap sends them."


def compare_engines(window: LiveWindow) -> Parity:
    """Compare the live engine's figures of the last 60 s with NeuroKit2's; runs in the worker process."""
    from ...analysis.live.live_check import compare_with_neurokit

    return compare_with_neurokit(window)


def estimate_change(earlier_rests: Sequence[EarlierSession], comparison: RunningComparison) -> ProvisionalChange:
    """Estimate the change in a running phase, with its interval; runs in the worker process.

    `earlier_rests`: the client's earlier rest-only sessions.
    """
    from ...analysis.response.running_estimate import provisional_change

    return provisional_change(comparison, earlier_rests)
