"""Tables of groups: two published studies come out of simulated hearts, one that found a change and one that found none."""

from math import exp, log, sqrt

import numpy as np
import pytest
from scipy.stats import ttest_rel

from restbeat.analysis.course.group_statistics import group_table
from restbeat.analysis.simulation.heart_model import State, beat

CLIENT = State(rr_s=0.80, hf_amplitude=0.0377, lf_amplitude=0.02, breathing_hz=0.25)
CHOMPOOPAN = {"before": (24.23, 11.69), "after": (34.49, 16.51)}
PASCHOAL = {"before": (52.1, 46.2), "0–5 min": (50.0, 21.6), "5–10 min": (52.0, 27.4), "10–15 min": (48.2, 21.1)}


def lognormal(mean, sd):
    """ln-mean and ln-SD of a skewed quantity with this mean and SD."""
    ln_sd = sqrt(log(1 + (sd / mean) ** 2))
    return log(mean) - ln_sd**2 / 2, ln_sd


def measured_rmssd(target_ms, rng):
    """RMSSD of two minutes of beats of a heart that aims at `target_ms`; the 0.1 Hz rhythm stays below it."""
    slow = min(CLIENT.lf_amplitude, CLIENT.lf_amplitude * target_ms / 10)
    state = State(CLIENT.rr_s, CLIENT.hf_amplitude, slow, CLIENT.breathing_hz).with_rmssd(target_ms)
    beats = beat([(0.0, state)], 120.0, rng, tau_s=150.0, drift_sd=0.0).beats_s
    return float(np.sqrt(np.mean(np.diff(1000 * beats, 2) ** 2)))


def study(published, clients, rng, alike=0.7):
    """One simulated study: each client's level at each time, correlated by `alike` on the logarithm."""
    own = rng.standard_normal(clients)
    return {
        name: [
            measured_rmssd(exp(ln_mean + ln_sd * (sqrt(alike) * z + sqrt(1 - alike) * rng.standard_normal())), rng) for z in own
        ]
        for name, (ln_mean, ln_sd) in ((name, lognormal(*moments)) for name, moments in published.items())
    }


def test_the_parameters_of_the_published_tables_are_those_of_the_evidence():
    assert lognormal(24.23, 11.69) == pytest.approx((3.08, 0.457), abs=0.005)
    assert lognormal(34.49, 16.51) == pytest.approx((3.44, 0.454), abs=0.005)


@pytest.fixture(scope="module")
def thai_massage():
    rng = np.random.default_rng(2020)
    return [group_table(study(CHOMPOOPAN, 24, rng)) for _ in range(16)]


def test_chompoopans_table_comes_out_of_simulated_hearts(thai_massage):
    for n, (mean, sd) in enumerate(CHOMPOOPAN.values()):
        rows = [table[n] for table in thai_massage]
        assert {row.count for row in rows} == {24}
        ln_mean, ln_sd = lognormal(mean, sd)
        spread = sd / sqrt(24 * 16)
        assert np.mean([row.mean for row in rows]) == pytest.approx(mean, abs=3.3 * spread)
        assert np.mean([row.sd for row in rows]) == pytest.approx(sd, rel=0.2)
        assert np.mean([log(row.geometric_mean) for row in rows]) == pytest.approx(ln_mean, abs=3.3 * ln_sd / sqrt(24 * 16))
        assert np.mean([row.ln_sd for row in rows]) == pytest.approx(ln_sd, rel=0.1)


def test_chompoopans_change_is_found_by_most_such_studies(thai_massage):
    changes = [table[1].change for table in thai_massage]
    assert sum(change.percent_low > 0 for change in changes) >= 14
    truth = 100 * (exp(3.44 - 3.08) - 1)
    assert np.mean([change.percent for change in changes]) == pytest.approx(truth, abs=8)
    assert np.mean([change.difference for change in changes]) == pytest.approx(34.49 - 24.23, abs=2.5)


def test_paschoals_table_comes_out_too_and_most_such_studies_find_no_change_of_the_mean():
    rng = np.random.default_rng(2016)
    tables = [group_table(study(PASCHOAL, 11, rng)) for _ in range(16)]
    for n, (mean, sd) in enumerate(PASCHOAL.values()):
        assert np.mean([table[n].mean for table in tables]) == pytest.approx(mean, abs=3.3 * sd / sqrt(11 * 16))
    changes = [row.change for table in tables for row in table[1:]]
    assert sum(change.difference_low > 0 or change.difference_high < 0 for change in changes) <= 0.2 * len(changes)


def test_where_nothing_changes_the_interval_says_so_nineteen_times_in_twenty():
    rng = np.random.default_rng(3)
    ln_mean, ln_sd = lognormal(52.1, 46.2)
    called = 0
    for _ in range(400):
        own = ln_mean + 0.8 * ln_sd * rng.standard_normal(11)
        before, after = (np.exp(own + 0.6 * ln_sd * rng.standard_normal(11)) for _ in range(2))
        change = group_table({"before": before.tolist(), "after": after.tolist()})[1].change
        called += change.percent_low > 0 or change.percent_high < 0
    assert called / 400 == pytest.approx(0.05, abs=0.035)


def test_the_paired_change_is_students():
    before, after = [20.0, 31.0, 25.0, 44.0, 18.0], [26.0, 30.0, 35.0, 60.0, 22.0]
    first, second = group_table({"before": before, "after": after})
    assert first.change is None
    test = ttest_rel(after, before).confidence_interval()
    assert (second.change.difference_low, second.change.difference_high) == pytest.approx((test.low, test.high))
    logs = ttest_rel(np.log(after), np.log(before)).confidence_interval()
    assert (second.change.percent_low, second.change.percent_high) == pytest.approx(
        (100 * np.expm1(logs.low), 100 * np.expm1(logs.high))
    )
    assert (first.mean, first.sd) == pytest.approx((np.mean(before), np.std(before, ddof=1)))
    assert first.geometric_mean == pytest.approx(exp(np.mean(np.log(before))))


def test_a_client_measured_once_counts_once_and_in_no_change():
    first, second = group_table({"before": [20.0, None, 30.0, 40.0, 25.0], "after": [22.0, 99.0, None, 41.0, 30.0]})
    assert (first.count, second.count, second.change.pairs) == (4, 4, 3)
    assert second.change.difference == pytest.approx((2 + 1 + 5) / 3)


def test_what_a_table_cannot_say_has_a_reason():
    _, few = group_table({"before": [20.0, 30.0], "after": [22.0, None]})
    assert (few.change.percent, few.change.why) == (None, "Clients measured both times: 1. A change needs 3.")
    _, zero = group_table({"before": [0.0, 2.0, 3.0], "after": [1.0, 2.0, 4.0]})
    assert zero.change.difference == pytest.approx(2 / 3)
    assert (zero.change.percent, zero.geometric_mean is not None) == (None, True)
    assert "zero or negative" in zero.change.why
    (empty,) = group_table({"before": []})
    assert (empty.count, empty.mean, empty.sd, empty.geometric_mean) == (0, None, None, None)
    assert group_table({}) == []


@pytest.mark.parametrize("bad", [{"a": [1.0, 2.0], "b": [1.0]}, {"a": [1.0, float("nan")]}, {"a": [float("inf")]}])
def test_columns_that_do_not_fit_or_are_no_numbers_are_refused(bad):
    with pytest.raises(ValueError, match="measurement"):
        group_table(bad)
