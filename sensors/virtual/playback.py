"""Playback of a recording on a virtual strap, each packet when it is due."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from ..clock import Clock
from ..recordings.recording import ConnectionEvent, Packet, Recording
from .bluez import VirtualBlueZ
from .virtual_strap import VirtualStrap

_LATE_S = 0.5
"""A packet that was due longer ago than this when a client subscribes is skipped."""


@dataclass(slots=True, eq=False)
class Player:
    """Plays a recording on a strap from the moment a client subscribes to its heart rate.

    `clock_for` is called at that moment for the clock to play by.
    """

    recording: Recording
    strap: VirtualStrap
    bluez: VirtualBlueZ
    clock_for: Callable[[VirtualStrap], Clock]
    loop: bool = False
    clock: Clock | None = None
    """The clock of the recording; None until playback starts."""
    started: asyncio.Event = field(default_factory=asyncio.Event)
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    sent: int = 0
    """Packets that a subscribed client received."""
    unheard: int = 0
    """Packets that were due while nobody was subscribed."""

    async def run(self) -> None:
        """Play the recording; after its end the strap stays on the air, silent."""
        await self.strap.listening.wait()
        self.clock = self.clock_for(self.strap)
        self.started.set()
        skip_before_s = self.clock.now() - _LATE_S
        self._restore_connection(skip_before_s)
        begin_s, length_s = 0.0, max((event.t for event in self.recording.events), default=0.0) + 1.0
        while True:
            await self._play(self.clock, begin_s, skip_before_s)
            begin_s += length_s
            if not self.loop or not self.recording.events:
                break
        self.finished.set()

    async def _play(self, clock: Clock, begin_s: float, skip_before_s: float) -> None:
        for event in self.recording.events:
            t = begin_s + event.t
            if t < skip_before_s:
                continue
            match event:
                case Packet():
                    await clock.sleep_until(t)
                    if self.bluez.notify(self.strap, event.char, event.payload):
                        self.sent += 1
                    else:
                        self.unheard += 1
                case ConnectionEvent():
                    await clock.sleep_until(t)
                    self._set_connection(up=event.up)

    def _restore_connection(self, skip_before_s: float) -> None:
        changes = [event for event in self.recording.events if isinstance(event, ConnectionEvent) and event.t < skip_before_s]
        if changes and not changes[-1].up:
            self._set_connection(up=False)

    def _set_connection(self, *, up: bool) -> None:
        self.strap.advertising = up
        if not up:
            self.bluez.drop(self.strap)
