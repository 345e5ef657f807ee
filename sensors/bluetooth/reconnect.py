"""The stream of one strap, kept alive: find it, connect, listen, and start over whenever the connection is lost.

A connection can be up and silent without any error being reported (bleak-retry-connector #228), so the watchdog watches the
data alone. It runs on the session's clock; finding, connecting and waiting take wall time.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
import logging
from math import inf
import random
from typing import Protocol

from ..clock import Clock
from ..errors import ConnectError, NoAdapterError, RadioError, StrapNotFoundError
from ..model import Device
from ..recordings.recording import HEART_RATE, ConnectionEvent, Packet
from ..source import ConnectionChange, ConnectionState, Described, Item
from ..task_cancellation import cancel_and_wait, cancellation_requested

_LOG = logging.getLogger(__name__)

OnPacket = Callable[[str, bytes], None]
"""Takes the short UUID of a characteristic and its payload."""

_SHORTEST_LOOK_S = 0.1

LOST_HINT = "The link to the strap was lost: out of range, or off the body? Check that it is worn and near."
SILENT_HINT = "No data from the strap. Moisten the electrodes and check that it is worn."


@dataclass(frozen=True, slots=True)
class Timing:
    """How patient the stream is with a strap."""

    silent_after_s: float = 5.0
    """Session time without a packet until the strap counts as silent; after twice as long it is connected anew."""
    silent_after_wall_s: float = 1.0
    """At least this much wall time, so that at a high speed a short stall of this computer is no silence."""
    stable_after_s: float = 10.0
    """Session time of data after which a connection counts as good."""
    look_s: float = 6.0
    """Wall time to look for the strap until the hint tells what to check."""
    first_wait_s: float = 0.5
    longest_wait_s: float = 15.0
    """Wall time between two attempts: it doubles with each, give or take a quarter."""
    no_adapter_wait_s: float = 2.0
    give_up_after_s: float | None = None
    """Wall time after which a strap that was never connected is given up, at once without an adapter; by default never."""


class Connection(Protocol):
    """A connection to a strap: `connection.BleakConnection`, which imports this module, and the tests' straps without Bleak."""

    @property
    def gone(self) -> asyncio.Event:
        """Set when the connection is known to be down; a connection may be down without it."""
        ...

    async def describe(self) -> Device:
        """What the strap tells of itself."""
        ...

    async def listen(self, on_packet: OnPacket) -> None:
        """Subscribe to the heart rate, and to what else there is. Raises `ConnectError`."""
        ...


class Strap(Protocol):
    """A strap that may be near: `connection.BleakStrap`, `proxies.strap.ProxiedStrap`, and the tests' straps without Bleak."""

    async def find(self, seconds: float) -> None:
        """Look for the strap. Raises `NoAdapterError` or `StrapNotFoundError`."""
        ...

    def connect(self) -> AbstractAsyncContextManager[Connection]:
        """Connect to the strap as it was found, and let go of it in any case. Raises `ConnectError`."""
        ...


