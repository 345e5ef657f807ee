"""The score of irregularity: high where intervals are nearly independent, low where one follows from those before."""

import numpy as np
import pytest

from bench.artifact_faults import spoil
from bench.rhythms import SINUS, fibrillating
from restbeat.analysis.rhythm.irregularity import FEWEST, MOST, irregularity

ALL = np.ones(MOST, dtype=bool)


def scores(rr_ms):
    return [irregularity(rr_ms[at : at + MOST], ALL) for at in range(0, len(rr_ms) - MOST, MOST)]


def test_independent_intervals_are_irregular_and_those_of_a_breathing_heart_are_not():
    rng = np.random.default_rng(0)
    assert min(scores(fibrillating("gamma", 0.15, rng))) > 0 > max(scores(SINUS["athlete, RMSSD 150–280"](rng)))


def test_a_tenth_of_the_spread_in_every_order_of_smoothness_tells_the_two_apart():
    """The same intervals are sinus-like as a wave and irregular shuffled: it is the order that tells."""
    wave = 900 + 120 * np.sin(2 * np.pi * np.arange(MOST) / 11) + np.random.default_rng(1).normal(0, 5, MOST)
    assert irregularity(wave, ALL) < -5
    assert irregularity(np.random.default_rng(2).permutation(wave), ALL) > 1


@pytest.mark.parametrize("kind", ["missed", "extra", "couplet"])
def test_single_artifacts_leave_a_sinus_rhythm_far_from_irregular(kind):
    rng = np.random.default_rng(3)
    clean = 850 + 40 * np.sin(2 * np.pi * np.arange(2560) / 5) + rng.normal(0, 8, 2560)
    found = [score for score in scores(spoil(clean, kind, 0.06, rng).rr_ms) if score is not None]
    assert len(found) >= 15
    assert max(found) < -8


def test_nothing_is_compared_across_a_gap():
    """Two calm halves at different rates are calm; joined without the gap the step alone is no irregularity either."""
    rng = np.random.default_rng(4)
    rr_ms = np.concatenate([rng.normal(700, 4, MOST // 2), rng.normal(1000, 4, MOST // 2)])
    linked = ALL.copy()
    linked[MOST // 2] = False
    assert irregularity(rr_ms, linked) < -5


def test_where_losses_leave_too_few_beats_in_a_row_there_is_no_score():
    linked = np.arange(MOST) % 3 > 0
    assert irregularity(fibrillating("gamma", 0.2, np.random.default_rng(5))[:MOST], linked) is None
    assert irregularity(np.full(FEWEST - 1, 800.0), ALL[: FEWEST - 1]) is None
