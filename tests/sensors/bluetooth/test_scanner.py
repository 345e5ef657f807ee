"""Scanning and inspecting: the real Bleak on a virtual BlueZ."""

import asyncio

import pytest

from restbeat.sensors.bluetooth.scanner import StrapSource, StrapWatch, adapter_state, inspect, on_bus, scan
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.errors import NoAdapterError
from restbeat.sensors.recordings.recording import HEART_RATE

from ..conftest import recording, until
from ..streams import QUICK, SPEED, payloads, streaming


async def reported_within(seconds, text):
    """Wait until the adapter's state has this text, since Bleak learns of a change a moment later."""
    async with asyncio.timeout(seconds):
        while (state := await adapter_state()).text != text:
            pass
    assert not state.ready


async def test_a_scan_finds_every_strap_strongest_first(on_air):
    async with on_air(recording(), recording(), recording()) as air:
        found = await scan(0.4)
        assert [advert.address for advert in found] == [player.strap.address for player in air.players]
        assert [advert.name for advert in found] == ["Polar H10", "Polar H10 2", "Polar H10 3"]
        assert all(advert.heart_rate_service for advert in found)
        assert found[0].rssi_dbm > found[1].rssi_dbm > found[2].rssi_dbm


async def test_two_scans_at_once_both_find_the_strap(on_air):
    async with on_air(recording()):
        first, second = await asyncio.gather(scan(0.4), scan(0.5))
        assert len(first) == len(second) == 1


async def test_inspecting_gives_device_and_rr(on_air):
    async with on_air(recording(600), clock_for=lambda _: RunningClock(SPEED)) as air:
        told = await inspect(air.players[0].strap.address, listen_s=2)
        assert told.device.battery_pct == 87
        assert told.has_rr is True


async def test_inspecting_recognises_a_strap_that_sends_heart_rate_alone(on_air):
    async with on_air(recording(1)) as air:
        strap = air.players[0].strap
        asking = asyncio.create_task(inspect(strap.address, listen_s=0.5))
        await until(strap.listening.is_set)
        air.bluez.notify(strap, HEART_RATE, b"\x00\x40")
        assert (await asking).has_rr is False


async def test_inspecting_a_silent_strap_claims_nothing_of_rr(on_air):
    async with on_air(recording(1)) as air:
        air.players[0].strap.silent = True
        assert (await inspect(air.players[0].strap.address, listen_s=0.3)).has_rr is None


async def test_a_strap_is_heard_by_the_adapter_it_is_near(on_air):
    async with on_air(recording()) as air:
        air.bluez.add_adapter("hci1")
        assert len(await scan(0.3, adapter="hci0")) == 1
        assert await scan(0.3, adapter="hci1") == []
        with pytest.raises(NoAdapterError, match="hci7"):
            await scan(0.3, adapter="hci7")


async def test_an_adapter_is_reported_as_ready_off_or_missing(on_air):
    async with on_air() as air:
        assert (await adapter_state()).ready
        air.bluez.power("hci0", on=False)
        await reported_within(3.0, "Bluetooth is switched off. Switch it on.")
        air.bluez.remove_adapter("hci0")
        await reported_within(3.0, "No Bluetooth adapter was found. Plug one in or switch Bluetooth on.")


async def test_a_missing_system_bus_is_reported_in_a_sentence(tmp_path):
    async with on_bus(f"unix:path={tmp_path}/nothing"):
        state = await adapter_state()
        assert not state.ready
        assert "BlueZ" in state.text
        with pytest.raises(NoAdapterError, match="BlueZ"):
            await scan(0.3)
        source = StrapSource("A0:9E:1A:00:00:01", timing=QUICK, give_up_after_s=0.2)
        with pytest.raises(NoAdapterError):
            [item async for item in source.items(RunningClock())]


@pytest.mark.dbus
async def test_a_bus_without_bluez_is_reported_in_a_sentence():
    from restbeat.sensors.dbus.private_bus import private_bus

    async with private_bus() as address, on_bus(address):
        state = await adapter_state()
        assert (state.ready, "service is not running" in state.text) == (False, True)


async def test_a_user_without_permission_for_bluetooth_is_told_so(on_air):
    async with on_air(recording()) as air:
        air.bluez.refuses = "org.freedesktop.DBus.Error.AccessDenied"
        state = await adapter_state()
        assert (state.ready, "add the user to the group bluetooth" in state.text) == (False, True)
        air.bluez.refuses = None
        async with streaming(air.players[0].strap) as items:
            await until(lambda: payloads(items))


async def test_a_watch_lists_straps_and_forgets_those_no_longer_heard(on_air):
    now_s = 0.0
    async with on_air(recording()) as air, StrapWatch(monotonic=lambda: now_s) as watch:
        await until(lambda: watch.straps)
        assert watch.state.ready
        assert watch.straps[0].address == air.players[0].strap.address
        air.players[0].strap.advertising = False
        await asyncio.sleep(0.15)
        now_s = 60.0
        assert watch.straps == []


async def test_a_watch_keeps_looking_for_an_adapter(on_air):
    async with on_air(recording()) as air:
        air.bluez.remove_adapter("hci0")
        async with StrapWatch() as watch:
            await until(lambda: "keeps looking" in watch.state.text and "No Bluetooth adapter" in watch.state.text)
            air.bluez.add_adapter("hci0")
            await until(lambda: watch.state.ready and watch.straps)


async def test_a_source_finds_its_strap_while_a_watch_scans(on_air):
    async with on_air(recording(600), clock_for=lambda _: RunningClock(SPEED)) as air, StrapWatch() as watch:
        await until(lambda: watch.straps)
        async with streaming(air.players[0].strap) as items:
            await until(lambda: len(payloads(items)) > 3)
