import sys

import numpy as np
import pytest

from restbeat.analysis.hrv.rolling_window import RollingHrv

FIGURES = ("mean_rr_ms", "mean_hr_bpm", "sdnn_ms", "rmssd_ms", "pnn50_pct", "sd1_ms", "sd2_ms", "accepted_pct")


class Stream:
    """A random stream of judged beats, with a slow reference computation for any window of it."""

    def __init__(self, beats: int, seed: int, spread_ms: float = 40.0) -> None:
        rng = np.random.default_rng(seed)
        self.rr_ms = 850 + 60 * np.sin(0.05 * np.arange(beats)) + rng.normal(0, spread_ms, beats)
        self.accepted = rng.random(beats) > 0.04
        self.gap = rng.random(beats) < 0.005
        self.end_s = np.cumsum(self.rr_ms) / 1000 + 5 * np.cumsum(self.gap)
        self.linked = np.r_[False, self.accepted[1:] & self.accepted[:-1] & ~self.gap[1:]]

    def push(self, i: int, rolling: RollingHrv) -> None:
        diff_ms = float(self.rr_ms[i] - self.rr_ms[i - 1]) if self.linked[i] else None
        rolling.push(float(self.end_s[i]), float(self.rr_ms[i]), bool(self.accepted[i]), diff_ms)

    def truth(self, i: int, window_s: float) -> dict[str, float]:
        inside = np.flatnonzero(self.end_s[: i + 1] > self.end_s[i] - window_s)
        rr = self.rr_ms[inside][self.accepted[inside]]
        later = inside[1:][self.linked[inside[1:]]]
        before, after = self.rr_ms[later - 1], self.rr_ms[later]
        return {
            "mean_rr_ms": rr.mean(),
            "mean_hr_bpm": 60_000 / rr.mean(),
            "sdnn_ms": rr.std(ddof=1),
            "rmssd_ms": np.sqrt(np.mean((after - before) ** 2)),
            "pnn50_pct": 100 * np.sum(np.abs(after - before) > 50) / (later.size + 1),
            "sd1_ms": np.std((before - after) / np.sqrt(2), ddof=1),
            "sd2_ms": np.std((before + after) / np.sqrt(2), ddof=1),
            "accepted_pct": 100 * self.accepted[inside].mean(),
            "beats": inside.size,
            "differences": later.size,
        }


@pytest.mark.parametrize("window_s", [60.0, 300.0])
def test_figures_equal_numpy_throughout_a_stream_with_gaps(window_s):
    stream, rolling = Stream(3000, seed=1), RollingHrv(window_s)
    for i in range(3000):
        stream.push(i, rolling)
        if i % 37 == 0 and i > 100:
            truth = stream.truth(i, window_s)
            assert {name: getattr(rolling, name) for name in truth} == pytest.approx(truth, rel=1e-9)


def test_a_day_later_nothing_has_drifted():
    stream, rolling = Stream(100_000, seed=2), RollingHrv(300.0)
    for i in range(100_000):
        stream.push(i, rolling)
    truth = stream.truth(99_999, 300.0)
    assert {name: getattr(rolling, name) for name in truth} == pytest.approx(truth, rel=1e-9)


def test_a_flat_rhythm_after_a_wild_one_is_exactly_flat():
    stream, rolling = Stream(1000, seed=3, spread_ms=300.0), RollingHrv(60.0)
    for i in range(1000):
        stream.push(i, rolling)
    end_s = float(stream.end_s[-1])
    for k in range(200):
        rolling.push(end_s + k + 1, 1000.0, True, 0.0 if k else None)
    assert (rolling.sdnn_ms, rolling.rmssd_ms, rolling.sd1_ms, rolling.sd2_ms) == (0.0, 0.0, 0.0, 0.0)


def test_a_difference_leaves_the_window_with_its_beat_even_if_it_reached_a_rejected_one():
    rolling = RollingHrv(60.0)
    for second, (accepted, diff_ms) in enumerate([(False, None), (True, 80.0), (True, 0.0)]):
        rolling.push(float(second), 900.0 if accepted else 820.0, accepted, diff_ms)
    rolling.advance(1000.0)
    assert (rolling.accepted, rolling.differences, rolling._diff_squares) == (0, 0, 0)


def test_an_empty_window_has_no_figures():
    rolling = RollingHrv(60.0)
    assert [getattr(rolling, name) for name in FIGURES] == [None] * len(FIGURES)
    assert (rolling.beats, rolling.differences) == (0, 0)


def test_one_beat_gives_only_a_mean():
    rolling = RollingHrv(60.0)
    rolling.push(1.0, 800.0, True, None)
    assert rolling.mean_hr_bpm == 75
    assert rolling.sdnn_ms is None
    assert rolling.rmssd_ms is None


def test_rejected_beats_count_only_in_the_share():
    rolling = RollingHrv(60.0)
    rolling.push(1.0, 800.0, True, None)
    rolling.push(5.0, 4000.0, False, None)
    assert rolling.accepted_pct == 50
    assert rolling.mean_rr_ms == 800


def test_beats_leave_the_window_without_new_ones():
    rolling = RollingHrv(60.0)
    for k in range(10):
        rolling.push(float(k), 1000.0, True, 0.0 if k else None)
    rolling.advance(65.0)
    assert (rolling.beats, rolling.differences) == (4, 3)
    rolling.advance(1000.0)
    assert [getattr(rolling, name) for name in FIGURES] == [None] * len(FIGURES)


def test_five_minutes_take_less_than_thirty_kilobytes():
    stream, rolling = Stream(5000, seed=4), RollingHrv(300.0)
    for i in range(5000):
        stream.push(i, rolling)
    arrays = [getattr(rolling, name) for name in rolling.__slots__]
    assert sum(map(sys.getsizeof, arrays)) < 25_000
