import time

import numpy as np
import pytest
from scipy.stats import binom

from bench.hearts import Scenario, sessions
from restbeat.analysis.beats.phase_segments import PhaseBeats, segments
from restbeat.analysis.response.relaxation_response import CAVEAT, Response, classify_response, drift

BASE_S = 300.0


def ornstein_uhlenbeck(rng, steps, step_s, tau_s=20.0):
    """Return a stationary Ornstein-Uhlenbeck path of unit SD."""
    keep = np.exp(-step_s / tau_s)
    noise = rng.normal(0, np.sqrt(1 - keep**2), steps).tolist()
    path, x = [], float(rng.normal())
    for e in noise:
        path.append(x)
        x = keep * x + e
    return np.array(path)


def client(seed, *, ratio=1.0, phase_s=300.0, breathing_hz=(0.25, 0.25), rr_ratio=1.0, drift_sd=0.25):
    """Return beat times (s) of a heart by integral pulse frequency modulation; `ratio`: RMSSD after over that in the baseline."""
    rng, step = np.random.default_rng(seed), 0.1
    t = np.arange(0, BASE_S + phase_s, step)
    later = t >= BASE_S
    depth = (
        0.0377
        * np.exp(0.3 * rng.normal())
        * np.where(later, ratio, 1.0)
        * np.exp(drift_sd * ornstein_uhlenbeck(rng, t.size, step))
    )
    mayer = 0.02 * np.where(later, ratio, 1.0) * np.exp(drift_sd * ornstein_uhlenbeck(rng, t.size, step))
    breath_hz = np.where(later, breathing_hz[1], breathing_hz[0]) + 0.01 * ornstein_uhlenbeck(rng, t.size, step)
    breath = np.sin(2 * np.pi * (rng.random() + np.cumsum(breath_hz) * step))
    rate = (1 + depth * breath + mayer * np.sin(2 * np.pi * (0.1 * t + rng.random()))) / (0.9 * np.where(later, rr_ratio, 1.0))
    beats = np.cumsum(rate) * step
    times = np.interp(np.arange(1, int(beats[-1])), beats, t + step)
    return times + rng.normal(0, 0.001, times.size)


def phase_of(beat_s, start_s, stop_s, rejected=()):
    end_s, rr_ms = beat_s[1:], np.diff(beat_s) * 1000
    inside = (end_s >= start_s) & (end_s < stop_s)
    accepted = np.ones(int(inside.sum()), dtype=bool)
    accepted[list(rejected)] = False
    adjacent = np.r_[False, accepted[1:] & accepted[:-1]]
    return PhaseBeats(end_s[inside], rr_ms[inside], accepted, adjacent, (start_s, stop_s))


def verdict(beat_s, phase_s=300.0, scale=1.0) -> Response:
    return classify_response(phase_of(beat_s, 0, BASE_S), phase_of(beat_s, BASE_S, BASE_S + phase_s), wander_scale=scale)


def dense_change(t, y, later, session_sd, earlier=()):
    """Return the same posterior by explicit covariance matrices; `earlier` adds half its log evidence, and s² for 8 degrees."""
    gap = np.abs(t[:, None] - t)
    ramp = np.where(later, np.exp(-np.clip(t - t[later][0], 0, None) / 150), 0.0)
    x = np.column_stack([np.ones(t.size), later, *([ramp - later * ramp[later].mean()] if t[-1] - t[later][0] >= 580 else [])])
    log_weight, location, scale = [], [], []
    df = t.size - x.shape[1]
    for tau in (3, 6, 10, 15, 22, 32, 45, 65, 90, 130, 190):
        for r in (0, 0.15, 0.3, 0.5, 0.7, 0.85):
            c = (1 - r) * np.exp(-gap / tau) + r * np.eye(t.size)
            ci = np.linalg.inv(c)
            info = x.T @ ci @ x
            beta = np.linalg.solve(info, x.T @ ci @ y)
            rss = (y - x @ beta) @ ci @ (y - x @ beta)
            lw = -0.5 * (np.log(tau / 25) / 0.9) ** 2 - 0.5 * np.linalg.slogdet(c)[1] - 0.5 * np.linalg.slogdet(info)[1]
            freedom = df
            if earlier:
                n = len(log_weight)
                s2 = sum(seen.rss[n] for seen in earlier) / sum(seen.df for seen in earlier)
                lw += 0.5 * sum(seen.log_likelihood[n] for seen in earlier) + 4 * np.log(s2)
                rss, freedom = rss + 8 * s2, df + 8
            log_weight.append(lw - freedom / 2 * np.log(rss))
            location.append(beta[1])
            scale.append(np.sqrt(rss / freedom * np.linalg.inv(info)[1, 1] + session_sd**2))
    weight = np.exp(np.array(log_weight) - max(log_weight))
    return weight / weight.sum(), np.array(location), np.array(scale)


