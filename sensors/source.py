"""Sources of packets: a strap on the air, or a recording. The rest of restbeat cannot tell which."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from enum import Enum
from typing import Protocol

import msgspec

from .clock import Clock
from .model import Device
from .recordings.recording import ConnectionEvent, Event, Fault, Mark, Pain, PhaseStart, Recording
from .task_cancellation import cancel_and_wait


class ConnectionState(Enum):
    """The state of the connection to a strap."""

    IDLE = "idle"
    SCANNING = "scanning"
    CONNECTING = "connecting"
    STREAMING = "streaming"
    SILENT = "silent"
    LOST = "lost"
    GIVING_UP = "giving up"


class ConnectionChange(msgspec.Struct, frozen=True):
    """A change of the connection's state at `t` (s); `hint` says what a person can do about it."""

    t: float
    state: ConnectionState
    hint: str | None = None


class Described(msgspec.Struct, frozen=True):
    """The strap's description of itself, once it has been read."""

    t: float
    device: Device


Item = Event | ConnectionChange | Described


class Source(Protocol):
    """A stream of items in order of time."""

    def items(self, clock: Clock) -> AsyncGenerator[Item, None]:
        """Yield items until the source is exhausted, which a strap never is; closing the generator releases the strap."""
        ...


class ReplaySource:
    """A recording played by the session's clock; with `after_s`, only the events later than that (s)."""

    def __init__(self, recording: Recording, *, after_s: float | None = None) -> None:
        self.recording = recording
        self._after_s = after_s

    async def items(self, clock: Clock) -> AsyncGenerator[Item, None]:
        """Yield the recording's events, each at its time, until there are no more."""
        if self._after_s is None:
            for item in opening_items(self.recording, clock.now()):
                yield item
        for event in self.recording.events:
            if self._after_s is None or event.t > self._after_s:
                await clock.sleep_until(event.t)
                for item in items_of_event(event):
                    yield item


def opening_items(recording: Recording, t: float) -> Generator[Item]:
    """Yield the items that precede a recording's first event: device, and connection unless the recording starts with it."""
    yield Described(t, recording.header.device)
    if not any(isinstance(event, ConnectionEvent) for event in recording.events[:1]):
        yield ConnectionChange(t, ConnectionState.STREAMING)


def items_of_event(event: Event) -> Generator[Item]:
    """Yield an event, preceded by the connection change that it stands for."""
    if isinstance(event, ConnectionEvent):
        yield ConnectionChange(event.t, ConnectionState.STREAMING if event.up else ConnectionState.LOST)
    yield event


class ScriptedSource:
    """A strap's items merged with the phases, marks, pain scores and faults of a recording, each at its time."""

    def __init__(self, strap: Source, recording: Recording) -> None:
        self._strap = strap
        self._script = [event for event in recording.events if isinstance(event, PhaseStart | Mark | Pain | Fault)]

    async def items(self, clock: Clock) -> AsyncGenerator[Item, None]:
        """Yield both in order of time, until the strap's source ends."""
        queue: asyncio.Queue[Item | None] = asyncio.Queue()

        async def listen() -> None:
            try:
                async with aclosing(self._strap.items(clock)) as items:
                    async for item in items:
                        queue.put_nowait(item)
            finally:
                queue.put_nowait(None)

        async def follow() -> None:
            for event in self._script:
                await clock.sleep_until(event.t)
                queue.put_nowait(event)

        tasks = [asyncio.create_task(listen(), name="strap"), asyncio.create_task(follow(), name="script")]
        try:
            while (item := await queue.get()) is not None:
                yield item
            await tasks[0]
        finally:
            await cancel_and_wait(*tasks)
