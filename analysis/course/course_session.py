"""What a course needs to know of one session."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from ...sensors.recordings.recording import Event
from ..figures import SessionReport
from .massage_segments import MassageSegment, massage_segments

_COMPARED = "massage"


class CourseSession(msgspec.Struct, frozen=True, kw_only=True):
    """One session of a client."""

    started: datetime
    kind: str = "massage"
    """massage or rest"""
    valid: bool = False
    """Whether the data were steady and breathing alike, so that the change counts."""
    delta: float | None = None
    """Change of ln RMSSD in the massage, or in the rest that stands in its place."""
    standard_error: float | None = None
    """By that session alone (`ResponseContext.standard_error`)."""
    baseline_ln_rmssd: float | None = None
    stretches: tuple[MassageSegment, ...] = ()
    """What was done, and how RMSSD was meanwhile (`stretches.massage_segments`)."""
    pain_before: int | None = None
    """0–10, as are the following."""
    pain_after: int | None = None
    pain_24h: int | None = None
    pain_48h: int | None = None


def course_session(report: SessionReport, started: datetime, events: Sequence[Event] = ()) -> CourseSession:
    """Take what a course needs from a session's report and the marks among its events; pain is for the caller to add."""
    phases = {phase.phase: phase for phase in report.figures.phases}
    response = next((found for found in report.figures.responses if found.phase == _COMPARED), None)
    context = report.context.get(_COMPARED)
    spans = phases.get(_COMPARED)
    return CourseSession(
        started=started,
        kind=report.kind,
        valid=context is not None and context.steady and not context.flagged,
        delta=response.delta_ln_rmssd if response else None,
        standard_error=context.standard_error if context else None,
        baseline_ln_rmssd=phases["baseline"].ln_rmssd if "baseline" in phases else None,
        stretches=massage_segments(events, report.segments, spans.start_s, spans.end_s) if spans else (),
    )
