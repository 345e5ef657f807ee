"""How often a client is meant to come, against what took place. A custom of the trade, never called proven. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final

import msgspec

from ..settings import CoursePlan

_WEEK_DAYS: Final = 7
SOON_DAYS: Final = 3
LONG_DAYS: Final = 28
"""Past the due day; whoever is later than that has stayed away."""


class ClientPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The plan of one client."""

    plan: CoursePlan
    starts_on: Annotated[str | None, msgspec.Meta(description="ISO date; None: nothing has begun yet.")] = None
    over: Annotated[bool, msgspec.Meta(description="The course is over: the client is not due any more.")] = False
    own: Annotated[bool, msgspec.Meta(description="Made for this client; else it is the practice's usual one.")] = False


@dataclass(frozen=True, slots=True)
class Period:
    """A week of the plan, or later as many weeks as one visit is meant for."""

    first: date
    last: date
    planned: int
    held: int
    over: bool
    """Whether its last day has passed."""

    @property
    def missed(self) -> bool:
        """Whether nothing took place in it."""
        return self.over and self.held == 0

    @property
    def fewer(self) -> bool:
        """Whether something did, but less than was planned."""
        return self.over and 0 < self.held < self.planned


def periods(plan: CoursePlan, starts_on: date, held: Sequence[date], today: date) -> list[Period]:
    """The plan's periods from its start to today, with the visits that fell into each."""
    out: list[Period] = []
    first, until = starts_on, starts_on + timedelta(weeks=plan.weeks)
    while first <= today:
        if first < until:
            last, planned = first + timedelta(days=_WEEK_DAYS - 1), plan.per_week
        elif plan.then_every_weeks is None:
            break
        else:
            last, planned = first + timedelta(weeks=plan.then_every_weeks, days=-1), 1
        out.append(Period(first, last, planned, sum(first <= day <= last for day in held), last < today))
        first = last + timedelta(days=1)
    return out


def due_on(plan: CoursePlan, starts_on: date, held: Sequence[date]) -> date | None:
    """The day from which the next visit is due; None where the plan has come to its end."""
    if not held:
        return starts_on
    last, until = max(held), starts_on + timedelta(weeks=plan.weeks)
    following = last + timedelta(days=_WEEK_DAYS // plan.per_week)
    if following < until:
        return max(following, starts_on)
    return None if plan.then_every_weeks is None else last + timedelta(weeks=plan.then_every_weeks)


def shortest(plan: CoursePlan) -> str:
    """A plan in a few words, for the therapist."""
    often = {1: "once a week", 2: "twice a week"}.get(plan.per_week, f"{plan.per_week} times a week")
    then = {None: "then it ends", 1: "then weekly", 2: "then fortnightly"}.get(
        plan.then_every_weeks, f"then every {plan.then_every_weeks} weeks"
    )
    return f"{often} for {plan.weeks} week{'' if plan.weeks == 1 else 's'}, {then}"