@pytest.mark.parametrize("earlier_rests", [0, 3])
@pytest.mark.parametrize(("base", "phase"), [(30, 30), (30, 90), (26, 180)])
def test_the_tridiagonal_solution_gives_the_posterior_of_the_explicit_covariance(base, phase, earlier_rests):
    rng = np.random.default_rng(base)
    t = np.sort(rng.choice(np.arange(base + phase + 20), base + phase, replace=False)) * 10.0 + 5
    later = np.arange(t.size) >= base
    y = rng.normal(3.4, 0.3, t.size) + 0.2 * later
    earlier = [drift.change_posterior(t, rng.normal(0, 0.3, t.size), later)[1] for _ in range(earlier_rests)]
    posterior = drift.change_posterior(t, y, later, earlier)[0].widened(0.1)
    weight, location, scale = dense_change(t, y, later, 0.1, earlier)
    assert posterior.weight == pytest.approx(weight, abs=1e-8)
    assert posterior.location == pytest.approx(location, abs=1e-8)
    assert posterior.scale == pytest.approx(scale, rel=1e-7)
    assert posterior.above(posterior.quantile(0.975)) == pytest.approx(0.025, abs=1e-7)


@pytest.fixture(scope="module")
def null_sessions():
    return [client(seed) for seed in range(80)]


def test_drift_at_rest_is_almost_never_classified_as_a_response(null_sessions):
    calls = [verdict(beat_s).verdict for beat_s in null_sessions]
    assert calls.count("clear") + calls.count("opposite") <= binom.ppf(0.95, len(calls), 0.01)
    assert calls.count("none") > 0.8 * len(calls)


def test_false_positives_stay_near_the_nominal_five_percent_without_an_allowance_for_wander(null_sessions):
    calls = [verdict(beat_s, scale=0.0).verdict for beat_s in null_sessions]
    assert calls.count("clear") + calls.count("opposite") <= 10


def test_a_doubled_rmssd_is_mostly_a_clear_response():
    calls = [verdict(client(seed, ratio=2.0, phase_s=900), 900) for seed in range(100, 125)]
    assert sum(r.verdict == "clear" for r in calls) >= 22
    assert np.median([r.delta for r in calls]) == pytest.approx(np.log(2), abs=0.1)
    assert all(r.why.startswith("Higher than today's drift explains") for r in calls if r.verdict == "clear")


def test_an_rmssd_of_two_fifths_is_mostly_an_opposite_response():
    calls = [verdict(client(seed, ratio=0.4)).verdict for seed in range(200, 212)]
    assert calls.count("opposite") >= 10
    assert "clear" not in calls


@pytest.mark.parametrize("hz", [(0.25, 0.15), (0.27, 0.20)])
def test_slower_breathing_alone_is_never_a_firm_response(hz):
    calls = [verdict(client(seed, breathing_hz=hz)) for seed in range(300, 330)]
    assert {r.verdict for r in calls} <= {"none", "slight"}
    assert any(r.why.startswith("A change that heart rate and breathing alone may explain") for r in calls)


def test_a_rise_beyond_all_that_slower_breathing_may_do_is_clear():
    calls = [verdict(client(seed, ratio=3.0, breathing_hz=(0.25, 0.18))) for seed in range(350, 360)]
    assert sum(r.verdict == "clear" for r in calls) >= 8
    assert not any(r.flagged for r in calls)


