"""A client's course as the pages ask for it; `service` answers. Whoever looks into one is noted in the audit log."""

from datetime import date, datetime
from typing import Literal

import msgspec

from ...analysis.course.course_figures import Course
from ...analysis.figures import ResponseClass
from ..clients.models import FlagRow
from ..sessions.client_session import Complement
from ..sessions.models import Worked
from .visit_schedule import ClientPlan

Slot = Literal["24h", "48h"]
DueState = Literal["due", "soon", "later", "away", "over", "none"]


class CourseEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One session of a course; what is not known is None."""

    session: int
    started_utc: str
    kind: str
    state: str
    stopped: bool = False
    pain_before: int | None = None
    pain_after: int | None = None
    pain_24h: int | None = None
    pain_48h: int | None = None
    counts: bool = False
    """Whether the data were steady, and breathing alike, so that the change counts."""
    breathing: bool = False
    """Whether breathing alone keeps it from counting."""
    class_: ResponseClass = msgspec.field(default="insufficient", name="class")
    percent: float | None = None
    """Change of RMSSD in the massage, or in the rest that stands in its place."""
    low_pct: float | None = None
    """95 % interval."""
    high_pct: float | None = None
    baseline_rmssd_ms: float | None = None
    worked: list[Worked] = []
    """Techniques."""
    complements: list[Complement] = []


class ClientCourse(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a client's course tells of."""

    client: str
    today: str
    """ISO date, in the practice's own time."""
    plan: ClientPlan
    agreed: bool = True
    """Whether the client agrees to have sessions compared; if not, nothing is compared."""
    entries: list[CourseEntry] = []
    """In order of time; those that run or were cut off too."""
    figures: Course | None = None
    """None where nothing is compared."""
    waiting: int = 0
    """Sessions that are left out because they are yet to be analysed anew."""
    flags: list[FlagRow] = []

    def held(self) -> list[date]:
        """Days of the massages, as the practice's own time has them."""
        return [local_day(entry.started_utc) for entry in self.entries if entry.kind != "rest"]


class DueRow(msgspec.Struct, frozen=True, kw_only=True):
    """One client in the overview of the practice."""

    client: str
    state: DueState
    due_on: str | None
    """ISO date."""
    days_late: int
    """Negative: so many days until then."""
    last_visit_utc: str | None
    sessions: int
    """Massages."""
    missed: int
    """Periods of the plan in which nothing took place."""
    plan: ClientPlan
    running: bool
    """A session runs now."""
    may_record: bool
    flags: list[FlagRow]
    """To be minded."""


def local_day(utc: str) -> date:
    """The day of a stamp, in the practice's own time."""
    return datetime.fromisoformat(utc).astimezone().date()
