"""What an EDF viewer finds in the file, read by the format's own library."""

import io

import edfio
import numpy as np
import pytest

from restbeat.sensors.errors import RecordingError
from restbeat.sensors.model import Device
from restbeat.sensors.recordings.recording import Mark, Recording, read
from restbeat.service.exchange.edf import RATE_HZ, read_edf_plus, write_edf

from .sessions import CLEAR, ECG, FIXTURES, GAPS, NOISY, OPTICAL, PULSE, WITH_RR, of_recording, session, ticks


def edf_of(data):
    return edfio.read_edf(io.BytesIO(write_edf(data)))


@pytest.mark.parametrize("name", WITH_RR)
def test_the_library_itself_reads_the_same_intervals(name):
    data = session(name)
    found = [each for each in edf_of(data).annotations if each.text.startswith("RR")]
    found.sort(key=lambda each: round(each.onset + each.duration, 5))
    assert [ticks(each.duration * 1000) for each in found] == [ticks(beat.rr_ms) for beat in data.beats]
    assert [each.onset + each.duration for each in found] == pytest.approx([beat.end_s for beat in data.beats], abs=2e-6)
    assert [each.text for each in found if "left out" in each.text] == [
        f"RR{' after gap' if beat.gap_before else ''} left out ({beat.kind})" for beat in data.beats if not beat.accepted
    ]


@pytest.mark.parametrize("name", [GAPS, NOISY, PULSE])
def test_the_tachogram_shows_accepted_beats_in_ms_and_0_where_there_is_none(name):
    data = session(name)
    rr = edf_of(data).get_signal("RR")
    assert (rr.physical_dimension, rr.sampling_frequency) == ("ms", RATE_HZ)
    time_s = np.arange(rr.data.size) / RATE_HZ
    for start_s, end_s in data.gaps:
        assert np.all(rr.data[(time_s > start_s) & (time_s < end_s)] == 0)
    accepted = [beat.rr_ms for beat in data.beats if beat.accepted]
    drawn = rr.data[rr.data > 0]
    assert min(accepted) - 0.1 <= drawn.min()
    assert drawn.max() <= max(accepted) + 0.1
    assert np.mean(drawn) == pytest.approx(np.average(accepted, weights=accepted), rel=0.01)


def test_gaps_phases_marks_and_pain_are_annotations():
    data = session(GAPS)
    told = edf_of(data).annotations
    gaps = [(each.onset, each.onset + each.duration) for each in told if each.text == "gap"]
    assert gaps == [(pytest.approx(a, abs=2e-6), pytest.approx(b, abs=2e-6)) for a, b in data.gaps]
    texts = {each.text: each.onset for each in edf_of(session(CLEAR)).annotations}
    assert texts["phase: massage"] == 300
    assert texts["pain: 5"] == 5
    assert texts["mark: technique=effleurage; region=back; pressure=light"] == 312


def test_heart_rate_is_a_signal_at_1_hz():
    edf = edf_of(session(OPTICAL))
    (hr,) = edf.signals
    assert (hr.label, hr.physical_dimension, hr.sampling_frequency) == ("HR", "bpm", 1)
    assert np.median(hr.data) == pytest.approx(np.median([bpm for _, bpm in session(OPTICAL).heart_rates]), abs=1)


def test_the_header_names_nobody_and_no_date():
    recording = read(FIXTURES / CLEAR)
    header = type(recording.header)(device=Device(name="Ann's strap", address="A0:9E:1A:00:00:01"), client="ann", kind="rest")
    raw = write_edf(of_recording(Recording(header, recording.events)))
    assert raw[8:88].split() == [b"X"] * 4
    assert raw[88:168].split() == [b"Startdate", b"X", b"X", b"X", b"restbeat", b"rest"]
    assert raw[168:176] == b"01.01.85"
    assert b"ann" not in raw.lower().replace(b"annotations", b"")
    assert read_edf_plus("x.edf", raw).header.kind == "rest"


def test_a_note_with_any_characters_is_read_back():
    recording = read(FIXTURES / ECG)
    note = Mark(20.0, technique="a; b", note="Schulter: links; note=ü \x14\x15\x00 ✓")
    events = tuple(sorted([*recording.events, note], key=lambda event: event.t))
    again = read_edf_plus("x.edf", write_edf(of_recording(Recording(recording.header, events))))
    assert [event for event in again.events if isinstance(event, Mark)] == [
        Mark(20.0, technique="a, b", note="Schulter: links; note=ü     ✓")
    ]


def test_an_edf_of_another_program_without_beats_is_refused_with_a_sentence():
    signal = edfio.EdfSignal(np.zeros(256), 128, label="EEG Fpz-Cz", physical_dimension="uV", physical_range=(-1, 1))
    with pytest.raises(RecordingError, match="neither annotations of beats"):
        read_edf_plus("sleep.edf", edfio.Edf([signal]).to_bytes())


def test_another_programs_signal_of_heart_rate_is_heart_rate_only():
    signal = edfio.EdfSignal(np.full(480, 61.0), 4, label="HR", physical_dimension="bpm", physical_range=(0, 200))
    data = of_recording(read_edf_plus("night.edf", edfio.Edf([signal]).to_bytes()))
    assert not data.report.hrv
    assert len(data.heart_rates) == 120
    assert {bpm for _, bpm in data.heart_rates} == {61}


def test_a_truncated_file_keeps_its_complete_part():
    raw = write_edf(session(CLEAR))
    recording = read_edf_plus("x.edf", raw[: len(raw) // 2])
    assert recording.warnings
    assert 500 < len(of_recording(recording).beats) < 800
