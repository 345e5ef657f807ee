"""The reconnecting source, with a scripted strap and a manual clock."""

import asyncio
from contextlib import aclosing, asynccontextmanager, suppress
import random

import pytest

from restbeat.sensors import task_cancellation
from restbeat.sensors.bluetooth.reconnect import LOST_HINT, SILENT_HINT, ReconnectingSource, Timing
from restbeat.sensors.errors import ConnectError, NoAdapterError, StrapNotFoundError
from restbeat.sensors.model import Device
from restbeat.sensors.recordings.recording import ConnectionEvent, Packet
from restbeat.sensors.source import ConnectionChange, ConnectionState, Described

from ..conftest import until


class ManualClock:
    """A clock that stands still until the test moves it."""

    speed = 1.0

    def __init__(self):
        self.t = 0.0
        self.moved = asyncio.Event()

    def now(self):
        return self.t

    def to(self, t):
        self.t = t
        self.moved.set()
        self.moved = asyncio.Event()

    async def sleep_until(self, t):
        while self.t < t:
            await self.moved.wait()


class ScriptedStrap:
    """A `Strap` and its `Connection`; each scan or connection raises the next of its errors until none is left."""

    def __init__(self, *, scan_errors=(), connect_errors=()):
        self.scan_errors, self.connect_errors = list(scan_errors), list(connect_errors)
        self.open, self.connected = 0, 0
        self.on_packet = None

    async def find(self, seconds):
        await asyncio.sleep(0.001)
        if self.scan_errors:
            raise self.scan_errors.pop(0)

    @asynccontextmanager
    async def connect(self):
        if self.connect_errors:
            raise self.connect_errors.pop(0)
        self.lost = asyncio.Event()
        self.open += 1
        self.connected += 1
        try:
            yield self
        finally:
            self.open -= 1

    async def describe(self):
        return Device(name="Told")

    async def listen(self, on_packet):
        self.on_packet = on_packet


@asynccontextmanager
async def running_source(strap, clock, sleep=asyncio.sleep, **timing):
    items, error = [], []
    source = ReconnectingSource(strap, rng=random.Random(1), timing=Timing(**{"first_wait_s": 0.001} | timing), sleep=sleep)

    async def take():
        async with aclosing(source.items(clock)) as stream:
            async for item in stream:
                items.append(item)  # noqa: PERF401 they are looked at while they come

    task = asyncio.create_task(take())
    try:
        yield items
    finally:
        task.cancel()
        error += await asyncio.gather(task, return_exceptions=True)


def states(items):
    return [item.state for item in items if isinstance(item, ConnectionChange)]


async def test_silence_is_reported_on_the_sessions_clock_and_ends_the_connection_after_twice_as_long():
    strap, clock = ScriptedStrap(), ManualClock()
    async with running_source(strap, clock, silent_after_s=5.0) as items:
        await until(lambda: ConnectionState.STREAMING in states(items))
        clock.to(4.9)
        await asyncio.sleep(0.01)
        assert ConnectionState.SILENT not in states(items)
        clock.to(5.0)
        await until(lambda: ConnectionState.SILENT in states(items))
        assert strap.connected == 1
        clock.to(10.0)
        await until(lambda: strap.connected == 2)
        assert [(item.t, item.up) for item in items if isinstance(item, ConnectionEvent)][:2] == [(0.0, True), (10.0, False)]
        lost = next(item for item in items if isinstance(item, ConnectionChange) and item.state is ConnectionState.LOST)
        assert lost.hint == SILENT_HINT
        await until(lambda: strap.open == 1)


async def test_a_packet_ends_the_silence():
    strap, clock = ScriptedStrap(), ManualClock()
    async with running_source(strap, clock, silent_after_s=5.0) as items:
        await until(lambda: ConnectionState.STREAMING in states(items))
        clock.to(6.0)
        await until(lambda: ConnectionState.SILENT in states(items))
        strap.on_packet("2a37", b"\x00\x40")
        await until(lambda: states(items)[-1] is ConnectionState.STREAMING)
        clock.to(10.9)
        await asyncio.sleep(0.01)
        assert states(items)[-1] is ConnectionState.STREAMING
        assert strap.connected == 1


async def packets_until(strap, clock, until_s, *, every_s):
    """Let the strap send at its cadence, while it is connected, up to `until_s`; the clock moves by single seconds."""
    for second in range(int(clock.t) + 1, int(until_s) + 1):
        clock.to(float(second))
        await asyncio.sleep(0.003)
        if strap.open and second % every_s == 0:
            strap.on_packet("2a37", b"\x00\x40")


