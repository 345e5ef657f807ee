"""One running session: stores each item of its source raw before anything reads it, then has it analysed and shown."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from ...analysis.beats.beat_stream import JudgedBeat
from ...analysis.live.live_session import LiveSession
from ...sensors.clock import Clock
from ...sensors.model import Device, Phase
from ...sensors.recordings.recording import ConnectionEvent, Event, Mark, Packet, Pain, PhaseStart, StrapChange
from ...sensors.source import ConnectionChange, ConnectionState, Described, Item, Source
from ...sensors.task_cancellation import cancel_and_wait


class Log(Protocol):
    """Store of a session's raw events."""

    def append(self, session: int, event: Event, key: str | None = None) -> int:
        """Store an event without waiting and return its number. `key` identifies the request that entered it."""
        ...


@dataclass(slots=True, eq=False)
class Session:
    """A session from its source's first item to the phase `ended`; phases begin by `enter` or by the recording's own events."""

    number: int
    source: Source
    clock: Clock
    log: Log
    observe: Callable[[Sequence[JudgedBeat]], None] = lambda _: None
    """Called after every item with the beats whose verdict became final."""
    describe: Callable[[Device], None] = lambda _: None
    """Called when the strap has described itself."""
    live: LiveSession = field(default_factory=LiveSession)
    device: Device = field(default_factory=Device)
    connection: ConnectionChange = field(default_factory=lambda: ConnectionChange(0.0, ConnectionState.IDLE))
    entered: dict[int, Event] = field(default_factory=dict)
    """Phases, marks and pain scores that people entered, by event number."""
    taking_packet: bool = False
    """Whether what is observed at this moment is a packet: packets may come too fast to be shown one by one."""
    corrections: int = 0
    """How often those were corrected."""
    end_s: float = 0.0
    """Session time of the last event in s; final once the session has run."""
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set where the strap was changed for another whose source is not opened yet."""
    _letting_go: list[asyncio.Event] = field(default_factory=list)
    """Set once the straps that were changed for others are let go."""

    async def run(self) -> None:
        """Take items until the source is exhausted or the session has ended; the source is closed in any case.

        An error of the source is raised here, unless its strap was changed for another.
        """
        try:
            feeding = await self._take_from_source()
            while self._changed.is_set() and not self._ended.is_set():
                feeding = await self._take_from_source()
        finally:
            self._tell_let_go()
        self.observe(self.live.finish(self.end_s))
        if not feeding.cancelled():
            feeding.result()

    async def _take_from_source(self) -> asyncio.Task[None]:
        self._changed.clear()
        async with aclosing(self.source.items(self.clock)) as items:
            feeding = asyncio.create_task(self._feed(items), name=f"items of session {self.number}")
            ending = asyncio.create_task(self._ended.wait(), name=f"end of session {self.number}")
            changing = asyncio.create_task(self._changed.wait(), name=f"strap of session {self.number}")
            try:
                await asyncio.wait({feeding, ending, changing}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await cancel_and_wait(feeding, ending, changing)
        self._tell_let_go()
        return feeding

    def _tell_let_go(self) -> None:
        for event in self._letting_go:
            event.set()
        self._letting_go.clear()

    def change_strap(self, source: Source, device: Device, note: str) -> asyncio.Event:
        """Go on with another strap, of which `source` gives the items; what the one before sends is dropped from now on.

        `note` marks the change. The event returned is set once the strap before it is let go.
        """
        now_s, let_go = self.clock.now(), asyncio.Event()
        self._letting_go.append(let_go)
        self.source = source
        self._changed.set()
        self.connection = ConnectionChange(now_s, ConnectionState.IDLE)
        for event in (ConnectionEvent(now_s, up=False), StrapChange(now_s, device), Mark(now_s, note=note)):
            self.enter(event)
        return let_go

    def restore(self, events: Sequence[Event]) -> None:
        """Replay the stored events of an interrupted session into the analysis, without storing them again."""
        for number, event in enumerate(events, -len(events)):
            self._read(number, event)

    def enter(self, event: Event, key: str | None = None) -> int:
        """Store an event, pass it to the analysis, and return its number.

        `key` identifies the request that entered it; None where it came from the source.
        """
        number = self.log.append(self.number, event, key)
        self.observe(self._read(number, event))
        return number

    def rephase(self) -> None:
        """Apply phases and marks anew after an entry was corrected."""
        self.corrections += 1
        self.live.set_phases(sorted(self._starts(), key=lambda start: start.t))
        self.live.set_marks(event for event in self.entered.values() if isinstance(event, Mark))
        self.observe(())

    def take(self, item: Item) -> None:
        """Store an event and pass it to the analysis; connection changes and device descriptions are only shown."""
        match item:
            case ConnectionChange():
                self.connection = item
                self.observe(())
            case Described(device=device):
                self.device = device
                self.live.set_device(device)
                self.describe(device)
                self.observe(())
            case Packet():
                self.taking_packet = True
                try:
                    self.enter(item)
                finally:
                    self.taking_packet = False
            case _:
                self.enter(item)

    def _read(self, number: int, event: Event) -> list[JudgedBeat]:
        if isinstance(event, PhaseStart | Mark | Pain):
            self.entered[number] = event
        if isinstance(event, StrapChange):
            self.device = event.device
        self.end_s = max(self.end_s, event.t)
        beats = self.live.push(event)
        if self.live.phase is Phase.ENDED:
            self._ended.set()
        return beats

    def _starts(self) -> Iterator[PhaseStart]:
        return (event for event in self.entered.values() if isinstance(event, PhaseStart))

    async def _feed(self, items: AsyncGenerator[Item, None]) -> None:
        async for item in items:
            if self._changed.is_set():
                return
            self.take(item)
            if self._ended.is_set():
                return
        if not (self._ended.is_set() or self._changed.is_set()):
            # a replay may begin at the recording's very end, after ENDED was read
            self.take(PhaseStart(self.end_s, Phase.ENDED))
