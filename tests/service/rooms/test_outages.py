"""A session lives through every outage: it says what is going on, marks the gap, and goes on where the strap does."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
import random

from dbus_fast import Variant
import pytest

from restbeat.sensors.bluetooth.scanner import StrapSource, Timing, on_bus
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.model import Phase
from restbeat.sensors.recordings.recording import Header, PhaseStart, Recording
from restbeat.sensors.source import ConnectionState
from restbeat.sensors.virtual.bluez import VirtualBlueZ
from restbeat.sensors.virtual.bluez_methods import answer
from restbeat.sensors.virtual.bluez_objects import ADAPTER
from restbeat.sensors.virtual.straps_on_air import virtual_straps
from restbeat.service.rooms.session_runner import Session

from ...sensors.conftest import beat_packet, until
from ...sensors.dbus.daemon import dbus_daemon

pytestmark = pytest.mark.dbus

SPEED = 20.0
QUICK = Timing(silent_after_wall_s=0.3, scan_s=0.5, first_wait_s=0.05, longest_wait_s=0.2, no_adapter_wait_s=0.1)
HINTS = {
    "connection": "worn and near",
    "range": "not heard",
    "silence": "Moisten",
    "adapter": "Plug one in",
    "power": "switched off",
    "bluetoothd": "Moisten",
}


class Log:
    def __init__(self):
        self.events = []

    def append(self, session, event, key=None):
        self.events.append(event)
        return len(self.events)


@asynccontextmanager
async def running():
    """A session on a strap that sends a beat a second for an hour."""
    played = Recording(Header(), tuple(beat_packet(float(n), n % 40) for n in range(1, 3600)))
    async with virtual_straps([played], clock_for=lambda _: RunningClock(SPEED)) as air, on_bus(air.bus_address):
        strap = air.players[0].strap
        source = StrapSource(strap.address, rng=random.Random(1), timing=QUICK)
        session = Session(1, source, RunningClock(SPEED), Log())
        said = []
        session.observe = lambda _: said.append((session.connection.state, session.connection.hint))
        task = asyncio.create_task(session.run())
        try:
            yield session, air.bluez, strap, said
        finally:
            session.take(PhaseStart(session.clock.now(), Phase.ENDED))
            await asyncio.wait_for(task, 10)


async def begin(trouble, bluez: VirtualBlueZ, strap):
    match trouble:
        case "connection":
            bluez.drop(strap)
        case "range":
            strap.advertising = False
            bluez.drop(strap)
        case "silence":
            strap.silent = True
        case "adapter":
            bluez.remove_adapter("hci0")
        case "power":
            bluez.power("hci0", on=False)
        case "bluetoothd":
            await bluez.service.leave()  # killed: nobody is told that the strap went with it
            bluez.drop(strap)


async def end(trouble, bluez: VirtualBlueZ, strap):
    match trouble:
        case "range":
            strap.advertising = True
        case "silence":
            strap.silent = False
        case "adapter":
            bluez.add_adapter("hci0")
        case "power":
            bluez.power("hci0", on=True)
        case "bluetoothd":
            for objects in bluez.straps.values():
                objects.known = False
                objects.subscribers.clear()  # a new bluetoothd knows nothing of the old one's clients
            for path, interfaces in bluez.adapters.items():
                interfaces[ADAPTER]["Discovering"] = Variant("b", False)
                bluez.discovering[path].clear()
            await bluez.service.join(lambda call: answer(bluez, call), lambda _: None)
            for path, interfaces in bluez.adapters.items():
                bluez.service.emit_added(path, interfaces)


@pytest.mark.parametrize("trouble", HINTS)
async def test_a_session_survives_an_outage_and_marks_the_gap(trouble):
    async with running() as (session, bluez, strap, said):
        clock = session.live.stream.clock
        await until(lambda: clock.beats > 20, 20)
        said.clear()
        before, gaps = clock.beats, clock.gaps
        await begin(trouble, bluez, strap)
        await until(lambda: any(HINTS[trouble] in (hint or "") for _, hint in said), 30)
        await end(trouble, bluez, strap)
        await until(lambda: clock.beats > before + 20, 30)
        assert session.connection.state is ConnectionState.STREAMING
        assert session.live.phase is Phase.SETTLE
        assert clock.gaps > gaps
        assert clock.duplicate_packets == 0
        assert session.live.figures(session.clock.now()).hr_bpm == 60


async def test_a_session_survives_the_end_of_the_whole_bus(tmp_path):
    played = Recording(Header(), tuple(beat_packet(float(n), n % 40) for n in range(1, 3600)))
    address, straps = f"unix:path={tmp_path}/socket", []

    @asynccontextmanager
    async def bus():
        async with (
            dbus_daemon(tmp_path),
            virtual_straps([played], bus_address=address, clock_for=lambda _: RunningClock(SPEED)) as air,
        ):
            straps.append(air.players[0].strap)
            yield

    async with on_bus(address), AsyncExitStack() as leaving:
        async with bus():
            session = Session(1, StrapSource(straps[0].address, timing=QUICK), RunningClock(SPEED), Log())
            said = []
            session.observe = lambda _: said.append(session.connection.hint)
            task = asyncio.create_task(session.run())
            clock = session.live.stream.clock
            await until(lambda: clock.beats > 20, 20)
        await until(lambda: any("no D-Bus" in (hint or "") for hint in said), 20)
        await leaving.enter_async_context(bus())
        before = clock.beats
        await until(lambda: clock.beats > before + 20, 20)
        assert (session.connection.state, clock.duplicate_packets) == (ConnectionState.STREAMING, 0)
        assert clock.gaps > 0
        session.take(PhaseStart(session.clock.now(), Phase.ENDED))
        await asyncio.wait_for(task, 10)
