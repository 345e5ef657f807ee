"""A client's course as the pages ask for it; `service` answers. Whoever looks into one is noted in the audit log."""

from datetime import date, datetime
from typing import Annotated, Literal

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
    counts: Annotated[
        bool, msgspec.Meta(description="Whether the data were steady, and breathing alike, so that the change counts.")
    ] = False
    breathing: Annotated[bool, msgspec.Meta(description="Whether breathing alone keeps it from counting.")] = False
    class_: ResponseClass = msgspec.field(default="insufficient", name="class")
    percent: Annotated[
        float | None, msgspec.Meta(description="Change of RMSSD in the massage, or in the rest that stands in its place.")
    ] = None
    low_pct: Annotated[float | None, msgspec.Meta(description="95 % interval.")] = None
    high_pct: float | None = None
    baseline_rmssd_ms: float | None = None
    worked: Annotated[list[Worked], msgspec.Meta(description="Techniques.")] = []
    complements: list[Complement] = []


class ClientCourse(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a client's course tells of."""

    client: str
    today: Annotated[str, msgspec.Meta(description="ISO date, in the practice's own time.")]
    plan: ClientPlan
    agreed: Annotated[
        bool, msgspec.Meta(description="Whether the client agrees to have sessions compared; if not, nothing is compared.")
    ] = True
    entries: Annotated[list[CourseEntry], msgspec.Meta(description="In order of time; those that run or were cut off too.")] = []
    figures: Annotated[Course | None, msgspec.Meta(description="None where nothing is compared.")] = None
    waiting: Annotated[int, msgspec.Meta(description="Sessions that are left out because they are yet to be analysed anew.")] = 0
    flags: list[FlagRow] = []

    def held(self) -> list[date]:
        """Days of the massages, as the practice's own time has them."""
        return [local_day(entry.started_utc) for entry in self.entries if entry.kind != "rest"]


class DueRow(msgspec.Struct, frozen=True, kw_only=True):
    """One client in the overview of the practice."""

    client: str
    state: DueState
    due_on: Annotated[str | None, msgspec.Meta(description="ISO date.")]
    days_late: Annotated[int, msgspec.Meta(description="Negative: so many days until then.")]
    last_visit_utc: str | None
    sessions: Annotated[int, msgspec.Meta(description="Massages.")]
    missed: Annotated[int, msgspec.Meta(description="Periods of the plan in which nothing took place.")]
    plan: ClientPlan
    running: Annotated[bool, msgspec.Meta(description="A session runs now.")]
    may_record: bool
    flags: Annotated[list[FlagRow], msgspec.Meta(description="To be minded.")]


def local_day(utc: str) -> date:
    """The day of a stamp, in the practice's own time."""
    return datetime.fromisoformat(utc).astimezone().date()
