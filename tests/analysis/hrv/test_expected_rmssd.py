from math import log, pi, sin

import numpy as np
import pytest

from bench.hearts import Scenario, sessions
from restbeat.analysis.beats.phase_segments import PhaseBeats, segments
from restbeat.analysis.hrv.expected_rmssd import expected_change

STILL = {"base_min": 10, "phase_min": 10, "drift_sd": 0.0, "breathing_sd_hz": 0.0}


def heard(**changes):
    return next(sessions(Scenario(**STILL | changes), 1, 3))


@pytest.mark.parametrize(
    "changes",
    [
        {"rr_ratio": 1.05},
        {"rr_ratio": 0.96},
        {"breathing_hz": 0.25, "breathing_to_hz": 0.23, "roll_off": 1.0},
        {"breathing_hz": 0.25},
    ],
)
def test_a_change_of_heart_rate_or_breathing_alone_is_predicted(changes):
    session = heard(hf_depth=0.06, **changes)
    observed = segments(session.phase).ln_rmssd.mean() - segments(session.base).ln_rmssd.mean()
    assert expected_change(session.base, session.phase).delta == pytest.approx(observed, abs=0.02)


def test_the_prediction_is_the_formula_of_a_tone_that_deepens_as_breathing_slows():
    session = heard(breathing_hz=0.25, breathing_to_hz=0.22, rr_ratio=1.03, hf_depth=0.06)
    before, after = session.base.mean_rr_ms / 1000, session.phase.mean_rr_ms / 1000
    formula = 2 * log(sin(pi * 0.22 * after) / sin(pi * 0.25 * before)) - 2 * log(0.22 / 0.25)
    assert expected_change(session.base, session.phase).delta == pytest.approx(formula, abs=0.01)


def test_a_deeper_breathing_tone_changes_no_prediction():
    assert expected_change(*_phases(heard(ratio=2.0))).delta == pytest.approx(0, abs=0.01)


def test_the_standard_error_is_that_of_the_breathing_rate():
    found = [expected_change(*_phases(session)) for session in sessions(Scenario(), 60, 4)]
    assert np.std([one.delta for one in found]) == pytest.approx(np.mean([one.standard_error for one in found]), rel=0.3)


def test_the_standard_error_grows_with_the_change_of_the_heart_rate():
    slower, same = (expected_change(*_phases(heard(rr_ratio=ratio))).standard_error for ratio in (1.05, 1.0))
    assert slower == pytest.approx(np.hypot(same, 2.4 * np.log(1.05)), rel=0.05)


@pytest.mark.parametrize(
    ("changes", "notes"),
    [
        ({"breathing_hz": 0.25}, ()),
        ({"breathing_hz": 0.12}, ("breathing below 9/min",)),
        ({"breathing_hz": 0.25, "breathing_to_hz": 0.08}, ("breathing below 9/min",)),
        ({"breathing_hz": 0.20, "breathing_to_hz": 0.25}, ("breathing became faster by more than 2/min",)),
        ({"breathing_hz": 0.25, "breathing_to_hz": 0.20}, ()),
    ],
)
def test_slow_or_faster_breathing_is_noted(changes, notes):
    found = expected_change(*_phases(heard(**changes)))
    assert set(notes) <= set(found.notes)
    assert bool(found.notes) == bool(notes)
    assert found.known


def test_a_rise_counts_from_the_most_that_slower_breathing_alone_may_do():
    session = heard(breathing_hz=0.25, breathing_to_hz=0.20)
    found = expected_change(session.base, session.phase)
    rr = session.base.mean_rr_ms / 1000
    plain = 2 * np.log(np.sin(np.pi * 0.20 * rr) / np.sin(np.pi * 0.25 * rr)) - np.log(0.20 / 0.25)
    assert found.slowed
    assert found.delta == pytest.approx(plain + 1.25 * np.log(0.25 / 0.20), abs=0.03)
    assert not expected_change(*_phases(heard(breathing_hz=0.25, breathing_to_hz=0.24))).slowed


def test_measured_rates_take_the_place_of_those_read_from_rr():
    ends = np.arange(1, 400) * 0.8
    flat = PhaseBeats(ends, np.full(ends.size, 800.0), np.ones(ends.size, bool), np.ones(ends.size, bool), (0.0, 320.0))
    found = expected_change(flat, flat, (0.25, 0.24))
    tone = 2 * np.log(np.sin(np.pi * 0.24 * 0.8) / np.sin(np.pi * 0.25 * 0.8)) - 2 * np.log(0.24 / 0.25)
    assert (found.known, found.notes, found.slowed) == (True, (), False)
    assert found.delta == pytest.approx(tone)
    assert found.standard_error < 0.03
    assert expected_change(flat, flat, (0.25, 0.12)).notes == ("breathing below 9/min",)


def test_a_flat_rhythm_has_no_readable_breathing():
    ends = np.arange(1, 400) * 0.8
    flat = PhaseBeats(ends, np.full(ends.size, 800.0), np.ones(ends.size, bool), np.ones(ends.size, bool), (0.0, 320.0))
    found = expected_change(flat, flat)
    assert (found.delta, found.known) == (0.0, False)
    assert found.notes == ("breathing could not be read from RR",)


def test_a_minute_with_a_hole_is_left_out():
    session = heard(breathing_hz=0.25)
    phase = session.phase
    kept = (phase.end_s < 700) | (phase.end_s > 715)
    holed = PhaseBeats(phase.end_s[kept], phase.rr_ms[kept], phase.accepted[kept], phase.adjacent[kept], phase.span_s)
    whole, with_hole = (expected_change(session.base, part).delta for part in (phase, holed))
    assert with_hole == pytest.approx(whole, abs=0.005)


def _phases(session):
    return session.base, session.phase
