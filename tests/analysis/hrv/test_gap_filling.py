"""Filling of the holes that single artifacts leave, for the spectrum only."""

import numpy as np
import pytest

from restbeat.analysis.beats.beat_runs import runs_of
from restbeat.analysis.hrv.gap_filling import bridged_runs, interpolated


def wave(size=300):
    k = np.arange(size)
    return 900 + 30 * np.sin(0.55 * k) + 50 * np.sin(1.4 * k + 1)


def runs(rr_ms, rejected=(), gaps=()):
    k = np.arange(rr_ms.size)
    return runs_of(np.cumsum(rr_ms) / 1000, rr_ms, ~np.isin(k, rejected), np.isin(k, gaps))


def test_a_hole_is_filled_as_the_surrounding_rhythm_predicts():
    rr_ms, holes = wave(), [60, 61, 150, 151, 152, 220]
    guess = rr_ms.copy()
    guess[holes] = 900
    missing = np.isin(np.arange(rr_ms.size), holes)
    filled = interpolated(guess, missing)
    assert np.array_equal(filled[~missing], rr_ms[~missing])
    assert filled[holes] == pytest.approx(rr_ms[holes], abs=3)
    assert np.abs(guess - rr_ms)[holes].max() > 40


def test_a_flat_or_short_series_keeps_its_initial_values():
    flat = np.full(60, 800.0)
    assert np.array_equal(interpolated(flat, np.arange(60) == 30), flat)
    short = wave(12)
    assert np.array_equal(interpolated(short, np.arange(12) == 6), short)


def test_a_missed_beat_is_filled_with_two():
    rr_ms = wave()
    missed = np.concatenate([rr_ms[:99], [rr_ms[99] + rr_ms[100]], rr_ms[101:]])
    ((end_s, filled),) = bridged_runs(runs(missed, rejected=[99]))
    assert filled.size == rr_ms.size
    assert filled == pytest.approx(rr_ms, abs=3)
    assert end_s == pytest.approx(np.cumsum(rr_ms) / 1000, abs=0.05)


def test_a_gap_is_never_bridged_nor_a_long_hole():
    assert len(bridged_runs(runs(wave(), rejected=[100], gaps=[100]))) == 2
    assert len(bridged_runs(runs(wave(), rejected=range(100, 104)))) == 2
    assert len(bridged_runs(runs(wave(), rejected=range(100, 103)))) == 1


def test_holes_are_not_bridged_where_more_than_five_percent_is_rejected():
    split = runs(wave(), rejected=range(10, 300, 15))
    assert len(bridged_runs(split)) == len(split) == 21


def test_two_runs_of_one_beat_each_are_bridged_too():
    ((end_s, rr_ms),) = bridged_runs(runs(np.array([800.0, 400.0, 810.0] + [805.0] * 40), rejected=[1]))
    assert end_s.size == rr_ms.size == 43
    assert np.all(np.isfinite(rr_ms))
