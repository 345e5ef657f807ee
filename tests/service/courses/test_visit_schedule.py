from datetime import date, timedelta

from hypothesis import given, strategies as st
import pytest

from restbeat.service.courses.visit_schedule import describe_plan, due_on, held_periods, missed_periods, periods
from restbeat.service.settings import CoursePlan

START = date(2026, 9, 7)


def days(*after):
    return [START + timedelta(days=n) for n in after]


def test_weeks_are_compared_with_the_plan_and_later_pairs_of_weeks():
    held = days(0, 3, 7, 22, 43, 45)
    found = periods(CoursePlan(weeks=4), START, held, START + timedelta(days=50))
    assert [(p.planned, p.held, p.missed, p.fewer, p.over) for p in found] == [
        (2, 2, False, False, True),
        (2, 1, False, True, True),
        (2, 0, True, False, True),
        (2, 1, False, True, True),
        (1, 0, True, False, True),
        (1, 2, False, False, False),
    ]
    assert (found[4].first, found[4].last) == (START + timedelta(days=28), START + timedelta(days=41))


def test_a_week_that_is_not_over_is_not_missed():
    (first,) = periods(CoursePlan(), START, [], START + timedelta(days=2))
    assert (first.missed, first.over) == (False, False)


def test_a_plan_that_ends_has_no_periods_after_its_end():
    plan = CoursePlan(weeks=2, then_every_weeks=None)
    assert len(periods(plan, START, [], START + timedelta(days=60))) == 2


@pytest.mark.parametrize(
    ("held", "due"),
    [((), 0), ((0,), 3), ((0, 3), 6), ((0, 39), 53), ((0, 40), 54), ((0, 49), 63)],
)
def test_the_next_visit_is_due_by_the_plans_own_spacing(held, due):
    assert due_on(CoursePlan(), START, days(*held)) == START + timedelta(days=due)


def test_after_the_end_of_a_plan_nobody_is_due():
    plan = CoursePlan(weeks=2, then_every_weeks=None)
    assert due_on(plan, START, days(0)) == START + timedelta(days=3)
    assert due_on(plan, START, days(0, 13)) is None


def test_a_plan_is_described_in_a_few_words():
    assert describe_plan(CoursePlan()) == "twice a week for 6 weeks, then fortnightly"
    assert describe_plan(CoursePlan(per_week=1, weeks=1, then_every_weeks=None)) == "once a week for 1 week, then it ends"


@given(
    plan=st.builds(
        CoursePlan,
        per_week=st.integers(1, 7),
        weeks=st.integers(1, 8),
        then_every_weeks=st.none() | st.integers(1, 4),
    ),
    visits=st.lists(st.integers(-10, 150), max_size=20),
    now=st.integers(-10, 160),
)
def test_missed_periods_are_counted_as_the_periods_tell_them(plan, visits, now):
    held, today = days(*sorted(visits)), START + timedelta(days=now)
    held = [day for day in held if day <= today]
    told = periods(plan, START, held, today)
    assert missed_periods(plan, START, held_periods(plan, START, held), today) == sum(period.missed for period in told)
