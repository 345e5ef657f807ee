"""A strap that sends a thousand packets of 512 bytes a second: disk, processor, pages and the therapist's words."""

import asyncio
from contextlib import asynccontextmanager
import random
import time

from restbeat.sensors.bluetooth.reconnect import ReconnectingSource, Timing
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.model import Device
from restbeat.sensors.recordings.recording import HEART_RATE, LEFT_OUT, PMD_DATA, Fault, Header, Packet
from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.rooms.rooms import Rooms
from restbeat.service.sessions.session_store import SessionStore

from ..practice_under_test import Air

ADDRESS = "A0:9E:1A:00:00:66"
RR = bytes.fromhex("1048") + 255 * (900).to_bytes(2, "little")
"""A heart rate packet as long as an attribute can be, full of beats."""
ECG = b"\x00" + 511 * b"\x01"
FLOOD_HZ, SPEED, SECONDS = 1000, 100.0, 6.0


class HostileStrap:
    """A strap that sends as fast as `every_s` of its session's clock allows."""

    def __init__(self, clock):
        self.clock, self.lost, self.sent = clock, asyncio.Event(), 0

    async def find(self, _seconds):
        await asyncio.sleep(0)

    @asynccontextmanager
    async def connect(self):
        self.sending = None
        try:
            yield self
        finally:
            self.sending.cancel()
            await asyncio.gather(self.sending, return_exceptions=True)

    async def describe(self):
        return Device(name="Hostile", address=ADDRESS)

    async def listen(self, on_packet):
        self.sending = asyncio.create_task(self._send(on_packet))

    async def _send(self, on_packet):
        while True:
            due = int(self.clock.now() * FLOOD_HZ)
            for n in range(self.sent, min(due, self.sent + 1000)):
                on_packet(*((HEART_RATE, RR) if n % 2 else (PMD_DATA, ECG)))
                self.sent = n + 1
            await asyncio.sleep(0.001)


@asynccontextmanager
async def room_of(tmp_path, worker, clock):
    """A room with such a strap; yields the storage, the strap, and the counts of what was published."""
    feed, published = LiveFeed(), []
    publish = feed.publish
    feed.publish = lambda state, batch=(): (published.append(len(batch)), publish(state, batch))[1]
    strap = HostileStrap(clock)
    source = ReconnectingSource(strap, rng=random.Random(1), timing=Timing())
    async with (
        await SessionStore.open(tmp_path) as storage,
        Rooms(storage, worker, feed, Air(), lambda _: source) as rooms,
    ):
        await rooms.start(ADDRESS, source, clock, Header(Device(name="Hostile"), arrival_speed=clock.speed))
        yield storage, strap, published, feed


async def test_an_hour_of_it_takes_at_most_thirty_megabytes(tmp_path, worker_pool):
    clock = RunningClock(SPEED)
    async with room_of(tmp_path, worker_pool, clock) as (storage, strap, _, _feed):
        await asyncio.sleep(SECONDS)
        session_s = clock.now()
        await storage.flush()
        _, events = await storage.events(1)
    kept = [event for event in events if isinstance(event, Packet)]
    assert strap.sent > 100 * len(kept) > 0
    told = [event for event in events if isinstance(event, Fault)]
    assert {fault.kind for fault in told} == {LEFT_OUT}
    assert sum(fault.count for fault in told) > 0.5 * (strap.sent - len(kept))
    burst_s = 2 * SPEED  # what may come at once, at this speed
    size = sum(path.stat().st_size for path in tmp_path.glob("restbeat.db"))
    assert size * 3600 / (session_s + burst_s) <= 30e6


async def test_what_may_come_at_once_is_a_few_messages_to_the_pages_and_holds_nobody_up(tmp_path, worker_pool):
    clock = RunningClock()
    async with room_of(tmp_path, worker_pool, clock) as (_, strap, published, _feed):
        async with asyncio.timeout(20):
            while strap.sent < 500:  # noqa: ASYNC110 - the strap tells nobody
                await asyncio.sleep(0.001)
        began = time.monotonic()
        await asyncio.sleep(1.0)
        assert len(published) <= 20 + 20 * (1.5 + time.monotonic() - began)


async def test_a_second_of_it_costs_less_than_a_fifth_of_a_core_and_the_pages_few_messages(tmp_path, worker_pool):
    clock = RunningClock()
    async with room_of(tmp_path, worker_pool, clock) as (_, strap, published, feed):
        await asyncio.sleep(6.0)  # what may come at once has come
        published.clear()
        began, used, sent = time.monotonic(), time.process_time(), strap.sent
        await asyncio.sleep(4.0)
        wall_s, used_s = time.monotonic() - began, time.process_time() - used
        assert strap.sent - sent > 2000
        assert used_s / wall_s <= 0.2
        assert len(published) / wall_s <= 21
        state = feed.rooms()[0]
        assert (state.signal, state.signal_text) == ("poor", "The strap sends too much")
