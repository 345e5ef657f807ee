"""Data points keep the rules of the schemas heart-rate 2.0, rr-interval 1.0 and header 1.2, and are read in all their shapes."""

from datetime import datetime
import json
import re
from uuid import UUID

import pytest

from restbeat.sensors.errors import RecordingError
from restbeat.sensors.recordings.recording import ConnectionEvent, read
from restbeat.service.exchange.formats import write_as
from restbeat.service.exchange.open_mhealth import read_open_mhealth

from .sessions import BEGAN, CLEAR, ECG, FIXTURES, GAPS, OPTICAL, of_recording, same_beats, session

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
STATISTICS = {"average", "count", "maximum", "median", "minimum", "standard deviation", "sum", "variance"}


def points_of(data):
    return json.loads(write_as("omh", data))


def check_moment(text):
    assert RFC_3339.fullmatch(text)
    return datetime.fromisoformat(text)


def check_frame(frame):
    """Either a point in time or one of the four ways to tell an interval."""
    assert len(frame) == 1
    if "date_time" in frame:
        return check_moment(frame["date_time"])
    assert set(frame["time_interval"]) == {"start_date_time", "end_date_time"}
    start, end = (check_moment(frame["time_interval"][key]) for key in ("start_date_time", "end_date_time"))
    assert start <= end
    return start


def check_header(header):
    assert set(header) >= {"id", "creation_date_time", "schema_id"}
    assert set(header) <= {"id", "creation_date_time", "schema_id", "acquisition_provenance", "user_id"}
    UUID(header["id"])
    check_moment(header["creation_date_time"])
    schema = header["schema_id"]
    assert set(schema) == {"namespace", "name", "version"}
    assert re.fullmatch(r"[a-z]+", schema["namespace"])
    assert re.fullmatch(r"\d+\.\d+", schema["version"])
    provenance = header["acquisition_provenance"]
    assert isinstance(provenance["source_name"], str)
    assert provenance["modality"] in {"sensed", "self-reported"}
    return schema["namespace"], schema["name"], schema["version"]


def check_point(point):
    assert set(point) == {"header", "body"}
    schema, body = check_header(point["header"]), point["body"]
    check_frame(body["effective_time_frame"])
    assert body.get("descriptive_statistic", "average") in STATISTICS
    measure, unit = {"rr-interval": ("rr_interval", "ms"), "heart-rate": ("heart_rate", "beats/min")}[schema[1]]
    assert schema in {("omh", "rr-interval", "1.0"), ("omh", "heart-rate", "2.0")}
    assert set(body) <= {measure, "effective_time_frame", "descriptive_statistic"}
    assert set(body[measure]) == {"value", "unit"}
    assert body[measure]["unit"] == unit
    assert isinstance(body[measure]["value"], int | float)
    return schema[1]


@pytest.mark.parametrize("name", [CLEAR, GAPS, ECG, OPTICAL])
def test_every_data_point_keeps_the_rules_of_its_schema(name):
    data = session(name)
    points = points_of(data)
    kinds = [check_point(point) for point in points]
    assert len({point["header"]["id"] for point in points}) == len(points)
    accepted = sum(beat.accepted for beat in data.beats)
    assert kinds.count("rr-interval") == accepted
    assert kinds.count("heart-rate") == (len(data.report.figures.phases) if accepted else len(data.heart_rates))


def test_the_first_beat_keeps_its_end():
    data = session(CLEAR)
    end = datetime.fromisoformat(points_of(data)[0]["body"]["effective_time_frame"]["time_interval"]["end_date_time"])
    assert (end - BEGAN).total_seconds() == pytest.approx(data.beats[0].end_s, abs=1e-5)


def test_an_unknown_date_is_written_as_1970_and_read_back_as_unknown():
    data = of_recording(read(FIXTURES / CLEAR), began=None)
    raw = write_as("omh", data)
    assert b'"1970-01-01T00:' in raw
    assert "began_utc" not in read_open_mhealth("x.json", raw).header.extra["imported"]
    assert "began_utc" in read_open_mhealth("x.json", write_as("omh", session(CLEAR))).header.extra["imported"]


def test_any_shape_is_read_to_the_same_beats():
    points = points_of(session(GAPS))
    lines = "\n".join(json.dumps(point) for point in points).encode()
    wrapped = json.dumps({"shim": "x", "body": points}).encode()
    bodies = json.dumps([point["body"] for point in reversed(points)]).encode()
    wanted = same_beats(of_recording(read_open_mhealth("a", write_as("omh", session(GAPS)))))
    for raw in (lines, wrapped, bodies, b"\xef\xbb\xbf" + lines):
        assert same_beats(of_recording(read_open_mhealth("b", raw))) == wanted


@pytest.mark.parametrize(
    "frame",
    [
        lambda start, end: {"date_time": end},
        lambda start, end: {"date_time": start},
        lambda start, end: {"time_interval": {"start_date_time": start, "duration": {"value": 0.8, "unit": "sec"}}},
        lambda start, end: {"time_interval": {"end_date_time": end, "duration": {"value": 800, "unit": "ms"}}},
    ],
)
def test_a_missing_beat_is_a_gap_in_every_form_of_times(frame):
    starts = [0.8 * n for n in range(20) if n != 9]
    stamp = "2026-03-01T10:00:{:09.6f}+01:00".format
    body = [
        {"rr_interval": {"value": 800, "unit": "ms"}, "effective_time_frame": frame(stamp(t), stamp(t + 0.8))} for t in starts
    ]
    recording = read_open_mhealth("x", json.dumps(body).encode())
    assert sum(isinstance(event, ConnectionEvent) and not event.up for event in recording.events) == 1
    assert recording.header.extra["imported"]["began_utc"] in {"2026-03-01T09:00:00.000Z", "2026-03-01T08:59:59.200Z"}


def test_a_malformed_data_point_is_skipped_with_a_warning():
    points = points_of(session(CLEAR))[:10]
    points[3]["body"]["rr_interval"]["unit"] = "furlong"
    points[5]["body"]["effective_time_frame"] = {"date_time": "yesterday"}
    recording = read_open_mhealth("x.json", json.dumps(points).encode())
    assert len(recording.warnings) == 2
    data = of_recording(recording)
    assert len(data.beats) == 8
    assert [n for n, beat in enumerate(data.beats) if beat.gap_before] == [3, 4]


@pytest.mark.parametrize(
    "raw", [b"[]", b"{}", b'{"body": {"heart_rate": {"value": true, "unit": "beats/min"}}}', b"[1, 2", b"[[["]
)
def test_data_without_beats_is_refused_with_a_sentence(raw):
    with pytest.raises(RecordingError, match=r"x\.json"):
        read_open_mhealth("x.json", raw)
