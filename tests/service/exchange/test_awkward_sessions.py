"""Awkward sessions in every format that restbeat writes, read by the format's own library and by restbeat again."""

import csv
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
import gzip
import json
from zoneinfo import ZoneInfo

from fhir.resources.R4B.bundle import Bundle
import msgspec
import numpy as np
import pandas as pd
import pyedflib
import pytest

from restbeat.analysis.hrv.time_domain import numpy_time_domain
from restbeat.analysis.session_report import summarise
from restbeat.sensors.errors import RecordingError
from restbeat.sensors.model import Contact, Device, Measurement, Phase
from restbeat.sensors.protocols.heart_rate import encode
from restbeat.sensors.recordings.recording import (
    HEART_RATE,
    ConnectionEvent,
    Header,
    Mark,
    Packet,
    Pain,
    PhaseStart,
    Recording,
    dump,
    read,
)
from restbeat.service.errors import FormatError
from restbeat.service.exchange.formats import FORMATS, read_any, write_as
from restbeat.service.exchange.packet_reconstruction import began_of
from restbeat.service.exchange.session_data import NOT_HEARTBEATS, session_data

from ...analysis.beats.odd_straps import heart
from .sessions import BEGAN, CLEAR, FIXTURES, GAPS, OPTICAL, differences, same_beats
from .test_open_mhealth import check_point

NOTE = 'Schulter\nlinks; „gut“, "sehr"\r\n\tüber\x0b\x1c\u2028 ✓ note=a | =1+1'
BERLIN = ZoneInfo("Europe/Berlin")
BEFORE_SUMMER, BEFORE_WINTER = datetime(2026, 3, 29, 1, 50, tzinfo=BERLIN), datetime(2026, 10, 25, 2, 40, tzinfo=BERLIN)
"""Some minutes before the clocks of Berlin go forward, and back."""
BEFORE_MIDNIGHT = datetime(2026, 12, 31, 23, 50, tzinfo=BERLIN)


def beating(minutes, *, rmssd_ms=35.0, contact=Contact.NOT_REPORTED):
    ends = heart(np.random.default_rng(4), bpm=66, rmssd_ms=rmssd_ms, end_s=60 * minutes)
    ticks = np.rint(1024 * np.diff(ends)).astype(int).tolist()
    times = np.cumsum(ticks) / 1024
    packets = [
        Packet(round(float(t), 6), HEART_RATE, encode(Measurement(66, contact, None, (tick,), True)))
        for t, tick in zip(times, ticks, strict=True)
    ]
    starts = [
        PhaseStart(0.0, Phase.BASELINE),
        PhaseStart(60.0 * minutes / 3, Phase.MASSAGE),
        PhaseStart(40.0 * minutes, Phase.RECOVERY),
    ]
    return sorted([*starts, *packets], key=lambda event: event.t)


def with_notes():
    marks = [Mark(70.0, technique="effleurage", region="Rücken, „unten“", note=NOTE), Mark(80.0, note="=SUM(A1)"), Pain(90.0, 4)]
    header = Header(device=Device(name="Gürtel „H10“"), client="M-ä1")
    return Recording(header, tuple(sorted([*beating(6), *marks], key=lambda event: event.t)))


def before_zero(tmp_path):
    header, *lines = dump(Header(), beating(6)).decode().splitlines()
    moved = [json.dumps(event | {"t": round(event["t"] - 45.0, 6)}) for event in map(json.loads, lines)]
    path = tmp_path / "early.jsonl"
    path.write_text("\n".join([header, *moved]) + "\n")
    return read(path)


MADE = {
    "unicode and newlines": lambda _: (with_notes(), BEGAN),
    "gaps": lambda _: (read(FIXTURES / GAPS), BEGAN),
    "heart rate only": lambda _: (read(FIXTURES / OPTICAL), BEGAN),
    "no accepted beat": lambda _: (Recording(Header(), tuple(beating(6, contact=Contact.NO))), BEGAN),
    "8 h": lambda _: (Recording(Header(), tuple(beating(480))), BEGAN),
    "before zero": lambda tmp_path: (before_zero(tmp_path), BEGAN),
    "over the change to summer time": lambda _: (Recording(Header(), tuple(beating(90))), BEFORE_SUMMER),
    "over the change to winter time": lambda _: (Recording(Header(), tuple(beating(30))), BEFORE_WINTER),
    "over midnight": lambda _: (Recording(Header(), tuple(beating(30))), BEFORE_MIDNIGHT),
    "rest": lambda _: (rest(), BEGAN),
    "undated": lambda _: (Recording(Header(), tuple(beating(6))), None),
}


