"""The radio that a strap is near: the loudest, without flipping at every breath."""

from bleak.backends.device import BLEDevice
import pytest

from restbeat.sensors.proxies.address import ProxyAddress, ProxyError
from restbeat.sensors.proxies.signal_levels import FRESH_S, LOUDER_DB, SignalLevels

STRAP = BLEDevice("A0:9E:1A:00:00:01", "H10", None)


class Radios:
    """Signal levels on a clock of their own."""

    def __init__(self):
        self.now = 100.0
        self.levels = SignalLevels(monotonic=lambda: self.now)

    def record(self, seconds=30.0, **levels):
        """Record the strap at each radio's level, four times a second."""
        for _ in range(round(4 * seconds)):
            self.now += 0.25
            for radio, level in levels.items():
                self.levels.record(radio, STRAP, "H10", level)

    @property
    def near(self):
        return self.levels.near(STRAP.address)


@pytest.fixture
def radios():
    return Radios()


def test_a_strap_is_near_the_radio_that_hears_it_loudest(radios):
    radios.record(blue=-80, green=-55)
    assert radios.near == "green"
    assert [heard.radio for heard in radios.levels.receivers(STRAP.address)] == ["green", "blue"]


def test_a_slightly_louder_radio_does_not_take_the_strap_over(radios):
    radios.record(blue=-60, green=-70)
    assert radios.near == "blue"
    radios.record(blue=-60, green=-60 + LOUDER_DB - 1)
    assert radios.near == "blue"


def test_a_much_louder_radio_takes_the_strap_over(radios):
    radios.record(blue=-60, green=-70)
    assert radios.near == "blue"
    radios.record(blue=-70, green=-70 + LOUDER_DB + 1)
    assert radios.near == "green"


def test_a_single_loud_advertisement_does_not_take_the_strap_over(radios):
    radios.record(blue=-60, green=-62)
    assert radios.near == "blue"
    radios.record(seconds=0.25, blue=-60, green=-30)
    assert radios.near == "blue"


def test_levels_that_vary_at_random_about_the_same_mean_change_nothing(radios):
    rooms = set()
    for n in range(600):
        radios.record(seconds=0.25, blue=-65 + (n * 7) % 11 - 5, green=-65 + (n * 5) % 11 - 5)
        rooms.add(radios.near)
    assert len(rooms) == 1


def test_a_connected_strap_stays_near_its_radio_though_it_is_silent(radios):
    radios.record(blue=-60)
    assert radios.near == "blue"
    radios.now += 10 * FRESH_S
    assert radios.levels.receivers(STRAP.address) == []
    assert radios.levels.straps() == []
    assert radios.near == "blue"


def test_where_the_near_radio_no_longer_hears_the_strap_another_takes_over(radios):
    radios.record(blue=-50, green=-80)
    radios.record(seconds=FRESH_S + 1, green=-80)
    assert radios.near == "green"


def test_a_forgotten_radio_receives_nothing(radios):
    radios.record(blue=-50, green=-80)
    assert radios.near == "blue"
    radios.levels.forget("blue")
    assert radios.near == "green"


def test_an_advertisement_recorded_before_changes_nothing(radios):
    radios.levels.record("blue", STRAP, "H10", -60, at_s=99.0)
    radios.levels.record("blue", STRAP, "H10", -20, at_s=99.0)
    assert radios.levels.receivers(STRAP.address)[0].level_dbm == -60


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.168.1.40", ProxyAddress("192.168.1.40", 6053, "192.168.1.40")),
        ("192.168.1.40=Blue room", ProxyAddress("192.168.1.40", 6053, "Blue room")),
        ("blue.local:6054 = Blue = room", ProxyAddress("blue.local", 6054, "Blue = room")),
        ("[fe80::1]:6054=Blue room", ProxyAddress("fe80::1", 6054, "Blue room")),
        ("fe80::1", ProxyAddress("fe80::1", 6053, "fe80::1")),
    ],
)
def test_a_proxy_is_read_as_it_is_written(text, address):
    assert ProxyAddress.parse(text) == address


@pytest.mark.parametrize("text", ["", "=Blue room", ":6053", "host:0", "host:65536", "host:x", "two hosts"])
def test_a_malformed_proxy_address_is_refused_with_an_example(text):
    with pytest.raises(ProxyError, match=r"192\.168\.1\.40=Blue room"):
        ProxyAddress.parse(text)
