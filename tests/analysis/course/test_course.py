from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy.stats import binom, linregress, t as student

from bench.treatments import Plan, course_of
from restbeat.analysis.course.course import course
from restbeat.analysis.course.course_session import CourseSession, course_session
from restbeat.analysis.course.session_regression import fit
from restbeat.analysis.session_report import summarise
from restbeat.analysis.simulation.scenarios import simulate
from restbeat.sensors.recordings.recording import Mark

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
COURSES = 250


def at_most(share, trials):
    """Return the count that a true share exceeds once in a thousand times."""
    return binom.ppf(0.999, trials, share)


def courses(plan, seed=1, count=COURSES):
    rng = np.random.default_rng(seed)
    return [course(course_of(plan, rng)) for _ in range(count)]


def sessions(*deltas, error=0.12, days=7, **more):
    return [
        CourseSession(started=BEGIN + timedelta(days=days * n), valid=True, delta=delta, standard_error=error, **more)
        for n, delta in enumerate(deltas)
    ]


@pytest.mark.parametrize(("wander", "found_pct"), [(0.0, 96), (0.1, 80), (0.2, 45)])
def test_six_sessions_detect_a_change_of_20_percent_about_as_often_as_documented(wander, found_pct):
    found = courses(Plan(sessions=6, rests=4, mean=np.log(1.2), wander_sd=wander))
    share = 100 * np.mean([one.response_pct.low > 0 for one in found])
    assert share == pytest.approx(found_pct, abs=14)
    assert np.median([one.response_pct.value for one in found]) == pytest.approx(20, abs=4)


@pytest.mark.parametrize(("wander", "nominal"), [(0.0, 0.05), (0.1, 0.06), (0.2, 0.10)])
@pytest.mark.parametrize("count", [4, 6])
def test_a_course_without_an_effect_seldom_shows_one(wander, nominal, count):
    found = [one.response_pct for one in courses(Plan(sessions=count, wander_sd=wander))]
    assert sum(one.low > 0 or one.high < 0 for one in found) <= at_most(nominal, COURSES)


def test_the_interval_of_a_trend_over_twelve_sessions_covers_the_true_trend():
    truth = 100 * np.expm1(0.04)
    found = [one.response_pct_per_week for one in courses(Plan(mean=0.1, slope=0.04))]
    assert sum(not one.low <= truth <= one.high for one in found) <= at_most(0.06, COURSES)
    assert np.mean([one.low > 0 for one in found]) > 0.35
    level = [one.response_pct_per_week for one in courses(Plan(mean=0.1))]
    assert sum(one.low > 0 or one.high < 0 for one in level) <= at_most(0.06, COURSES)


def test_the_change_beyond_rest_needs_three_rests():
    deltas = [0.3, 0.35, 0.25, 0.3]
    rests = sessions(0.1, 0.12, 0.08, kind="rest")
    with_two, with_three = (course([*sessions(*deltas), *rests[:n]]).beyond_rest_pct for n in (2, 3))
    assert with_two.why == "Three rest-only sessions would tell it apart from rest; there are 2."
    assert with_three.value == pytest.approx(100 * np.expm1(0.2), abs=1)
    assert with_three.count == 7


def test_rests_inform_the_session_to_session_sd_and_do_not_count_as_massages():
    without_rests = course(sessions(*[0.3] * 6))
    with_variable_rests = course([*sessions(*[0.3] * 6), *sessions(0.6, -0.6, 0.7, -0.5, kind="rest")])
    assert (with_variable_rests.sessions, with_variable_rests.rests) == (6, 4)
    assert with_variable_rests.response_pct.value == pytest.approx(without_rests.response_pct.value, abs=0.5)
    assert with_variable_rests.response_pct.low < without_rests.response_pct.low


def test_a_figure_of_too_few_sessions_has_a_reason_and_no_value():
    few = course(sessions(0.1, 0.2, 0.3))
    assert (few.response_pct.value, few.response_pct.count) == (None, 3)
    assert few.response_pct.why == "A mean needs 4 sessions with steady data; there are 3."
    assert few.response_pct_per_week.why == "A trend needs 6 sessions with steady data; there are 3."
    assert few.pain_24h.why == "A mean needs 4 sessions with both scores; there are none."
    assert few.baseline_pct_per_week.value is None
    short = course(sessions(*[0.1] * 8, days=3))
    assert short.response_pct.value is not None
    assert short.response_pct_per_week.why == "A trend needs 4 weeks; there are 3.0."
    nothing = course([])
    assert (nothing.sessions, nothing.weeks, nothing.went_with) == (0, 0.0, [])


def test_each_figure_needs_its_fewest_sessions_and_no_more():
    def known(count, **more):
        found = course(sessions(*[0.1] * count, **more, baseline_ln_rmssd=3.4, pain_before=5, pain_after=4))
        mean, trend = (found.response_pct, found.pain_after), (found.response_pct_per_week, found.baseline_pct_per_week)
        return [[one.value is not None for one in figures] for figures in (mean, trend)]

    neither, mean, both = [[False] * 2] * 2, [[True] * 2, [False] * 2], [[True] * 2] * 2
    assert [known(count, days=7) for count in (3, 4, 5, 6)] == [neither, mean, mean, both]
    assert (known(8, days=4), known(8, days=4 - 1e-6)) == (both, mean)  # 28 days, and a second less