def rest():
    recording = read(FIXTURES / CLEAR)
    return replace(recording, header=msgspec.structs.replace(recording.header, kind="rest"))


@cache
def made(kind, tmp_path):
    recording, began = MADE[kind](tmp_path)
    return data_of(recording, began)


def data_of(recording, began):
    report = summarise("awkward", recording.header, recording.events, compute_time_domain=numpy_time_domain)
    return session_data(recording.header, recording.events, report, began)


@pytest.fixture(params=MADE, scope="module")
def awkward(request, tmp_path_factory):
    """A session, by its kind and its data."""
    return request.param, made(request.param, tmp_path_factory.mktemp("made"))


def written(form, data, tmp_path):
    """Return the path of a session in a format, or None where it says that it cannot hold it."""
    if form == "rr" and not any(beat.kind not in NOT_HEARTBEATS for beat in data.beats):
        with pytest.raises(FormatError, match="no RR interval to write"):
            write_as(form, data)
        return None
    raw = write_as(form, data)
    path = tmp_path / f"session{FORMATS[form].ending}"
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("form", ["csv", "phases", "events"])
def test_tables_have_the_same_cells_in_every_row_and_open_as_a_spreadsheet_opens_them(awkward, tmp_path, form):
    _, data = awkward
    path = written(form, data, tmp_path)
    with path.open(encoding="utf-8", newline="") as stream:
        heading, *rows = csv.reader(stream)
    assert {len(row) for row in rows} <= {len(heading)}
    frame = pd.read_csv(path)
    assert (list(frame.columns), len(frame)) == (heading, len(rows))
    if form == "csv":
        assert len(rows) == (len(data.beats) or len(data.heart_rates))
    if form == "events":
        notes = [row[2] for row in rows if row[1] == "note"]
        kept = [event.note for event in data.events if isinstance(event, Mark) and event.note]
        assert [note.removeprefix("'") for note in notes] == kept


def test_rr_text_opens_in_numpy(awkward, tmp_path):
    kind, data = awkward
    path = written("rr", data, tmp_path)
    assert (path is None) == (kind in {"heart rate only", "no accepted beat"})
    if path:
        assert np.loadtxt(path, comments="#").size == len(data.beats)


def test_edf_opens_in_another_library_with_every_interval(awkward, tmp_path):
    _, data = awkward
    with pyedflib.EdfReader(str(written("edf", data, tmp_path))) as edf:
        onsets, durations, texts = edf.readAnnotations()
        labels = edf.getSignalLabels()
        seconds = edf.getFileDuration()
    rr = [float(duration) for duration, text in zip(durations, texts, strict=True) if text.startswith("RR")]
    assert sorted(rr) == pytest.approx(sorted(beat.rr_ms / 1000 for beat in data.beats), abs=2e-6)
    assert labels == (["RR", "HR"] if data.beats else ["HR"])
    assert 0 <= seconds - data.report.duration_s < 1 or seconds == 1
    assert np.all(np.diff(onsets) >= 0)


def test_fhir_is_valid_and_its_times_are_those_of_the_session(awkward, tmp_path):
    _, data = awkward
    raw = written("fhir", data, tmp_path).read_bytes()
    bundle = Bundle.model_validate_json(raw)
    observations = [entry.resource for entry in bundle.entry if entry.resource.get_resource_type() == "Observation"]
    periods = [one.effectivePeriod for one in observations if one.effectivePeriod and one.effectivePeriod.start]
    assert bool(periods) == (data.began is not None and bool(observations))
    for period in periods:
        assert period.start <= period.end
        assert data.began.astimezone(UTC) <= period.start
        assert (period.end - data.began.astimezone(UTC)).total_seconds() <= data.report.duration_s + 1


