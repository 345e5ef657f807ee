"""The stream of one strap, kept alive: find it, connect, listen, and start over whenever the connection is lost.

A connection can be up and silent without any error being reported (bleak-retry-connector #228), so the watchdog watches the
data alone. It runs on the session's clock; finding, connecting and waiting take wall time.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
import logging
from math import inf
import random
from statistics import median
from typing import Protocol

from ..clock import Clock
from ..errors import ConnectError, NoAdapterError, RadioError, StrapNotFoundError
from ..model import Device
from ..recordings.recording import HEART_RATE, LEFT_OUT, ConnectionEvent, Fault, Packet
from ..source import ConnectionChange, ConnectionState, Described, Item
from ..task_cancellation import cancel_and_wait, cancellation_requested
from .packet_limit import PacketLimit

_LOG = logging.getLogger(__name__)

OnPacket = Callable[[str, bytes], None]
"""Called with the short UUID of a characteristic and the payload."""

_FEWEST_INTERVALS, _MOST_DOUBLINGS = 3, 3
_SILENT_INTERVALS, _SILENT_AT_MOST_S = 3.0, 60.0
"""How many usual intervals without a packet are a silence, and the limit of that in s."""
_SHORTEST_SCAN_S = 0.1
_TELL_S = 60.0
"""Session time between two records of what a strap sent too much of."""

LOST_HINT = "The link to the strap was lost: out of range, or off the body? Check that it is worn and near."
FLOOD_HINT = "The strap sends far more than a strap does; part of it is left out. Take it off and on again, or use another strap."
SILENT_HINT = "No data from the strap. Moisten the electrodes and check that it is worn."


@dataclass(frozen=True, slots=True)
class Timing:
    """The time limits of a strap's stream."""

    silent_after_s: float = 5.0
    """Session time without a packet after which the strap counts as silent; after twice as long it is reconnected."""
    silent_after_wall_s: float = 1.0
    """The same in wall time, as a minimum, so that at high speed a short stall of this computer is no silence."""
    stable_after_s: float = 10.0
    """Session time of data after which a connection counts as stable."""
    scan_s: float = 6.0
    """Wall time of a scan for the strap, after which the hint says what to check."""
    first_wait_s: float = 0.5
    longest_wait_s: float = 15.0
    """Wall time between two attempts, which doubles with each, give or take a quarter."""
    no_adapter_wait_s: float = 2.0
    give_up_after_s: float | None = None
    """Wall time after which a strap that was never connected is given up (without an adapter: at once); None: never."""


class Connection(Protocol):
    """A connection to a strap: `connection.BleakConnection`, which imports this module, and the tests' straps without Bleak."""

    @property
    def lost(self) -> asyncio.Event:
        """Set when the connection is known to be lost; it may be lost without being set."""
        ...

    async def describe(self) -> Device:
        """Read how the strap describes itself. Raises `ConnectError` where the connection is lost."""
        ...

    async def listen(self, on_packet: OnPacket) -> None:
        """Subscribe to the heart rate and whatever else the strap offers. Raises `ConnectError` where that fails."""
        ...


class Strap(Protocol):
    """A strap that may be near: `connection.BleakStrap`, `proxies.strap.ProxiedStrap`, and the tests' straps without Bleak."""

    async def find(self, seconds: float) -> None:
        """Look for the strap for at most `seconds`. Raises `NoAdapterError` or `StrapNotFoundError`."""
        ...

    def connect(self) -> AbstractAsyncContextManager[Connection]:
        """Connect to the strap that was found, and disconnect in any case. Raises `ConnectError` where that fails."""
        ...


