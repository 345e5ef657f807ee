"""Facts of a session that several documents state: the minutes of each technique, and what was asked before it."""

from collections.abc import Callable, Sequence
from typing import Final, Literal

from ...analysis.figures import LEAST_COMPARED_S, PhaseFigures, SessionReport
from ...analysis.response.thresholds import FEWEST_SEGMENTS, PULSE_ONLY
from ...analysis.rhythm.phase_rhythm import not_compared
from ...analysis.rhythm.rhythm_watch import WITHOUT_HRV, Rhythm
from ..rendering.plain_words import class_word, clock, counted, interval_pct, response_sentence
from .models import Answer, Screened, TimeSpent, VisitMark

BASELINE_SHORT: Final = "Baseline too short"
NO_COMPARISON: Final = "No comparison"
HEART_RATE_ONLY: Final = "This sensor sent the heart rate only. There is no heart rhythm variability to tell of."
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


def baseline_of(report: SessionReport) -> PhaseFigures | None:
    """Return the figures of the baseline; None where there was none."""
    return next((figures for figures in report.figures.phases if figures.phase == "baseline"), None)


def baseline_trouble(report: SessionReport) -> Literal["cut", "unsteady"] | None:
    """Return why nothing can be compared with the baseline: it was cut short, or too little of it was usable.

    None where it suffices, where there was none, where the sensor sent no RR intervals, and where it is the rhythm's fault.
    """
    base = baseline_of(report)
    if base is None or not report.hrv or base.rhythm in WITHOUT_HRV or base.clean_segments >= FEWEST_SEGMENTS:
        return None
    return "cut" if base.end_s - base.start_s < LEAST_COMPARED_S else "unsteady"


def baseline_sentence(report: SessionReport) -> str:
    """Return why nothing can be compared with the baseline, and what would help; empty where it suffices."""
    base, needed = baseline_of(report), clock(LEAST_COMPARED_S)
    match baseline_trouble(report), base:
        case "cut", PhaseFigures(start_s=start_s, end_s=end_s):
            return (
                f"The baseline was too short to compare with: {clock(end_s - start_s)} of the {needed} it takes. "
                "Next time, begin the massage once the room says “Baseline complete”."
            )
        case "unsteady", PhaseFigures(clean_segments=clean):
            return (
                f"Only {clock(10 * clean)} of the baseline could be used, and a comparison takes {needed}. "
                "Moisten the strap and wait for a good signal before the next baseline."
            )
        case _:
            return ""


def rhythm_sentence(report: SessionReport, phase: str) -> str:
    """Return why the rhythm allows no comparison of a phase with the baseline; empty where it does, or one is missing."""
    base, later = baseline_of(report), next((figures for figures in report.figures.phases if figures.phase == phase), None)
    return (base and later and not_compared(Rhythm(base.rhythm), Rhythm(later.rhythm))) or ""


def verdict_of(report: SessionReport) -> tuple[str, str]:
    """Return the outcome of a session in a few words, and as a sentence."""
    if not report.hrv:
        heard = any(figures.mean_hr_bpm is not None for figures in report.figures.phases)
        return "Heart rate only" if heard else "No heartbeat", report.hrv_why or HEART_RATE_ONLY
    if report.polar is not None and report.polar.rr_source == "ppi":
        return "Figures of the pulse", PULSE_ONLY
    if short := baseline_sentence(report):
        return BASELINE_SHORT, short
    responses, phases = report.figures.responses, {figures.phase for figures in report.figures.phases}
    response = next((found for found in responses if found.class_ != "insufficient"), responses[0] if responses else None)
    if response is None or not {"baseline", response.phase} <= phases:
        return NO_COMPARISON, response.why if response else "Nothing was measured in this session."
    if why := rhythm_sentence(report, response.phase):
        return NO_COMPARISON, why
    interval = interval_pct(response, report.intervals.get(response.phase))
    return class_word(response.class_), response_sentence(response, interval, report.kind)


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
