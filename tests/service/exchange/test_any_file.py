"""Whatever a file holds, it becomes a recording that can be written and played, or a `RecordingError` with a sentence.

Two hundred examples a reader; RESTBEAT_EXAMPLES says how many.
"""

import os

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from restbeat.analysis.beats.beat_stream import BeatStream
from restbeat.sensors.errors import RecordingError
from restbeat.sensors.recordings.recording import ConnectionEvent, Packet, dump, read
from restbeat.service.exchange.edf import read_edf_plus
from restbeat.service.exchange.formats import decode_text, read_any, write_as
from restbeat.service.exchange.open_mhealth import read_open_mhealth
from restbeat.service.exchange.programs.fit import read_fit
from restbeat.service.exchange.programs.polar_hrm import read_hrm
from restbeat.service.exchange.reading.sheet import sheet_of
from restbeat.service.exchange.reading.table import read_sheet

from .programs.test_fit import activity_of
from .programs.test_polar_hrm import hrm
from .sessions import PULSE, session

EXAMPLES = int(os.environ.get("RESTBEAT_EXAMPLES", "200"))
some = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    database=None,
)
MINUTE = "polar-h10_simulated_one-minute.jsonl"
READERS = {
    "edf": read_edf_plus,
    "fit": read_fit,
    "omh": read_open_mhealth,
    "hrm": lambda name, raw: read_hrm(name, decode_text(raw)),
    "csv": lambda name, raw: read_sheet(name, sheet_of(decode_text(raw))).recording,
}
WHOLE = {
    "edf": [write_as("edf", session(MINUTE)), write_as("edf", session(PULSE))],
    "fit": [activity_of(MINUTE)],
    "omh": [write_as("omh", session(MINUTE))],
    "hrm": [hrm(238, [812, 799, 801, 830] * 9).encode(), hrm(5, ["70\t251", "71\t252"] * 9).encode()],
    "csv": [
        write_as("csv", session(MINUTE)),
        b"Time (s);RR (ms)\n0,812;812\n1,611;799\n2,412;801\n",
        b"timestamp,rr,since\n1688125620000,718,0\n1688125620718,982,718\n1688125621700,944,1700\n",
        b"date,HR\n2026-03-01 10:00:00,61\n2026-03-01 10:00:01,62\n",
    ],
}
ODD = st.sampled_from(
    [
        b"",
        b"\x00",
        b"\xff" * 9,
        b"-1",
        b"1e308",
        b"nan",
        b"-9999999999999999",
        b"2026-13-01",
        b"9999-12-31T23:59:59Z",
        b"\n\n",
        b'"',
        b"{}[",
        b"\x14\x15",
    ]
)


DIGITS = st.integers(0, 99).map(lambda n: str(n).encode())


@st.composite
def files(draw, kind):
    """Any bytes, or a whole file of the kind with some bytes changed, put in or cut off."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.binary(max_size=400))
    raw = bytearray(draw(st.sampled_from(WHOLE[kind])))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, max(len(raw) - 1, 0)) | st.integers(0, min(700, max(len(raw) - 1, 0))))
        put = draw(ODD | st.binary(max_size=4) | DIGITS)
        gone = len(put) if draw(st.integers(0, 3)) else draw(st.sampled_from([0, 1, 4, 80]))
        raw[at : at + gone] = put
    return bytes(raw[: draw(st.integers(0, len(raw)))] if draw(st.integers(0, 4)) == 0 else raw)


def check(recording, tmp_path):
    times = [event.t for event in recording.events]
    assert times == sorted(times)
    assert times[0] >= 0
    assert all(isinstance(warning, str) for warning in recording.warnings)
    path = tmp_path / "written.jsonl"
    path.write_bytes(dump(recording.header, list(recording.events)))
    assert len(read(path).events) == len(recording.events)
    stream = BeatStream()
    for event in recording.events:
        if isinstance(event, Packet):
            stream.push(event)
        elif isinstance(event, ConnectionEvent) and not event.up:
            stream.connection_lost()
    stream.finish(times[-1])
    assert stream.unreadable_packets == 0


@pytest.mark.parametrize("kind", READERS)
def test_any_bytes_are_a_recording_or_a_recording_error(tmp_path, kind):
    @some
    @given(raw=files(kind))
    def run(raw):
        try:
            recording = READERS[kind]("any.file", raw)
        except RecordingError:
            return
        check(recording, tmp_path)

    run()


@some
@given(raw=st.sampled_from(list(WHOLE)).flatmap(files), name=st.sampled_from(["a", "a.csv", "a.jsonl", "a.fit", "a.txt"]))
def test_any_file_of_any_name_is_a_recording_or_a_recording_error(tmp_path, raw, name):
    path = tmp_path / name
    path.write_bytes(raw)
    try:
        recording = read_any(path)
    except RecordingError:
        return
    if recording.events:
        check(recording, tmp_path)


@pytest.mark.parametrize("name", ["missing.fit", "."])
def test_a_missing_file_is_refused_with_a_sentence(tmp_path, name):
    with pytest.raises(RecordingError, match="could not be read"):
        read_any(tmp_path / name)
