import numpy as np
import pytest

from bench.hearts import Scenario, phase_of, sessions
from restbeat.analysis.beats.phase_segments import Segments
from restbeat.analysis.hrv.settling import settling_of
from restbeat.analysis.response.relaxation_response import classify_response


def rising(depth, minutes=9, tau_s=480.0, noise=0.3, seed=1):
    """Return segments of a client whose ln RMSSD begins `depth` below its level, in drift of neighbouring segments alike."""
    t = 5.0 * (np.arange(12 * minutes) + 0.5)
    drift = np.repeat(np.random.default_rng(seed).normal(0, noise, t.size // 4), 4)
    return Segments(t, 3.5 - depth * np.exp(-t / tau_s) + 0.6 * drift)


def test_the_depth_is_that_of_the_rise():
    found = [settling_of([rising(0.4, seed=seed)], 0.0) for seed in range(60)]
    assert np.mean([one.depth for one in found]) == pytest.approx(0.4, abs=0.1)
    assert np.std([one.depth for one in found]) == pytest.approx(np.mean([one.standard_error for one in found]), rel=0.5)


def test_a_rise_shows_mostly_where_there_is_one():
    shown = {depth: sum(settling_of([rising(depth, seed=seed)], 0.0).shows for seed in range(100)) for depth in (0.0, 0.7)}
    assert shown[0.0] <= 15
    assert shown[0.7] >= 50


def test_settling_between_two_phases_is_less_the_later_the_baseline():
    found = settling_of([rising(0.4)], 0.0)
    early, late, long_after = (
        found.between((start_s, start_s + 300), (start_s + 300, start_s + 1200)) for start_s in (0, 240, 7200)
    )
    assert early[0] > late[0] > 0.02
    assert early[1] > late[1] > long_after[1]
    assert long_after == (pytest.approx(0, abs=1e-6), pytest.approx(0, abs=1e-6))


def test_a_session_that_falls_takes_nothing_off_a_change():
    rise, error = settling_of([rising(-1.5)], 0.0).between((240, 540), (540, 1440))
    assert (rise, error > 0) == (0, True)


def test_too_few_segments_leave_what_people_do():
    nothing = settling_of([Segments(np.array([2.5]), np.array([3.5]))], 0.0).between((0, 300), (300, 1200))
    assert nothing[0] == pytest.approx(0.10 * (0.744 - 0.244), abs=0.02)


def hinted(scenario, count=60):
    """Return verdicts with and without the settling phase."""
    heard = list(sessions(scenario, count, 11))
    given = [classify_response(one.base, one.phase, settle=one.settle).verdict for one in heard]
    return given, [classify_response(one.base, one.phase).verdict for one in heard]


def test_settling_alone_is_seldom_a_hint_of_the_massage():
    known, unknown = hinted(Scenario(settle_min=4, phase_min=15, settling=-0.36, settling_tau_min=15))
    assert known.count("slight") < unknown.count("slight")
    assert known.count("slight") <= 6


def test_a_change_after_settling_is_nearly_as_often_clear_with_the_settling_phase_known():
    known, unknown = hinted(Scenario(settle_min=4, ratio=1.42), 60)
    assert unknown.count("clear") - 3 <= known.count("clear") <= unknown.count("clear")
    assert known.count("clear") > 20


def test_a_baseline_begun_at_once_is_asked_for_more_and_the_reason_is_said():
    heard = list(sessions(Scenario(phase_min=15, ratio=1.42), 40, 12))
    at_once, later = (
        [classify_response(one.base, one.phase, settle=phase_of(np.arange(3.0), start_s, 0.0)) for one in heard]
        for start_s in (0.0, -1200.0)
    )
    firm = [sum(r.verdict == "clear" for r in found) for found in (at_once, later)]
    assert firm[0] < firm[1]
    assert any(r.verdict == "slight" and "settling down may have made part of it" in r.why for r in at_once)


def test_the_rise_of_settling_is_named_as_a_reason():
    heard = list(sessions(Scenario(phase_min=15, settling=-0.4, settling_tau_min=10), 60, 13))
    found = [classify_response(one.base, one.phase, settle=phase_of(np.arange(3.0), 0.0, 0.0)) for one in heard]
    assert any(r.why.startswith("A change that settling down alone may have made") for r in found)
