"""Charts of a course: pain, the response of each session, and the level of the quiet minutes. Lines break at missing values."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Final

from markupsafe import Markup

from ..courses.models import ClientCourse, CourseEntry
from ..rendering.svg_plot import Plot, Point, ticks, width_of
from ..rendering.translations import Speech

WIDE: Final = (660.0, 210.0)
NARROW: Final = (358.0, 230.0)
_MIN_DAYS: Final = 7.0
_PCT_LIMITS: Final = (-70.0, 160.0)
PAINS: Final = (
    ("pain_before", "dot", "before", "quiet"),
    ("pain_after", "square", "after", "blue"),
    ("pain_24h", "triangle", "day", "orange"),
    ("pain_48h", "diamond", "two", "green"),
)
"""Pain scores, each with its own shape: field, shape, class, colour."""


def pain_chart(course: ClientCourse, speech: Speech, size: tuple[float, float]) -> Markup | None:
    """Return the chart of pain before, after, one and two days later; None without any score. `size` is in px."""
    entries = [entry for entry in course.entries if entry.kind != "rest"]
    known = [entry for entry in entries if any(getattr(entry, name) is not None for name, *_ in PAINS)]
    if not known:
        return None
    plot, at = _course_plot(entries, speech, size, (0.0, 10.0))
    for value in (0, 2, 4, 6, 8, 10):
        plot.level(value)
        plot.text(plot.left - 5, plot.y(value) + 4, speech.number(value), anchor="end")
    plot.text(plot.left, 13, speech.say("Pain, 0 to 10"))
    for entry in known:
        scores = [(at(entry), float(score)) for name, *_ in PAINS if (score := getattr(entry, name)) is not None]
        if len(scores) > 1:
            low, high = min(scores, key=lambda point: point[1]), max(scores, key=lambda point: point[1])
            plot.line([low, high], "stem", "line", 3.0)
    for run in _runs(entries, "pain_before", at):
        plot.line(run, "before", "quiet", 1.2)
    for name, shape, kind, colour in PAINS:
        for entry in known:
            if (score := getattr(entry, name)) is None:
                continue
            point = (at(entry), float(score))
            if shape == "dot":
                plot.dot(point, kind, colour, 5.0)
            else:
                plot.mark(point, shape, kind, colour)
    return plot.svg(speech.say("Pain of each session; the table gives the scores."))


def response_chart(course: ClientCourse, speech: Speech, size: tuple[float, float]) -> Markup | None:
    """Return the chart of each massage's change with its interval, and the mean; None where none counts. `size` is in px."""
    entries = [entry for entry in course.entries if entry.kind != "rest"]
    known = [entry for entry in entries if entry.counts and entry.percent is not None]
    if not known:
        return None
    reach = [value for entry in known for value in (entry.low_pct, entry.high_pct, entry.percent) if value is not None]
    low = max(min(*reach, -10.0) - 5, _PCT_LIMITS[0])
    high = min(max(*reach, 20.0) + 5, _PCT_LIMITS[1])
    plot, at = _course_plot(entries, speech, size, (low, high))
    for value in ticks(low, high, 5):
        plot.level(value, width=1.6 if value == 0 else 1.0, name="zero" if value == 0 else "line")
        plot.text(plot.left - 5, plot.y(value) + 4, speech.change(value), anchor="end")
    plot.text(plot.left, 13, speech.say("Change of RMSSD"))
    mean = course.figures.response_pct if course.figures else None
    if mean and mean.low is not None and mean.high is not None and mean.value is not None:
        plot.band(*plot.x_range, max(mean.low, low), min(mean.high, high), "usual", "green", 0.13)
        plot.level(mean.value, "mean", "green", 1.5, "6 4")
    for entry in entries:
        if entry not in known or entry.percent is None:
            plot.text(plot.x(at(entry)), plot.height - plot.bottom - 6, "×", "quiet", "middle")
            continue
        if entry.low_pct is not None and entry.high_pct is not None:
            plot.line([(at(entry), max(entry.low_pct, low)), (at(entry), min(entry.high_pct, high))], "interval", "blue", 2.5)
        plot.dot((at(entry), min(max(entry.percent, low), high)), "point", "blue", 5.0)
    return plot.svg(speech.say("Change in each session with its interval; the table gives the figures."))