def test_an_hour_less_than_four_weeks_is_not_rounded_to_four_weeks():
    why = course(sessions(*[0.1] * 8, days=4 - 0.006)).response_pct_per_week.why
    assert why == "A trend needs 4 weeks; there are 3.9."


def test_sessions_without_a_valid_response_are_excluded_and_counted():
    good = sessions(*[0.2] * 5)
    bad = CourseSession(started=BEGIN, valid=False, delta=9.0, standard_error=0.1)
    assert course([bad, *good]).response_pct.value == pytest.approx(course(good).response_pct.value)
    assert course([bad, *good]).left_out == 1


def test_sessions_with_a_smaller_standard_error_weigh_more():
    precise, imprecise = sessions(*[0.3] * 3, error=0.05), sessions(*[0.0] * 3, error=0.4)
    assert course([*precise, *imprecise]).response_pct.value > 100 * np.expm1(0.2)


def test_the_order_of_sessions_does_not_matter():
    known = sessions(0.1, 0.3, 0.2, 0.4, 0.3, 0.5, baseline_ln_rmssd=3.4, pain_before=5, pain_after=3)
    assert course(known[::-1]) == course(known)


def test_the_level_of_the_baseline_has_a_mean_and_a_trend_of_its_own():
    rng = np.random.default_rng(1)
    levels = (3.4 + 0.02 * np.arange(8) + rng.normal(0, 0.2, 8)).tolist()
    known = [
        CourseSession(started=BEGIN + timedelta(weeks=n), baseline_ln_rmssd=level, kind="rest" if n % 2 else "massage")
        for n, level in enumerate(levels)
    ]
    found, line = course(known), linregress(np.arange(8), levels)
    half_width = student.ppf(0.975, 6) * line.stderr
    assert found.baseline_rmssd_ms.value == pytest.approx(np.exp(np.mean(levels)))
    slope = found.baseline_pct_per_week
    assert (slope.value, slope.low, slope.high) == pytest.approx(
        tuple(100 * np.expm1(x) for x in (line.slope, line.slope - half_width, line.slope + half_width))
    )
    assert slope.count == 8
    assert found.response_pct.value is None


def test_pain_is_compared_with_before_at_each_later_moment():
    scores = [(6, 4, 3, 5), (5, 4, None, 5), (7, 4, 5, 6), (4, 4, 4, 4), (6, 3, 5, None)]
    known = [
        CourseSession(started=BEGIN + timedelta(weeks=n), pain_before=a, pain_after=b, pain_24h=c, pain_48h=d)
        for n, (a, b, c, d) in enumerate(scores)
    ]
    found = course(known)
    assert (found.pain_after.value, found.pain_after.count) == (pytest.approx(-1.8), 5)
    assert (found.pain_24h.value, found.pain_24h.count) == (pytest.approx(-1.5), 4)
    half_width = student.ppf(0.975, 4) * np.std([-2, -1, -3, 0, -3], ddof=1) / np.sqrt(5)
    assert (found.pain_after.low, found.pain_after.high) == pytest.approx((-1.8 - half_width, -1.8 + half_width))


def test_free_columns_that_the_sessions_do_not_identify_raise_value_error():
    x = np.column_stack([np.ones(4), np.ones(4)])
    with pytest.raises(ValueError, match="apart"):
        fit(x, np.zeros(4), np.full(4, 0.1), [np.inf, np.inf])
    assert fit(x, np.zeros(4), np.full(4, 0.1), [np.inf, 0.1]).contrast([1.0, 1.0]).median == pytest.approx(0, abs=1e-9)


def test_the_variance_reduction_is_zero_where_the_sessions_add_nothing_to_the_prior():
    x = np.column_stack([np.ones(5), np.zeros(5)])
    found = fit(x, np.arange(5.0) / 10, np.full(5, 0.1), [np.inf, 0.15])
    assert found.contrast([0.0, 1.0]).variance_reduction == pytest.approx(0, abs=1e-9)
    assert found.contrast([1.0, 0.0]).variance_reduction == 1.0


def test_the_data_of_a_course_session_come_from_its_report():
    header, events = simulate("clear", seed=1, minutes=(5, 10, 5))
    marks = [Mark(330.0, technique="kneading", region="back"), Mark(600.0, technique="long strokes")]
    events = sorted([*events, *marks], key=lambda event: event.t)
    report = summarise("x", header, events)
    found = course_session(report, BEGIN, events)
    assert (found.kind, found.valid, found.delta) == ("massage", True, report.figures.responses[0].delta_ln_rmssd)
    assert found.standard_error == report.context["massage"].standard_error
    assert found.baseline_ln_rmssd == report.figures.phases[0].ln_rmssd
    assert [(s.start_s, s.technique, s.region) for s in found.massage_segments] == [
        (0.0, None, None),
        (30.0, "kneading", "back"),
        (300.0, "long strokes", "back"),
    ]
    short = course_session(summarise("x", header, events[:200]), BEGIN)
    assert (short.valid, short.massage_segments) == (False, ())
