"""Virtual straps: the private bus, the player, and the straps' descriptions of themselves."""

import asyncio
import os
from pathlib import Path
import shutil
import socket
import sys

import pytest

from restbeat.sensors.bluetooth.scanner import on_bus, scan
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.dbus.private_bus import private_bus
from restbeat.sensors.errors import VirtualBusError
from restbeat.sensors.model import Device
from restbeat.sensors.recordings.recording import HEART_RATE, Header, Recording
from restbeat.sensors.virtual.start_on_packet_clock import StartableClock
from restbeat.sensors.virtual.straps_on_air import virtual_straps
from restbeat.sensors.virtual.virtual_strap import virtual_straps_of

from ..conftest import recording, until

HR = "00002a37-0000-1000-8000-00805f9b34fb"


def straps_of(*devices):
    return virtual_straps_of([Recording(Header(device=device), ()) for device in devices])


async def subscribed(strap, heard, device=None):
    from bleak import BleakClient, BleakScanner

    client = BleakClient(device or await BleakScanner.find_device_by_address(strap.address, timeout=3))
    await client.connect()
    await client.start_notify(HR, lambda _, payload: heard.append(bytes(payload)))
    return client


def test_straps_have_unique_addresses_and_names():
    straps = straps_of(Device(name="H10"), Device(name="H10"), Device(), Device(name="H10"))
    assert [strap.name for strap in straps] == ["H10", "H10 2", "Virtual strap", "H10 3"]
    assert len({strap.address for strap in straps}) == 4


def test_a_recorded_address_is_kept_unless_it_is_in_use_or_missing():
    straps = straps_of(Device(address="c0:ff:ee:00:00:01"), Device(address="C0:FF:EE:00:00:01"), Device(address="anon"))
    assert straps[0].address == "C0:FF:EE:00:00:01"
    assert len({strap.address for strap in straps}) == 3
    assert all(len(strap.address) == 17 for strap in straps)


def test_a_strap_offers_the_values_of_its_device():
    (strap,) = straps_of(Device(manufacturer="Polar", location="arm", battery_pct=5))
    told = {item.uuid: item.value for item in strap.characteristics}
    assert told == {"2a37": b"", "2a38": b"\x00", "2a19": b"\x05", "2a29": b"Polar"}


async def test_nothing_is_sent_before_a_client_subscribes_and_then_everything(on_air):
    played = recording(20)
    async with on_air(played, clock_for=lambda _: RunningClock(60)) as air:
        player, heard = air.players[0], []
        await asyncio.sleep(0.3)
        assert not player.started.is_set()
        client = await subscribed(player.strap, heard)
        await player.finished.wait()
        await until(lambda: len(heard) == 20)
        await client.disconnect()


async def test_a_recording_whose_clock_runs_already_is_joined_midway_without_a_burst(on_air):
    clock = RunningClock(60, start_s=30.0)
    async with on_air(recording(60), clock_for=lambda _: clock) as air:
        player, heard = air.players[0], []
        client = await subscribed(player.strap, heard)
        await player.finished.wait()
        await until(lambda: len(heard) == player.sent)
        assert player.sent < 31
        assert heard[-1] == recording(60).events[-1].payload
        await client.disconnect()


async def test_a_recording_joined_where_its_connection_is_lost_takes_the_strap_off_the_air(on_air):
    clock = RunningClock(60, start_s=30.0)
    async with on_air(recording(120, away=(10.0, 90.0)), clock_for=lambda _: clock) as air:
        client = await subscribed(air.players[0].strap, [])
        await until(lambda: not client.is_connected)
        assert not air.players[0].strap.advertising
        await until(lambda: air.players[0].strap.advertising)
        await client.disconnect()


async def test_a_loop_restarts_where_the_recording_ends(on_air):
    async with on_air(recording(5), clock_for=lambda _: RunningClock(60), loop=True) as air:
        heard = []
        client = await subscribed(air.players[0].strap, heard)
        await until(lambda: len(heard) >= 12)
        assert heard[:5] == heard[5:10]
        await client.disconnect()


async def test_an_empty_recording_does_not_keep_the_loop_busy(on_air):
    async with on_air(Recording(Header(), ()), loop=True) as air:
        client = await subscribed(air.players[0].strap, [])
        await air.players[0].finished.wait()
        await client.disconnect()


async def test_a_startable_clock_stands_still_until_it_is_started():
    clock = StartableClock(1000.0)
    waiting = asyncio.create_task(clock.sleep_until(5.0))
    await asyncio.sleep(0.02)
    assert (clock.now(), waiting.done()) == (0.0, False)
    clock.start()
    await asyncio.wait_for(waiting, 1.0)
    before = clock.now()
    clock.start()
    assert clock.now() >= before >= 5.0


