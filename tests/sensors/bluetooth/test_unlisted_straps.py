"""Straps that do not advertise the heart rate service: found by their names or addresses, judged once they are connected."""

import asyncio

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
import pytest

from restbeat.sensors.bluetooth.connection import HEART_RATE_UUID
from restbeat.sensors.bluetooth.error_messages import NO_HEART_RATE
from restbeat.sensors.bluetooth.nearest import MOST
from restbeat.sensors.bluetooth.scanner import StrapSource, StrapWatch, scan
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.errors import ConnectError
from restbeat.sensors.model import Device
from restbeat.sensors.protocols.known_devices import is_sensor_name, known_names
from restbeat.sensors.recordings.recording import BATTERY, HEART_RATE
from restbeat.sensors.virtual.virtual_strap import Characteristic

from ..conftest import recording, until
from ..streams import QUICK, SPEED, payloads, streaming

NO_STRAP = (Characteristic("180f", BATTERY, ("read", "notify"), b"\x57"), Characteristic("fee0", HEART_RATE, ("notify",)))


def named(name, *, seconds=600):
    return recording(seconds, device=Device(name=name))


def hidden(air):
    for player in air.players:
        player.strap.names_services = False
    return [player.strap for player in air.players]


@pytest.mark.parametrize(
    "name",
    [
        "Polar H10 A1B2C3D4",
        "HRM-Dual:123456",
        "HRM-Pro:987654",
        "HRM-Fit",
        "HRM 600:12345",
        "Garmin HRM",
        "TICKR 5C2E",
        "H808S 0012345",
        "808S 0012345",
        "H6M 12345",
        "HW9 0001234",
        "HW706-0012345",
        "CooSpo H6",
        "Magene H64",
        "H303-12345",
        "16821-49",
        "Movesense 204830000",
        "Suunto Smart Sensor",
        "Decathlon Dual HR",
        "Kalenji HR belt",
        "Geonaute Dual HR",
        "rhythm24",
        "Zephyr HXM Smart",
        "FitCare HRM",
        "moofit HR8",
        "XOSS_X2P",
        "COROS HRM 1A2B",
        "Mi Smart Band 5",
        "Heart Rate Sensor",
    ],
)
def test_a_heart_rate_sensor_is_known_by_the_name_that_it_goes_by(name):
    assert is_sensor_name(name)


@pytest.mark.parametrize(
    "name",
    [None, "", "iPhone of Anna", "JBL Flip 5", "LE-Bose QC35", "Tile", "Garmin Edge 530", "COROS PACE 3", "Tacx Flux 01140"],
)
def test_what_else_is_on_the_air_is_not_taken_for_one(name):
    assert not is_sensor_name(name)


def test_every_name_of_the_table_says_where_it_is_known_from():
    assert all(row.source and row.model for row in known_names())


async def test_a_strap_that_does_not_say_so_is_found_by_its_name_and_streams(on_air):
    async with on_air(named("H808S 0012345"), clock_for=lambda _: RunningClock(SPEED)) as air, StrapWatch() as watch:
        (strap,) = hidden(air)
        (advert,) = await scan(0.4)
        assert (advert.name, advert.heart_rate_service, advert.is_strap) == ("H808S 0012345", False, True)
        await until(lambda: [one.address for one in watch.straps] == [strap.address])
        async with streaming(strap) as items:
            await until(lambda: len(payloads(items)) > 3)


async def test_a_device_of_an_unknown_name_is_listed_only_where_all_are_asked_for(on_air):
    async with on_air(named("Gym\x1b[2J 7"), named("Polar H10")) as air, StrapWatch() as watch:
        unknown, known = hidden(air)
        assert [advert.address for advert in await scan(0.4)] == [known.address]
        every = await scan(0.4, straps_only=False)
        assert [(advert.name, advert.is_strap) for advert in every] == [("Polar H10", True), ("Gym [2J 7", False)]
        await until(lambda: [one.address for one in watch.others] == [unknown.address])
        assert [one.address for one in watch.straps] == [known.address]


async def test_a_device_of_an_unknown_name_streams_by_its_address(on_air):
    async with on_air(named("Gym 7"), clock_for=lambda _: RunningClock(SPEED)) as air:
        (strap,) = hidden(air)
        async with streaming(strap) as items:
            await until(lambda: len(payloads(items)) > 3)


async def test_a_device_without_heart_rate_is_told_so_in_a_sentence(on_air):
    async with on_air(named("Heart Rate 7")) as air:
        (strap,) = hidden(air)
        (objects,) = air.bluez.straps.values()
        strap.characteristics = NO_STRAP
        objects.gatt.clear()
        objects.__post_init__()
        source = StrapSource(strap.address, timing=QUICK, give_up_after_s=1.0)
        with pytest.raises(ConnectError) as refused:
            async with asyncio.timeout(10):
                [item async for item in source.items(RunningClock())]
        assert str(refused.value) == NO_HEART_RATE


def test_of_five_thousand_that_are_no_straps_a_watch_keeps_thirty_and_no_strap_is_displaced():
    now_s = 0.0
    watch = StrapWatch(monotonic=lambda: now_s)
    for n in range(MOST):
        heard = AdvertisementData("Polar H10", {}, {}, [HEART_RATE_UUID], None, -90, ())
        watch._listen(BLEDevice(f"A0:9E:1A:00:00:{n:02X}", "Polar H10", None), heard)
    for n in range(5000):
        crowd = AdvertisementData("Crowd", {}, {}, [], None, -40, ())
        watch._listen(BLEDevice(f"C0:FF:EE:00:{n // 256:02X}:{n % 256:02X}", "Crowd", None), crowd)
    assert len(watch.straps) == MOST
    assert len(watch.others) == 30
