import gzip
import json

from hypothesis import given, settings, strategies as st
import pytest

from restbeat.sensors.errors import RecordingError
from restbeat.sensors.model import Device, Phase
from restbeat.sensors.recordings.recording import (
    STOP_NOTE,
    ConnectionEvent,
    Fault,
    Header,
    Mark,
    Packet,
    Pain,
    PhaseStart,
    dump,
    event_fields,
    read,
    write,
)

HEADER = '{"format": "restbeat-recording", "version": 1}'
PACKET = '{"t": 1.0, "char": "2a37", "hex": "10480004"}'
EVENTS = [
    ConnectionEvent(0.1, up=True),
    PhaseStart(0.5, Phase.BASELINE),
    Packet(1.0, "2a37", bytes.fromhex("10480004")),
    Mark(2.0, technique="long strokes", note="quiet"),
    Pain(3.0, 4),
    Fault(3.0, "drop", 3.0, 3),
    ConnectionEvent(4.0, up=False),
]


def given_file(tmp_path, *lines, name="r.jsonl"):
    path = tmp_path / name
    path.write_text("\n".join(lines))
    return path


@pytest.mark.parametrize("name", ["r.jsonl", "r.jsonl.gz"])
def test_what_is_written_is_read_back_with_unknown_fields(tmp_path, name):
    header = Header(
        Device(name="H10", battery_pct=80),
        client="M-014",
        arrival_speed=20.0,
        extra={"truth": {"a": [1]}},
        device_extra={"colour": "red"},
    )
    write(tmp_path / name, header, EVENTS)
    recording = read(tmp_path / name)
    assert (recording.header, list(recording.events), recording.warnings) == (header, EVENTS, ())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("812\n799\n", "is no recording"),
        ("[]", "is no recording"),
        ('{"format": "restbeat-recording", "version": 2}', "version 2"),
        ('{"format": "restbeat-recording"}', "version None"),
        ('{"format": "restbeat-recording", "version": true}', "version True"),
    ],
)
def test_without_a_header_of_this_version_nothing_is_read(tmp_path, text, words):
    with pytest.raises(RecordingError, match=words):
        read(given_file(tmp_path, text))


def test_a_missing_file_is_reported_in_a_sentence(tmp_path):
    with pytest.raises(RecordingError, match="could not be read"):
        read(tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("no json", "not JSON"),
        ("[1]", "not JSON"),
        ('{"t": -1, "phase": "massage"}', "no time"),
        ('{"t": "2", "phase": "massage"}', "no time"),
        ('{"t": true, "phase": "massage"}', "no time"),
        ('{"t": 1e300, "phase": "massage"}', "no time"),
        ('{"t": 2, "phase": "sauna"}', "'sauna' is unknown"),
        ('{"t": 2, "char": "2a37", "hex": "1g"}', "not hex"),
        ('{"t": 2, "char": "2a37", "hex": "123"}', "not hex"),
        ('{"t": 2, "char": "2a37"}', "not known"),
        ('{"t": 2, "pain": 11}', "not known"),
        ('{"t": 2, "mark": {}}', "says nothing"),
        ('{"t": 0.5, "phase": "massage"}', "runs backwards"),
        ('{"t": 9000, "phase": "massage"}', "jumps"),
    ],
)
def test_only_the_malformed_line_is_skipped(tmp_path, line, words):
    recording = read(given_file(tmp_path, HEADER, PACKET, line, PACKET.replace("1.0", "2.5")))
    assert [event.t for event in recording.events] == [1.0, 2.5]
    assert len(recording.warnings) == 1
    assert words in recording.warnings[0]
    assert "line 3" in recording.warnings[0]


def test_only_a_truncated_last_line_is_skipped(tmp_path):
    recording = read(given_file(tmp_path, HEADER, PACKET, PACKET[:20]))
    assert len(recording.events) == 1
    assert "cut off" in recording.warnings[0]


def test_a_truncated_gzip_file_gives_its_complete_lines(tmp_path):
    path = tmp_path / "r.jsonl.gz"
    lines = [HEADER, *(json.dumps({"t": float(t), "char": "2a37", "hex": f"1048{t * 7919 % 65536:04x}"}) for t in range(2000))]
    path.write_bytes(gzip.compress("\n".join(lines).encode())[:-2000])
    recording = read(path)
    assert 100 < len(recording.events) < 2000
    assert "cut off" in recording.warnings[0]


