"""Sentences about a course, for the client in their language and for the therapist in English. Pure functions.

Where there are too few sessions, the sentence says how many there are and how many it takes; nothing is called proven.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final

from ...analysis.course.course_figures import (
    FEWEST_FOR_TREND,
    FEWEST_SESSIONS,
    FEWEST_TECHNIQUE_SESSIONS,
    LEAST_WEEKS,
    Course,
    Estimate,
    TechniqueAssociation,
)
from ..courses.models import ClientCourse, CourseEntry
from ..courses.visit_schedule import Period, due_on, periods
from ..rendering.translations import Speech
from ..settings import CoursePlan

SLOPE_DIGITS: Final = 1
"""Decimals of a change per week: it is a few per cent at most, and its interval may come close to 0."""


def response_words(speech: Speech, figures: Course) -> Iterator[str]:
    """Yield sentences on the mean change, on whether it exceeds that of rest alone, and on its trend over the weeks."""
    mean = figures.response_pct
    if mean.value is None or mean.low is None or mean.high is None:
        if not mean.count:
            yield speech.say(
                "An average takes {needed} sessions with steady data; there is none yet.", needed=speech.number(FEWEST_SESSIONS)
            )
            return
        yield speech.say_count(
            "An average takes {needed} sessions with steady data; there is one.",
            "An average takes {needed} sessions with steady data; there are {count}.",
            mean.count,
            needed=speech.number(FEWEST_SESSIONS),
        )
        return
    values = {"change": speech.change(mean.value), "low": speech.change(mean.low), "high": speech.change(mean.high)}
    count = speech.number(mean.count)
    if mean.low > 0:
        yield speech.say(
            "Over {count} sessions your heart rhythm varied more during the massage than in the quiet minutes before it: "
            "{change} on average (between {low} and {high}).",
            count=count,
            **values,
        )
    elif mean.high < 0:
        yield speech.say(
            "Over {count} sessions your heart rhythm varied less during the massage than in the quiet minutes before it: "
            "{change} on average (between {low} and {high}).",
            count=count,
            **values,
        )
    else:
        yield speech.say(
            "Over {count} sessions there is no change on average that we could tell during the massage: "
            "it lies between {low} and {high}.",
            count=count,
            low=values["low"],
            high=values["high"],
        )
    yield _beyond_rest(speech, figures)
    yield _trend(
        speech,
        figures.response_pct_per_week,
        speech.say("From week to week this change rose by {change} (between {low} and {high})."),
        speech.say("From week to week this change fell by {change} (between {low} and {high})."),
        speech.say("From week to week this change shows no trend that we could tell; it lies between {low} and {high} a week."),
    )


def baseline_words(speech: Speech, figures: Course) -> Iterator[str]:
    """Yield sentences on the baseline level, stated separately as it varies from day to day and is no measure of success."""
    mean = figures.baseline_rmssd_ms
    if mean.value is not None and mean.low is not None and mean.high is not None:
        yield speech.say(
            "In your quiet minutes before, RMSSD was {value} ms on average (between {low} and {high}).",
            value=speech.number(mean.value),
            low=speech.number(mean.low),
            high=speech.number(mean.high),
        )
    yield _trend(
        speech,
        figures.baseline_pct_per_week,
        speech.say("It rose by {change} a week (between {low} and {high})."),
        speech.say("It fell by {change} a week (between {low} and {high})."),
        speech.say("It shows no trend that we could tell; it lies between {low} and {high} a week."),
    )
    yield speech.say("Sleep, a cold, coffee and much else move it from day to day; it is no measure of the massage.")


def pain_words(speech: Speech, figures: Course) -> Iterator[str]:
    """Yield sentences on the change in pain after the massage and later, in points of 0 to 10."""
    any_stated = False
    for estimate, message in (
        (
            figures.pain_after,
            speech.say("After the massage your pain had changed by {points} points on average (between {low} and {high})."),
        ),
        (figures.pain_24h, speech.say("A day later: {points} (between {low} and {high}).")),
        (figures.pain_48h, speech.say("Two days later: {points} (between {low} and {high}).")),
    ):
        if estimate.value is not None and estimate.low is not None and estimate.high is not None:
            any_stated = True
            yield message.format(
                points=speech.points(estimate.value), low=speech.points(estimate.low), high=speech.points(estimate.high)
            )
    if any_stated:
        yield speech.say("A change of about two points is what usually means something to a person.")
    elif not figures.pain_after.count:
        yield speech.say(
            "An average takes {needed} sessions with pain before and after; there is none yet.",
            needed=speech.number(FEWEST_SESSIONS),
        )
    else:
        yield speech.say_count(
            "An average takes {needed} sessions with pain before and after; there is one.",
            "An average takes {needed} sessions with pain before and after; there are {count}.",
            figures.pain_after.count,
            needed=speech.number(FEWEST_SESSIONS),
        )
    slope = figures.pain_before_per_week
    if slope.value is not None and slope.low is not None and slope.high is not None:
        values = {"low": speech.points(slope.low), "high": speech.points(slope.high)}
        if slope.low > 0 or slope.high < 0:
            yield speech.say(
                "Pain before the sessions changed by {points} points a week (between {low} and {high}).",
                points=speech.points(slope.value),
                **values,
            )
        else:
            yield speech.say(
                "Pain before the sessions shows no trend that we could tell; it lies between {low} and {high} points a week.",
                **values,
            )


def clearest_association(figures: Course) -> TechniqueAssociation | None:
    """Return the technique, region or pressure most clearly associated with a larger response; None where none is."""
    positive = [line for line in figures.went_with if line.low is not None and line.low > 0]
    return max(positive, key=lambda line: line.low or 0.0, default=None)


def clearest_words(speech: Speech, figures: Course) -> Iterator[str]:
    """Yield sentences on the technique, region or pressure associated with the clearest response, or on what it takes to say."""
    best = clearest_association(figures)
    if best is not None and best.percent is not None and best.low is not None and best.high is not None:
        yield speech.say(
            "{name} went with the clearest response for you: {change} against what else was done (between {low} and {high}; "
            "{sessions} sessions).",
            name=speech.known(best.name),
            change=speech.change(best.percent),
            low=speech.change(best.low),
            high=speech.change(best.high),
            sessions=speech.number(best.sessions),
        )
        yield speech.say("It went with it; that it made it is not said. Chance alone does this in about one course of eight.")
    elif any(line.percent is not None for line in figures.went_with):
        yield speech.say("Nothing that was done stood out from the rest so far.")
    else:
        yield speech.say(
            "Nothing is said yet: it takes {needed} sessions in which something was done, and {needed} in which it was not.",
            needed=speech.number(FEWEST_TECHNIQUE_SESSIONS),
        )


def plan_words(speech: Speech, plan: CoursePlan) -> str:
    """Return a sentence that states a plan."""
    often = speech.say_count("once a week", "{count} times a week", plan.per_week)
    weeks = speech.say_count("for one week", "for {count} weeks", plan.weeks)
    if plan.then_every_weeks is None:
        return speech.say("{often}, {weeks}.", often=often, weeks=weeks)
    then = speech.say_count("then every week", "then every {count} weeks", plan.then_every_weeks)
    return speech.say("{often}, {weeks}, {then}.", often=often, weeks=weeks, then=then)


def period_words(speech: Speech, period: Period) -> str:
    """Return in words whether the planned sessions of a period took place."""
    if period.missed:
        return speech.say("missed")
    if not period.over:
        return speech.say("under way")
    return speech.say("fewer") if period.fewer else speech.say("as planned")


def periods_of(course: ClientCourse) -> list[Period]:
    """Return the periods of the client's plan up to today; empty where it has not started."""
    if course.plan.starts_on is None:
        return []
    start, today = date.fromisoformat(course.plan.starts_on), date.fromisoformat(course.today)
    return periods(course.plan.plan, start, course.massage_days(), today)