async def test_a_strap_that_notifies_only_on_a_change_is_dropped_once_and_then_its_cadence_is_known():
    strap, clock = ScriptedStrap(), ManualClock()
    async with running_source(strap, clock, silent_after_s=5.0) as items:
        await until(lambda: ConnectionState.STREAMING in states(items))
        await packets_until(strap, clock, 120.0, every_s=12)
        assert strap.connected == 2, "dropped for its silence once, before anything of its cadence was known"
        known = len(items)
        await packets_until(strap, clock, 360.0, every_s=12)
        assert strap.connected == 2
        assert ConnectionState.SILENT not in states(items[known:])
        assert sum(isinstance(item, Packet) for item in items[known:]) == 20


async def test_a_strap_of_a_slow_cadence_that_falls_silent_is_noticed_after_three_times_its_interval():
    strap, clock = ScriptedStrap(), ManualClock()
    async with running_source(strap, clock, silent_after_s=5.0) as items:
        await until(lambda: ConnectionState.STREAMING in states(items))
        await packets_until(strap, clock, 120.0, every_s=12)
        known = len(items)
        clock.to(155.0)
        await asyncio.sleep(0.01)
        assert ConnectionState.SILENT not in states(items[known:])
        clock.to(156.0)
        await until(lambda: ConnectionState.SILENT in states(items[known:]))
        connected = strap.connected
        clock.to(192.0)
        await until(lambda: strap.connected == connected + 1)


async def test_a_strap_that_never_sends_is_waited_for_at_most_eight_times_as_long():
    strap, clock = ScriptedStrap(), ManualClock()
    async with running_source(strap, clock, silent_after_s=5.0) as items:
        for wait_s in (10.0, 20.0, 40.0, 80.0, 80.0):
            connected = strap.connected
            await until(lambda connected=connected: strap.open == 1 and strap.connected == max(connected, 1))
            await asyncio.sleep(0.01)
            begun_s = clock.t
            clock.to(begun_s + wait_s - 0.5)
            await asyncio.sleep(0.01)
            assert strap.connected == max(connected, 1)
            clock.to(begun_s + wait_s)
            await until(lambda connected=connected: strap.connected == max(connected, 1) + 1)
        assert not [item for item in items if isinstance(item, Packet)]


async def test_a_packet_after_the_connection_was_closed_is_dropped():
    strap, clock = ScriptedStrap(), ManualClock()
    async with running_source(strap, clock, first_wait_s=5.0) as items:
        await until(lambda: ConnectionState.STREAMING in states(items))
        late = strap.on_packet
        strap.lost.set()
        await until(lambda: ConnectionState.LOST in states(items))
        late("2a37", b"\x00\x40")
        await asyncio.sleep(0.01)
        assert not [item for item in items if isinstance(item, Packet)]
        assert strap.open == 0


async def test_a_packet_before_the_subscription_is_confirmed_follows_the_connection_event():
    class Hasty(ScriptedStrap):
        async def listen(self, on_packet):
            on_packet("2a37", b"\x00\x40")
            await super().listen(on_packet)

    async with running_source(Hasty(), ManualClock()) as items:
        await until(lambda: any(isinstance(item, Packet) for item in items))
        kinds = [type(item) for item in items]
        assert kinds.index(Described) < kinds.index(ConnectionEvent) < kinds.index(Packet)
        assert kinds.count(ConnectionEvent) == 1


async def test_connections_that_drop_at_once_are_retried_ever_more_slowly_and_a_stable_one_quickly():
    strap, clock, waits = ScriptedStrap(), ManualClock(), []

    async def sleep(seconds):
        waits.append(seconds)

    async with running_source(strap, clock, sleep, first_wait_s=0.5, longest_wait_s=15.0, stable_after_s=10.0) as items:
        for count in range(1, 9):
            await until(lambda count=count: strap.connected == count and strap.open)
            strap.lost.set()
        await until(lambda: strap.connected == 9 and strap.open)
        for wait, due in zip(waits, (1, 2, 4, 8, 15, 15, 15, 15), strict=True):
            assert 0.75 * due <= wait <= 1.25 * due
        assert len(set(waits)) == 8
        strap.on_packet("2a37", b"\x00\x40")
        clock.to(11.0)
        strap.on_packet("2a37", b"\x00\x40")
        strap.lost.set()
        await until(lambda: strap.connected == 10)
        assert 0.375 <= waits[-1] <= 0.625
        assert any(item.hint == LOST_HINT for item in items if isinstance(item, ConnectionChange))


