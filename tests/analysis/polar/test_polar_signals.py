"""Sessions of a strap that also sends ECG and acceleration."""

import numpy as np
import pytest

from restbeat.analysis.session_report import summarise
from restbeat.analysis.simulation.polar_frames import with_polar_frames
from restbeat.analysis.simulation.scenarios import simulate
from restbeat.sensors.recordings.fault_grammar import parse_faults
from restbeat.sensors.recordings.fault_injection import with_faults
from restbeat.sensors.recordings.recording import PMD_DATA, Packet, Recording


@pytest.fixture(scope="module")
def clean():
    header, events = simulate("none", seed=21, minutes=(2, 2, 1), drift=False)
    return header, events


@pytest.fixture(scope="module")
def with_ecg(clean):
    header, events = clean
    return header, with_polar_frames(events, breaths_per_min=14.0, seed=5)


def with_named_faults(header, events, *faults):
    (recording,) = with_faults([Recording(header, tuple(events))], parse_faults(faults), seed=2)
    return recording.events


def by_phase(report):
    return {phase.phase: phase for phase in report.figures.phases}


def test_a_recording_without_polar_frames_has_no_polar_report(clean):
    assert summarise("x", *clean).polar is None


def test_a_clean_ecg_gives_the_same_figures_as_the_straps_own_intervals(clean, with_ecg):
    strap, ecg = summarise("x", *clean), summarise("x", *with_ecg)
    assert ecg.polar.rr_source == "ecg"
    assert ecg.polar.ecg_covers_pct > 98
    for phase, figures in by_phase(ecg).items():
        assert figures.rmssd_ms == pytest.approx(by_phase(strap)[phase].rmssd_ms, rel=0.02), phase
        assert figures.mean_rr_ms == pytest.approx(by_phase(strap)[phase].mean_rr_ms, rel=0.002), phase
    assert ecg.parity.differences == []


def test_where_the_strap_misses_beats_the_ecg_has_them_and_shows_the_strip(clean, with_ecg):
    header, events = with_ecg
    truth = by_phase(summarise("x", *clean))
    report = summarise("x", header, with_named_faults(header, events, "missed:4%"))
    assert report.figures.integrity.rejected_beats > 10, "integrity is that of the strap's own intervals"
    assert report.polar.rr_source == "ecg"
    assert report.polar.strips
    for phase, figures in by_phase(report).items():
        assert figures.accepted_pct > 98
        assert figures.rmssd_ms == pytest.approx(truth[phase].rmssd_ms, rel=0.02)


def test_an_ecg_with_holes_is_not_used_for_figures_but_drawn_around_rejected_beats(with_ecg):
    header, events = with_ecg
    holes = [event for event in events if not (getattr(event, "char", "") == PMD_DATA and 130 < event.t < 175)]
    report = summarise("x", header, with_named_faults(header, holes, "missed:4%"))
    assert report.polar.rr_source == "strap"
    assert 1 <= len(report.polar.strips) <= 6
    for strip in report.polar.strips:
        assert len(strip.signal_uv) == pytest.approx(6 * 130, abs=3)
        assert strip.from_s == pytest.approx(-3, abs=0.02)
        known = [value for value in strip.signal_uv if value is not None]
        assert max(known) > 600, "R waves are in it"


def test_only_phases_of_rest_have_breathing_from_acceleration(with_ecg):
    report = summarise("x", *with_ecg)
    motion = {line.phase: line for line in report.polar.motion}
    for phase in ("baseline", "recovery"):
        assert motion[phase].breaths_per_min == pytest.approx(14, abs=0.5)
        assert motion[phase].movement_mg < 12
    assert motion["massage"].breaths_per_min is None
    assert motion["massage"].why


def test_unreadable_frames_are_counted_and_change_no_figure(clean):
    header, events = clean
    bad = [Packet(50.0 + n, PMD_DATA, bytes([0, n])) for n in range(3)]
    report = summarise("x", header, sorted([*events, *bad], key=lambda event: event.t))
    assert (report.polar.unreadable_frames, report.polar.rr_source) == (3, "strap")
    assert by_phase(report) == by_phase(summarise("x", header, events))


def test_duplicate_frames_change_no_figure(with_ecg):
    header, events = with_ecg
    rng = np.random.default_rng(3)
    twice = []
    for event in events:
        twice.append(event)
        if isinstance(event, Packet) and event.char == PMD_DATA and rng.random() < 0.1:
            twice.append(event)
    before, after = summarise("x", header, events), summarise("x", header, twice)
    assert by_phase(after) == by_phase(before)


def test_breathing_measured_by_acceleration_decides_in_the_recovery_and_not_under_the_therapists_hands():
    header, events = simulate("none", seed=21, minutes=(5, 5, 5))
    of_rr, measured = (
        summarise("x", header, each).context for each in (events, with_polar_frames(events, breaths_per_min=8.0, seed=5))
    )
    assert (of_rr["massage"].flagged, of_rr["recovery"].flagged) == (False, False)
    assert (measured["massage"].flagged, measured["recovery"].flagged) == (False, True)
