"""Facts of a session that several documents state: pain, and for how long each technique was used."""

from collections.abc import Callable, Sequence
from typing import Final

from ...analysis.figures import SessionReport
from .models import VisitMark, Worked

NOT_NOTED: Final = "not noted"


_ENOUGH_MIN: Final = 0.5
"""Of time that nobody noted anything for; less is not worth a word."""


def worked(report: SessionReport, marks: Sequence[VisitMark], pick: Callable[[VisitMark], str | None]) -> list[Worked]:
    """For how long each thing that `pick` takes from a mark was done in the massage: until the next such mark.

    The last entry is `NOT_NOTED` where the massage went on before the first mark.
    """
    span = next(((phase.start_s, phase.end_s) for phase in report.figures.phases if phase.phase == "massage"), None)
    told = [(mark.at_s, what) for mark in marks if (what := pick(mark))]
    if span is None or not told:
        return []
    start_s, end_s = span
    minutes: dict[str, float] = {}
    borders = [start_s, *(min(max(at_s, start_s), end_s) for at_s, _ in told), end_s]
    for what, begin_s, stop_s in zip([NOT_NOTED, *(what for _, what in told)], borders, borders[1:], strict=False):
        minutes[what] = minutes.get(what, 0.0) + (stop_s - begin_s) / 60
    before = minutes.pop(NOT_NOTED)
    done = [Worked(what=what, minutes=length) for what, length in minutes.items() if length > 0]
    return [*done, Worked(what=NOT_NOTED, minutes=before)] if done and before >= _ENOUGH_MIN else done


def pains_of(report: SessionReport, before: int | None, after: int | None) -> tuple[int | None, int | None]:
    """Pain as it was asked before and after, else as it was said in the session before and after the massage."""
    massage = next((figures for figures in report.figures.phases if figures.phase == "massage"), None)
    if massage is not None and before is None:
        before = next((score for at_s, score in report.pain if at_s < massage.start_s), None)
    if massage is not None and after is None:
        after = next((score for at_s, score in reversed(report.pain) if at_s >= massage.end_s), None)
    return before, after
