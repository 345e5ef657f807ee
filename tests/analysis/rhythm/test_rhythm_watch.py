"""The rhythm of a stream, beat by beat: which hearts have HRV withheld, and which have not."""

import os
import time

import numpy as np
import pytest

from bench.artifact_faults import spoil
from bench.artifact_series import REAL_DATA
from bench.real_people import people
from bench.rhythms import CONDUCTION, SINUS, SPREADS, fibrillating, rhythm_by_minute, withheld
from restbeat.analysis.beats.artifact_filter import ArtifactFilter
from restbeat.analysis.beats.beat_stream import NO_CONTACT, JudgedBeat
from restbeat.analysis.rhythm.rhythm_watch import Rhythm, RhythmWatch, rhythms_of

HEARTS = 4


def beats_of(rr_ms, *, gaps=frozenset(), start_s=0.0):
    judge, ends = ArtifactFilter(), start_s + np.cumsum(rr_ms) / 1000
    verdicts = [v for n, rr in enumerate(rr_ms) for v in judge.push(float(rr), gap=n in gaps)] + judge.flush()
    return [
        JudgedBeat(float(e), v.rr_ms, v.accepted, v.index in gaps, v.diff_ms, v.kind.value)
        for e, v in zip(ends, verdicts, strict=True)
    ]


@pytest.mark.parametrize("conduction", CONDUCTION)
def test_fibrillation_is_withheld_in_nearly_every_minute(conduction):
    series = [fibrillating(conduction, spread, np.random.default_rng([9, n])) for spread in SPREADS for n in range(HEARTS)]
    minutes, pct = withheld(series)
    assert minutes > 200
    assert pct >= 98


@pytest.mark.parametrize("name", SINUS)
def test_a_sinus_rhythm_is_not_withheld_however_deep_or_shallow_its_swings(name):
    minutes, pct = withheld([SINUS[name](np.random.default_rng([11, n])) for n in range(2 * HEARTS)])
    assert minutes > 100
    assert pct <= 1


@pytest.mark.skipif(not os.environ.get(REAL_DATA), reason=f"{REAL_DATA} names no folder of real recordings")
def test_real_people_by_day_and_night_are_withheld_in_less_than_a_hundredth_of_their_minutes():
    series, _ = people(os.environ[REAL_DATA])
    found = [rhythm for rr_ms in list(series.values())[::3] for _, rhythm in rhythm_by_minute(rr_ms[:12_000])]
    assert len(found) > 1000
    assert np.mean([rhythm is not Rhythm.SINUS_LIKE for rhythm in found]) < 0.01


def test_fibrillation_is_told_within_a_minute_and_sinus_rhythm_again_within_two():
    rng = np.random.default_rng(6)
    calm = 850 + 25 * np.sin(2 * np.pi * np.arange(300) / 5) + rng.normal(0, 5, 300)
    seen = rhythms_of(beats_of(np.concatenate([calm, fibrillating("gamma", 0.2, rng, beats=300), calm])))
    assert seen[299] is Rhythm.SINUS_LIKE
    assert Rhythm.IRREGULAR in seen[300:360]
    assert set(seen[375:600]) == {Rhythm.IRREGULAR}
    assert seen[600 + 144] is Rhythm.SINUS_LIKE


def test_the_beats_before_the_first_judgement_have_the_rhythm_of_it():
    assert set(rhythms_of(beats_of(fibrillating("gamma", 0.2, np.random.default_rng(7), beats=400)))) == {Rhythm.IRREGULAR}


def test_losses_are_no_irregularity():
    rng = np.random.default_rng(8)
    calm = 850 + 40 * np.sin(2 * np.pi * np.arange(900) / 5) + rng.normal(0, 8, 900)
    kept = np.flatnonzero(rng.random(900) > 0.1)
    gaps = frozenset(int(n) for n in np.flatnonzero(np.diff(kept, prepend=-1) > 1))
    assert len(gaps) > 60
    assert set(rhythms_of(beats_of(calm[kept], gaps=gaps))) == {Rhythm.SINUS_LIKE}


def test_after_a_long_loss_the_rhythm_is_judged_anew():
    watch, rng = RhythmWatch(), np.random.default_rng(9)
    for beat in beats_of(fibrillating("gamma", 0.2, rng, beats=200)):
        watch.push(beat)
    assert watch.rhythm is Rhythm.IRREGULAR
    calm = beats_of(850 + rng.normal(0, 10, 40), gaps={0}, start_s=1000.0)
    assert watch.push(calm[0]) is Rhythm.UNKNOWN


def test_beats_that_the_stream_distrusts_are_not_looked_at():
    watch = RhythmWatch()
    noise = fibrillating("gamma", 0.3, np.random.default_rng(10), beats=300)
    for n, rr_ms in enumerate(noise):
        watch.push(JudgedBeat(float(n), float(rr_ms), False, False, None, NO_CONTACT))
    assert watch.rhythm is Rhythm.UNKNOWN


def test_over_a_tenth_of_ectopic_beats_is_an_ectopic_rhythm_and_under_it_a_sinus_one():
    rng = np.random.default_rng(11)
    calm = 850 + 20 * np.sin(2 * np.pi * np.arange(900) / 5) + rng.normal(0, 4, 900)
    few, many = (rhythms_of(beats_of(spoil(calm, "ectopic, full pause", share, rng).rr_ms)) for share in (0.04, 0.17))
    assert set(few) == {Rhythm.SINUS_LIKE}
    assert few.count(Rhythm.ECTOPIC) == 0 < many[200:].count(Rhythm.ECTOPIC) + many[200:].count(Rhythm.IRREGULAR)
    assert np.mean([rhythm in {Rhythm.ECTOPIC, Rhythm.IRREGULAR} for rhythm in many[128:]]) > 0.9


@pytest.mark.parametrize(
    ("rr_ms", "rhythm"),
    [
        ([1000.0, 1000.9765625], Rhythm.PACED),
        ([1000.0, 1007.8125], Rhythm.PACED),
        ([1000.0, 1007.8125, 1015.625], Rhythm.SINUS_LIKE),
        ([1000.0, 1001.0, 1003.0, 1001.0], Rhythm.SINUS_LIKE),
    ],
)
def test_intervals_constant_to_the_straps_resolution_are_paced(rr_ms, rhythm):
    assert rhythms_of(beats_of((rr_ms * 200)[:200]))[-1] is rhythm


def test_an_irregular_beat_costs_less_than_half_of_what_the_filter_takes_for_it():
    beats = beats_of(fibrillating("gamma", 0.2, np.random.default_rng(12), beats=3000))
    judge, took = [], []
    for _ in range(5):
        began = time.process_time()
        artifact_filter = ArtifactFilter()
        for beat in beats:
            artifact_filter.push(beat.rr_ms)
        judge.append(time.process_time() - began)
        began = time.process_time()
        rhythms_of(beats)
        took.append(time.process_time() - began)
    assert min(took) < min(judge) / 2
