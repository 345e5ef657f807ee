"""The data of one session that a course is computed from."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from ...sensors.recordings.recording import Event
from ..figures import SessionReport
from .massage_segments import MassageSegment, massage_segments

_COMPARED = "massage"


class CourseSession(msgspec.Struct, frozen=True, kw_only=True):
    """One session of a client, as data of a course."""

    started: datetime
    kind: str = "massage"
    """massage or rest"""
    valid: bool = False
    """Whether the data were steady and breathing was alike in both phases, so that the change counts."""
    delta: float | None = None
    """Change of ln RMSSD in the massage, or in the rest in its place."""
    standard_error: float | None = None
    """Standard error of `delta` from that session alone (`ResponseContext.standard_error`)."""
    baseline_ln_rmssd: float | None = None
    massage_segments: tuple[MassageSegment, ...] = ()
    """Techniques, and RMSSD during each."""
    pain_before: int | None = None
    """Pain score 0–10, as are the following."""
    pain_after: int | None = None
    pain_24h: int | None = None
    pain_48h: int | None = None


def course_session(report: SessionReport, started: datetime, events: Sequence[Event] = ()) -> CourseSession:
    """Return a session's data for a course, from its report and the marks among its events; the caller adds pain scores."""
    phases = {phase.phase: phase for phase in report.figures.phases}
    response = next((one for one in report.figures.responses if one.phase == _COMPARED), None)
    context = report.context.get(_COMPARED)
    massage = phases.get(_COMPARED)
    return CourseSession(
        started=started,
        kind=report.kind,
        valid=context is not None and context.steady and not context.flagged,
        delta=response.delta_ln_rmssd if response else None,
        standard_error=context.standard_error if context else None,
        baseline_ln_rmssd=phases["baseline"].ln_rmssd if "baseline" in phases else None,
        massage_segments=massage_segments(events, report.segments, massage.start_s, massage.end_s) if massage else (),
    )
