"""A course worked out from stored reports: for the worker process, SciPy stands behind it."""

from collections.abc import Mapping, Sequence
from math import expm1

import msgspec

from ...analysis.course.course import course
from ...analysis.course.course_figures import Course
from ...analysis.course.course_session import CourseSession, course_session
from ...analysis.figures import SessionReport
from ...sensors.recordings.recording import Mark, MarkContent
from ..sessions.session_facts import pains_of, worked
from .course_data import Compared, Stored


def course_of(stored: Sequence[Stored], reports: Mapping[int, bytes]) -> tuple[Course, list[Compared]]:
    """The course, and each session in it. `reports` is JSON, by session; a session that has none is left out."""
    sessions: list[CourseSession] = []
    compared: list[Compared] = []
    for one in stored:
        if one.session not in reports:
            continue
        report = msgspec.json.decode(reports[one.session], type=SessionReport)
        before, after = pains_of(report, one.pains.pain_before, one.pains.pain_after)
        marks = [Mark(mark.at_s, **{name: getattr(mark, name) for name in MarkContent.__struct_fields__}) for mark in one.marks]
        pains = one.pains._replace(pain_before=before, pain_after=after)
        known = msgspec.structs.replace(course_session(report, one.started, marks), **pains._asdict())
        sessions.append(known)
        compared.append(_compared(one, report, known))
    return course(sessions), compared


def _compared(one: Stored, report: SessionReport, known: CourseSession) -> Compared:
    response = next((found for found in report.figures.responses if found.phase == "massage"), None)
    interval = report.intervals.get("massage")
    low, high = (100 * expm1(value) for value in interval) if interval else (None, None)
    context = report.context.get("massage")
    base = next((figures for figures in report.figures.phases if figures.phase == "baseline"), None)
    return Compared(
        session=one.session,
        counts=known.valid and known.delta is not None and known.standard_error is not None,
        breathing=context is not None and context.steady and context.flagged,
        class_=response.class_ if response else "insufficient",
        percent=response.percent if response else None,
        low_pct=low,
        high_pct=high,
        baseline_rmssd_ms=base.rmssd_ms if base else None,
        pain_before=known.pain_before,
        pain_after=known.pain_after,
        worked=worked(report, one.marks, lambda mark: mark.technique),
    )
