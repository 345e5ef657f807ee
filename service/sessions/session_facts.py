"""Facts of a session that several documents state: the minutes of each technique, and what was asked before it."""

from collections.abc import Callable, Sequence
from typing import Final

from ...analysis.figures import SessionReport
from ..rendering.plain_words import counted
from .models import Answer, Screened, TimeSpent, VisitMark

NOT_NOTED: Final = "not noted"
_LEAST_UNNOTED_MIN: Final = 0.5
"""Least time without a mark that is stated, in minutes."""


def time_spent(report: SessionReport, marks: Sequence[VisitMark], pick: Callable[[VisitMark], str | None]) -> list[TimeSpent]:
    """Return the minutes of the massage spent on each value that `pick` returns: from its mark to the next such mark.

    The last entry is `NOT_NOTED` where the massage went on before the first mark.
    """
    span = next(((phase.start_s, phase.end_s) for phase in report.figures.phases if phase.phase == "massage"), None)
    picked = [(mark.at_s, what) for mark in marks if (what := pick(mark))]
    if span is None or not picked:
        return []
    start_s, end_s = span
    minutes: dict[str, float] = {}
    borders = [start_s, *(min(max(at_s, start_s), end_s) for at_s, _ in picked), end_s]
    for what, begin_s, stop_s in zip([NOT_NOTED, *(what for _, what in picked)], borders, borders[1:], strict=False):
        minutes[what] = minutes.get(what, 0.0) + (stop_s - begin_s) / 60
    before = minutes.pop(NOT_NOTED)
    done = [TimeSpent(what=what, minutes=length) for what, length in minutes.items() if length > 0]
    return [*done, TimeSpent(what=NOT_NOTED, minutes=before)] if done and before >= _LEAST_UNNOTED_MIN else done


def screened(screening: Sequence[Answer]) -> Screened:
    """Return whether the screening questions were asked: only a press says so."""
    if not screening:
        return "not asked"
    return "asked" if all(answer.confirmed_utc for answer in screening) else "not confirmed"


def contraindications(screening: Sequence[Answer]) -> str:
    """Return the screening questions asked before the session and their answers as a sentence."""
    count, state = counted(len(screening), "question", "questions"), screened(screening)
    if state == "not asked":
        return "Not asked before the session."
    if state == "not confirmed":
        return f"Not confirmed: nobody pressed that none of the {count} applies."
    yes = [answer.question.lower() for answer in screening if answer.yes]
    if not yes:
        return f"Asked before the session ({count}): none applies."
    return f"Asked before the session: {', '.join(yes)}. Considered and confirmed; the others do not apply."
