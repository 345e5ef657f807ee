"""The source of the demo's packets: virtual straps through Bleak, or the replay source where there is no D-Bus."""

import asyncio
from contextlib import aclosing, asynccontextmanager

from restbeat.sensors.errors import VirtualBusError
from restbeat.sensors.recordings.recording import Packet, read
from restbeat.service.commands.options import FIXTURES
from restbeat.web import demo


@asynccontextmanager
async def no_bus(*arguments, **options):
    raise VirtualBusError("Virtual straps need Linux.")
    yield


async def test_without_a_d_bus_the_same_recordings_are_replayed_and_the_page_states_it(monkeypatch):
    monkeypatch.setattr(demo, "virtual_straps", no_bus)
    recordings = [read(FIXTURES / name) for name in demo.RECORDINGS]
    async with demo._on_air(recordings, 1000.0) as (clients, radio):
        assert "replayed without Bluetooth instead" in radio.adapter().text
        for client, recording in zip(clients, recordings, strict=True):
            packets = []
            async with asyncio.timeout(10), aclosing(client.source.items(client.clock)) as items:
                async for item in items:
                    if isinstance(item, Packet):
                        packets.append(item)
                    if len(packets) == 30:
                        break
            assert packets == [event for event in recording.events if isinstance(event, Packet)][:30]


def test_the_recordings_of_the_demo_exist():
    assert all((FIXTURES / name).is_file() for name in demo.RECORDINGS)
