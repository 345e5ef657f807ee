"""Server of the load benchmark: many straps on one clock and a probe on the event loop; prints its measurements as JSON."""

import asyncio
from contextlib import asynccontextmanager
import json
from pathlib import Path
import random
import resource
import sys
import tempfile
import threading
import time

import psutil

from restbeat.analysis.simulation.scenarios import simulate
from restbeat.sensors.bluetooth.reconnect import ReconnectingSource, Timing
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.model import Device, Phase
from restbeat.sensors.recordings.recording import HEART_RATE, PMD_DATA, Header, Packet, PhaseStart
from restbeat.sensors.source import ConnectionChange, ConnectionState
from restbeat.sensors.task_cancellation import cancel_and_wait
from restbeat.service.radio.radio import AdapterState
from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.rooms.rooms import Rooms
from restbeat.service.sessions.session_store import SessionStore
from restbeat.service.worker.worker import Worker
from restbeat.web.server import serving
from tests.practices import practice_of

from .probe import Probe

FULL_OF_BEATS = bytes.fromhex("1048") + 255 * (900).to_bytes(2, "little")
CLIENTS = 5
"""Number of different simulated clients; each strap is one of them, with its own fraction of a second."""


class Air:
    """A radio without any other strap in range."""

    def adapter(self):
        return AdapterState(ready=True, text="Bluetooth ready")

    def straps(self):
        return []


class Strap:
    """A strap that sends a simulated client's packets once a second, and records when each was sent."""

    def __init__(self, packets, offset_s):
        self.packets, self.offset_s, self.left = packets, offset_s, []

    async def items(self, clock):
        yield ConnectionChange(0.0, ConnectionState.STREAMING)
        yield PhaseStart(0.0, Phase.BASELINE)
        for packet in self.packets:
            t = packet.t + self.offset_s
            await clock.sleep_until(t)
            self.left.append(time.monotonic())
            yield Packet(t, packet.char, packet.payload)


class HostileStrap:
    """A strap, without Bluetooth, that sends a thousand packets of 512 bytes a second."""

    def __init__(self, clock):
        self.clock, self.lost, self.sent = clock, asyncio.Event(), 0

    async def find(self, _seconds):
        await asyncio.sleep(0)

    @asynccontextmanager
    async def connect(self):
        try:
            yield self
        finally:
            await cancel_and_wait(self.sending)

    async def describe(self):
        return Device(name="Hostile")

    async def listen(self, on_packet):
        self.sending = asyncio.create_task(self._send(on_packet))

    async def _send(self, on_packet):
        while True:
            await asyncio.sleep(0.001)
            while self.sent < int(self.clock.now() * 1000):
                self.sent += 1
                on_packet(*((HEART_RATE, FULL_OF_BEATS) if self.sent % 2 else (PMD_DATA, bytes(512))))


async def main(streams, hostile, data):
    clients = [simulate("none", seed=n, minutes=(5, 20, 5))[1] for n in range(CLIENTS)]
    packets = [[event for event in events if isinstance(event, Packet) and event.char == HEART_RATE] for events in clients]
    straps = {f"S{n:02}": Strap(packets[n % CLIENTS], n / streams) for n in range(streams)}
    hub, probe = LiveFeed(), Probe()
    async with (
        await SessionStore.open(data) as storage,
        Worker() as worker,
        Rooms(storage, worker, hub, Air(), straps.__getitem__) as house,
        serving(practice_of(house, hub), "127.0.0.1", 0) as address,
    ):
        clock = RunningClock()
        rooms = {await house.start(name, strap, clock, Header(Device(name=name))): strap for name, strap in straps.items()}
        for n in range(hostile):
            strap = HostileStrap(clock)
            source = ReconnectingSource(strap, rng=random.Random(n), timing=Timing())
            await house.start(f"H{n:02}", source, clock, Header(Device(name=f"H{n:02}")))
        loop, told = asyncio.get_running_loop(), asyncio.Queue()
        threading.Thread(
            target=lambda: [loop.call_soon_threadsafe(told.put_nowait, line) for line in sys.stdin], daemon=True
        ).start()
        print(address, flush=True)
        await told.get()  # all pages are open
        probing, began, used = asyncio.create_task(probe.run()), time.monotonic(), cpu_s()
        await told.get()
        wall_s, used_s = time.monotonic() - began, cpu_s() - used
        probing.cancel()
        left = {room: strap.left for room, strap in rooms.items()}
        memory_mb = psutil.Process().memory_info().rss / 1e6
        print(
            json.dumps({"cpu": used_s / wall_s, "probe": probe.rows, "left": left, "mb": memory_mb}),
            flush=True,
        )


def cpu_s():
    """Return the processor time of this process, without the worker's."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), Path(folder)))
