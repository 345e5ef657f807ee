"""Real straps as the commands meet them, on virtual ones: told with what is known of them, on the adapter that was asked for."""

import asyncio
from contextlib import aclosing

from click.testing import CliRunner
import pytest

from restbeat.sensors.bluetooth.scanner import on_bus
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.model import Device
from restbeat.sensors.recordings.recording import Packet
from restbeat.sensors.virtual.straps_on_air import virtual_straps
from restbeat.service.commands.straps import scan_straps
from restbeat.service.radio.radio import ProxyOptions, open_radio
from restbeat.web.commands import cli

from ...sensors.conftest import H10, recording, until


@pytest.mark.dbus
async def test_a_scan_says_for_each_strap_whether_its_intervals_are_beats(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    straps = [recording(600, device=H10), recording(600, device=Device(name="Polar OH1 21A3F22B", battery_pct=55))]
    async with virtual_straps(straps, clock_for=lambda _: RunningClock(20)) as air, on_bus(air.bus_address):
        await scan_straps(0.5, None)
    rows = {line.split("│")[1].strip(): line for line in capsys.readouterr().out.splitlines() if "│" in line}
    assert "yes" in rows["Polar H10"]
    assert "smoothed: heart rate only" in rows["Polar OH1 21A3F22B"]
    assert "55 %" in rows["Polar OH1 21A3F22B"]


@pytest.mark.dbus
async def test_a_scan_of_all_lists_what_does_not_say_that_it_measures_heart_rate_and_asks_it_nothing(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    straps = [recording(600, device=Device(name="H808S 0012345")), recording(600, device=Device(name="Gym\x1b[2J 7"))]
    async with virtual_straps(straps, clock_for=lambda _: RunningClock(20)) as air, on_bus(air.bus_address):
        for player in air.players:
            player.strap.names_services = False
        await scan_straps(0.5, None)
        (row,) = [line for line in capsys.readouterr().out.splitlines() if "│" in line]
        assert "H808S 0012345" in row
        assert "yes" in row
        await scan_straps(0.5, None, every=True)
        assert not air.players[1].started.is_set()
    out = capsys.readouterr().out
    rows = {line.split("│")[1].strip(): line for line in out.splitlines() if "│" in line}
    assert "does not say that it measures heart rate" in rows["Gym [2J 7"]
    assert "\x1b[2J" not in out


@pytest.mark.dbus
async def test_where_only_other_devices_are_near_a_scan_says_how_to_list_them(capsys):
    async with virtual_straps([recording(600, device=Device(name="Gym 7"))]) as air, on_bus(air.bus_address):
        air.players[0].strap.names_services = False
        await scan_straps(0.4, None)
    told = " ".join(capsys.readouterr().err.split())
    assert "No heart-rate strap was heard." in told
    assert "restbeat scan --all" in told


@pytest.mark.dbus
async def test_with_a_given_adapter_only_its_straps_are_found_and_streamed():
    async with virtual_straps([recording(600)], clock_for=lambda _: RunningClock(20)) as air:
        air.bluez.add_adapter("hci1")
        near = air.players[0].strap
        far = type(near)("A0:9E:1A:00:00:99", "Far strap", near.characteristics, adapter="hci1")
        air.bluez.add(far)
        async with on_bus(air.bus_address), open_radio("hci1", ProxyOptions()) as (heard, source_of):
            await until(heard.straps)
            assert [strap.address for strap in heard.straps()] == [far.address]
            async with aclosing(source_of(far.address).items(RunningClock())) as items:
                telling = asyncio.create_task(far.listening.wait())
                async for item in items:
                    if far.listening.is_set():
                        air.bluez.notify(far, "2a37", b"\x00\x40")
                    if isinstance(item, Packet) and item.char == "2a37":
                        break
                await telling
            assert not near.listening.is_set()


@pytest.mark.parametrize("command", ["serve", "scan", "record", "doctor"])
def test_every_command_on_straps_takes_an_adapter(command):
    assert "--adapter hciN" in CliRunner().invoke(cli, [command, "--help"]).output
