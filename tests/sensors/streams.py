"""Helpers for tests of a connection: a strap's items as they arrive."""

import asyncio
from contextlib import aclosing, asynccontextmanager
import random

from restbeat.sensors.bluetooth.scanner import StrapSource, Timing
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.recordings.recording import HEART_RATE, ConnectionEvent, Packet
from restbeat.sensors.source import ConnectionChange

SPEED = 60.0
QUICK = Timing(silent_after_wall_s=0.2, scan_s=0.4, first_wait_s=0.05, no_adapter_wait_s=0.1)


@asynccontextmanager
async def streaming(strap, clock=None, **options):
    """Yield the growing list of a strap's items; the source is closed when the block ends."""
    items = []
    source = StrapSource(strap.address, rng=random.Random(1), timing=options.pop("timing", QUICK), **options)

    async def take():
        async with aclosing(source.items(clock or RunningClock(SPEED))) as stream:
            async for item in stream:
                items.append(item)  # noqa: PERF401 they are looked at while they come

    task = asyncio.create_task(take())
    try:
        yield items
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def payloads(items, char=HEART_RATE):
    return [item.payload for item in items if isinstance(item, Packet) and item.char == char]


def states(items):
    return [item.state for item in items if isinstance(item, ConnectionChange)]


def connection_changes(items):
    return [item.up for item in items if isinstance(item, ConnectionEvent)]
