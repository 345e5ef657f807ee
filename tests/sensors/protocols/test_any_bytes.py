"""Any bytes over the air or in a file give a value or a typed error, never another exception.

Two thousand examples each; `make test-slow` takes two hundred thousand (RESTBEAT_EXAMPLES says how many).
"""

import gzip
import json
import os

from hypothesis import HealthCheck, given, settings, strategies as st

from restbeat.sensors.errors import PayloadError, RecordingError
from restbeat.sensors.model import Contact, Measurement
from restbeat.sensors.protocols.heart_rate import encode, parse
from restbeat.sensors.protocols.polar_control import parse_features, parse_reply, parse_settings
from restbeat.sensors.protocols.polar_frames import AccFrame, EcgFrame, PpiFrame, parse_frame
from restbeat.sensors.recordings.recording import Event, Header, Packet, dump, read

EXAMPLES = int(os.environ.get("RESTBEAT_EXAMPLES", "2000"))
many = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    database=None,
)

LINES = st.sampled_from(
    [
        b'{"format": "restbeat-recording", "version": 1}',
        b'{"format": "restbeat-recording", "version": 1, "device": {"name": "x", "battery_pct": 400}, "arrival_speed": 0}',
        b'{"t": 1.0, "char": "2a37", "hex": "10480004"}',
        b'{"t": 2.0, "char": "FB005C82-02E7-F387-1CAD-8ACD2D8DF0C8", "hex": "00"}',
        b'{"t": 2.5, "phase": "massage"}',
        b'{"t": 3.0, "mark": {"technique": "stroking", "note": 7}}',
        b'{"t": 4.0, "pain": 11}',
        b'{"t": 4.5, "fault": {"kind": "drop", "until_s": "x"}}',
        b'{"t": 1e400, "link": "up"}',
        b"\xef\xbb\xbf{}",
        b'{"t": true, "link": "lost"}',
        b"[" * 2000,
        b"\x1f\x8b\x08",
    ]
)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)
TEXT = st.text(max_size=8) | st.sampled_from(["2a37", "1648c003", "up", "lost", "massage", "ended", "drop", "rest", "back"])


def either(*likely):
    """A strategy for a value of the right type, or of any other."""
    return st.one_of(*likely, ODD)


MARK = st.fixed_dictionaries({}, optional=dict.fromkeys(("technique", "region", "pressure", "note", "t"), either(TEXT)))
FAULT = st.fixed_dictionaries(
    {},
    optional={"kind": either(TEXT), "until_s": either(st.floats(0, 1e4)), "count": either(st.integers()), "detail": either(TEXT)},
)
EVENT = st.fixed_dictionaries(
    {"t": either(st.floats(0, 1e3), st.integers(0, 1000))},
    optional={
        **dict.fromkeys(("char", "hex", "link", "phase"), either(TEXT)),
        "mark": either(MARK),
        "pain": either(st.integers(-1, 11)),
        "fault": either(FAULT),
    },
)
DEVICE = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("name", "address", "model", "battery_pct", "location", "colour"), either(TEXT, st.integers()))
)
HEADER = st.fixed_dictionaries(
    {"format": st.just("restbeat-recording"), "version": either(st.just(1))},
    optional={
        "device": either(DEVICE),
        **dict.fromkeys(("client", "kind", "source", "licence", "truth"), either(TEXT)),
        "arrival_speed": either(st.floats(0, 2000)),
    },
)
PIECES = LINES | st.binary(max_size=60) | (EVENT | ODD | HEADER).map(lambda value: json.dumps(value).encode())


@many
@given(st.binary(max_size=64))
def test_any_notification_is_a_measurement_or_a_payload_error(payload):
    try:
        measurement = parse(payload)
    except PayloadError:
        return
    assert 0 <= measurement.hr_bpm <= 0xFFFF
    assert all(0 <= rr <= 0xFFFF for rr in measurement.rr_1024)
    assert measurement.rr_flag or not measurement.rr_1024


@many
@given(
    st.binary(max_size=64)
    | st.builds(
        lambda stream, kind, samples: bytes([stream]) + bytes(8) + bytes([kind]) + samples,
        st.sampled_from([0, 2, 3, 0x42]),
        st.sampled_from([0, 1, 2, 0x80, 0x81]),
        st.binary(max_size=240) | st.builds(lambda block: bytes(6) + block, st.binary(max_size=60)),
    )
)
def test_any_polar_data_is_a_frame_or_a_payload_error(payload):
    try:
        frame = parse_frame(payload)
    except PayloadError:
        return
    match frame:
        case EcgFrame(samples_uv=samples):
            assert samples.size
        case AccFrame(samples_mg=samples):
            assert len(samples)
            assert samples.shape[1:] == (3,)
        case PpiFrame(samples=samples):
            assert samples


@many
@given(st.binary(max_size=40) | st.lists(st.integers(0, 6), max_size=40).map(bytes))
def test_anything_from_a_polar_control_point_is_a_value_or_a_payload_error(value):
    for payload in (value, b"\xf0" + value, b"\x0f" + value):
        for parse_it in (parse_features, parse_reply, parse_settings):
            try:
                parsed = parse_it(payload)
            except PayloadError:
                continue
            assert parsed is not None


@many
@given(
    st.builds(
        Measurement,
        hr_bpm=st.integers(0, 0xFFFF),
        contact=st.sampled_from(Contact),
        energy_kj=st.none() | st.integers(0, 0xFFFF),
        rr_1024=st.lists(st.integers(0, 0xFFFF), max_size=9).map(tuple),
        rr_flag=st.just(True),
    )
)
def test_what_is_encoded_is_parsed_to_the_same(measurement):
    back = parse(encode(measurement))
    assert back == measurement


@many
@given(pieces=st.lists(PIECES, max_size=5), header=st.none() | HEADER, packed=st.booleans(), cut=st.integers(0, 40))
def test_any_file_is_a_recording_or_a_recording_error(tmp_path, pieces, header, packed, cut):
    raw = b"\n".join(pieces if header is None else [json.dumps(header).encode(), *pieces])
    raw = gzip.compress(raw, 1) if packed else raw
    path = tmp_path / "any.jsonl"
    path.write_bytes(raw[: len(raw) - cut] if cut < 20 else raw)
    try:
        recording = read(path)
    except RecordingError:
        return
    times = [event.t for event in recording.events]
    assert times == sorted(times)
    assert all(isinstance(event, Event) for event in recording.events)
    # what was read can be written, and then is read without a word
    path.write_bytes(dump(recording.header, list(recording.events)))
    again = read(path)
    assert len(again.events) == len(recording.events)


@many
@given(st.lists(st.tuples(st.integers(0, 10**8), st.binary(max_size=20)), max_size=6))
def test_any_packets_that_are_written_are_read_back_byte_for_byte(tmp_path, packets):
    events = [Packet(t / 1000, "2a37", payload) for t, payload in sorted(packets)]
    path = tmp_path / "written.jsonl"
    path.write_bytes(dump(Header(), events))
    assert list(read(path).events) == events