class ReconnectingSource:
    """A `Source` of what a strap sends, across every loss of it."""

    def __init__(
        self,
        strap: Strap,
        *,
        rng: random.Random,
        timing: Timing,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._strap = strap
        self._rng = rng
        self._timing = timing
        self._sleep = sleep

    async def items(self, clock: Clock) -> AsyncGenerator[Item, None]:
        """Yield items without end; closing the generator disconnects.

        Raises `NoAdapterError`, `StrapNotFoundError` or `ConnectError` where it was told to give up.
        """
        queue: asyncio.Queue[Item | None] = asyncio.Queue()
        keeping = asyncio.create_task(self._keep(clock, queue.put_nowait), name="strap")
        keeping.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            while (item := await queue.get()) is not None:
                yield item
            await keeping
        finally:
            await cancel_and_wait(keeping)

    async def _keep(self, clock: Clock, emit: Callable[[Item], None]) -> None:
        timing = self._timing
        stream = _Stream(clock, emit)
        give_up_at = inf if timing.give_up_after_s is None else _wall_s() + timing.give_up_after_s
        attempts, hint = 0, None
        refused: RadioError | None = None
        while True:
            stream.say(ConnectionState.SCANNING, hint)
            wait_s = None
            try:
                await self._strap.find(min(timing.look_s, max(_SHORTEST_LOOK_S, give_up_at - _wall_s())))
                stream.say(ConnectionState.CONNECTING)
                async with self._strap.connect() as connection:
                    hint = await self._listen(stream, connection)
                give_up_at = inf
                attempts = 0 if stream.lasted(timing.stable_after_s) else attempts + 1
            except NoAdapterError as error:
                # who waits for an end is told at once: an adapter does not come by itself
                hint = self._hint(error, stream, inf if give_up_at == inf else 0.0)
                wait_s = timing.no_adapter_wait_s
            except StrapNotFoundError as error:
                # the last look may be cut short: that a strap refused tells more than that it was not heard just then
                hint = self._hint(refused if refused and _wall_s() >= give_up_at else error, stream, give_up_at)
                wait_s = 0.0
            except (Exception, asyncio.CancelledError) as error:  # a session lives through whatever Bluetooth raises
                if cancellation_requested():
                    raise
                refused = error if isinstance(error, RadioError) else _odd(error)
                hint = self._hint(refused, stream, give_up_at)
                attempts += 1
            wait_s = self._wait_s(attempts) if wait_s is None else wait_s
            await self._sleep(max(0.0, min(wait_s, give_up_at - _wall_s())))

    @staticmethod
    def _hint(error: RadioError, stream: "_Stream", give_up_at: float) -> str:
        if _wall_s() >= give_up_at:
            stream.say(ConnectionState.GIVING_UP, str(error))
            raise error
        stream.say(ConnectionState.SCANNING, str(error))
        return str(error)

    async def _listen(self, stream: "_Stream", connection: Connection) -> str:
        stream.describe(await connection.describe())
        stream.open()
        hint = LOST_HINT
        try:
            await connection.listen(stream.packet)
            stream.came_up()
            await self._until_lost(stream, connection)
            hint = LOST_HINT if connection.gone.is_set() else SILENT_HINT
        finally:
            stream.close(hint)
        return hint

    async def _until_lost(self, stream: "_Stream", connection: Connection) -> None:
        clock = stream.clock
        silent_after_s = max(self._timing.silent_after_s, self._timing.silent_after_wall_s * clock.speed)
        while not connection.gone.is_set():
            due_s = stream.last_s + silent_after_s * (2 if stream.silent else 1)
            if clock.now() < due_s:
                await _either(connection.gone, clock, due_s)
            elif stream.silent:
                return
            else:
                stream.silent = True
                stream.say(ConnectionState.SILENT, SILENT_HINT)

    def _wait_s(self, attempts: int) -> float:
        timing = self._timing
        return min(timing.longest_wait_s, timing.first_wait_s * 2.0 ** min(attempts, 16)) * self._rng.uniform(0.75, 1.25)


class _Stream:
    """What one strap's stream has come to; every item goes out through it."""

    def __init__(self, clock: Clock, emit: Callable[[Item], None]) -> None:
        self.clock = clock
        self.silent = False
        self.last_s = 0.0
        """Time of the last heart-rate packet, or of the subscription."""
        self._emit = emit
        self._said: tuple[ConnectionState, str | None] | None = None
        self._device: Device | None = None
        self._open = False
        self._up = False
        self._up_s = 0.0

    def say(self, state: ConnectionState, hint: str | None = None) -> None:
        """Tell a change of state, once."""
        if (state, hint) != self._said:
            self._said = state, hint
            self._emit(ConnectionChange(self.clock.now(), state, hint))

    def describe(self, device: Device) -> None:
        """Tell what the strap is, where that is news."""
        if device != self._device:
            self._device = device
            self._emit(Described(self.clock.now(), device))

    def open(self) -> None:
        """Let packets in; the first may come before the strap has confirmed the subscription."""
        self._open, self.silent = True, False
        self.last_s = self._up_s = self.clock.now()

    def came_up(self) -> None:
        """The strap streams."""
        if not self._up:
            self._up = True
            self._emit(ConnectionEvent(self.clock.now(), up=True))
            self.say(ConnectionState.STREAMING)

    def packet(self, uuid: str, payload: bytes) -> None:
        """Pass a packet on; none after the connection was given up."""
        if not self._open:
            return
        self.came_up()
        now_s = self.clock.now()
        if uuid == HEART_RATE:  # a strap whose ECG comes without its heart rate is silent all the same
            self.last_s, self.silent = now_s, False
            self.say(ConnectionState.STREAMING)
        self._emit(Packet(now_s, uuid, payload))

    def close(self, hint: str) -> None:
        """The connection is lost, if it was up."""
        self._open = False
        if self._up:
            self._up = False
            self._emit(ConnectionEvent(self.clock.now(), up=False))
            self.say(ConnectionState.LOST, hint)

    def lasted(self, seconds: float) -> bool:
        """Whether data came for so long."""
        return self.last_s - self._up_s >= seconds


def _odd(error: BaseException) -> ConnectError:
    _LOG.error("What Bluetooth raised was not expected", exc_info=error)
    return ConnectError(f"Bluetooth failed: {str(error) or type(error).__name__}. It is tried again.")


async def _either(gone: asyncio.Event, clock: Clock, due_s: float) -> None:
    waits = [asyncio.create_task(gone.wait()), asyncio.create_task(clock.sleep_until(due_s))]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancel_and_wait(*waits)


def _wall_s() -> float:
    return asyncio.get_running_loop().time()
