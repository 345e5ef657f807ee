"""The rule on quiet hours of real people; the recordings are not part of the project."""

import numpy as np
import pytest
from scipy.stats import binom

from bench.cells import FIRM, by_rule
from bench.real_hearts import Day, real_folder, share, single_verdicts, verdicts
from bench.rivals import former
from restbeat.analysis.beats.phase_segments import segments

SOME = {f"nsr{n:03}" for n in (1, 7, 13, 19, 25, 31, 37, 43, 49)}
recordings = pytest.mark.skipif(real_folder() is None, reason="RESTBEAT_REAL_DATA names no folder with nsr2db_half.npz")


def day_of(beats=4000, hole_at=None):
    rng = np.random.default_rng(1)
    ticks = np.round(128 * (0.9 + 0.03 * np.sin(np.arange(beats) * 1.6) + rng.normal(0, 0.005, beats))).astype(np.uint16)
    if hole_at is not None:
        ticks[hole_at] = 65_535
    return Day.of(ticks)


def test_a_calm_day_is_quiet_and_one_whose_heart_rate_steps_is_not():
    day = day_of()
    assert day.quiet(60.0, 960.0)
    faster = Day(day.end_s, np.where(day.end_s < 500, day.rr_ms, 0.8 * day.rr_ms), day.accepted, day.adjacent)
    assert not faster.quiet(60.0, 960.0)


def test_no_difference_crosses_a_hole():
    day = day_of(hole_at=1000)
    assert day.end_s.size == 3999
    assert not day.adjacent[1000]
    assert day.adjacent[1001:1010].all()


def test_a_deepened_part_has_that_much_more_rmssd():
    day = day_of()
    plain, deep = (segments(day.part(60.0, 960.0, ratio)).ln_rmssd.mean() for ratio in (1.0, 1.42))
    assert np.exp(deep - plain) == pytest.approx(1.42, rel=0.03)


def test_the_windows_of_a_plan_overlap_by_half_and_its_recovery_is_compared():
    massages, recoveries = (list(day_of().sessions(minutes)) for minutes in ((5, 5, 0), (5, 5, 5)))
    assert [heard.base.bounds_s[0] for heard in massages[:3]] == [60, 360, 660]
    assert recoveries[0].phase.bounds_s == (660, 960)
    assert recoveries[0].between[0].bounds_s == (360, 660)


def test_the_interval_of_a_share_is_that_of_people_and_not_of_windows():
    alike, unlike = {n: ["clear", *["none"] * 9] for n in range(20)}, {n: ["clear" if n < 2 else "none"] * 10 for n in range(20)}
    assert share(alike, FIRM) == pytest.approx((10, 10, 10, 10))
    middle, low, high, worst = share(unlike, FIRM)
    assert (middle, worst) == (10, 100)
    assert low == 0
    assert high > 20


@recordings
@pytest.mark.parametrize("plan", [{"5/15": (5, 15, 0)}, {"5/30/5": (5, 30, 5)}], ids=lambda plan: next(iter(plan)))
def test_real_people_at_rest_are_seldom_called_changed(plan):
    (name,) = plan
    found = verdicts(real_folder(), (by_rule, former), plan, names=SOME)
    called = {rule: sum(verdict in FIRM for seen in found[rule, name].values() for verdict in seen) for rule in (by_rule, former)}
    windows = sum(len(seen) for seen in found[by_rule, name].values())
    assert windows > 150
    assert called[by_rule] <= binom.ppf(0.99, windows, 0.01)
    assert called[former] > 2 * called[by_rule]


@recordings
def test_the_most_restless_tenth_of_real_people_is_seldom_called_changed():
    seen = verdicts(real_folder(), (by_rule,), {"5/15": (5, 15, 0)})[by_rule, "5/15"]
    firm, _, high, worst = share(seen, FIRM)
    assert len(seen) == 27
    assert firm <= 1
    assert high <= 1.5
    assert worst <= 3


def test_single_series_are_read_each_for_itself(tmp_path):
    rng = np.random.default_rng(2)
    np.savetxt(tmp_path / "somebody.rr.txt", 900 + rng.normal(0, 20, 2000))
    found = {(name, plan): (calm, changed) for name, plan, calm, changed in single_verdicts(tmp_path, lambda *_: "none")}
    assert {name for name, _ in found} == {"pyhrv, an hour", "somebody"}
    assert len(found["somebody", "5/5"][0]) == 4
    assert found["somebody", "5/30"] == ([], [])
