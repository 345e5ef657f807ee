"""Straps by way of ESPHome Bluetooth proxies: two fake ones on the loopback network, with the real native API between."""

import asyncio
from contextlib import aclosing, asynccontextmanager
import random
import struct

import pytest

from restbeat.sensors.clock import RunningClock
from restbeat.sensors.proxies_address import ProxyAddress
from restbeat.sensors.reconnect import Timing
from restbeat.sensors.recording import HEART_RATE, Packet

pytest.importorskip("bleak_esphome", reason="the extra restbeat[proxy] is not installed")

from restbeat.sensors.proxies_strap import ProxiedSource
from restbeat.sensors.proxies_watch import ProxiedWatch
from restbeat.sensors.proxy import Proxies

from .conftest import until
from .fake_proxy import FakeStrap, two_proxies

ADDRESS = "A0:9E:1A:00:00:01"
PACKETS = [struct.pack("<BBH", 0x10, 60 + n, 1000 + n) for n in range(20)]
QUICK = Timing(first_wait_s=0.05, look_s=1.0)


@asynccontextmanager
async def practice(levels):
    """Two rooms, one strap heard at these levels; gives the fakes, the strap and the proxies as restbeat has them."""
    async with two_proxies() as pair:
        strap = FakeStrap(ADDRESS)
        for fake, level in zip(pair, levels, strict=True):
            fake.levels[strap] = level
        rooms = [ProxyAddress(fake.host, fake.port, room) for fake, room in zip(pair, ("Blue room", "Green room"), strict=True)]
        async with Proxies(rooms) as proxies:
            yield pair, strap, proxies


async def follow(source, into):
    async with aclosing(source.items(RunningClock())) as items:
        async for item in items:
            into.append(item)


@asynccontextmanager
async def streaming(strap, proxies):
    """The strap as a source, with what it has yielded."""
    got = []
    source = ProxiedSource(ADDRESS, proxies, rng=random.Random(1), timing=QUICK)
    task = asyncio.create_task(follow(source, got))
    try:
        async with asyncio.timeout(10):
            await strap.subscribed.wait()
        yield got
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def heart_rates(items):
    return [item.payload for item in items if isinstance(item, Packet) and item.char == HEART_RATE]


async def test_a_strap_heard_by_two_proxies_streams_through_the_louder_one_byte_for_byte():
    async with practice((-80, -55)) as (pair, strap, proxies), ProxiedWatch(proxies) as watch:
        await until(lambda: watch.near(ADDRESS) and len(proxies.connected) == 2)
        assert watch.near(ADDRESS) == "Green room"
        async with streaming(strap, proxies) as got:
            assert strap.holder is pair[1]
            for packet in PACKETS:
                strap.send(packet)
            await until(lambda: len(heart_rates(got)) >= len(PACKETS))
            assert heart_rates(got) == PACKETS
        await until(lambda: strap.holder is None)
