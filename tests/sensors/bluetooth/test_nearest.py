"""Thousands of advertisers: the list stays short, and the straps that are near stay on it."""

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
import pytest

from restbeat.sensors.bluetooth.connection import HEART_RATE_UUID
from restbeat.sensors.bluetooth.nearest import MOST, Nearest
from restbeat.sensors.bluetooth.scanner import StrapWatch
from restbeat.sensors.proxies.signal_levels import SignalLevels

NEAR = "A0:9E:1A:00:00:01"


def advert(name, rssi=-60):
    return AdvertisementData(name, {}, {}, [HEART_RATE_UUID], None, rssi, ())


def device(address, name=None):
    return BLEDevice(address, name, None)


def stranger(n):
    return f"C0:FF:EE:00:{n // 256:02X}:{n % 256:02X}"


class Now:
    s = 0.0

    def __call__(self):
        return self.s


@pytest.fixture
def now():
    return Now()


def test_of_five_thousand_a_watch_keeps_a_hundred_and_the_strap_that_is_near(now):
    watch = StrapWatch(monotonic=now)
    for second in range(30):
        now.s = float(second)
        for n in range(5000):
            watch._listen(device(stranger(n)), advert("Crowd", -90))
        watch._listen(device(NEAR), advert("Polar H10", -55))
        assert watch.straps[0].address == NEAR
        assert len(watch.straps) == MOST


def test_a_crowd_as_near_as_the_strap_does_not_displace_it(now):
    watch = StrapWatch(monotonic=now)
    watch._listen(device(NEAR), advert("Polar H10"))
    for n in range(5000):
        watch._listen(device(stranger(n)), advert("Crowd"))
    assert NEAR in [strap.address for strap in watch.straps]


def test_those_that_are_gone_make_room(now):
    watch = StrapWatch(monotonic=now)
    for n in range(MOST):
        watch._listen(device(stranger(n)), advert("Crowd", -40))
    now.s = 25.0
    watch._listen(device(NEAR), advert("Polar H10", -80))
    assert [strap.address for strap in watch.straps] == [NEAR]


def test_addresses_that_change_with_every_advertisement_are_not_all_kept(now):
    levels = SignalLevels(monotonic=now)
    for n in range(20_000):
        now.s += 0.001
        levels.record("radio", device(stranger(n)), "Crowd", -80)
        levels.near(stranger(n))
    assert len(levels.straps()) <= MOST
    assert len(levels._near) <= MOST


def test_an_advertisement_costs_the_same_however_many_there_are():
    few, many = Nearest(10), Nearest(10_000)
    for nearest in (few, many):
        for n in range(20_000):
            nearest.keep(stranger(n), n, -60.0 - n % 40, n / 1000)
    assert (len(few), len(many)) == (10, 10_000)


def test_a_name_that_changes_each_second_stays_for_ten(now):
    watch, names = StrapWatch(monotonic=now), []
    for second in range(60):
        now.s = float(second)
        watch._listen(device(NEAR), advert(f"Name {second}"))
        names.append(watch.straps[0].name)
    assert len(set(names)) <= 6


def test_a_name_is_short_and_has_no_control_characters(now):
    watch = StrapWatch(monotonic=now)
    watch._listen(device(NEAR), advert("\x1b[2J\n\u202eH10" + 500 * "x"))
    (strap,) = watch.straps
    assert strap.name.isprintable()
    assert len(strap.name) <= 40
