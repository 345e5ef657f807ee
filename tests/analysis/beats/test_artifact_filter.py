import math
import os
from pathlib import Path
import time

import numpy as np
import pytest

from restbeat.analysis.beats.artifact_filter import ArtifactFilter, BeatKind, Verdict


def calm_series(beats: int = 300, seed: int = 0) -> list[float]:
    """Return intervals with breathing at about 0.25 Hz and a slow wave, RMSSD near 30 ms."""
    rng = np.random.default_rng(seed)
    k = np.arange(beats)
    rr = 880 + 30 * np.sin(1.4 * k) + 35 * np.sin(0.5 * k) + rng.normal(0, 6, beats)
    return [float(x) for x in rr]


def judge(series: list[float], gaps: frozenset[int] = frozenset()) -> list[Verdict]:
    artifact_filter = ArtifactFilter()
    out = [v for i, x in enumerate(series) for v in artifact_filter.push(x, gap=i in gaps)]
    return out + artifact_filter.flush()


def rejected(verdicts: list[Verdict]) -> list[tuple[int, BeatKind]]:
    return [(v.index, v.kind) for v in verdicts if not v.accepted]


@pytest.mark.parametrize("seed", range(5))
def test_a_clean_series_keeps_every_beat(seed):
    series = calm_series(seed=seed)
    verdicts = judge(series)
    assert [v.rr_ms for v in verdicts] == series
    assert rejected(verdicts) == []
    assert verdicts[0].diff_ms is None
    assert [v.diff_ms for v in verdicts[1:]] == pytest.approx(np.diff(series))


def test_deep_slow_breathing_keeps_every_beat():
    at, series = 0.0, []
    while at < 300:
        series.append(900 + 250 * math.sin(2 * math.pi * 0.1 * at))
        at += series[-1] / 1000
    assert rejected(judge(series)) == []


def test_a_missed_beat_is_rejected_alone_and_mostly_classified_as_missed():
    kinds = []
    for at in range(60, 280, 5):
        series = calm_series()
        series[at : at + 2] = [series[at] + series[at + 1]]
        verdicts = judge(series)
        assert [i for i, _ in rejected(verdicts)] == [at]
        assert verdicts[at + 1].diff_ms is None
        assert verdicts[at + 2].diff_ms == pytest.approx(series[at + 2] - series[at + 1])
        kinds.append(verdicts[at].kind)
    assert kinds.count(BeatKind.MISSED) > 0.7 * len(kinds)


def test_both_halves_of_a_split_interval_are_classified_as_split():
    series = calm_series()
    series[100:101] = [series[100] * 0.35, series[100] * 0.65]
    assert rejected(judge(series)) == [(100, BeatKind.SPLIT), (101, BeatKind.SPLIT)]


@pytest.mark.parametrize("pause", [1.15, 1.35])
def test_a_premature_beat_is_rejected_with_its_pause(pause):
    series = calm_series()
    series[100:102] = [series[100] * 0.65, series[101] * pause]
    assert rejected(judge(series)) == [(100, BeatKind.PREMATURE), (101, BeatKind.PREMATURE)]


def test_a_premature_beat_without_a_pause_is_rejected():
    series = calm_series()
    series[100] *= 0.65
    assert {i for i, _ in rejected(judge(series))} in ({100}, {100, 101})


def test_a_couplet_is_three_intervals():
    series = calm_series()
    series[100:103] = [540.0, 520.0, 1480.0]
    assert rejected(judge(series)) == [(i, BeatKind.COUPLET) for i in (100, 101, 102)]


def test_an_unexplained_interval_is_other():
    series = calm_series()
    series[100] *= 1.5
    assert rejected(judge(series)) == [(100, BeatKind.OTHER)]


def test_a_shallow_dip_in_a_calm_rhythm_is_accepted():
    for at in range(60, 280, 20):
        series = [900 + 12 * math.sin(1.4 * k) for k in range(300)]
        series[at] *= 0.91
        assert rejected(judge(series)) == []


def on_a_holters_grid(rr_ms) -> list[float]:
    return [float(x) for x in np.round(np.asarray(rr_ms) * 0.128) / 0.128]


