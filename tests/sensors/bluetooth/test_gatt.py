from restbeat.sensors.bluetooth.gatt import device_of, full_uuid, short_uuid, values_of
from restbeat.sensors.model import Device


def test_a_device_is_read_back_as_encoded():
    device = Device("H10", "A0:9E:1A:00:00:01", "Polar", "H10", "5.0.0", 87, "chest")
    assert device_of(values_of(device), name="H10", address="A0:9E:1A:00:00:01") == device


def test_invalid_values_are_left_out():
    told = {"2a19": b"\xff", "2a38": b"\x99", "2a29": b"\0\0", "2a24": b"", "2a26": b"1.2\0"}
    assert device_of(told, name=None, address="x") == Device(address="x", firmware="1.2")
    assert device_of({}, name=None, address="x") == Device(address="x")


def test_short_and_full_uuids_are_equivalent():
    assert full_uuid("2A37") == "00002a37-0000-1000-8000-00805f9b34fb"
    assert short_uuid(full_uuid("2A37")) == "2a37"
    polar = "FB005C82-02E7-F387-1CAD-8ACD2D8DF0C8"
    assert short_uuid(polar) == full_uuid(polar) == polar.lower()
