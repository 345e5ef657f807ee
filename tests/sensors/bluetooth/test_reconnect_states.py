"""The states of a connection, and what holds in any run of trouble: a scan before each connect, one at a time, always closed."""

import asyncio
from contextlib import asynccontextmanager
import itertools
import random

from hypothesis import given, settings, strategies as st

from restbeat.sensors.bluetooth.reconnect import ReconnectingSource, Timing
from restbeat.sensors.errors import ConnectError, NoAdapterError, StrapNotFoundError
from restbeat.sensors.model import Device
from restbeat.sensors.recordings.recording import ConnectionEvent, Packet
from restbeat.sensors.source import ConnectionChange, ConnectionState

FOLLOWS = {
    ConnectionState.IDLE: {ConnectionState.SCANNING},
    ConnectionState.SCANNING: {ConnectionState.SCANNING, ConnectionState.CONNECTING, ConnectionState.GIVING_UP},
    ConnectionState.CONNECTING: {ConnectionState.STREAMING, ConnectionState.SCANNING, ConnectionState.GIVING_UP},
    ConnectionState.STREAMING: {ConnectionState.SILENT, ConnectionState.LOST},
    ConnectionState.SILENT: {ConnectionState.STREAMING, ConnectionState.LOST},
    ConnectionState.LOST: {ConnectionState.SCANNING},
    ConnectionState.GIVING_UP: set(),
}
"""The states that may follow each state; scanning follows itself with another hint. Shown in docs/straps.md."""

PAYLOAD = b"\x00\x40"
SCAN_TROUBLES = {"not heard": StrapNotFoundError("not heard"), "no adapter": NoAdapterError("no adapter")}
CONNECTION_TROUBLES = (
    "busy",
    "no service",
    "lost while it is read",
    "odd",
    "lost at once",
    "refused late",
    "lost",
    "silent",
    "silent, then not",
)
TROUBLES = st.lists(st.sampled_from([*SCAN_TROUBLES, *CONNECTION_TROUBLES]), max_size=12)


class JumpingClock:
    """A clock that jumps to the awaited time once every task has had a turn."""

    speed = 1.0

    def __init__(self):
        self.t = 0.0
        self.waited_for = lambda t: None

    def now(self):
        return self.t

    async def sleep_until(self, t):
        self.waited_for(t)
        for _ in range(5):
            await asyncio.sleep(0)
        self.t = max(self.t, t)


class TroubledStrap:
    """A `Strap` and its `Connection` with one trouble after another; `calls` lists what was called, in order."""

    def __init__(self, troubles, clock):
        self.troubles = list(troubles)
        self.clock = clock
        self.calls = []
        self.streaming = asyncio.Event()

    async def find(self, seconds):
        if self.troubles and self.troubles[0] in SCAN_TROUBLES:
            raise SCAN_TROUBLES[self.troubles.pop(0)]
        self.calls.append("found")

    @asynccontextmanager
    async def connect(self):
        self.calls.append("connect")
        self.trouble = self.troubles.pop(0) if self.troubles else "none"
        if self.trouble == "busy":
            self.calls.append("disconnect")
            raise ConnectError("busy")
        self.lost = asyncio.Event()
        try:
            yield self
        finally:
            self.calls.append("disconnect")

    async def describe(self):
        if self.trouble == "lost while it is read":
            raise ConnectError("lost")
        if self.trouble == "odd":
            raise RuntimeError("a bug of a library")
        return Device(name="Told")

    async def listen(self, on_packet):
        if self.trouble == "no service":
            raise ConnectError("no service")
        loop = asyncio.get_running_loop()
        match self.trouble:
            case "refused late":
                on_packet("2a37", PAYLOAD)
                raise ConnectError("refused")
            case "lost at once":
                self.lost.set()
            case "lost":
                on_packet("2a37", PAYLOAD)
                loop.call_soon(self.lost.set)
            case "silent":
                on_packet("2a37", PAYLOAD)
            case "silent, then not":
                silent_s = self.clock.now() + 7.0  # between the report of silence and the reconnection
                self.clock.waited_for = lambda t: on_packet("2a37", PAYLOAD) if silent_s < t < silent_s + 5.0 else None
            case "none":
                on_packet("2a37", PAYLOAD)
                self.streaming.set()


async def run(troubles, **timing):
    clock, items = JumpingClock(), []
    strap = TroubledStrap(troubles, clock)
    timing = Timing(**{"first_wait_s": 0.0, "longest_wait_s": 0.0, "no_adapter_wait_s": 0.0} | timing)
    source = ReconnectingSource(strap, rng=random.Random(1), timing=timing, sleep=lambda _: asyncio.sleep(0))

    async def take():
        async for item in source.items(clock):
            items.append(item)  # noqa: PERF401 they are looked at when it is stopped

    task = asyncio.create_task(take())
    streaming = asyncio.create_task(strap.streaming.wait())
    async with asyncio.timeout(20):
        await asyncio.wait({task, streaming}, return_when=asyncio.FIRST_COMPLETED)
        for _ in range(5):
            await asyncio.sleep(0)
        for each in (task, streaming):
            each.cancel()
        error, _ = await asyncio.gather(task, streaming, return_exceptions=True)
    return strap, items, error


def states_of(items):
    return [ConnectionState.IDLE, *(item.state for item in items if isinstance(item, ConnectionChange))]


@settings(max_examples=400, deadline=None)
@given(TROUBLES)
def test_in_any_run_of_troubles_a_strap_is_found_before_each_connect_and_always_disconnected(troubles):
    strap, items, _ = asyncio.run(run(troubles))
    assert strap.calls == ["found", "connect", "disconnect"] * (len(strap.calls) // 3)
    assert strap.calls.count("connect") == sum(trouble not in SCAN_TROUBLES for trouble in troubles) + 1
    states = states_of(items)
    assert all(after in FOLLOWS[before] for before, after in itertools.pairwise(states)), states
    assert states[-1] is ConnectionState.STREAMING or troubles
    up = False
    for item in items:
        if isinstance(item, ConnectionEvent):
            assert item.up is not up
            up = item.up
        assert not isinstance(item, Packet) or up, "no packet without its connection"


async def test_every_allowed_change_of_state_occurs_and_no_other():
    changes = set()
    all_troubles = [*CONNECTION_TROUBLES, *SCAN_TROUBLES]
    for first in range(len(all_troubles)):
        _, items, _ = await run(all_troubles[first:] + all_troubles[:first])
        states = states_of(items)
        changes |= set(itertools.pairwise(states))
    for trouble in ("no adapter", "busy"):
        _, items, error = await run([trouble] * 1000, give_up_after_s=0.0)
        assert isinstance(error, (NoAdapterError, ConnectError))
        states = states_of(items)
        changes |= set(itertools.pairwise(states))
    assert set(FOLLOWS) == set(ConnectionState)
    assert changes == {(before, after) for before, afters in FOLLOWS.items() for after in afters}
