"""Computation of a course from stored reports, in the worker process: it imports SciPy."""

from collections.abc import Mapping, Sequence
from math import expm1

import msgspec

from ...analysis.course.course import course
from ...analysis.course.course_figures import Course
from ...analysis.course.course_session import CourseSession, course_session
from ...analysis.figures import SessionReport
from ...sensors.recordings.recording import Mark, MarkContent
from ..sessions.session_facts import time_spent
from .course_data import SessionComparison, StoredSession


def compute_course(stored: Sequence[StoredSession], reports: Mapping[int, bytes]) -> tuple[Course, list[SessionComparison]]:
    """Compute the course, and each session's part in it. `reports` as JSON, by session; a session without one is left out."""
    sessions: list[CourseSession] = []
    compared: list[SessionComparison] = []
    for session in stored:
        if session.session not in reports:
            continue
        report = msgspec.json.decode(reports[session.session], type=SessionReport)
        marks = [
            Mark(mark.at_s, **{name: getattr(mark, name) for name in MarkContent.__struct_fields__}) for mark in session.marks
        ]
        pains = {name: getattr(session.pains, name) for name in ("pain_before", "pain_after", "pain_24h", "pain_48h")}
        measured = msgspec.structs.replace(course_session(report, session.started, marks), **pains)
        sessions.append(measured)
        compared.append(_compared(session, report, measured))
    return course(sessions), compared


def _compared(session: StoredSession, report: SessionReport, measured: CourseSession) -> SessionComparison:
    response = next((response for response in report.figures.responses if response.phase == "massage"), None)
    interval = report.intervals.get("massage")
    low, high = (100 * expm1(value) for value in interval) if interval else (None, None)
    context = report.context.get("massage")
    base = next((figures for figures in report.figures.phases if figures.phase == "baseline"), None)
    return SessionComparison(
        session=session.session,
        counts=measured.valid and measured.delta is not None and measured.standard_error is not None,
        breathing=context is not None and context.steady and context.flagged,
        class_=response.class_ if response else "insufficient",
        percent=response.percent if response else None,
        low_pct=low,
        high_pct=high,
        baseline_rmssd_ms=base.rmssd_ms if base else None,
        worked=time_spent(report, session.marks, lambda mark: mark.technique),
    )
