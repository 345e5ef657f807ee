"""A virtual BlueZ for the tests, with Bleak of this event loop on it."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from restbeat.sensors.bluetooth.scanner import on_bus
from restbeat.sensors.model import Contact, Device, Measurement
from restbeat.sensors.protocols.heart_rate import encode
from restbeat.sensors.recordings.recording import BATTERY, HEART_RATE, ConnectionEvent, Header, Packet, Recording
from restbeat.sensors.virtual.straps_on_air import virtual_straps

H10 = Device(name="Polar H10", manufacturer="Polar", model="H10", firmware="5.0.0", battery_pct=87, location="chest")


def beat_packet(t, number):
    """Return a heart rate packet whose payload is unique to `number`."""
    return Packet(t, HEART_RATE, encode(Measurement(60, Contact.NOT_REPORTED, None, (1000 + number,), True)))


def recording(seconds=60, *, device=H10, away=None):
    """Return a recording of one packet per second and a battery packet; `away` is a span without a connection, in s."""
    events = [Packet(0.5, BATTERY, b"\x57"), *(beat_packet(float(n), n) for n in range(1, seconds + 1))]
    if away:
        events = [event for event in events if not away[0] <= event.t < away[1]]
        events += [ConnectionEvent(away[0], up=False), ConnectionEvent(away[1], up=True)]
    return Recording(Header(device=device), tuple(sorted(events, key=lambda event: event.t)))


def pytest_itemcollected(item):
    """Mark the tests that put straps on the air: they need dbus-daemon."""
    if "on_air" in item.fixturenames:
        item.add_marker(pytest.mark.dbus)


async def until(condition, seconds=10.0):
    """Wait until other tasks have made the condition true."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 whatever the condition is
            await asyncio.sleep(0.005)


@pytest.fixture
async def on_air():
    """Put recordings on the air; check that no task is left when they are taken off."""
    before = asyncio.all_tasks()

    @asynccontextmanager
    async def put(*recordings, **options):
        async with virtual_straps(recordings, **options) as air, on_bus(air.bus_address):
            yield air
        assert asyncio.all_tasks() - before <= {asyncio.current_task()}

    return put
