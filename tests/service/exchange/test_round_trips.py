"""What restbeat writes it reads back to the same beats, on every fixture; no difference crosses a gap afterwards either."""

from dataclasses import replace
import json

import msgspec
import pytest

from restbeat.sensors.errors import RecordingError
from restbeat.sensors.model import Phase
from restbeat.sensors.recordings.recording import ConnectionEvent, Mark, Packet, Pain, PhaseStart, dump
from restbeat.service.errors import FormatError
from restbeat.service.exchange.formats import FORMATS, format_of, read_any, write_as

from .sessions import (
    CLEAR,
    ECG,
    FIXTURES,
    GAPS,
    NOISY,
    OPTICAL,
    PULSE,
    WITH_RR,
    differences,
    of_recording,
    same_beats,
    session,
    ticks,
)


def back(tmp_path, form, data):
    path = tmp_path / f"session{FORMATS[form].ending}"
    path.write_bytes(write_as(form, data))
    return read_any(path)


@pytest.mark.parametrize("form", ["csv", "edf"])
@pytest.mark.parametrize("name", WITH_RR)
def test_every_beat_comes_back_with_its_verdict_its_gaps_and_its_phase(tmp_path, form, name):
    data = session(name)
    again = of_recording(back(tmp_path, form, data))
    assert same_beats(again) == same_beats(data)
    assert max(abs(a.end_s - b.end_s) for a, b in zip(again.beats, data.beats, strict=True)) < 0.03
    for ours, theirs in zip(again.report.figures.phases, data.report.figures.phases, strict=True):
        assert (ours.phase, ours.beats) == (theirs.phase, theirs.beats)
        if theirs.rmssd_ms is None:
            assert ours.rmssd_ms is None
            continue
        # the beats of an ECG are finer than the 1/1024 s of a packet
        assert ours.rmssd_ms == pytest.approx(theirs.rmssd_ms, **({"abs": 0.05} if name == ECG else {"rel": 1e-6}))


@pytest.mark.parametrize("name", [name for name in WITH_RR if name != PULSE])
def test_rr_text_gives_the_same_intervals_and_gaps(tmp_path, name):
    data = session(name)
    again = of_recording(back(tmp_path, "rr", data))
    assert same_beats(again) == same_beats(data)
    assert differences(again) == differences(data)


@pytest.mark.parametrize("form", ["rr", "omh"])
def test_rejected_pulse_intervals_become_gaps_in_plain_intervals(tmp_path, form):
    data = session(PULSE)
    again = of_recording(back(tmp_path, form, data))
    assert [ticks(b.rr_ms) for b in again.beats] == [ticks(b.rr_ms) for b in data.beats if b.accepted]
    assert differences(again) == differences(data)
    assert any(b.gap_before for b in again.beats)


@pytest.mark.parametrize("name", WITH_RR)
def test_open_mhealth_holds_every_accepted_beat_and_no_difference_across_rejected_ones(tmp_path, name):
    data = session(name)
    again = of_recording(back(tmp_path, "omh", data))
    assert [ticks(b.rr_ms) for b in again.beats] == [ticks(b.rr_ms) for b in data.beats if b.accepted]
    assert differences(again) == differences(data)


@pytest.mark.parametrize("name", [GAPS, NOISY])
def test_gaps_become_connection_events_of_the_recording(tmp_path, name):
    data = session(name)
    recording = back(tmp_path, "csv", data)
    lost = [event.t for event in recording.events if isinstance(event, ConnectionEvent) and not event.up]
    assert len(lost) == len(data.gaps) > 0
    assert lost == pytest.approx([start_s for start_s, _ in data.gaps], abs=0.03)


@pytest.mark.parametrize("form", ["csv", "edf", "omh"])
def test_a_sensor_without_rr_stays_heart_rate_only(tmp_path, form):
    data = session(OPTICAL)
    again = of_recording(back(tmp_path, form, data))
    assert again.beats == ()
    assert not again.report.hrv
    if form == "omh":
        assert again.heart_rates == [(pytest.approx(t - data.heart_rates[0][0], abs=1e-5), bpm) for t, bpm in data.heart_rates]
        return
    for ours, theirs in zip(again.report.figures.phases, data.report.figures.phases, strict=True):
        assert ours.mean_hr_bpm == pytest.approx(theirs.mean_hr_bpm, abs=0.05)
        assert ours.rmssd_ms is None


def test_heart_rate_only_cannot_be_rr_text():
    with pytest.raises(FormatError, match="heart rate only"):
        write_as("rr", session(OPTICAL))