@pytest.mark.parametrize("trouble", [StrapNotFoundError("not heard"), NoAdapterError("no adapter"), ConnectError("busy")])
async def test_trouble_gives_a_hint_and_is_retried(trouble):
    where = "connect_errors" if isinstance(trouble, ConnectError) else "scan_errors"
    strap = ScriptedStrap(**{where: [trouble] * 2})
    async with running_source(strap, ManualClock(), no_adapter_wait_s=0.001) as items:
        await until(lambda: ConnectionState.STREAMING in states(items))
        assert str(trouble) in [item.hint for item in items if isinstance(item, ConnectionChange)]


async def test_an_unexpected_error_of_a_library_is_logged_and_retried(caplog):
    strap = ScriptedStrap(connect_errors=[KeyError("no such thing")])
    async with running_source(strap, ManualClock()) as items:
        await until(lambda: ConnectionState.STREAMING in states(items))
    assert any("Bluetooth failed: 'no such thing'" in (item.hint or "") for item in items if isinstance(item, ConnectionChange))
    assert "unexpected error" in caplog.text


async def test_it_gives_up_with_the_error_after_its_time_limit():
    strap = ScriptedStrap(scan_errors=[StrapNotFoundError("not heard")] * 10_000)
    source = ReconnectingSource(strap, rng=random.Random(1), timing=Timing(first_wait_s=0.01, give_up_after_s=0.1))
    items = []

    async def take():
        async for item in source.items(ManualClock()):
            items.append(item)  # noqa: PERF401 kept when it raises

    with pytest.raises(StrapNotFoundError, match="not heard"):
        await take()
    assert states(items)[-1] is ConnectionState.GIVING_UP


async def test_giving_up_reports_a_refused_connection_rather_than_a_last_unsuccessful_scan():
    strap = ScriptedStrap(scan_errors=[], connect_errors=[ConnectError("busy")])

    async def find(seconds):
        if not strap.connect_errors:
            await asyncio.sleep(seconds)
            raise StrapNotFoundError("not heard")

    strap.find = find
    source = ReconnectingSource(strap, rng=random.Random(1), timing=Timing(first_wait_s=0.01, give_up_after_s=0.2))
    with pytest.raises(ConnectError, match="busy"):
        [item async for item in source.items(ManualClock())]


async def test_it_gives_up_at_once_without_an_adapter():
    source = ReconnectingSource(
        ScriptedStrap(scan_errors=[NoAdapterError("no adapter")]), rng=random.Random(1), timing=Timing(give_up_after_s=600.0)
    )
    with pytest.raises(NoAdapterError):
        [item async for item in source.items(ManualClock())]


async def test_it_never_gives_up_on_a_strap_that_was_once_connected():
    strap, clock = ScriptedStrap(), ManualClock()
    async with running_source(strap, clock, give_up_after_s=0.05) as items:
        await until(lambda: strap.open)
        strap.scan_errors = [StrapNotFoundError("not heard")] * 20
        strap.lost.set()
        await until(lambda: strap.connected == 2)
        assert ConnectionState.GIVING_UP not in states(items)


class Swallowing(ScriptedStrap):
    """A strap whose library turns a cancellation into an error of its own, wherever it arrives."""

    def __init__(self, where):
        super().__init__()
        self.where, self.met = where, asyncio.Event()

    async def _at(self, where):
        if where == self.where and not self.met.is_set():
            self.met.set()
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                raise OSError("the library says that it failed") from None

    async def find(self, seconds):
        await self._at("find")

    async def describe(self):
        with suppress(OSError):
            await self._at("describe")
        return await super().describe()

    async def listen(self, on_packet):
        await self._at("listen")
        await super().listen(on_packet)


@pytest.mark.parametrize("where", ["find", "describe", "listen"])
async def test_closing_ends_the_source_even_where_a_library_swallows_the_cancellation(where, monkeypatch):
    monkeypatch.setattr(task_cancellation, "_AGAIN_S", 0.05)
    strap = Swallowing(where)
    async with asyncio.timeout(20):
        async with running_source(strap, ManualClock(), first_wait_s=3600.0):
            await strap.met.wait()
    assert strap.open == 0
    assert [task for task in asyncio.all_tasks() if task.get_name() == "strap"] == []


async def test_a_cancellation_made_up_by_a_library_is_retried_like_any_trouble():
    strap = ScriptedStrap(connect_errors=[asyncio.CancelledError()])
    async with running_source(strap, ManualClock()) as items:
        await until(lambda: ConnectionState.STREAMING in states(items))
    assert strap.connected == 1
