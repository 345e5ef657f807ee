"""Sessions on their way to the worker process, where a course is worked out, and back."""

from datetime import datetime
from typing import NamedTuple

from ...analysis.figures import ResponseClass
from ..sessions.models import VisitMark, Worked


class Pains(NamedTuple):
    """What a client said around a session and on the days after; None where nobody asked or answered."""

    pain_before: int | None
    pain_after: int | None
    pain_24h: int | None
    pain_48h: int | None


class Stored(NamedTuple):
    """One session as the database has it, but its report."""

    session: int
    started: datetime
    marks: list[VisitMark]
    pains: Pains


class Compared(NamedTuple):
    """What a session's report tells of it within a course."""

    session: int
    counts: bool
    breathing: bool
    class_: ResponseClass
    percent: float | None
    low_pct: float | None
    high_pct: float | None
    baseline_rmssd_ms: float | None
    pain_before: int | None
    pain_after: int | None
    worked: list[Worked]
