import numpy as np
import pytest

from restbeat.analysis.beats.beat_runs import runs_of


def beats(rr_ms, accepted=None, gaps=(), hole_s=0.0):
    """Return the arguments of `runs_of`; each gap adds `hole_s` to the clock."""
    rr = np.array(rr_ms, dtype=float)
    gap = np.isin(np.arange(rr.size), gaps)
    end = np.cumsum(rr) / 1000 + hole_s * np.cumsum(gap)
    return end, rr, np.ones(rr.size, dtype=bool) if accepted is None else np.array(accepted, dtype=bool), gap


def test_an_unbroken_stream_is_one_run():
    (run,) = runs_of(*beats([800, 810, 790]))
    assert run.rr_ms.tolist() == [800, 810, 790]
    assert run.end_s == pytest.approx([0.8, 1.61, 2.4])
    assert run.gap_before
    assert run.start_s == pytest.approx(0.0)


def test_a_rejected_beat_splits_a_run_and_advances_the_time():
    first, second = runs_of(*beats([800, 810, 500, 1100, 800], accepted=[1, 1, 0, 0, 1]))
    assert first.rr_ms.tolist() == [800, 810]
    assert (second.rejected_before, second.gap_before) == (2, False)
    assert second.end_s == pytest.approx([4.01])


def test_a_gap_splits_a_run_without_a_rejected_beat():
    first, second = runs_of(*beats([800, 810, 790, 805], gaps=[2], hole_s=30))
    assert (first.rr_ms.size, second.rr_ms.size) == (2, 2)
    assert (second.rejected_before, second.gap_before) == (0, True)
    assert second.end_s[0] == pytest.approx(32.4)


def test_a_gap_before_a_rejected_beat_is_still_a_gap():
    _, second = runs_of(*beats([800, 810, 5000, 790], accepted=[1, 1, 0, 1], gaps=[2], hole_s=0.2))
    assert second.gap_before


def test_an_interval_that_contradicts_the_clock_is_a_gap():
    _, second = runs_of([0.8, 1.6, 2.4, 3.2], [800, 70_000, 800, 800], [1, 0, 1, 1], [0, 0, 0, 0])
    assert second.gap_before
    assert second.end_s == pytest.approx([2.4, 3.2])


def test_times_within_a_run_are_the_sum_of_rr_even_if_the_clock_was_adjusted():
    (run,) = runs_of([0.8, 1.63, 2.4], [800, 800, 800], [1, 1, 1], [0, 0, 0])
    assert run.end_s == pytest.approx([0.8, 1.6, 2.4])


def test_without_accepted_beats_there_is_no_run():
    assert runs_of([], [], [], []) == []
    assert runs_of(*beats([0, 0], accepted=[0, 0])) == []


def test_arrays_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="one length"):
        runs_of([0.8], [800, 810], [1, 1], [0, 0])
