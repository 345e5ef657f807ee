"""Plain intervals that are no beats: running means of several, or computed from a heart rate, as of a live sensor."""

import numpy as np
import pytest

from restbeat.sensors.recordings.rr_text import RrText
from restbeat.service.exchange.reading.intervals import why_no_beats

from ....analysis.beats.odd_straps import heart


def text_of(rr_ms):
    return RrText(tuple(np.asarray(rr_ms, dtype=float).tolist()), (False,) * len(rr_ms))


def beats(seed=1, *, bpm=62, rmssd_ms=42.0, minutes=15):
    return 1000 * np.diff(heart(np.random.default_rng(seed), bpm=bpm, rmssd_ms=rmssd_ms, end_s=60 * minutes))


@pytest.mark.parametrize("over", [5, 6, 8])
@pytest.mark.parametrize("digits", [0, 3])
def test_running_means_of_beats_are_found_out_in_half_the_hearts_as_live(over, digits):
    found = []
    for seed in range(12):
        means = np.convolve(beats(seed, bpm=66, rmssd_ms=55.0), np.ones(over) / over, mode="valid")
        found.append(why_no_beats(text_of(np.round(means, digits))))
    known = [why for why in found if why]
    assert len(known) >= 6
    assert all(f"means of about {over} beats" in why for why in known)


def test_intervals_of_whole_beats_a_minute_are_known():
    assert "computed from the heart rate" in why_no_beats(text_of(60_000 / np.rint(60_000 / beats())))


@pytest.mark.parametrize("digits", [0, 3])
def test_beats_of_hearts_are_taken_for_nothing_else(digits):
    rng = np.random.default_rng(2)
    found = [why_no_beats(text_of(np.round(beats(seed, bpm=rng.uniform(45, 100)), digits))) for seed in range(60)]
    assert [why for why in found if why] == []


def test_means_are_not_looked_for_across_a_gap():
    means = np.convolve(beats(rmssd_ms=55.0, minutes=30), np.ones(5) / 5, mode="valid")
    assert why_no_beats(text_of(means))
    broken = RrText(tuple(means.tolist()), tuple(n % 100 == 0 for n in range(means.size)))
    assert why_no_beats(broken) is None  # too short a time for a look