@pytest.mark.parametrize("sigh", [
    [700, 705, 930, 781, 773, 734, 719, 712],
    [700, 705, 960, 840, 790, 740, 720],
    [700, 690, 890, 780, 770, 760, 740, 720],
])  # fmt: skip
def test_a_sigh_that_slows_the_heart_at_once_and_lets_it_go_is_kept(sigh):
    still = np.random.default_rng(0).normal(705, 6, 80)
    assert rejected(judge(on_a_holters_grid([*still[:60], *sigh, *still[60:]]))) == []


def test_a_single_long_beat_that_is_over_at_once_is_still_an_artifact():
    still = np.random.default_rng(0).normal(705, 6, 80)
    assert rejected(judge(on_a_holters_grid([*still[:60], 980, *still[60:]]))) == [(60, BeatKind.OTHER)]


@pytest.mark.parametrize("breath", [
    [780, 800, 830, 850, 735, 880, 940, 890, 850, 820],
    [790, 800, 820, 840, 735, 850, 930, 880, 840],
    [780, 790, 800, 700, 800, 880, 850, 830],
])  # fmt: skip
def test_a_breath_that_quickens_the_heart_for_a_beat_and_slows_it_after_is_kept(breath):
    swinging = 800 + 30 * np.sin(2 * np.pi * np.arange(80) / 6) + np.random.default_rng(1).normal(0, 9, 80)
    assert rejected(judge(on_a_holters_grid([*swinging[:60], *breath, *swinging[60:]]))) == []


@pytest.mark.parametrize("dip", [[780, 800, 690, 790, 780], [790, 810, 830, 715, 800, 790, 780]])
def test_a_dip_without_a_pause_costs_itself_at_most_and_not_the_beat_after_it(dip):
    calm = 780 + 10 * np.sin(2 * np.pi * np.arange(80) / 5) + np.random.default_rng(2).normal(0, 7, 80)
    verdicts = judge(on_a_holters_grid([*calm[:60], *dip, *calm[60:]]))
    assert {index for index, _ in rejected(verdicts)} <= {60 + dip.index(min(dip))}


def test_an_early_beat_after_which_the_rhythm_is_as_before_is_still_premature():
    swinging = 800 + 30 * np.sin(2 * np.pi * np.arange(80) / 6) + np.random.default_rng(1).normal(0, 9, 80)
    verdicts = judge(on_a_holters_grid([*swinging[:60], 620, 980, *swinging[60:]]))
    assert rejected(verdicts) == [(60, BeatKind.PREMATURE), (61, BeatKind.PREMATURE)]


def test_bigeminy_is_rejected_to_its_end_and_no_other_beat():
    for beats in (3, 6):
        series = calm_series()
        for at in range(100, 100 + 2 * beats, 2):
            early = 0.3 * series[at]
            series[at : at + 2] = [series[at] - early, series[at + 1] + early]
        assert [i for i, _ in rejected(judge(series))] == list(range(100, 100 + 2 * beats))


def test_consecutive_missed_beats_are_not_taken_for_half_the_rate():
    series = calm_series()
    for at in range(100, 103):
        series[at : at + 2] = [series[at] + series[at + 1]]
    assert rejected(judge(series)) == [(i, BeatKind.MISSED) for i in (100, 101, 102)]


def test_absurd_intervals_are_rejected_and_the_rhythm_is_found_again():
    series = calm_series()
    series[50:50] = [0.0, 70_000.0, 0.0, 4.9]
    verdicts = judge(series)
    assert {v.index for v in verdicts if v.rr_ms in (0.0, 70_000.0, 4.9)} <= {i for i, _ in rejected(verdicts)}
    assert len(rejected(verdicts)) <= 7
    assert all(v.accepted for v in verdicts[60:])


@pytest.mark.parametrize("series", [[], [800.0], [0.0] * 40, [70_000.0] * 40, [800.0, 0.0] * 20, [1e-300] * 30])
def test_every_interval_gets_one_verdict_for_any_series(series):
    verdicts = judge(series)
    assert [v.index for v in verdicts] == list(range(len(series)))
    assert [v.rr_ms for v in verdicts] == series


