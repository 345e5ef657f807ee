"""A recording under transport control: play, pause, seek, loop."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass, field
from itertools import count

from ...analysis.beats.beat_stream import JudgedBeat
from ...analysis.live.live_session import LiveSession
from ...sensors.clock import TransportClock
from ...sensors.recordings.recording import Event, Recording
from ...sensors.source import Item, ReplaySource, items_of_event, opening_items
from ...sensors.task_cancellation import cancel_and_wait
from ..rooms.session_runner import Log, Session

_SLICE = 100
"""Items passed to the session without yielding while seeking; about 3 ms."""


class NoLog:
    """Event store that keeps nothing."""

    def __init__(self) -> None:
        self._numbers = count()

    def append(self, session: int, event: Event, key: str | None = None) -> int:  # noqa: ARG002 nothing is kept of them
        """Discard an event and return its number."""
        return next(self._numbers)


class OnceLog:
    """Event store that passes each event of a recording on once, however often it is played."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._passed_on = 0
        self._seen = 0

    def rewind(self) -> None:
        """Start again from the recording's first event."""
        self._seen = 0

    def append(self, session: int, event: Event, key: str | None = None) -> int:
        """Pass an event on where it is new, and return its number."""
        self._seen += 1
        if self._seen > self._passed_on:
            self._passed_on = self._seen
            self._log.append(session, event, key)
        return self._seen


@dataclass(slots=True, eq=False)
class Player:
    """Player of a recording, in rounds with a session each.

    A session's state at time `t` depends only on the events up to `t`, however `t` was reached.
    """

    recording: Recording
    clock: TransportClock
    play: Callable[[Session, Sequence[JudgedBeat]], Awaitable[None]]
    """Runs each round's session from the position where it starts to play; also gets the beats before that position."""
    number: int = 0
    log: Log = field(default_factory=NoLog)
    from_s: float = 0.0
    """Position in s from which each round plays; events before it are passed to the session at once."""
    loop: bool = False
    rounds: int = 0
    """Rounds played to the end."""
    _live: LiveSession | None = None
    _target_s: float | None = None
    """Position in s of the next round; the clock moves there once the present round has stopped."""
    _interrupt: asyncio.Event = field(default_factory=asyncio.Event)
    _stopped: bool = False

    @property
    def duration_s(self) -> float:
        """Length of the recording in s."""
        return self.recording.events[-1].t

    @property
    def at_s(self) -> float:
        """Position in s of the recording's clock."""
        at_s = self.clock.now() if self._target_s is None else self._target_s
        return min(max(at_s, 0.0), self.duration_s)

    def steer(self, *, speed: float | None = None, paused: bool | None = None) -> None:
        """Change the speed, pause, or continue; None leaves it as it is."""
        self.clock.steer(speed=speed, paused=paused)
        if self._live:
            self._live.pace = self.clock.full_speed

    def seek(self, t: float) -> None:
        """Go to session time `t`, forward or back."""
        self._target_s = min(max(t, 0.0), self.duration_s)
        self._interrupt.set()

    def stop(self) -> None:
        """Make `run` return."""
        self._stopped = True
        self._interrupt.set()

    async def run(self, *, stay: bool = False) -> None:
        """Play until the end or `stop`; with `loop` repeat, with `stay` wait at the end for a seek."""
        self.seek(self.from_s)
        while not self._stopped:
            self._interrupt.clear()
            self.clock.steer(at_s=self._target_s)
            self._target_s = None
            await self._until_interrupted(self._round())
            if self._stopped or self._interrupt.is_set():
                continue
            self.rounds += 1
            if self.loop:
                self.seek(self.from_s)
            elif stay:
                await self._interrupt.wait()
            else:
                return

    async def _until_interrupted(self, playing: "asyncio._CoroutineLike[None]") -> None:
        tasks = [asyncio.create_task(playing, name="round"), asyncio.create_task(self._interrupt.wait(), name="again")]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancel_and_wait(*tasks)
        if not tasks[0].cancelled():
            tasks[0].result()

    async def _round(self) -> None:
        start_s = self.clock.now()
        if isinstance(self.log, OnceLog):
            self.log.rewind()
        self._live = live = LiveSession(self.recording.header.arrival_speed, self.clock.full_speed)
        source = ReplaySource(self.recording, after_s=start_s)
        session = Session(self.number, source, self.clock, self.log, live=live, device=self.recording.header.device)
        beats: list[JudgedBeat] = []
        session.observe = beats.extend
        with self.clock.held():
            for count, item in enumerate(self._before(start_s)):
                session.take(item)
                if count % _SLICE == _SLICE - 1:
                    await asyncio.sleep(0)
        session.observe = lambda _: None
        await self.play(session, beats)

    def _before(self, start_s: float) -> Generator[Item]:
        yield from opening_items(self.recording, 0.0)
        for event in self.recording.events:
            if event.t > start_s:
                return
            yield from items_of_event(event)