def test_open_mhealth_keeps_its_schemas_and_its_points_follow_each_other(awkward, tmp_path):
    _, data = awkward
    points = json.loads(written("omh", data, tmp_path).read_bytes())
    kinds = [check_point(point) for point in points]
    accepted = sum(beat.accepted for beat in data.beats)
    assert kinds.count("rr-interval") == accepted
    ends = [
        datetime.fromisoformat(point["body"]["effective_time_frame"]["time_interval"]["end_date_time"])
        for point, kind in zip(points, kinds, strict=True)
        if kind == "rr-interval"
    ]
    first = data.began or datetime(1970, 1, 1, tzinfo=UTC)
    assert ends == sorted(ends)
    assert all(0 <= (end.astimezone(UTC) - first.astimezone(UTC)).total_seconds() <= data.report.duration_s + 0.1 for end in ends)


@pytest.mark.parametrize("form", ["recording", "recording.gz"])
def test_a_recording_is_one_json_value_a_line(awkward, tmp_path, form):
    _, data = awkward
    raw = written(form, data, tmp_path).read_bytes()
    lines = (gzip.decompress(raw) if form == "recording.gz" else raw).split(b"\n")
    assert lines.pop() == b""
    header, *events = map(json.loads, lines)
    assert header["format"] == "restbeat-recording"
    assert len(events) == len(data.events)
    again = read_any(tmp_path / f"session{FORMATS[form].ending}")
    assert (again.header, again.events) == (data.header, data.events)


@pytest.mark.parametrize("form", ["csv", "edf", "omh", "rr"])
def test_restbeat_reads_the_same_beats_and_differences_again(awkward, tmp_path, form):
    kind, data = awkward
    path = written(form, data, tmp_path)
    if path is None:
        return
    if form == "omh" and kind == "no accepted beat":
        with pytest.raises(RecordingError, match="without intervals or heart rates"):
            read_any(path)
        return
    recording = read_any(path)
    again = data_of(recording, data.began)
    if kind == "heart rate only":
        assert (again.beats, again.report.hrv) == ((), False)
        assert len(again.heart_rates) >= len(data.heart_rates) * (0.9 if form == "edf" else 1)
    elif form in {"csv", "edf"}:
        assert same_beats(again) == same_beats(data)
        assert again.report.kind == data.report.kind
        assert max((abs(a.end_s - b.end_s) for a, b in zip(again.beats, data.beats, strict=True)), default=0) < 0.03
    else:
        assert differences(again) == differences(data)
    if form == "omh":
        noted = began_of(recording.header)
        assert (noted is None) == (data.began is None)
        if noted and data.beats:
            begins_s = min(beat.end_s - beat.rr_ms / 1000 for beat in data.beats if beat.accepted)
            assert (noted - data.began.astimezone(UTC)).total_seconds() == pytest.approx(begins_s, abs=0.1)


def test_edf_keeps_marks_with_any_text_but_control_characters(awkward, tmp_path):
    _, data = awkward
    again = read_any(written("edf", data, tmp_path))
    kept = [event for event in again.events if isinstance(event, PhaseStart | Mark | Pain)]
    wanted = [event for event in data.events if isinstance(event, PhaseStart | Mark | Pain)]
    assert [type(event) for event in kept] == [type(event) for event in wanted]
    for ours, theirs in zip(kept, wanted, strict=True):
        if isinstance(theirs, Mark) and theirs.note:
            assert ours.note.split() == theirs.note.split()
    lost = [event for event in data.events if isinstance(event, ConnectionEvent) and not event.up]
    assert len([event for event in again.events if isinstance(event, ConnectionEvent) and not event.up]) >= (len(lost) > 0)


@pytest.mark.parametrize("form", ["fhir", "phases", "events"])
def test_formats_without_beats_are_refused_by_what_they_hold(awkward, tmp_path, form):
    _, data = awkward
    with pytest.raises(RecordingError, match="no beats"):
        read_any(written(form, data, tmp_path))
