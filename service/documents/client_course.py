"""The client's page of a course over the weeks. Pure functions without login or request, so that a link shows the same page."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from markupsafe import Markup

from ..courses.models import ClientCourse, CourseEntry
from ..rendering.translations import NONE, Speech
from ..sessions.co_interventions import complement_word, complements_of
from ..sessions.models import TimeSpent
from ..sessions.session_facts import NOT_NOTED
from . import course_sentences as words
from .client_sentences import pain_during
from .course_charts import NARROW, WIDE, baseline_chart, pain_chart, response_chart
from .page_templates import Frame, render

_MAX_TECHNIQUES: Final = 3
"""Techniques of a session that the table names."""
_MAX_SESSIONS: Final = 60
"""Newest sessions in the tables; the charts show all."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart in two sizes, with its sentences and the table beside it."""

    name: str
    title: str
    said: str
    wide: Markup | None
    narrow: Markup | None
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class PeriodLine:
    """A period of the plan, with the planned and the actual number of sessions."""

    when: str
    planned: str
    held: str
    word: str
    kind: str


@dataclass(frozen=True, slots=True)
class SessionLine:
    """A session of the course with its pain, change and baseline level, as texts."""

    session: int
    date: str
    kind: str
    done: str
    beside: str
    pain: str
    during: str
    """Pain noted during the session; empty where there is none."""
    change: str
    level: str
    stopped: bool


@dataclass(frozen=True, slots=True)
class CoursePage:
    """Texts and charts of the page."""

    title: str
    span: str
    first: tuple[str, str] | None
    lead: tuple[str, ...]
    caveat: str
    agreed: bool
    charts: tuple[Chart, ...]
    clearest: tuple[str, ...]
    plan: str
    due: str
    custom: str
    periods: tuple[PeriodLine, ...]
    lines: tuple[SessionLine, ...]
    older: int
    waiting: int


def client_course(course: ClientCourse, speech: Speech, frame: Frame) -> str:
    """Return the whole page as HTML, in the language of `speech`."""
    return render("client_course.html", speech, frame, page=course_page(course, speech), client=course.client)


def course_page(course: ClientCourse, speech: Speech) -> CoursePage:
    """Return the texts and charts of a course."""
    speech = speech.in_zone(course.zone)
    figures = course.figures
    shown, years = course.entries[-_MAX_SESSIONS:], _years(course, speech)
    return CoursePage(
        title=speech.say("Your weeks"),
        span=_span(course, speech),
        first=_first(course, speech),
        lead=tuple(text for text in words.response_words(speech, figures) if text) if figures and course.entries else (),
        caveat=speech.say("Rest alone can do this. It does not measure pain, health or treatment success."),
        agreed=course.agreed,
        charts=tuple(_charts(course, speech)) if course.agreed else (),
        clearest=tuple(words.clearest_words(speech, figures)) if figures else (),
        plan=words.plan_words(speech, course.plan.plan),
        due=_due(course, speech),
        custom=speech.say("How often is a custom of the trade, not a proven dose; what suits you counts."),
        periods=tuple(_periods(course, speech)),
        lines=tuple(_line(entry, speech, years) for entry in shown),
        older=len(course.entries) - len(shown),
        waiting=course.waiting,
    )


def _span(course: ClientCourse, speech: Speech) -> str:
    if not course.entries:
        return speech.say("No session has taken place yet.")
    massages = sum(entry.kind != "rest" for entry in course.entries)
    rests = len(course.entries) - massages
    parts = [speech.say_count("one massage", "{count} massages", massages)]
    if rests:
        parts.append(speech.say_count("one quiet session", "{count} quiet sessions", rests))
    begin, end = speech.day(course.entries[0].started_utc), speech.day(course.entries[-1].started_utc)
    when = begin if begin == end else speech.say("{begin} to {end}", begin=begin, end=end)
    return f"{when} · {speech.listed(parts)}"


def _first(course: ClientCourse, speech: Speech) -> tuple[str, str] | None:
    """Return title and text about a stop in the newest massage, which take precedence over everything else; None without one."""
    newest = next((entry for entry in reversed(course.entries) if entry.kind != "rest"), None)
    if newest is None or not newest.stopped:
        return None
    return speech.say("Your last massage was stopped because your pain went up."), speech.say(
        "That comes before anything that the heart shows. Tell us how you are; ask a doctor where the pain worries you."
    )