def test_edf_keeps_phases_marks_and_pain_to_the_microsecond(tmp_path):
    data = session(CLEAR)
    kept = (PhaseStart, Mark, Pain)
    again = back(tmp_path, "edf", data)
    assert [e for e in again.events if isinstance(e, kept)] == [e for e in data.events if isinstance(e, kept)]


def test_csv_keeps_phases_to_the_beat(tmp_path):
    starts = [e for e in back(tmp_path, "csv", session(CLEAR)).events if isinstance(e, PhaseStart)]
    assert [event.phase for event in starts] == [Phase.BASELINE, Phase.MASSAGE, Phase.RECOVERY]
    assert [event.t for event in starts] == pytest.approx([0, 300, 900], abs=1.0)


@pytest.mark.parametrize("form", ["recording", "recording.gz"])
def test_a_recording_is_written_as_it_was(tmp_path, form):
    data = session(GAPS)
    again = back(tmp_path, form, data)
    assert (again.header, again.events) == (data.header, data.events)


@pytest.mark.parametrize("form", ["rr", "csv", "edf", "omh"])
def test_an_import_is_marked_in_its_header_and_is_no_known_strap(tmp_path, form):
    header = back(tmp_path, form, session(CLEAR)).header
    assert header.extra["imported"]["arrival"]
    assert "imported from" in header.source
    assert header.device.address is None
    from restbeat.sensors.protocols.known_devices import known_device

    assert known_device(header.device) is None


def test_an_import_can_be_stored_as_a_recording_and_converted_on(tmp_path):
    first = back(tmp_path, "edf", session(NOISY))
    again = of_recording(back(tmp_path, "recording.gz", of_recording(first)))
    assert same_beats(again) == same_beats(session(NOISY))
    assert all(isinstance(event.t, float) and event.t >= 0 for event in first.events if isinstance(event, Packet))


@pytest.mark.parametrize(
    ("name", "form"), [("a.jsonl", "recording"), ("A.JSONL.GZ", "recording.gz"), ("a.phases.csv", "phases"), ("a.b.csv", "csv")]
)
def test_the_longest_ending_selects_the_format(tmp_path, name, form):
    assert format_of(tmp_path / name).name == form


def test_an_unknown_ending_or_format_is_named_with_those_that_there_are(tmp_path):
    with pytest.raises(FormatError, match=r"fhir\.json"):
        format_of(tmp_path / "session.docx")
    with pytest.raises(FormatError, match="edf"):
        write_as("docx", session(CLEAR))


@pytest.mark.parametrize(
    ("form", "imported"),
    [("recording", None), ("rr", "RR text"), ("csv", "restbeat CSV"), ("edf", "EDF+"), ("omh", "Open mHealth")],
)
def test_a_files_format_is_recognised_by_its_content(tmp_path, form, imported):
    path = tmp_path / "session"
    path.write_bytes(write_as(form, session(CLEAR)))
    assert read_any(path).header.extra.get("imported", {}).get("format") == imported


@pytest.mark.parametrize(("form", "words"), [("fhir", "figures, no beats"), ("phases", "no beats"), ("events", "no beats")])
def test_files_without_beats_are_refused_with_a_sentence(tmp_path, form, words):
    with pytest.raises(RecordingError, match=words):
        back(tmp_path, form, session(CLEAR))


def test_the_page_of_formats_lists_every_ending():
    page = (FIXTURES.parent / "docs" / "formats.md").read_text(encoding="utf-8")
    assert [each.ending for each in FORMATS.values() if f"`{each.ending}`" not in page] == []


@pytest.mark.parametrize("form", ["recording", "csv", "edf"])
def test_a_session_of_rest_alone_is_still_one(tmp_path, form):
    recording = read_any(FIXTURES / CLEAR)
    data = of_recording(replace(recording, header=msgspec.structs.replace(recording.header, kind="rest")))
    again = back(tmp_path, form, data)
    assert again.header.kind == "rest"
    assert Phase.MASSAGE in [event.phase for event in again.events if isinstance(event, PhaseStart)]


@pytest.mark.parametrize("form", ["csv", "edf", "rr", "omh"])
def test_a_session_that_began_before_zero_comes_back_whole(tmp_path, form):
    path = tmp_path / "early.jsonl"
    recording = read_any(FIXTURES / CLEAR)
    header, *lines = dump(recording.header, list(recording.events)).decode().splitlines()
    moved = [json.dumps(event | {"t": round(event["t"] - 5.0, 6)}) for event in map(json.loads, lines)]
    path.write_text("\n".join([header, *moved]) + "\n")
    data = of_recording(read_any(path))
    assert data.report.figures.integrity.beats == session(CLEAR).report.figures.integrity.beats
    assert differences(of_recording(back(tmp_path, form, data))) == differences(data)