def test_a_fall_with_slower_breathing_is_no_firm_response():
    calls = [verdict(client(seed, ratio=0.3, breathing_hz=(0.25, 0.18))).verdict for seed in range(350, 360)]
    assert set(calls) == {"none"}


@pytest.mark.parametrize("ratio", [3.0, 0.3])
def test_a_large_change_with_faster_breathing_is_no_firm_response(ratio):
    calls = [verdict(client(seed, ratio=ratio, breathing_hz=(0.18, 0.25))) for seed in range(350, 360)]
    assert {r.verdict for r in calls} <= {"slight", "none"}
    assert all("Mind: breathing became faster" in r.why for r in calls)


def test_measured_breathing_decides_in_place_of_that_read_from_rr():
    beat_s = client(351, ratio=2.0, breathing_hz=(0.18, 0.25))
    base, phase = phase_of(beat_s, 0, BASE_S), phase_of(beat_s, BASE_S, 600)
    assert classify_response(base, phase).flagged
    measured = classify_response(base, phase, breathing_hz=(0.24, 0.25))
    assert (measured.flagged, measured.verdict) == (False, "clear")


def test_a_slower_heart_alone_is_seldom_a_clear_response():
    calls = [verdict(client(seed, rr_ratio=1.05)).verdict for seed in range(400, 430)]
    assert calls.count("clear") <= 1


def test_the_fields_of_a_response_are_consistent(null_sessions):
    r = verdict(null_sessions[1])
    assert r.low < r.delta < r.high
    assert r.half_width == pytest.approx((r.high - r.low) / 2)
    assert r.percent == pytest.approx(100 * (np.exp(r.delta) - 1))
    assert 0 <= r.p_up <= 1
    assert (r.base_segments, r.phase_segments) == (30, 30)
    assert "lies between" in r.why
    assert "Rest alone" in CAVEAT


def test_a_short_phase_is_insufficient_and_the_reason_says_what_is_missing(null_sessions):
    beat_s = null_sessions[0]
    r = classify_response(phase_of(beat_s, 0, 300), phase_of(beat_s, 300, 500))
    assert (r.verdict, r.delta, r.half_width) == ("insufficient", None, None)
    assert "20 clean segments" in r.why


def test_more_than_five_percent_of_rejected_beats_are_insufficient(null_sessions):
    beat_s = null_sessions[0]
    r = classify_response(phase_of(beat_s, 0, 300, rejected=range(0, 320, 16)), phase_of(beat_s, 300, 600))
    assert r.verdict == "insufficient"
    assert "baseline were rejected" in r.why


def test_slightly_over_five_percent_is_not_rounded_to_five_percent(null_sessions):
    beat_s = client(7, phase_s=600)
    stop_s = beat_s[np.flatnonzero(beat_s[1:] >= 300)[0] + 1 + 599]
    phase = phase_of(beat_s, 300, stop_s, rejected=range(0, 599, 20))  # 30 of 599
    r = classify_response(phase_of(null_sessions[0], 0, 300), phase)
    assert "5.1 % of the beats in the phase were rejected, more than 5 %" in r.why


def test_a_phase_without_beats_is_insufficient(null_sessions):
    empty = PhaseBeats(*(np.array([], dtype=d) for d in (float, float, bool, bool)), (0.0, 300.0))
    assert classify_response(empty, phase_of(null_sessions[0], 300, 600)).verdict == "insufficient"


def test_a_series_with_large_drift_is_insufficient_by_its_wide_interval():
    beat_s = client(1, drift_sd=1.5)
    r = verdict(beat_s)
    assert r.half_width > 0.5
    assert r.verdict == "insufficient"
    assert "anywhere between" in r.why


def test_a_large_wander_is_named_as_the_reason_and_not_the_data(null_sessions):
    r = verdict(null_sessions[3], scale=200.0)
    assert (r.verdict, r.steady) == ("insufficient", True)
    assert r.why.startswith("Quiet phases alone differ too much to tell")
    assert not verdict(client(1, drift_sd=1.5)).steady


