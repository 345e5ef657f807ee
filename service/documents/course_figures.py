"""Figures of a course for the therapist: each with its interval and number of sessions, or the reason why there is none."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from ...analysis.course.course_figures import Course, Estimate, TechniqueAssociation
from ..courses.models import ClientCourse
from ..rendering.translations import SOURCE, Speech, speech_of
from .course_sentences import SLOPE_DIGITS

_FACTORS: Final = {"technique": "Technique", "region": "Region", "pressure": "Pressure"}


@dataclass(frozen=True, slots=True)
class FigureLine:
    """One figure of the course as texts."""

    name: str
    value: str
    within: str
    behind: str


@dataclass(frozen=True, slots=True)
class TechniqueLine:
    """The response associated with one technique, region or pressure, as texts."""

    factor: str
    name: str
    sessions: int
    minutes: int
    value: str
    within: str
    why: str


def figure_lines(course: ClientCourse) -> tuple[FigureLine, ...]:
    """Return every figure of a course; empty where none was computed."""
    return tuple(_figures(course.figures, speech_of(SOURCE))) if course.figures else ()


def technique_lines(course: ClientCourse) -> tuple[TechniqueLine, ...]:
    """Return the response associated with each technique, region and pressure: the largest first, those without a figure last."""
    if course.figures is None:
        return ()
    ordered = sorted(course.figures.went_with, key=lambda line: (line.percent is None, -(line.percent or 0.0), line.name))
    return tuple(_technique_line(line, speech_of(SOURCE)) for line in ordered)


def _figures(figures: Course, speech: Speech) -> Iterator[FigureLine]:
    percent, ms, points = speech.change, lambda value: f"{speech.number(value, 1)}\u00a0ms", speech.points
    slope = partial(speech.change, digits=SLOPE_DIGITS)
    yield _line("Change of RMSSD in the massage, mean", figures.response_pct, percent)
    yield _line("The same, beyond rest alone", figures.beyond_rest_pct, percent)
    yield _line("How that change changes, a week", figures.response_pct_per_week, slope)
    yield _line("RMSSD of the quiet minutes before, mean", figures.baseline_rmssd_ms, ms)
    yield _line("How that changes, a week", figures.baseline_pct_per_week, slope)
    yield _line("Pain after, against before (points)", figures.pain_after, points)
    yield _line("Pain a day later, against before", figures.pain_24h, points)
    yield _line("Pain two days later, against before", figures.pain_48h, points)
    yield _line("Pain before, change a week", figures.pain_before_per_week, points)


def _line(name: str, estimate: Estimate, shown: Callable[[float], str]) -> FigureLine:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return FigureLine(name, "–", "", estimate.why or "")
    behind = f"{estimate.count} session{'' if estimate.count == 1 else 's'}"
    return FigureLine(name, shown(estimate.value), f"{shown(estimate.low)} to {shown(estimate.high)}", behind)


def _technique_line(line: TechniqueAssociation, speech: Speech) -> TechniqueLine:
    missing = line.percent is None or line.low is None or line.high is None
    return TechniqueLine(
        factor=_FACTORS.get(line.factor, line.factor),
        name=line.name,
        sessions=line.sessions,
        minutes=round(line.minutes),
        value="–" if missing else speech.change(line.percent),
        within="" if missing else f"{speech.change(line.low)} to {speech.change(line.high)}",
        why=line.why or "",
    )