class ReconnectingSource:
    """A `Source` of a strap's items that reconnects after every loss."""

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

        With `Timing.give_up_after_s`, raises `NoAdapterError`, `StrapNotFoundError` or `ConnectError` on giving up.
        """
        queue: asyncio.Queue[Item | None] = asyncio.Queue()
        task = asyncio.create_task(self._reconnect(clock, queue.put_nowait), name="strap")
        task.add_done_callback(lambda _: queue.put_nowait(None))
        try:
            while (item := await queue.get()) is not None:
                yield item
                if not queue.empty():
                    await asyncio.sleep(0)  # what has queued up must not hold the event loop until it is through
            await task
        finally:
            await cancel_and_wait(task)

    async def _reconnect(self, clock: Clock, emit: Callable[[Item], None]) -> None:
        timing = self._timing
        stream = _Stream(clock, emit)
        give_up_at = inf if timing.give_up_after_s is None else _wall_s() + timing.give_up_after_s
        attempts, hint = 0, None
        connect_error: RadioError | None = None
        while True:
            stream.report_state(ConnectionState.SCANNING, hint)
            wait_s = None
            try:
                await self._strap.find(min(timing.scan_s, max(_SHORTEST_SCAN_S, give_up_at - _wall_s())))
                stream.report_state(ConnectionState.CONNECTING)
                async with self._strap.connect() as connection:
                    hint = await self._listen(stream, connection)
                give_up_at = inf
                attempts = 0 if stream.was_stable(timing.stable_after_s) else attempts + 1
            except NoAdapterError as error:
                # with a limit, give up at once: an adapter does not appear by itself
                hint = self._report_failure(error, stream, inf if give_up_at == inf else 0.0)
                wait_s = timing.no_adapter_wait_s
            except StrapNotFoundError as error:
                # the last scan may have been cut short, and a refused connection is more informative than "not heard"
                hint = self._report_failure(
                    connect_error if connect_error and _wall_s() >= give_up_at else error, stream, give_up_at
                )
                wait_s = 0.0
            except (Exception, asyncio.CancelledError) as error:  # a session survives whatever Bluetooth raises
                if cancellation_requested():
                    raise
                connect_error = error if isinstance(error, RadioError) else _unexpected(error)
                hint = self._report_failure(connect_error, stream, give_up_at)
                attempts += 1
            wait_s = self._wait_s(attempts) if wait_s is None else wait_s
            await self._sleep(max(0.0, min(wait_s, give_up_at - _wall_s())))

    @staticmethod
    def _report_failure(error: RadioError, stream: "_Stream", give_up_at: float) -> str:
        if _wall_s() >= give_up_at:
            stream.report_state(ConnectionState.GIVING_UP, str(error))
            raise error
        stream.report_state(ConnectionState.SCANNING, str(error))
        return str(error)

    async def _listen(self, stream: "_Stream", connection: Connection) -> str:
        stream.describe(await connection.describe())
        stream.open()
        hint = LOST_HINT
        try:
            await connection.listen(stream.packet)
            stream.connected()
            await self._until_lost(stream, connection)
            hint = LOST_HINT if connection.lost.is_set() else SILENT_HINT
        finally:
            stream.close(hint)
        return hint

    async def _until_lost(self, stream: "_Stream", connection: Connection) -> None:
        clock = stream.clock
        while not connection.lost.is_set():
            silent_after_s = max(stream.patience_s(self._timing), self._timing.silent_after_wall_s * clock.speed)
            due_s = stream.last_s + silent_after_s * (2 if stream.silent else 1)
            if clock.now() < due_s:
                await _lost_or_due(connection.lost, clock, due_s)
            elif stream.silent:
                stream.dropped_silent += 1
                return
            else:
                stream.silent = True
                stream.report_state(ConnectionState.SILENT, SILENT_HINT)

    def _wait_s(self, attempts: int) -> float:
        timing = self._timing
        return min(timing.longest_wait_s, timing.first_wait_s * 2.0 ** min(attempts, 16)) * self._rng.uniform(0.75, 1.25)


class _Stream:
    """The state of one strap's stream, and the single place that emits its items."""

    def __init__(self, clock: Clock, emit: Callable[[Item], None]) -> None:
        self.clock = clock
        self.silent = False
        self.last_s = 0.0
        """Time of the last heart-rate packet, or of the subscription."""
        self.dropped_silent = 0
        """Connections in a row that were given up because nothing came."""
        self._intervals_s: deque[float] = deque(maxlen=9)
        self._heard = False
        """Whether a heart-rate packet has come in this connection."""
        self._emit = emit
        self._reported: tuple[ConnectionState, str | None] | None = None
        self._device: Device | None = None
        self._open = False
        self._up = False
        self._up_s = 0.0
        self._limit = PacketLimit(clock.speed)
        self._hint: str | None = None
        """What is wrong with a strap that streams."""

    def report_state(self, state: ConnectionState, hint: str | None = None) -> None:
        """Emit a change of state or hint; a repetition is dropped."""
        if (state, hint) != self._reported:
            self._reported = state, hint
            self._emit(ConnectionChange(self.clock.now(), state, hint))

    def describe(self, device: Device) -> None:
        """Emit the strap's description where it has changed."""
        if device != self._device:
            self._device = device
            self._emit(Described(self.clock.now(), device))

    def open(self) -> None:
        """Accept packets from now on; the first may come before the strap has confirmed the subscription."""
        self._open, self.silent, self._heard = True, False, False
        self.last_s = self._up_s = self.clock.now()

    def connected(self) -> None:
        """Emit that the connection is up and streaming, once per connection."""
        if not self._up:
            self._up = True
            self._emit(ConnectionEvent(self.clock.now(), up=True))
            self.report_state(ConnectionState.STREAMING)

    def packet(self, uuid: str, payload: bytes) -> None:
        """Emit a packet, unless the connection has been closed or the strap sends too much."""
        if not self._open:
            return
        self.connected()
        now_s = self.clock.now()
        if not self._limit.admits(now_s, uuid, len(payload)):
            self._warn()
            return
        self._tell_left_out(now_s, after_s=_TELL_S)
        if uuid == HEART_RATE:  # a strap that sends ECG but no heart rate counts as silent
            if self._heard:
                self._intervals_s.append(now_s - self.last_s)
            self._heard, self.last_s, self.silent = True, now_s, False
            self.report_state(ConnectionState.STREAMING, self._hint)
        self._emit(Packet(now_s, uuid, payload))

    def patience_s(self, timing: Timing) -> float:
        """Return after how many s of session time without a packet the strap counts as silent.

        Some sensors send only when the heart rate changes: the usual interval is learnt, and until it is known each connection
        that ends in silence makes the next one wait longer.
        """
        if len(self._intervals_s) < _FEWEST_INTERVALS:
            return timing.silent_after_s * 2.0 ** min(self.dropped_silent, _MOST_DOUBLINGS)
        self.dropped_silent = 0
        return max(timing.silent_after_s, min(_SILENT_INTERVALS * median(self._intervals_s), _SILENT_AT_MOST_S))

    def close(self, hint: str) -> None:
        """Accept no more packets, and emit the loss of the connection if it was up."""
        self._open = False
        if self._up:
            self._tell_left_out(self.clock.now(), after_s=0.0)
            self._up = False
            self._emit(ConnectionEvent(self.clock.now(), up=False))
            self.report_state(ConnectionState.LOST, hint)

    @property
    def _name(self) -> str:
        device = self._device or Device()
        return " ".join(filter(None, ("The strap", device.name, device.address)))

    def _warn(self) -> None:
        if self._hint is None:
            self._hint = FLOOD_HINT
            _LOG.warning("%s sends more than a strap does: what is too much is left out, and counted.", self._name)
            self.report_state(ConnectionState.STREAMING, self._hint)

    def _tell_left_out(self, now_s: float, *, after_s: float) -> None:
        """Emit how much was left out where that is due, and the gap that it is."""
        left_out = self._limit.told(now_s, after_s=after_s)
        if left_out is None:
            return
        if self._limit.calm(now_s):
            self._hint = None
        told = f"{left_out.payload_bytes} bytes that came from {left_out.from_s:.1f} s to {left_out.until_s:.1f} s"
        _LOG.warning("%d packets of %s were left out: %s.", left_out.packets, self._name, told)
        self._emit(Fault(now_s, LEFT_OUT, count=left_out.packets, detail=told))
        for up in (False, True):
            self._emit(ConnectionEvent(now_s, up=up))

    def was_stable(self, seconds: float) -> bool:
        """Return whether heart-rate packets arrived for at least `seconds` of this connection."""
        return self.last_s - self._up_s >= seconds


def _unexpected(error: BaseException) -> ConnectError:
    _LOG.error("Bluetooth raised an unexpected error", exc_info=error)
    return ConnectError(f"Bluetooth failed: {str(error) or type(error).__name__}. It is tried again.")


async def _lost_or_due(lost: asyncio.Event, clock: Clock, due_s: float) -> None:
    waits = [asyncio.create_task(lost.wait()), asyncio.create_task(clock.sleep_until(due_s))]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancel_and_wait(*waits)


def _wall_s() -> float:
    return asyncio.get_running_loop().time()
