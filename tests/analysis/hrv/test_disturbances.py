import numpy as np
import pytest

from bench.hearts import Scenario, phase_of, sessions
from restbeat.analysis.beats.phase_segments import segments
from restbeat.analysis.hrv.disturbances import AROUND_S, disturbances, left_out, without_disturbances
from restbeat.analysis.response.relaxation_response import classify_response
from restbeat.sensors.model import Phase
from restbeat.sensors.recordings.recording import Mark, Pain, PhaseStart


@pytest.mark.parametrize(
    "note", ["talking", "Talking to me", "turned over", "Turned over", "changed posture", "moved", "coughing"]
)
def test_a_note_of_what_changes_the_heart_rhythm_is_a_disturbance(note):
    assert disturbances([Mark(12.0, note=note)]) == [12.0]


def test_other_entries_are_none():
    events = [
        Mark(1.0, note="heat"),
        Mark(2.0, technique="Kneading", region="Neck"),
        Pain(3.0, 4),
        PhaseStart(4.0, Phase.MASSAGE),
    ]
    assert disturbances(events) == []


def test_only_disturbances_within_the_phase_are_left_out_of_it():
    assert left_out([50.0, 100.0, 310.0], 60.0, 300.0) == [(100.0 - AROUND_S, 100.0 + AROUND_S)]


def test_the_beats_around_a_disturbance_are_in_no_segment_and_no_difference_crosses_the_hole():
    beats = np.arange(0, 300, 0.8) + 0.02 * (np.arange(375) % 2)
    phase = phase_of(beats, 0.0, 300.0)
    rest = without_disturbances(phase, [100.0, 500.0])
    assert not ((rest.end_s > 70) & (rest.end_s < 130)).any()
    assert (phase.rejected, rest.rejected) == (0, 0)
    assert {float(mid) for mid in segments(phase).mid_s} - {float(mid) for mid in segments(rest).mid_s} == set(
        np.arange(75.0, 130, 10)
    )
    first_after = int(np.flatnonzero(rest.end_s > 100)[0])
    assert not rest.adjacent[first_after]


def test_a_phase_without_disturbances_is_unchanged():
    phase = phase_of(np.arange(0, 300, 0.8), 0.0, 300.0)
    assert without_disturbances(phase, [500.0]) is phase


def test_talking_that_is_marked_no_longer_looks_like_a_response():
    heard = list(sessions(Scenario(base_min=7, phase_min=15, talks=True), 60, 21))
    deltas, marked = (
        np.array([classify_response(without_disturbances(one.base, times), one.phase).delta for one in heard])
        for times in ((), (90.0, 130.0))
    )
    assert deltas.mean() > 0.04
    assert abs(marked.mean()) < 0.6 * deltas.mean()
