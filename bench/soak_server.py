"""Server of the soak: rooms whose sessions follow each other, straps that are lost at random, reanalyses and backups.

Prints its address, and then a line of JSON with its figures every few seconds, until its input ends.
"""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
import gc
from itertools import cycle
import json
from pathlib import Path
import random
import resource
import sys
import tempfile
import time

import psutil

from restbeat.analysis.simulation.scenarios import simulate
from restbeat.sensors.bluetooth.reconnect import ReconnectingSource, Timing
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.model import Device
from restbeat.sensors.recordings.recording import HEART_RATE, Header, Packet, Recording
from restbeat.sensors.source import ScriptedSource
from restbeat.sensors.task_cancellation import cancel_and_wait
from restbeat.service.backups.backup import take_backup
from restbeat.service.errors import StrapTakenError
from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.rooms.rooms import Rooms
from restbeat.service.sessions.session_list import SessionsWanted
from restbeat.service.sessions.session_store import SessionStore
from restbeat.service.worker.freed_memory import limit_freed_memory
from restbeat.service.worker.worker import Worker
from restbeat.web.server import serving
from tests.practices import practice_of

from .lag import Lag
from .load_server import Air

SAMPLE_S = 5.0
LOST_EVERY_S = 400.0
"""Mean session time between two losses of a strap, s."""


class LostStrap:
    """A strap near the session's clock, without Bluetooth, that plays a simulated client and is lost at random."""

    def __init__(self, name, events, clock, rng):
        self.name, self.clock, self.rng = name, clock, rng
        self.packets = [event for event in events if isinstance(event, Packet) and event.char == HEART_RATE]

    async def find(self, _seconds):
        await asyncio.sleep(self.rng.uniform(0.05, 0.3))

    @asynccontextmanager
    async def connect(self):
        connection = Connection(self)
        try:
            yield connection
        finally:
            await cancel_and_wait(*connection.tasks)


class Connection:
    """A connection to a `LostStrap`."""

    def __init__(self, strap):
        self.strap, self.lost, self.tasks = strap, asyncio.Event(), []

    async def describe(self):
        return Device(name=self.strap.name, address=self.strap.name)

    async def listen(self, on_packet):
        self.tasks.append(asyncio.create_task(self._send(on_packet)))

    async def _send(self, on_packet):
        clock = self.strap.clock
        until_s = clock.now() + self.strap.rng.expovariate(1 / LOST_EVERY_S)
        for packet in self.strap.packets:
            if packet.t < clock.now() - 1.0:
                continue
            if packet.t > until_s:
                self.lost.set()
                return
            await clock.sleep_until(packet.t)
            on_packet(packet.char, packet.payload)


async def keep_running(house, hub, name, speed, counts, rng):
    """Run sessions of simulated clients in one room, each after the other has ended."""
    clients = [simulate("none", seed=2 * int(name[1:]) + n, minutes=(5, 20, 5)) for n in range(2)]
    for header, events in cycle(clients):
        clock = RunningClock(speed)
        strap = LostStrap(name, events, clock, rng)
        source = ScriptedSource(ReconnectingSource(strap, rng=rng, timing=Timing()), Recording(header, tuple(events)))
        while True:
            try:
                room = await house.start(name, source, clock, Header(Device(name=name), arrival_speed=speed))
            except StrapTakenError:
                await asyncio.sleep(0.2)
                continue
            break
        counts["sessions"] += 1
        while (state := hub.records[room].state).phase != "ended" or state.verdict is None:  # noqa: ASYNC110 - a room has no event for it
            await asyncio.sleep(0.5)


async def reanalyse(practice, every_s, counts):
    """Compute the reports of the newest sessions anew, every so often."""
    while True:
        await asyncio.sleep(every_s)
        for row in (await practice.reports.sessions(SessionsWanted())).rows:
            if row.state == "ended":
                await practice.reports.make(row.session)
        counts["reanalyses"] += 1


async def back_up(data, every_s, counts):
    """Take a backup every so often."""
    while True:
        await asyncio.sleep(every_s)
        out = data / "backup.db"
        await asyncio.to_thread(take_backup, data, out)
        counts["backups"] += 1


async def tell(began, lag, counts):
    """Print the figures of this process every few seconds."""
    process = psutil.Process()
    sockets = process.net_connections if hasattr(process, "net_connections") else process.connections
    while True:
        used = cpu_s()
        at = time.monotonic()
        await asyncio.sleep(SAMPLE_S)
        figures = {
            "t": time.monotonic() - began,
            "rss": process.memory_info().rss,
            "worker_rss": sum(child.memory_info().rss for child in process.children(recursive=True)),
            "files": process.num_fds(),
            "sockets": len(sockets(kind="inet")),
            "threads": process.num_threads(),
            "tasks": len(asyncio.all_tasks()),
            "objects": len(gc.get_objects()),
            "cpu": (cpu_s() - used) / (time.monotonic() - at),
            **dict(zip(("lag", "busy"), lag.counts_since(), strict=True)),
            **counts,
        }
        print(json.dumps(figures), flush=True)


def cpu_s():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def main(rooms, speed, every_s, data):
    hub, lag, counts = LiveFeed(), Lag(), {"sessions": 0, "reanalyses": 0, "backups": 0}
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(await SessionStore.open(data))
        worker = await stack.enter_async_context(Worker())
        house = await stack.enter_async_context(Rooms(storage, worker, hub, Air(), lambda _: None))
        practice = practice_of(house, hub)
        address = await stack.enter_async_context(serving(practice, "127.0.0.1", 0))
        work = [keep_running(house, hub, f"S{n:02}", speed, counts, random.Random(n)) for n in range(rooms)]
        work += [reanalyse(practice, every_s, counts), back_up(data, every_s, counts)]
        work += [lag.run(), tell(time.monotonic(), lag, counts)]
        tasks = [asyncio.create_task(one) for one in work]
        print(address, flush=True)
        ending = asyncio.create_task(asyncio.to_thread(sys.stdin.read))
        done, _ = await asyncio.wait({*tasks, ending}, return_when=asyncio.FIRST_COMPLETED)
        await cancel_and_wait(*tasks)
        for task in done - {ending}:
            task.result()


if __name__ == "__main__":
    limit_freed_memory()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), Path(folder)))
