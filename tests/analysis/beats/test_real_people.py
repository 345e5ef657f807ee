"""Day-long RR of real people: what the live filter takes from five-minute windows."""

import os

import numpy as np
import pytest

from bench.artifact_series import REAL_DATA
from bench.artifacts import judged
from bench.real_people import people, presumed_ectopic, rows

pytestmark = pytest.mark.skipif(not os.environ.get(REAL_DATA), reason=f"{REAL_DATA} names no folder of real recordings")


def test_windows_without_ectopics_keep_their_rmssd_and_ectopics_are_left_out():
    series, tuned = people(os.environ[REAL_DATA])

    def accepted(rr_ms, hole):
        lost, kept = np.append(False, hole[:-1]), np.zeros(rr_ms.size, dtype=bool)
        kept[~hole] = [verdict.accepted for verdict in judged(rr_ms[~hole], lost[~hole])]
        return kept

    found = rows({name: rr_ms[:30_000] for name, rr_ms in series.items()}, tuned, accepted)
    assert [name for name, *_ in found] == ["tuned on", "held out"]
    for _, without, _, p95, _, _, _, caught in found:
        assert without > 200
        assert p95 <= 5
        assert caught >= 0.85


def test_a_breath_is_not_presumed_ectopic_and_an_early_beat_with_its_pause_is():
    still = np.random.default_rng(0).normal(800, 8, 120)
    still[60:62] = 560, 1040
    assert np.flatnonzero(presumed_ectopic(still)).tolist() == [60, 61]
    still[60:64] = 720, 800, 880, 850
    assert not presumed_ectopic(still).any()
