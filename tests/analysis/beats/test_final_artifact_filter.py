"""The offline filter: later beats may change a verdict, but only near rejected beats."""

import numpy as np
import pytest

from restbeat.analysis.beats.artifact_filter import ArtifactFilter, BeatKind
from restbeat.analysis.beats.final_artifact_filter import final_kinds

from .test_artifact_filter import calm_series


def live(series):
    judge = ArtifactFilter()
    return [v.kind for rr_ms in series for v in judge.push(rr_ms)] + [v.kind for v in judge.flush()]


def looked(series, kinds, lost=()):
    return final_kinds(series, kinds, [n in lost for n in range(len(series))])


def test_without_rejected_beats_no_verdict_changes():
    wild = np.random.default_rng(0).integers(300, 1900, 200).tolist()
    kinds = [BeatKind.NORMAL] * 200
    assert looked(wild, kinds) == kinds


def test_a_wrongly_rejected_beat_is_accepted_again():
    series = calm_series()
    for kind in (BeatKind.OTHER, BeatKind.PREMATURE, BeatKind.SPLIT):
        kinds = [BeatKind.NORMAL] * len(series)
        kinds[150] = kinds[151] = kind
        assert looked(series, kinds) == [BeatKind.NORMAL] * len(series)


@pytest.mark.parametrize("wrong", [{100: 560.0, 101: 1210.0}, {100: 1760.0}, {100: 300.0, 101: 580.0}, {100: 590.0}])
def test_an_artifact_stays_rejected_and_its_neighbours_do_not(wrong):
    series = [wrong.get(n, rr_ms) for n, rr_ms in enumerate(calm_series())]
    kinds = [BeatKind.OTHER if 98 <= n <= 103 else BeatKind.NORMAL for n in range(len(series))]
    assert [n for n, kind in enumerate(looked(series, kinds)) if kind is not BeatKind.NORMAL] == sorted(wrong)


def test_a_premature_beat_accepted_live_is_rejected_by_its_later_context():
    series = calm_series()
    for at in range(100, 112, 2):
        early = 0.3 * series[at]
        series[at : at + 2] = [series[at] - early, series[at + 1] + early]
    kinds = live(series)
    kinds[100] = kinds[101] = BeatKind.NORMAL
    assert [n for n, kind in enumerate(looked(series, kinds)) if kind is not BeatKind.NORMAL] == list(range(100, 112))


def test_nothing_is_learnt_across_a_gap():
    series = calm_series()
    kinds = [BeatKind.NORMAL] * len(series)
    kinds[150] = BeatKind.OTHER
    assert looked(series, kinds)[150] is BeatKind.NORMAL
    assert looked(series, kinds, lost={147, 154})[150] is BeatKind.OTHER


@pytest.mark.parametrize("beats", [0, 1, 2, 5, 30])
def test_every_interval_of_a_short_series_gets_one_kind(beats):
    series = calm_series(beats)
    assert looked(series, [BeatKind.OTHER] * beats) == [BeatKind.OTHER] * beats
    assert len(looked(series, live(series))) == beats


def test_sequences_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="one length"):
        final_kinds([800.0], [], [False])