def test_equal_intervals_give_no_firm_response():
    assert verdict(np.arange(0, 601, 0.8)).verdict == "none"


def test_a_phase_before_its_baseline_raises_value_error(null_sessions):
    beat_s = null_sessions[0]
    with pytest.raises(ValueError, match="after the baseline"):
        classify_response(phase_of(beat_s, 300, 600), phase_of(beat_s, 0, 300))


def test_segments_are_whole_ten_seconds_with_at_least_five_differences():
    beat_s = np.arange(0, 36, 1.0) + 0.02 * (np.arange(36) % 2)
    whole = segments(phase_of(beat_s, 0, 36))
    assert whole.mid_s.tolist() == [5, 15, 25]
    assert np.exp(whole.ln_rmssd) == pytest.approx(40, rel=1e-6)
    with_rejected = segments(phase_of(beat_s, 0, 36, rejected=(12, 14, 16)))
    assert with_rejected.mid_s.tolist() == [5, 25]


def test_a_beat_across_the_border_of_a_phase_is_in_no_segment():
    ends = np.concatenate([np.arange(1, 401) * 0.8, 320.4 + np.arange(400) * 1.2])
    beats = phase_of(np.concatenate([[0.0], ends]), 320.1, 600.0)
    assert beats.adjacent[1]
    assert np.exp(segments(beats, 5.0, 3).ln_rmssd) == pytest.approx(0.5)  # the floor: nothing but equal intervals


def test_the_drift_of_earlier_sessions_informs_the_posterior():
    fast, slow = (
        [drift.change_posterior(t, series, later)[1] for series in ([ornstein_uhlenbeck(rng, 120, 5.0, tau) for _ in range(6)])]
        for tau in (8.0, 90.0)
        for rng, t, later in [(np.random.default_rng(1), np.arange(120) * 5.0, np.arange(120) >= 60)]
    )
    t, later = np.arange(120) * 5.0, np.arange(120) >= 60
    y = ornstein_uhlenbeck(np.random.default_rng(9), 120, 5.0, 25.0)
    alone, with_fast, with_slow = (drift.change_posterior(t, y, later, earlier=known)[0] for known in ((), fast, slow))
    assert with_fast.sd < alone.sd < with_slow.sd
    assert with_fast.df == alone.df + 8


def test_the_drift_evidence_of_a_session_does_not_depend_on_earlier_sessions(null_sessions):
    first = verdict(null_sessions[0])
    base, phase = phase_of(null_sessions[1], 0, BASE_S), phase_of(null_sessions[1], BASE_S, 600)
    alone, informed = classify_response(base, phase), classify_response(base, phase, earlier=[first.drift] * 6)
    assert alone.drift == informed.drift
    assert alone.half_width != informed.half_width


def test_the_standard_error_does_not_include_the_allowance_for_wander(null_sessions):
    still, variable = (verdict(null_sessions[2], scale=scale) for scale in (0.0, 100.0))
    assert still.standard_error == pytest.approx(variable.standard_error)
    assert still.half_width == pytest.approx(1.98 * still.standard_error, rel=0.08)
    assert variable.half_width > 0.55


@pytest.mark.alone
def test_the_response_of_a_forty_minute_session_takes_less_than_fifty_milliseconds():
    beat_s = client(5, phase_s=2100)
    base, phase = phase_of(beat_s, 0, BASE_S), phase_of(beat_s, BASE_S, 2400)
    times = []
    for _ in range(7):
        began = time.perf_counter()
        classify_response(base, phase)
        times.append(time.perf_counter() - began)
    assert min(times) < 0.05


def test_a_heart_that_slows_as_in_falling_asleep_has_that_said():
    slowed, steady = (
        [
            classify_response(heard.base, heard.phase)
            for heard in sessions(Scenario(phase_min=15, ratio=2.4, rr_ratio=ratio), 12, 21)
        ]
        for ratio in (1.08, 1.0)
    )
    for found, said in ((slowed, True), (steady, False)):
        called = [response for response in found if response.verdict in {"clear", "slight"}]
        assert len(called) >= 8
        assert all(("falling asleep" in response.why) is said for response in called)
