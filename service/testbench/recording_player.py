"""A recording under transport control: played, paused, sought, looped."""

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
"""Items that are taken at once on the way to a point; about 3 ms."""


class NoLog:
    """Keeps nothing."""

    def __init__(self) -> None:
        self._numbers = count()

    def append(self, session: int, event: Event, key: str | None = None) -> int:  # noqa: ARG002 nothing is kept of them
        """Let it go."""
        return next(self._numbers)


class OnceLog:
    """Passes each event of a recording on once, however often it is played."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._kept = 0
        self._seen = 0

    def rewind(self) -> None:
        """The recording is played from its beginning again."""
        self._seen = 0

    def append(self, session: int, event: Event, key: str | None = None) -> int:
        """Take an event that was not passed on yet."""
        self._seen += 1
        if self._seen > self._kept:
            self._kept = self._seen
            self._log.append(session, event, key)
        return self._seen


@dataclass(slots=True, eq=False)
class Player:
    """Plays rounds of a recording; what a session shows at `t` depends on the events up to `t` alone, however `t` was reached."""

    recording: Recording
    clock: TransportClock
    play: Callable[[Session, Sequence[JudgedBeat]], Awaitable[None]]
    """Runs each round's session, given once it has come to the point from which it plays, with the beats so far."""
    number: int = 0
    log: Log = field(default_factory=NoLog)
    from_s: float = 0.0
    """Where each round of a loop begins to play; what comes before is taken at once."""
    loop: bool = False
    rounds: int = 0
    """Rounds that came to the end."""
    _live: LiveSession | None = None
    _target_s: float | None = None
    """Where the next round is to begin; the clock goes there once nobody shows the present round any more."""
    _again: asyncio.Event = field(default_factory=asyncio.Event)
    _stopped: bool = False

    @property
    def duration_s(self) -> float:
        """Length of the recording."""
        return self.recording.events[-1].t

    @property
    def at_s(self) -> float:
        """Where it is."""
        at_s = self.clock.now() if self._target_s is None else self._target_s
        return min(max(at_s, 0.0), self.duration_s)

    def steer(self, *, speed: float | None = None, paused: bool | None = None) -> None:
        """Change the speed, pause, or go on."""
        self.clock.steer(speed=speed, paused=paused)
        if self._live:
            self._live.pace = self.clock.full_speed

    def seek(self, t: float) -> None:
        """Go to session time `t`, forward or back."""
        self._target_s = min(max(t, 0.0), self.duration_s)
        self._again.set()

    def stop(self) -> None:
        """Let `run` come back."""
        self._stopped = True
        self._again.set()

    async def run(self, *, stay: bool = False) -> None:
        """Play until the end, or for ever with `loop`; with `stay` wait at the end for a seek."""
        self.seek(self.from_s)
        while not self._stopped:
            self._again.clear()
            self.clock.steer(at_s=self._target_s)
            self._target_s = None
            await self._until_again(self._round())
            if self._stopped or self._again.is_set():
                continue
            self.rounds += 1
            if self.loop:
                self.seek(self.from_s)
            elif stay:
                await self._again.wait()
            else:
                return

    async def _until_again(self, playing: "asyncio._CoroutineLike[None]") -> None:
        tasks = [asyncio.create_task(playing, name="round"), asyncio.create_task(self._again.wait(), name="again")]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancel_and_wait(*tasks)
        if not tasks[0].cancelled():
            tasks[0].result()

    async def _round(self) -> None:
        point_s = self.clock.now()
        if isinstance(self.log, OnceLog):
            self.log.rewind()
        self._live = live = LiveSession(self.recording.header.arrival_speed, self.clock.full_speed)
        source = ReplaySource(self.recording, after_s=point_s)
        session = Session(self.number, source, self.clock, self.log, live=live, device=self.recording.header.device)
        beats: list[JudgedBeat] = []
        session.observe = beats.extend
        with self.clock.held():
            for count, item in enumerate(self._before(point_s)):
                session.take(item)
                if count % _SLICE == _SLICE - 1:
                    await asyncio.sleep(0)
        session.observe = lambda _: None
        await self.play(session, beats)

    def _before(self, point_s: float) -> Generator[Item]:
        yield from opening_items(self.recording, 0.0)
        for event in self.recording.events:
            if event.t > point_s:
                return
            yield from items_of_event(event)