def baseline_chart(course: ClientCourse, speech: Speech, size: tuple[float, float]) -> Markup | None:
    """Return the chart of RMSSD in the quiet minutes before massages and rests; None without any. `size` is in px."""
    entries = course.entries
    levels = [entry.baseline_rmssd_ms for entry in entries if entry.baseline_rmssd_ms is not None]
    if not levels:
        return None
    plot, at = _course_plot(entries, speech, size, (0.7 * min(levels), 1.12 * max(levels)))
    for value in ticks(*plot.y_range, 4):
        plot.level(value)
        plot.text(plot.left - 5, plot.y(value) + 4, speech.number(value), anchor="end")
    plot.text(plot.left, 13, speech.say("RMSSD in milliseconds"))
    for run in _runs(entries, "baseline_rmssd_ms", at):
        plot.line(run, "rhythm", "blue", 1.4)
    for entry in entries:
        if entry.baseline_rmssd_ms is not None:
            plot.dot((at(entry), entry.baseline_rmssd_ms), "point", "blue", 4.5, hollow=entry.kind == "rest")
    return plot.svg(speech.say("Level of the quiet minutes; the table gives the figures."))


def _course_plot(
    entries: Sequence[CourseEntry], speech: Speech, size: tuple[float, float], y_range: tuple[float, float]
) -> tuple[Plot, Callable[[CourseEntry], float]]:
    """Return a plot over days, and a function of a session's horizontal value; sessions of one day stand side by side."""
    days = [speech.moment(entry.started_utc).date() for entry in entries]
    first, last = min(days), max(days)
    short = max(_MIN_DAYS - (last - first).days, 0.0)
    span = (-0.5 - short / 2, (last - first).days + 0.5 + short / 2)
    before: dict[date, int] = {}
    position: dict[int, float] = {}
    for entry, day in zip(entries, days, strict=True):
        position[entry.session] = (day - first).days + 0.3 * before.setdefault(day, 0)
        before[day] += 1
    plot = Plot(*size, span, y_range, left=44.0, top=24.0, bottom=24.0)
    _draw_days(plot, speech, first, last)
    return plot, lambda entry: position[entry.session]


def _draw_days(plot: Plot, speech: Speech, first: date, last: date) -> None:
    """Draw dates below the plot, at whole weeks from the first session, as many as there is room for."""
    weeks = (last - first).days // 7
    years = first.year != last.year
    room = (plot.width - plot.left - plot.right) / (width_of("00. Month" + " 0000" * years) + 14)
    step = max(1, -(-(weeks + 1) // max(int(room), 1)))
    for week in range(0, weeks + 1, step):
        day = first + timedelta(weeks=week)
        plot.upright((day - first).days, "line", "line", dashes="1 4")
        text, at_px = speech.short_day(day, year=years), plot.x((day - first).days)
        at_px = min(at_px, plot.width - 2 - width_of(text) / 2)
        plot.text(at_px, plot.height - 7, text, anchor="middle" if week or at_px > plot.left + 20 else "start")


def _runs(entries: Sequence[CourseEntry], name: str, at: Callable[[CourseEntry], float]) -> list[list[Point]]:
    """Return runs of at least two successive sessions that have a value; one that lacks it breaks the line."""
    runs: list[list[Point]] = [[]]
    for entry in entries:
        if (value := getattr(entry, name)) is None:
            runs.append([])
        else:
            runs[-1].append((at(entry), float(value)))
    return [run for run in runs if len(run) > 1]