def test_pure_noise_is_not_accepted_as_a_rhythm():
    assert not any(v.accepted for v in judge([0.0] * 40))


def test_a_lasting_change_of_rate_is_followed():
    series = calm_series(100) + [x * 0.6 for x in calm_series(100, seed=1)]
    assert all(v.accepted for v in judge(series)[120:])


def test_a_rhythm_that_looks_like_split_beats_for_long_is_learnt_anew():
    rng = np.random.default_rng(0)
    verdicts = judge([*rng.normal(900, 3, 60).tolist(), *rng.normal(450, 3, 100).tolist()])
    assert all(v.accepted for v in verdicts[:60])
    assert all(v.accepted for v in verdicts[90:])


def test_no_difference_crosses_a_gap():
    series = calm_series()
    verdicts = judge(series, gaps=frozenset({120}))
    assert verdicts[120].diff_ms is None
    assert verdicts[121].diff_ms is not None
    assert len(rejected(verdicts)) <= 1


def test_a_verdict_is_at_most_two_beats_late():
    rng = np.random.default_rng(3)
    artifact_filter, final = ArtifactFilter(), 0
    for i, rr_ms in enumerate(calm_series(600)):
        odd = rr_ms * rng.choice([0.4, 0.7, 1.4, 2.0]) if rng.random() < 0.15 else rr_ms
        final += len(artifact_filter.push(odd))
        assert final >= i - 1
    assert final + len(artifact_filter.flush()) == 600


def test_rmssd_survives_five_percent_of_ectopics():
    rng = np.random.default_rng(4)
    series = calm_series(1500)
    truth = math.sqrt(np.mean(np.diff(series) ** 2))
    for i in range(20, 1480):
        if rng.random() < 0.05:
            early = 0.3 * series[i]
            series[i : i + 2] = [series[i] - early, series[i + 1] + early]
    differences = [v.diff_ms for v in judge(series) if v.diff_ms is not None]
    assert math.sqrt(np.mean(np.square(differences))) == pytest.approx(truth, rel=0.05)


@pytest.mark.alone
def test_time_per_beat_does_not_grow_with_the_session():
    artifact_filter, series = ArtifactFilter(), calm_series(2000)

    def best_of_three() -> float:
        times = []
        for _ in range(3):
            began = time.perf_counter()
            for rr_ms in series:
                artifact_filter.push(rr_ms)
            times.append(time.perf_counter() - began)
        return min(times)

    early = best_of_three()
    for _ in range(5):
        best_of_three()
    assert best_of_three() < 5 * early


@pytest.mark.skipif("RESTBEAT_REAL_DATA" not in os.environ, reason="RESTBEAT_REAL_DATA names no folder of real recordings")
def test_a_real_chest_strap_under_slow_breathing_loses_no_beat():
    rows = (Path(os.environ["RESTBEAT_REAL_DATA"]) / "kbre93_polarH10_ibi.csv").read_text().splitlines()
    assert rejected(judge([float(row.split(",")[1]) for row in rows])) == []


def test_for_three_plainly_normal_beats_no_other_explanation_is_evaluated(monkeypatch):
    rng = np.random.default_rng(4)
    series = []
    for seed in range(12):
        one = np.array(calm_series(seed=seed)) * rng.uniform(0.5, 1.8) + rng.normal(0, rng.choice([0, 15, 60]), 300)
        distorted = rng.random(300) < 0.08
        one[distorted] *= rng.choice([0.45, 0.7, 0.8, 0.88, 1.15, 1.5, 2.0, 3.0], distorted.sum())
        series.append(one.tolist())
    short = [judge(one) for one in series]
    plain = sum(ArtifactFilter()._plain(window) for window in ([800.0] * 2, [800.0]))
    assert plain == 0, "two beats are never plain"
    monkeypatch.setattr(ArtifactFilter, "_plain", lambda *_: False)
    assert [judge(one) for one in series] == short
    assert sum(len(rejected(one)) for one in short) > 100
