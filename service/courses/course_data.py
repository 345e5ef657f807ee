"""Data that is passed to the worker process, where a course is computed, and back."""

from datetime import datetime
from typing import NamedTuple

from ...analysis.figures import ResponseClass
from ..sessions.models import TimeSpent, VisitMark


class PainScores(NamedTuple):
    """Pain scores around and during a session, and on the two days after; None where not asked or not answered."""

    pain_before: int | None
    pain_after: int | None
    pain_24h: int | None
    pain_48h: int | None
    pain_during: tuple[int, ...] = ()


class StoredSession(NamedTuple):
    """One session from the database, without its report."""

    session: int
    started: datetime
    marks: list[VisitMark]
    pains: PainScores


class SessionComparison(NamedTuple):
    """Figures of a session within a course, from its report."""

    session: int
    counts: bool
    breathing: bool
    class_: ResponseClass
    percent: float | None
    low_pct: float | None
    high_pct: float | None
    baseline_rmssd_ms: float | None
    worked: list[TimeSpent]
