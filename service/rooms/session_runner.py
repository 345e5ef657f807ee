"""One running session: items of a source, stored raw before anything reads them, then judged and shown."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from ...analysis.beats.beat_stream import JudgedBeat
from ...analysis.live.live_session import LiveSession
from ...sensors.clock import Clock
from ...sensors.model import Device, Phase
from ...sensors.recordings.recording import Event, Mark, Pain, PhaseStart
from ...sensors.source import ConnectionChange, ConnectionState, Described, Item, Source
from ...sensors.task_cancellation import cancel_and_wait


class Log(Protocol):
    """Where a session's raw events go."""

    def append(self, session: int, event: Event, key: str | None = None) -> int:
        """Take an event at once, without waiting; gives its number. `key`: of the press that told it."""
        ...


@dataclass(slots=True, eq=False)
class Session:
    """Runs from the source's first item to `ended`; phases move by `enter` or by the recording's own lines."""

    number: int
    source: Source
    clock: Clock
    log: Log
    observe: Callable[[Sequence[JudgedBeat]], None] = lambda _: None
    """Called after every item, with the beats whose verdict became final."""
    describe: Callable[[Device], None] = lambda _: None
    """Called when the strap has told what it is."""
    live: LiveSession = field(default_factory=LiveSession)
    device: Device = field(default_factory=Device)
    connection: ConnectionChange = field(default_factory=lambda: ConnectionChange(0.0, ConnectionState.IDLE))
    told: dict[int, Event] = field(default_factory=dict)
    """What people told, by number: phases, marks, pain."""
    corrections: int = 0
    """How often that was corrected."""
    end_s: float = 0.0
    """Time of the last event; final once the session has run."""
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Take items until the source is exhausted or the session has ended; lets go of the strap in any case."""
        async with aclosing(self.source.items(self.clock)) as items:
            feeding = asyncio.create_task(self._feed(items), name=f"items of session {self.number}")
            ending = asyncio.create_task(self._over.wait(), name=f"end of session {self.number}")
            try:
                await asyncio.wait({feeding, ending}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                await cancel_and_wait(feeding, ending)
        self.observe(self.live.finish(self.end_s))
        if not feeding.cancelled():
            feeding.result()

    def restore(self, events: Sequence[Event]) -> None:
        """Read what a session that was cut off has stored already."""
        for number, event in enumerate(events, -len(events)):
            self._read(number, event)

    def enter(self, event: Event, key: str | None = None) -> int:
        """Store an event, then let the analysis read it; gives its number."""
        number = self.log.append(self.number, event, key)
        self.observe(self._read(number, event))
        return number

    def rephase(self) -> None:
        """What people told was corrected: take the phases anew."""
        self.corrections += 1
        self.live.set_phases(sorted(self._starts(), key=lambda start: start.t))
        self.observe(())

    def take(self, item: Item) -> None:
        """Store an event, then let the analysis read it; changes of the connection are only shown."""
        match item:
            case ConnectionChange():
                self.connection = item
                self.observe(())
            case Described(device=device):
                self.device = device
                self.live.set_device(device)
                self.describe(device)
                self.observe(())
            case _:
                self.enter(item)

    def _read(self, number: int, event: Event) -> list[JudgedBeat]:
        if isinstance(event, PhaseStart | Mark | Pain):
            self.told[number] = event
        self.end_s = max(self.end_s, event.t)
        beats = self.live.push(event)
        if self.live.phase is Phase.ENDED:
            self._over.set()
        return beats

    def _starts(self) -> Iterator[PhaseStart]:
        return (event for event in self.told.values() if isinstance(event, PhaseStart))

    async def _feed(self, items: AsyncGenerator[Item, None]) -> None:
        async for item in items:
            self.take(item)
            if self._over.is_set():
                return
        if not self._over.is_set():  # a recording may be taken up at its very end
            self.take(PhaseStart(self.end_s, Phase.ENDED))
