import numpy as np
import pytest

from restbeat.analysis.beats.phase_segments import Segments
from restbeat.analysis.response.slow_wander import USUAL_RATE, minutes_between, minutes_of_wander, rate_of_wander, wander_sd


def walk(rng, minutes, rate, drift_sd=0.3, sessions=1):
    """Return ln RMSSD of 5 s segments, a row a session: independent drift, and a random walk of `rate` a minute."""
    steps = rng.normal(0, np.sqrt(rate / 12), (sessions, 12 * minutes))
    return np.cumsum(steps, axis=1) + rng.normal(0, drift_sd, steps.shape)


def phase(values, start_s):
    return Segments(start_s + 5.0 * (np.arange(values.size) + 0.5), values)


@pytest.mark.parametrize(("base", "phase_min", "apart"), [(5, 5, 0), (5, 30, 0), (5, 5, 30), (10, 15, 5)])
def test_the_means_of_two_phases_of_a_random_walk_differ_by_the_stated_variance_less_what_is_always_there(base, phase_min, apart):
    rows = walk(np.random.default_rng(1), base + apart + phase_min, 0.01, drift_sd=0.0, sessions=4000)
    difference = rows[:, -12 * phase_min :].mean(axis=1) - rows[:, : 12 * base].mean(axis=1)
    assert difference.var() == pytest.approx(0.01 * (minutes_between(60 * base, 60 * phase_min, 60 * apart) - 2), rel=0.08)


def test_the_minutes_are_those_of_the_segments():
    before, after = phase(np.zeros(60), 0.0), phase(np.zeros(180), 900.0)
    assert minutes_of_wander(before, after) == pytest.approx(2 + 5 / 3 + 10 + 15 / 3)


def test_the_allowance_grows_with_the_time_between_and_with_the_lengths_of_the_phases():
    rng = np.random.default_rng(2)
    base, short, long = (rng.normal(3, 0.3, 12 * minutes) for minutes in (5, 5, 30))
    near, far = (wander_sd([phase(base, 0.0), phase(short, start_s)], 0.1) for start_s in (300.0, 2100.0))
    assert far / near == pytest.approx(np.sqrt((2 + 10 / 3 + 30) / (2 + 10 / 3)))
    assert minutes_of_wander(phase(base, 0.0), phase(long, 300.0)) == pytest.approx(2 + 35 / 3)


def test_a_session_that_wanders_within_its_phases_is_allowed_more_between_them():
    rng = np.random.default_rng(3)
    rates = []
    for rate in (0.0, 0.002, 0.008):
        found = [rate_of_wander([phase(row[:60], 0.0), phase(row[60:], 300.0)], 0.1) for row in walk(rng, 20, rate, sessions=60)]
        rates.append(np.mean(found))
    assert rates[0] < rates[1] < rates[2]


def test_what_drift_puts_into_the_blocks_is_taken_off():
    rng = np.random.default_rng(4)
    row = walk(rng, 20, 0.001)[0]
    parts = [phase(row[:60], 0.0), phase(row[60:], 300.0)]
    assert rate_of_wander(parts, 0.15) < rate_of_wander(parts, 0.0)
    assert rate_of_wander(parts, 5.0) > 0  # the spread of the segments remains


def test_phases_too_short_for_two_blocks_are_allowed_what_is_usual():
    rng = np.random.default_rng(5)
    parts = [phase(rng.normal(3, 0.3, 24), start_s) for start_s in (0.0, 120.0)]
    assert rate_of_wander(parts, 0.1) == USUAL_RATE


def test_the_phases_between_tell_how_much_a_session_wanders():
    rng = np.random.default_rng(6)
    base, calm, wild, after = (walk(rng, minutes, rate)[0] for minutes, rate in ((5, 0.0), (30, 0.0), (30, 0.02), (5, 0.0)))
    quiet, restless = (
        wander_sd([phase(base, 0.0), phase(between, 300.0), phase(after, 2100.0)], 0.1) for between in (calm, wild)
    )
    assert restless > 1.3 * quiet


def test_a_clients_own_scale_multiplies_the_variance():
    rng = np.random.default_rng(7)
    parts = [phase(rng.normal(3, 0.3, 60), start_s) for start_s in (0.0, 300.0)]
    assert wander_sd(parts, 0.1, 4.0) == pytest.approx(2 * wander_sd(parts, 0.1))
    assert wander_sd(parts, 0.1, 0.0) == 0


def test_the_approach_of_a_long_phase_to_a_new_level_is_no_wander():
    rng = np.random.default_rng(8)
    base, flat = rng.normal(3, 0.3, 60), rng.normal(3, 0.3, 240)
    rising = flat + 0.7 * (1 - np.exp(-np.arange(240) * 5 / 150))
    stayed, rose = (rate_of_wander([phase(base, 0.0), phase(values, 300.0)], 0.1) for values in (flat, rising))
    assert rose == pytest.approx(stayed, rel=0.1)
