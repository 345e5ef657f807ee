import numpy as np
import pytest
from scipy.stats import binom

from bench.treatments import TECHNIQUES, Plan, course_of
from restbeat.analysis.course.course import course
from restbeat.analysis.course.massage_segments import MassageSegment, massage_segments
from restbeat.analysis.course.technique_associations import TreatedSession, technique_associations
from restbeat.analysis.figures import Segment
from restbeat.sensors.recordings.recording import Mark

COURSES = 60


def associations(plan, draw, seed=1):
    """Yield the associations of simulated courses, each with the true value of its contrast."""
    rng = np.random.default_rng(seed)
    for _ in range(COURSES):
        effects = draw(rng)
        sessions = course_of(Plan(**{**vars(plan), "effects": tuple(effects)}), rng)
        massaged = [segment for session in sessions for segment in session.massage_segments]
        share = np.array([sum(s.seconds for s in massaged if s.technique == name) for name in TECHNIQUES])
        share /= share.sum()
        for line in course(sessions).went_with:
            n = TECHNIQUES.index(line.name)
            others = share * effects / (1 - share[n])
            yield line, effects[n] - (others.sum() - others[n])


def interval(line):
    return np.log1p(line.low / 100), np.log1p(line.high / 100)


@pytest.mark.parametrize("order", ["any", "habit"])
def test_techniques_without_a_difference_seldom_have_an_association(order):
    lines = [line for line, _ in associations(Plan(order=order, mean=0.3), lambda rng: np.zeros(4)) if line.percent is not None]
    assert len(lines) > 3 * COURSES
    called = sum(line.low > 0 or line.high < 0 for line in lines)
    assert called <= binom.ppf(0.999, len(lines), 0.05)


@pytest.mark.parametrize("order", ["any", "habit"])
def test_the_intervals_cover_the_truth(order):
    found = [pair for pair in associations(Plan(order=order), lambda rng: rng.normal(0, 0.15, 4)) if pair[0].percent is not None]
    outside = sum(not low <= truth <= high for (low, high), truth in ((interval(line), truth) for line, truth in found))
    assert outside <= binom.ppf(0.999, len(found), 0.08)


def test_a_technique_with_a_larger_effect_is_detected_within_twelve_sessions():
    lines = [line for line, _ in associations(Plan(), lambda rng: np.array([0.35, 0, 0, 0])) if line.name == TECHNIQUES[0]]
    assert np.mean([line.low is not None and line.low > 0 for line in lines]) > 0.85
    assert np.median([line.percent for line in lines]) < 100 * np.expm1(0.35)  # drawn towards no difference


def treated(*sessions, delta=0.2):
    """Return sessions, each of consecutive segments (technique, minutes, ln RMSSD)."""
    out = []
    for weeks, parts in enumerate(sessions):
        at_s, massaged = 0.0, []
        for technique, minutes, level in parts:
            stop_s = at_s + 60 * minutes
            massaged.append(
                MassageSegment(
                    start_s=at_s, stop_s=stop_s, ln_rmssd=level, standard_error=0.06, technique=technique, pressure="firm"
                )
            )
            at_s = stop_s
        out.append(TreatedSession(weeks=float(weeks), delta=delta, standard_error=0.1, massage_segments=tuple(massaged)))
    return out


def line_of(lines, name):
    return next(line for line in lines if line.name == name)


def test_an_association_has_its_number_of_sessions_and_minutes():
    found = technique_associations(
        treated([("a", 10, 3.5), ("b", 10, 3.6)], [("a", 5, 3.5), ("b", 10, 3.6)], [("b", 20, 3.5), ("a", 15, 3.4)])
    )
    a = line_of(found, "a")
    assert (a.factor, a.sessions, a.minutes) == ("technique", 3, pytest.approx(30))
    assert a.low < a.percent < a.high
    assert a.why is None


def test_a_technique_in_fewer_than_three_sessions_has_no_difference():
    found = technique_associations(
        treated([("a", 10, 3.5), ("b", 10, 3.6)], [("a", 10, 3.5), ("b", 10, 3.6)], [("b", 20, 3.5)], [("b", 20, 3.5)])
    )
    a = line_of(found, "a")
    assert (a.percent, a.sessions) == (None, 2)
    assert a.why == "Done in 2 sessions with steady data; 3 are needed."


def test_half_a_minute_of_a_technique_does_not_count():
    found = technique_associations(treated(*[[("a", 0.5, None), ("b", 20, 3.6)]] * 4))
    assert line_of(found, "a").sessions == 0


def test_a_factor_that_never_changes_cannot_be_compared():
    firm = line_of(technique_associations(treated(*[[("a", 10, 3.5), ("b", 10, 3.6)]] * 5)), "firm")
    assert (firm.factor, firm.percent) == ("pressure", None)
    assert "nothing to compare it with" in firm.why


def test_a_factor_without_marks_has_no_association():
    assert [line.factor for line in technique_associations(treated(*[[(None, 20, 3.5)]] * 5))] == ["pressure"]
    assert technique_associations([]) == []


def test_massages_of_unknown_rmssd_give_no_difference():
    found = technique_associations(treated(*[[("a", 10, None), ("b", 10, None)]] * 4))
    assert {line.percent for line in found} == {None}


def segments(level=40.0, until_s=1200):
    return [Segment(at + 5.0, "massage", level + at % 3) for at in range(300, until_s, 10)]


def test_a_massage_is_cut_at_its_marks_and_factors_that_a_mark_does_not_name_continue():
    marks = [
        Mark(310.0, technique="kneading", pressure="firm"),
        Mark(500.0, note="turned over"),
        Mark(600.0, region="neck"),
        Mark(700.0, technique="kneading"),
        Mark(900.0, pressure="light"),
        Mark(5000.0, technique="late"),
    ]
    found = massage_segments(marks, segments(), 300.0, 1200.0)
    assert [(s.start_s, s.stop_s, s.technique, s.region, s.pressure) for s in found] == [
        (0.0, 10.0, None, None, None),
        (10.0, 300.0, "kneading", None, "firm"),
        (300.0, 600.0, "kneading", "neck", "firm"),
        (600.0, 900.0, "kneading", "neck", "light"),
    ]
    assert found[0].ln_rmssd is None
    assert all(np.log(40) <= s.ln_rmssd <= np.log(43) and s.standard_error > 0 for s in found[1:])


def test_a_mark_before_the_massage_applies_from_its_start():
    (only,) = massage_segments([Mark(100.0, technique="kneading")], segments(), 300.0, 1200.0)
    assert (only.start_s, only.stop_s, only.technique) == (0.0, 900.0, "kneading")


def test_a_massage_segment_with_too_few_clean_segments_has_no_rmssd():
    (only,) = massage_segments([], [Segment(305.0, "massage", None), Segment(315.0, "massage", 40.0)], 300.0, 1200.0)
    assert (only.ln_rmssd, only.standard_error) == (None, None)
