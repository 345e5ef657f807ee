"""A small version of the benchmark of docs/artifacts.md: fewer seeds, only the series always available, the same bounds."""

from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from bench import artifacts as benchmark
from bench.artifact_faults import KINDS, spoil

SEEDS = 3


@pytest.fixture(scope="module")
def series():
    return benchmark.simulated_series() | benchmark.fixture_series(beats=300)


@pytest.fixture(scope="module")
def results(series):
    return benchmark.measure(series, SEEDS, 0, Console(file=StringIO()))


def test_rmssd_stays_within_its_bounds_under_every_kind_of_artifact(series, results):
    assert benchmark.over_bounds(results, benchmark.clean_rows(series), []) == []


def test_the_filter_is_within_half_a_percent_of_knowing_every_artifact(results):
    excess = [
        abs(live) - abs(oracle)
        for kind in KINDS
        for share in benchmark.SHARES
        if kind != benchmark.NOT_JUDGED
        for live, oracle in zip(results[kind, share, "live"], results[kind, share, "oracle"], strict=True)
    ]
    assert np.mean(excess) < 0.5


def test_the_offline_filter_does_no_worse_than_the_live_filter_and_both_better_than_a_rule(results):
    def mean_error(method):
        cells = [results[kind, share, method] for kind in KINDS for share in benchmark.SHARES if kind != benchmark.NOT_JUDGED]
        return np.mean(np.abs(np.concatenate(cells)))

    assert mean_error("final") < 1.02 * mean_error("live")
    assert mean_error("live") < mean_error("20 % rule") < mean_error("raw")


def test_the_offline_filter_accepts_what_the_live_filter_wrongly_rejected(results):
    assert benchmark.overall(results, "final, wrong") < 0.8 * benchmark.overall(results, "live, wrong")


@pytest.mark.parametrize("kind", KINDS)
def test_the_labels_mark_every_distorted_interval(kind):
    rr_ms = 800 + np.arange(400.0)
    distorted = spoil(rr_ms, kind, 0.1, np.random.default_rng(0))
    own = distorted.rr_ms[~distorted.wrong]
    assert np.isin(own, rr_ms).all()
    assert not np.isin(distorted.rr_ms[distorted.wrong], rr_ms).any()
    if kind.startswith("dropped"):
        assert distorted.rr_ms.size == 360
        assert distorted.lost_before.sum() == 40
        assert (np.diff(distorted.rr_ms)[distorted.lost_before[1:]] > 1).all()
    else:
        assert 20 < distorted.wrong.sum() <= 80
        assert not distorted.lost_before.any()
