"""Visit plans against the visits that took place: a custom of the trade, never called proven. Pure functions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final, NamedTuple

import msgspec

from ..settings import CoursePlan

_WEEK_DAYS: Final = 7
SOON_DAYS: Final = 3
"""Days before the due day from which a visit is due soon."""
LONG_DAYS: Final = 28
"""Days after the due day beyond which a client counts as staying away."""


class ClientPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The visit plan of one client."""

    plan: CoursePlan
    starts_on: Annotated[str | None, msgspec.Meta(description="ISO date; null: the plan has not begun.")] = None
    over: Annotated[bool, msgspec.Meta(description="Whether the course is over: the client is not due any more.")] = False
    own: Annotated[bool, msgspec.Meta(description="Whether it was made for this client; else it is the practice's plan.")] = False


@dataclass(frozen=True, slots=True)
class Period:
    """A period of a plan: a week at first, later the weeks of one planned visit."""

    first: date
    last: date
    planned: int
    held: int
    over: bool
    """Whether the last day has passed."""

    @property
    def missed(self) -> bool:
        """Whether it is over without a visit."""
        return self.over and self.held == 0

    @property
    def fewer(self) -> bool:
        """Whether it is over with fewer visits than planned, but at least one."""
        return self.over and 0 < self.held < self.planned


def periods(plan: CoursePlan, starts_on: date, visits: Sequence[date], today: date) -> list[Period]:
    """Return the plan's periods from its start to today, each with the number of visits in it."""
    out: list[Period] = []
    first, until = starts_on, starts_on + timedelta(weeks=plan.weeks)
    while first <= today:
        if first < until:
            last, planned = first + timedelta(days=_WEEK_DAYS - 1), plan.per_week
        elif plan.then_every_weeks is None:
            break
        else:
            last, planned = first + timedelta(weeks=plan.then_every_weeks, days=-1), 1
        out.append(Period(first, last, planned, sum(first <= day <= last for day in visits), last < today))
        first = last + timedelta(days=1)
    return out


class HeldPeriods(NamedTuple):
    """The periods of a plan with a visit: their number, and the last one's, from 0."""

    number: int
    last: int | None


def held_periods(plan: CoursePlan, starts_on: date, visits: Iterable[date]) -> HeldPeriods:
    """Return the periods of the plan in which there was a visit."""
    until, every = starts_on + timedelta(weeks=plan.weeks), plan.then_every_weeks
    held: set[int] = set()
    for day in visits:
        if starts_on <= day < until:
            held.add((day - starts_on).days // _WEEK_DAYS)
        elif day >= until and every:
            held.add(plan.weeks + (day - until).days // (_WEEK_DAYS * every))
    return HeldPeriods(len(held), max(held, default=None))


def missed_periods(plan: CoursePlan, starts_on: date, held: HeldPeriods, today: date) -> int:
    """Return the number of the plan's periods that are over without a visit, as `periods` tells them, without making each."""
    until, every = starts_on + timedelta(weeks=plan.weeks), plan.then_every_weeks
    over = min(max((today - starts_on).days // _WEEK_DAYS, 0), plan.weeks)
    later = max((today - until).days // (_WEEK_DAYS * every), 0) if every else 0
    unfinished = held.last is not None and held.last >= (over if over < plan.weeks else plan.weeks + later)
    return max(over + later - held.number + unfinished, 0)


def due_on(plan: CoursePlan, starts_on: date, visits: Sequence[date]) -> date | None:
    """Return the day from which the next visit is due; None where the plan has ended."""
    if not visits:
        return starts_on
    last, until = max(visits), starts_on + timedelta(weeks=plan.weeks)
    following = last + timedelta(days=_WEEK_DAYS // plan.per_week)
    if following < until:
        return max(following, starts_on)
    return None if plan.then_every_weeks is None else last + timedelta(weeks=plan.then_every_weeks)


def describe_plan(plan: CoursePlan) -> str:
    """Return a plan in a few words, for the therapist."""
    often = {1: "once a week", 2: "twice a week"}.get(plan.per_week, f"{plan.per_week} times a week")
    then = {None: "then it ends", 1: "then weekly", 2: "then fortnightly"}.get(
        plan.then_every_weeks, f"then every {plan.then_every_weeks} weeks"
    )
    return f"{often} for {plan.weeks} week{'' if plan.weeks == 1 else 's'}, {then}"
