"""Where packets come from: a strap on the air, or a recording. The rest of restbeat cannot tell which."""

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
    """What the connection to a strap is doing."""

    IDLE = "idle"
    SCANNING = "scanning"
    CONNECTING = "connecting"
    STREAMING = "streaming"
    SILENT = "silent"
    LOST = "lost"
    GIVING_UP = "giving up"


class ConnectionChange(msgspec.Struct, frozen=True):
    """The connection went over into another state; `hint` says what a person can do about it."""

    t: float
    state: ConnectionState
    hint: str | None = None


class Described(msgspec.Struct, frozen=True):
    """What the strap says of itself, once it could be asked."""

    t: float
    device: Device


Item = Event | ConnectionChange | Described


class Source(Protocol):
    """A stream of items in order of time; closing the generator lets go of the strap."""

    def items(self, clock: Clock) -> AsyncGenerator[Item, None]:
        """Yield items until the source is exhausted; a strap never is."""
        ...


class ReplaySource:
    """Plays a recording by the session's clock; one that begins later yields only what comes after `after_s`."""

    def __init__(self, recording: Recording, *, after_s: float | None = None) -> None:
        self.recording = recording
        self._after_s = after_s

    async def items(self, clock: Clock) -> AsyncGenerator[Item, None]:
        """Yield the recording's events, each at its time."""
        if self._after_s is None:
            for item in opening_items(self.recording, clock.now()):
                yield item
        for event in self.recording.events:
            if self._after_s is None or event.t > self._after_s:
                await clock.sleep_until(event.t)
                for item in items_of_event(event):
                    yield item


def opening_items(recording: Recording, t: float) -> Generator[Item]:
    """What a source says of a recording before its first event."""
    yield Described(t, recording.header.device)
    if not any(isinstance(event, ConnectionEvent) for event in recording.events[:1]):
        yield ConnectionChange(t, ConnectionState.STREAMING)


def items_of_event(event: Event) -> Generator[Item]:
    """An event, and the change of the connection that it stands for."""
    if isinstance(event, ConnectionEvent):
        yield ConnectionChange(event.t, ConnectionState.STREAMING if event.up else ConnectionState.LOST)
    yield event


class ScriptedSource:
    """A strap's packets together with what a recording says of phases, marks, pain and faults, each at its time."""

    def __init__(self, strap: Source, recording: Recording) -> None:
        self._strap = strap
        self._script = [event for event in recording.events if isinstance(event, PhaseStart | Mark | Pain | Fault)]

    async def items(self, clock: Clock) -> AsyncGenerator[Item, None]:
        """Yield both in order of time, for as long as the strap lasts."""
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
