from hypothesis import given, strategies as st
import pytest

from restbeat.sensors.errors import PayloadError
from restbeat.sensors.model import Contact, Measurement
from restbeat.sensors.protocols.heart_rate import encode, parse

UINT16 = st.integers(0, 0xFFFF)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("0048", Measurement(72, Contact.NOT_REPORTED, None, (), False)),
        ("0248", Measurement(72, Contact.NOT_REPORTED, None, (), False)),
        ("0448", Measurement(72, Contact.NO, None, (), False)),
        ("0648", Measurement(72, Contact.YES, None, (), False)),
        ("014801", Measurement(328, Contact.NOT_REPORTED, None, (), False)),
        ("10480004", Measurement(72, Contact.NOT_REPORTED, None, (1024,), True)),
        ("1048", Measurement(72, Contact.NOT_REPORTED, None, (), True)),
        ("1e4805000004ff03", Measurement(72, Contact.YES, 5, (1024, 1023), True)),
        ("19480034120004", Measurement(72, Contact.NOT_REPORTED, 0x1234, (1024,), True)),
    ],
)
def test_every_flag_moves_the_fields_as_the_specification_says(payload, expected):
    assert parse(bytes.fromhex(payload)) == expected


@pytest.mark.parametrize("payload", ["", "00", "0148", "0848", "084805", "09480034"])
def test_a_notification_without_its_announced_fields_is_a_payload_error(payload):
    with pytest.raises(PayloadError):
        parse(bytes.fromhex(payload))


def test_only_a_truncated_rr_interval_is_dropped():
    assert parse(bytes.fromhex("10480004ff")).rr_1024 == (1024,)


@given(st.binary(max_size=30))
def test_any_bytes_give_a_measurement_or_a_payload_error(payload):
    try:
        parse(payload)
    except PayloadError:
        return


@given(
    st.builds(
        Measurement,
        UINT16,
        st.sampled_from(Contact),
        st.none() | UINT16,
        st.lists(UINT16, max_size=9).map(tuple),
        st.just(True),
    )
)
def test_what_is_encoded_is_parsed_back(measurement):
    assert parse(encode(measurement)) == measurement


@pytest.mark.parametrize(
    ("flags", "contact"), [(0x10, Contact.NOT_REPORTED), (0x12, Contact.NOT_REPORTED), (0x14, Contact.NO), (0x16, Contact.YES)]
)
def test_contact_that_is_not_reported_is_not_no_contact(flags, contact):
    assert parse(bytes([flags, 60, 0, 4])).contact is contact