def _charts(course: ClientCourse, speech: Speech) -> Iterable[Chart]:
    figures = course.figures
    if figures is None or not course.entries:
        return
    day, years = speech.say("Day"), _years(course, speech)
    entries = course.entries[-_MAX_SESSIONS:]
    massages = [entry for entry in entries if entry.kind != "rest"]
    yield Chart(
        "pain",
        speech.say("Pain"),
        " ".join(words.pain_words(speech, figures)),
        pain_chart(course, speech, WIDE),
        pain_chart(course, speech, NARROW),
        (day, speech.say("before"), speech.say("after"), speech.say("a day later"), speech.say("two days later")),
        tuple((_short(entry, speech, years), *(speech.number(score) for score in _pains(entry))) for entry in massages),
    )
    yield Chart(
        "response",
        speech.say("What changed during the massage"),
        "",
        response_chart(course, speech, WIDE),
        response_chart(course, speech, NARROW),
        (day, speech.say("Change of RMSSD")),
        tuple((_short(entry, speech, years), words.change_words(speech, entry)) for entry in massages),
    )
    yield Chart(
        "level",
        speech.say("Your quiet minutes before"),
        " ".join(words.baseline_words(speech, figures)),
        baseline_chart(course, speech, WIDE),
        baseline_chart(course, speech, NARROW),
        (day, "RMSSD, ms"),
        tuple((_short(entry, speech, years), speech.number(entry.baseline_rmssd_ms)) for entry in entries),
    )


def _periods(course: ClientCourse, speech: Speech) -> Iterable[PeriodLine]:
    spans = words.periods_of(course)
    years = bool(spans) and spans[0].first.year != spans[-1].last.year
    for period in spans:
        kind = "missed" if period.missed else "fewer" if period.fewer else "open" if not period.over else "held"
        yield PeriodLine(
            speech.say("{begin} to {end}", begin=speech.short_day(period.first), end=speech.short_day(period.last, year=years)),
            speech.number(period.planned),
            speech.number(period.held),
            words.period_words(speech, period),
            kind,
        )


def _due(course: ClientCourse, speech: Speech) -> str:
    if course.plan.over:
        return speech.say("The course is over; come when it suits you.")
    day = words.due_of(course)
    if day is None:
        return "" if course.plan.starts_on is None else speech.say("The plan has come to its end.")
    today = date.fromisoformat(course.today)
    if day <= today:
        return speech.say("The next massage is due since {day}.", day=speech.weekday(day))
    return speech.say("The next massage is due from {day}.", day=speech.weekday(day))


def _line(entry: CourseEntry, speech: Speech, years: bool) -> SessionLine:
    beside = [complement_word(speech, kind) for kind in complements_of(entry.complements)]
    return SessionLine(
        session=entry.session,
        date=_short(entry, speech, years),
        kind=speech.say("Rest only") if entry.kind == "rest" else speech.say("Massage"),
        done=_done(entry.worked, speech),
        beside=", ".join(beside),
        pain=" · ".join(speech.number(score) for score in _pains(entry)) if any(s is not None for s in _pains(entry)) else NONE,
        during=pain_during(speech, entry.pain_during),
        change=words.change_words(speech, entry),
        level=speech.number(entry.baseline_rmssd_ms),
        stopped=entry.stopped,
    )


def _done(worked: list[TimeSpent], speech: Speech) -> str:
    longest = sorted((part for part in worked if part.what != NOT_NOTED), key=lambda part: -part.minutes)
    return ", ".join(
        f"{speech.known(part.what)} {speech.length(60 * part.minutes, short=True)}" for part in longest[:_MAX_TECHNIQUES]
    )


def _years(course: ClientCourse, speech: Speech) -> bool:
    """Return whether the course spans more than one year, so that dates need the year."""
    return len({speech.moment(entry.started_utc).year for entry in course.entries}) > 1


def _pains(entry: CourseEntry) -> tuple[int | None, ...]:
    return entry.pain_before, entry.pain_after, entry.pain_24h, entry.pain_48h


def _short(entry: CourseEntry, speech: Speech, years: bool) -> str:
    return speech.short_day(speech.moment(entry.started_utc).date(), year=years)