@pytest.mark.parametrize(
    ("behind", "said"), [(b"", []), (b"\0" * 40, []), (b"junk", ["4 bytes behind"]), (b"\x1f\x8bjunk", ["6 bytes behind"])]
)
def test_concatenated_gzip_files_are_one_recording(tmp_path, behind, said):
    first = gzip.compress(dump(Header(), [Packet(1.0, "2a37", b"\x00\x40")]))
    second = gzip.compress(b'{"t": 2.0, "char": "2a37", "hex": "0041"}\n')
    path = tmp_path / "two.jsonl.gz"
    path.write_bytes(first + second + behind)
    recording = read(path)
    assert [event.t for event in recording.events] == [1.0, 2.0]
    assert len(recording.warnings) == len(said)
    assert all(words in warning for words, warning in zip(said, recording.warnings, strict=True))


def test_an_unknown_characteristic_is_kept_and_reported_once(tmp_path):
    odd = [f'{{"t": {t}, "char": "2a99", "hex": "00"}}' for t in (1, 2, 3)]
    recording = read(given_file(tmp_path, HEADER, *odd))
    assert len(recording.events) == 3
    assert len(recording.warnings) == 1


def test_a_long_silence_is_not_a_wrong_time(tmp_path):
    recording = read(given_file(tmp_path, HEADER, PACKET, '{"t": 900, "phase": "ended"}'))
    assert [event.t for event in recording.events] == [1.0, 900.0]
    assert not recording.warnings


def test_header_fields_of_another_type_are_left_out_or_kept(tmp_path):
    odd = '"client": 5, "kind": "sauna", "arrival_speed": -1, "device": {"name": 7, "battery_pct": "x"}'
    header = HEADER.replace("}", f", {odd}}}")
    recording = read(given_file(tmp_path, header, PACKET))
    assert recording.header == Header(device_extra={"name": 7, "battery_pct": "x"})
    assert len(recording.warnings) == 3


LINES = st.lists(
    st.text(max_size=60)
    | st.dictionaries(
        st.sampled_from(["t", "char", "hex", "phase", "mark", "pain", "link"]),
        st.none()
        | st.booleans()
        | st.floats()
        | st.integers()
        | st.text(max_size=8)
        | st.dictionaries(st.text(max_size=9), st.text(max_size=3)),
    ).map(json.dumps),
    max_size=20,
)


@settings(max_examples=300)
@given(LINES, st.booleans())
def test_any_lines_give_events_in_order_of_time_or_a_recording_error(tmp_path_factory, lines, with_header):
    path = tmp_path_factory.mktemp("any") / "r.jsonl"
    path.write_bytes("\n".join([HEADER, *lines] if with_header else lines).encode(errors="surrogatepass"))
    try:
        recording = read(path)
    except RecordingError:
        assert not with_header or not lines
        return
    times = [event.t for event in recording.events]
    assert times == sorted(times)
    assert dump(recording.header, list(recording.events))


def test_a_stop_of_an_older_recording_is_recognised_by_its_note_and_written_as_a_kind(tmp_path):
    path = tmp_path / "old.jsonl"
    path.write_text(
        '{"format":"restbeat-recording","version":1}\n'
        '{"t":60.0,"mark":{"note":"Pain increased – stopped"}}\n'
        '{"t":61.0,"mark":{"note":"talking","kind":"telepathy"}}\n'
    )
    stop, other = read(path).events
    assert (stop, other) == (Mark(60.0, note=STOP_NOTE, kind="stop"), Mark(61.0, note="talking"))
    assert event_fields(stop) == {"t": 60.0, "mark": {"note": STOP_NOTE, "kind": "stop"}}
    assert event_fields(other) == {"t": 61.0, "mark": {"note": "talking"}}


def test_a_devices_name_is_cleaned_of_control_characters_on_reading(tmp_path):
    path = tmp_path / "odd.jsonl"
    header = {"format": "restbeat-recording", "version": 1, "device": {"name": "HRM\u0000\u0007 \u001b[31m7", "model": "\u0000"}}
    path.write_text(json.dumps(header) + "\n")
    device = read(path).header.device
    assert (device.name, device.model) == ("HRM [31m7", None)
