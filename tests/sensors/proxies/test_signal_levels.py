"""Which radio a strap is near: the loudest, and not another with every breath."""

from bleak.backends.device import BLEDevice
import pytest

from restbeat.sensors.proxies.address import ProxyAddress, ProxyError
from restbeat.sensors.proxies.signal_levels import FRESH_S, LOUDER_DB, SignalLevels

STRAP = BLEDevice("A0:9E:1A:00:00:01", "H10", None)


class Ears:
    """Hearing by a clock of its own."""

    def __init__(self):
        self.now = 100.0
        self.levels = SignalLevels(monotonic=lambda: self.now)

    def record(self, seconds=30.0, **levels):
        """Each radio hears the strap at its level, four times a second."""
        for _ in range(round(4 * seconds)):
            self.now += 0.25
            for radio, level in levels.items():
                self.levels.record(radio, STRAP, "H10", level)

    @property
    def near(self):
        return self.levels.near(STRAP.address)


@pytest.fixture
def ears():
    return Ears()


def test_a_strap_is_near_the_radio_that_hears_it_loudest(ears):
    ears.record(blue=-80, green=-55)
    assert ears.near == "green"
    assert [heard.radio for heard in ears.levels.receivers(STRAP.address)] == ["green", "blue"]


def test_a_radio_that_is_a_little_louder_does_not_take_the_strap_over(ears):
    ears.record(blue=-60, green=-70)
    assert ears.near == "blue"
    ears.record(blue=-60, green=-60 + LOUDER_DB - 1)
    assert ears.near == "blue"


def test_a_radio_that_is_much_louder_does(ears):
    ears.record(blue=-60, green=-70)
    assert ears.near == "blue"
    ears.record(blue=-70, green=-70 + LOUDER_DB + 1)
    assert ears.near == "green"


def test_a_single_loud_advert_does_not_either(ears):
    ears.record(blue=-60, green=-62)
    assert ears.near == "blue"
    ears.record(seconds=0.25, blue=-60, green=-30)
    assert ears.near == "blue"


def test_levels_that_vary_at_random_about_the_same_mean_change_nothing(ears):
    rooms = set()
    for n in range(600):
        ears.record(seconds=0.25, blue=-65 + (n * 7) % 11 - 5, green=-65 + (n * 5) % 11 - 5)
        rooms.add(ears.near)
    assert len(rooms) == 1


def test_a_connected_strap_is_off_the_air_and_stays_where_it_was(ears):
    ears.record(blue=-60)
    assert ears.near == "blue"
    ears.now += 10 * FRESH_S
    assert ears.levels.receivers(STRAP.address) == []
    assert ears.levels.straps() == []
    assert ears.near == "blue"


def test_where_the_near_radio_no_longer_hears_it_another_does(ears):
    ears.record(blue=-50, green=-80)
    ears.record(seconds=FRESH_S + 1, green=-80)
    assert ears.near == "green"


def test_a_radio_that_is_gone_hears_nothing(ears):
    ears.record(blue=-50, green=-80)
    assert ears.near == "blue"
    ears.levels.forget("blue")
    assert ears.near == "green"


def test_an_advert_that_was_taken_in_before_changes_nothing(ears):
    ears.levels.record("blue", STRAP, "H10", -60, at_s=99.0)
    ears.levels.record("blue", STRAP, "H10", -20, at_s=99.0)
    assert ears.levels.receivers(STRAP.address)[0].level_dbm == -60


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
def test_a_proxy_that_is_written_wrongly_is_said_with_an_example(text):
    with pytest.raises(ProxyError, match=r"192\.168\.1\.40=Blue room"):
        ProxyAddress.parse(text)
