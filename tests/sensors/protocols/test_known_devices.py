"""The table of known devices, and that each row matches the right ones."""

import re

import pytest

from restbeat.sensors.bluetooth.error_messages import connect_error_text
from restbeat.sensors.model import Device
from restbeat.sensors.protocols.known_devices import ContactBit, Kind, Rr, known_device, known_devices


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("Polar H10 A1B2C3D4", "Polar H10"),
        ("Polar Sense 9D11A320", "Polar Verity Sense"),
        ("Polar OH1 21A3F22B", "Polar OH1"),
        ("HRM-Dual:123456", "Garmin HRM-Dual"),
        ("TICKR FIT 77AB", "Wahoo TICKR FIT"),
        ("TICKR 5C2E", "Wahoo TICKR"),
        ("rhythm24", "Scosche Rhythm24"),
        ("RHYTHM+", "Scosche Rhythm+"),
        ("Movesense 204830000", "Movesense"),
    ],
)
def test_a_strap_is_known_by_its_name(name, model):
    assert known_device(Device(name=name)).model == model


def test_a_strap_is_known_by_its_model_where_its_name_says_nothing():
    assert known_device(Device(name="Strap 7", manufacturer="Polar Electro Oy", model="Polar H10")).model == "Polar H10"
    assert known_device(Device(name=None, manufacturer="Polar", model="H10")).model == "Polar H10"


@pytest.mark.parametrize("device", [Device(), Device(name="Heart Rate 12"), Device(name="Sensei"), Device(model="H1000")])
def test_what_is_not_in_the_table_is_not_guessed(device):
    assert known_device(device) is None


def test_every_row_is_found_first_by_its_own_model_and_names_its_source():
    assert len({row.model for row in known_devices()}) == len(known_devices()) >= 15
    for row in known_devices():
        assert row.source
        assert re.compile(row.names)
        if row.model not in {"Amazfit and Mi bands", "Elite HRV CorSense", "Garmin HRM-Dual", "Garmin HRM-Pro"}:
            assert known_device(Device(name=row.model)) is row


def test_an_h10_has_no_contact_bit_and_its_second_connection_is_off():
    h10 = known_device(Device(name="Polar H10 A1B2C3D4"))
    assert (h10.kind, h10.rr, h10.contact, h10.slots) == (Kind.CHEST, Rr.YES, ContactBit.NOT_REPORTED, 1)
    assert "second connection" in connect_error_text(TimeoutError(), "Polar H10 A1B2C3D4")
    assert "busy in another app" in connect_error_text(TimeoutError(), "Strap 7")


def test_unreliable_contact_bits_are_not_believed():
    assert not known_device(Device(name="Polar Sense 9D11A320")).believes_contact
    assert known_device(Device(name="Polar H7 1")).believes_contact
