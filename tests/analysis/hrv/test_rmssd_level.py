"""The level of each minute of a session, with the interval of quiet drift."""

from math import exp, log
import random

import pytest

from restbeat.analysis.hrv.rmssd_level import rmssd_levels


def drifting(seed, n=60, level_ms=40.0, sd=0.28, tau_s=25.0, white=0.3):
    """Return segments of a heart whose ln RMSSD drifts around a constant level."""
    draw = random.Random(seed)
    keep = exp(-10 / tau_s)
    slow = draw.gauss(0, 1)
    segments = []
    for k in range(n):
        slow = keep * slow + (1 - keep**2) ** 0.5 * draw.gauss(0, 1)
        y = sd * ((1 - white) ** 0.5 * slow + white**0.5 * draw.gauss(0, 1))
        segments.append((10.0 * k + 5, level_ms * exp(y)))
    return segments


def test_quiet_drift_alone_stays_within_the_interval_nineteen_times_in_twenty():
    inside = known = 0
    for seed in range(60):
        for level in rmssd_levels(drifting(seed))[3:-3]:
            known += 1
            inside += level.low_ms <= 40.0 <= level.high_ms
    assert 0.92 < inside / known < 0.98


def test_a_steady_heart_has_a_narrow_interval_and_one_that_has_just_begun_a_wide_one():
    steady = rmssd_levels([(10.0 * k + 5, 40.0 + (k % 2)) for k in range(60)])
    begun = rmssd_levels([(10.0 * k + 5, 40.0 + (k % 2)) for k in range(4)])
    assert steady[30].rmssd_ms == pytest.approx(40.5, abs=0.2)
    assert steady[30].high_ms / steady[30].low_ms < begun[1].high_ms / begun[1].low_ms
    assert begun[1].high_ms / begun[1].low_ms > 1.2


def test_without_beats_or_with_too_few_segments_there_is_no_level():
    segments = drifting(1, n=30)
    for k in (*range(10, 14), 15, 16, 17, 19, 20, 21):
        segments[k] = (segments[k][0], None)
    levels = rmssd_levels(segments)
    assert [levels[k] is None for k in (9, 10, 12, 14, 18, 22)] == [False, True, True, True, True, False]
    assert rmssd_levels([]) == []
    assert rmssd_levels([(5.0, 40.0), (15.0, None)]) == [None, None]


def test_no_minute_crosses_a_phase_border():
    segments = [(10.0 * k + 5, 20.0 if k < 10 else 60.0) for k in range(20)]
    levels = rmssd_levels(segments, [100.0])
    assert log(levels[9].rmssd_ms) == pytest.approx(log(20.0))
    assert log(levels[10].rmssd_ms) == pytest.approx(log(60.0))
    assert levels[9].high_ms < 30