async def test_a_burst_of_many_straps_breaks_no_connection(on_air):
    """On its own, dbus-fast would close BlueZ's connection at the first full socket."""
    from bleak import BleakScanner

    async with on_air(*(recording(1) for _ in range(60))) as air:
        heard = {player.strap.address: [] for player in air.players}
        async with BleakScanner() as scanner:
            await until(lambda: len(scanner.discovered_devices) == 60)
        devices = {device.address: device for device in scanner.discovered_devices}
        straps = [player.strap for player in air.players]
        clients = await asyncio.gather(*(subscribed(s, heard[s.address], devices[s.address]) for s in straps))
        await until(lambda: all(heard.values()))
        for payloads in heard.values():
            payloads.clear()
        for number in range(40):
            for player in air.players:
                air.bluez.notify(player.strap, HEART_RATE, bytes([0, number]))
        await until(lambda: all(len(payloads) == 40 for payloads in heard.values()))
        assert all(payloads == [bytes([0, number]) for number in range(40)] for payloads in heard.values())
        await asyncio.gather(*(client.disconnect() for client in clients))


@pytest.mark.dbus
async def test_another_program_hears_the_straps():
    """As with `restbeat virtual-sensor` in one process and any client of BlueZ in another."""
    code = (
        "import asyncio; from restbeat.sensors.bluetooth.scanner import scan, inspect\n"
        "async def main():\n"
        "    for advert in await scan(0.5):\n"
        "        print(advert.name, (await inspect(advert.address, listen_s=1)).has_rr)\n"
        "asyncio.run(main())"
    )
    async with virtual_straps([recording(600)], clock_for=lambda _: RunningClock(20)) as air:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            code,
            env={"DBUS_SYSTEM_BUS_ADDRESS": air.bus_address},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 30)
        assert out.decode().split("\n")[0] == "Polar H10 True", err.decode()
        await until(lambda: not air.players[0].strap.listening.is_set())


@pytest.mark.dbus
async def test_a_killed_program_ends_its_subscription():
    code = (
        "import asyncio\n"
        "from restbeat.sensors.bluetooth.scanner import StrapSource\n"
        "from restbeat.sensors.clock import RunningClock\n"
        "async def main():\n"
        "    async for item in StrapSource('A0:9E:1A:00:00:01').items(RunningClock()):\n"
        "        pass\n"
        "asyncio.run(main())"
    )
    async with virtual_straps([recording(600)]) as air:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", code, env={"DBUS_SYSTEM_BUS_ADDRESS": air.bus_address}, stderr=asyncio.subprocess.DEVNULL
        )
        await until(air.players[0].strap.listening.is_set, 30)
        process.kill()
        await process.wait()
        await until(lambda: not air.players[0].strap.listening.is_set())


@pytest.mark.dbus
async def test_straps_join_an_existing_bus():
    async with private_bus() as address, virtual_straps([recording()], bus_address=address), on_bus(address):
        assert len(await scan(0.4)) == 1


@pytest.mark.dbus
async def test_a_second_bluez_on_a_bus_is_refused():
    async with private_bus() as address, virtual_straps([recording()], bus_address=address):
        with pytest.raises(VirtualBusError, match="already"):
            async with virtual_straps([recording()], bus_address=address):
                pass


@pytest.mark.parametrize("address", ["unix:path=/nowhere/at/all", "nonsense", ""])
async def test_an_address_without_a_bus_is_reported_in_a_sentence(address):
    with pytest.raises(VirtualBusError, match="does not let virtual straps in"):
        async with virtual_straps([recording()], bus_address=address):
            pass


async def test_without_dbus_daemon_there_are_no_virtual_straps_and_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(VirtualBusError, match="apt install dbus"):
        async with virtual_straps([recording()]):
            pass


async def test_a_daemon_that_does_not_start_is_reported_in_a_sentence(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: "/bin/false")
    with pytest.raises(VirtualBusError, match="could not be started"):
        async with private_bus():
            pass


@pytest.mark.dbus
async def test_the_bus_leaves_no_folder_and_no_process():
    async with private_bus() as address:
        path = Path(address.removeprefix("unix:path="))
        assert path.is_socket()  # noqa: ASYNC240
    assert not path.parent.exists()


@pytest.mark.dbus
async def test_the_bus_of_a_killed_program_ends_with_it_and_leaves_no_folder():
    code = (
        "import asyncio; from restbeat.sensors.dbus.private_bus import private_bus\n"
        "async def main():\n"
        "    async with private_bus() as address:\n"
        "        print(address, flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, env={"PATH": os.environ["PATH"]}, stdout=asyncio.subprocess.PIPE
    )
    path = (await process.stdout.readline()).decode().strip().removeprefix("unix:path=")

    def answers():
        with socket.socket(socket.AF_UNIX) as caller:
            return caller.connect_ex(path) == 0

    assert answers()
    process.kill()
    await process.communicate()
    await until(lambda: not answers())
    await until(lambda: not os.path.exists(os.path.dirname(path)))  # noqa: PTH110, PTH120
