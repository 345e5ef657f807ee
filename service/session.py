"""One running session: items of a source, stored raw before anything reads them, then judged and shown."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from ..analysis.live import LiveSession
from ..analysis.stream import JudgedBeat
from ..sensors.clock import Clock
from ..sensors.model import Device, Phase
from ..sensors.recording import Event, PhaseStart
from ..sensors.source import Described, Item, LinkChange, LinkState, Source


class Log(Protocol):
    """Where a session's raw events go."""

    def append(self, session: int, event: Event) -> None:
        """Take an event at once, without waiting."""
        ...


@dataclass(slots=True, eq=False)
class Session:
    """Runs from the source's first item to `ended`; phases move by `advance` or by the recording's own lines."""

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
    link: LinkChange = field(default_factory=lambda: LinkChange(0.0, LinkState.IDLE))
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
                feeding.cancel()
                ending.cancel()
                await asyncio.gather(feeding, ending, return_exceptions=True)
        self.observe(self.live.finish(self.end_s))
        if not feeding.cancelled():
            feeding.result()

    def advance(self, leaving: Phase) -> Phase:
        """End the phase `leaving` and begin the next; a phase that is over already stays over, and the present one is given."""
        if self.live.phase is leaving:
            self.take(PhaseStart(self.clock.now(), leaving.following))
        return self.live.phase

    def take(self, item: Item) -> None:
        """Store an event, then let the analysis read it; changes of the link are only shown."""
        beats: list[JudgedBeat] = []
        match item:
            case LinkChange():
                self.link = item
            case Described(device=device):
                self.device = device
                self.live.know(device)
                self.describe(device)
            case _:
                self.log.append(self.number, item)
                self.end_s = max(self.end_s, item.t)
                beats = self.live.push(item)
        self.observe(beats)
        if self.live.phase is Phase.ENDED:
            self._over.set()

    async def _feed(self, items: AsyncGenerator[Item, None]) -> None:
        async for item in items:
            self.take(item)
            if self._over.is_set():
                return
        self.take(PhaseStart(self.end_s, Phase.ENDED))