def due_of(course: ClientCourse) -> date | None:
    """Return the day from which the next massage is due; None where the course is over or has not begun."""
    if course.plan.starts_on is None or course.plan.over:
        return None
    return due_on(course.plan.plan, date.fromisoformat(course.plan.starts_on), course.massage_days())


def change_words(speech: Speech, entry: CourseEntry) -> str:
    """Return a session's change with its interval, or the reason why it does not count."""
    if not entry.counts or entry.percent is None:
        if entry.state != "ended":
            return speech.say("not finished")
        return speech.say("breathing alone may have done it") if entry.breathing else speech.say("too little clean data")
    if entry.low_pct is None or entry.high_pct is None:
        return speech.change(entry.percent)
    return speech.say(
        "{change} ({low} to {high})",
        change=speech.change(entry.percent),
        low=speech.change(entry.low_pct),
        high=speech.change(entry.high_pct),
    )


def _beyond_rest(speech: Speech, figures: Course) -> str:
    beyond = figures.beyond_rest_pct
    if beyond.value is None or beyond.low is None or beyond.high is None:
        return speech.say("Whether that is more than rest alone does for you, three quiet sessions without massage would tell.")
    if beyond.low > 0:
        values = _magnitude(speech, (beyond.value, beyond.low, beyond.high))
        return speech.say("That is more than rest alone does for you: by {change} (between {low} and {high}).", **values)
    if beyond.high < 0:
        values = _magnitude(speech, (-beyond.value, -beyond.high, -beyond.low))
        return speech.say("That is less than rest alone does for you: by {change} (between {low} and {high}).", **values)
    return speech.say(
        "Against rest alone no difference can be told for you; it lies between {low} and {high}.",
        low=speech.change(beyond.low),
        high=speech.change(beyond.high),
    )


def _trend(speech: Speech, slope: Estimate, up: str, down: str, none: str) -> str:
    if slope.value is None or slope.low is None or slope.high is None:
        return speech.say(
            "A trend takes {needed} sessions with steady data over {weeks} weeks.",
            needed=speech.number(FEWEST_FOR_TREND),
            weeks=speech.number(LEAST_WEEKS),
        )
    if slope.low > 0:
        return up.format(**_magnitude(speech, (slope.value, slope.low, slope.high), SLOPE_DIGITS))
    if slope.high < 0:
        return down.format(**_magnitude(speech, (-slope.value, -slope.high, -slope.low), SLOPE_DIGITS))
    return none.format(low=speech.change(slope.low, SLOPE_DIGITS), high=speech.change(slope.high, SLOPE_DIGITS))


def _magnitude(speech: Speech, change_and_bounds: tuple[float, float, float], digits: int = 0) -> dict[str, str]:
    """Return the values of a sentence that states the direction itself: change and interval without sign."""
    return dict(zip(("change", "low", "high"), (speech.percent(value, digits) for value in change_and_bounds), strict=True))
