"""A client's course and the overview of due clients, for the pages and the API."""

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec

from ...analysis.course.course_figures import Course
from ...analysis.figures import ResponseClass
from ..clients.models import FlagRow
from ..sessions.client_session import Complement
from ..sessions.models import TimeSpent
from ..settings import time_zone
from .visit_schedule import ClientPlan

Slot = Literal["24h", "48h"]
DueState = Literal["due", "soon", "later", "away", "over", "none"]


class CourseEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One session of a course; a value that is not known is None."""

    session: int
    started_utc: str
    kind: str
    state: str
    stopped: bool = False
    pain_before: int | None = None
    pain_after: int | None = None
    pain_during: tuple[int, ...] = ()
    pain_24h: int | None = None
    pain_48h: int | None = None
    counts: Annotated[
        bool, msgspec.Meta(description="Whether the change counts: the data were steady, and breathing was alike.")
    ] = False
    breathing: Annotated[
        bool, msgspec.Meta(description="Whether a change of breathing is the only reason why it does not count.")
    ] = False
    class_: ResponseClass = msgspec.field(default="insufficient", name="class")
    percent: Annotated[
        float | None, msgspec.Meta(description="Change of RMSSD in the massage, or in a rest session's phase in its place, in %.")
    ] = None
    low_pct: Annotated[float | None, msgspec.Meta(description="Lower end of its 95 % interval, in %.")] = None
    high_pct: float | None = None
    baseline_rmssd_ms: float | None = None
    worked: Annotated[list[TimeSpent], msgspec.Meta(description="Minutes spent on each technique.")] = []
    complements: list[Complement] = []


class ClientCourse(msgspec.Struct, frozen=True, kw_only=True):
    """All data of a client's course."""

    client: str
    today: Annotated[str, msgspec.Meta(description="ISO date, in the practice's time zone.")]
    zone: Annotated[str | None, msgspec.Meta(description="IANA name of the practice's time zone.")] = None
    plan: ClientPlan
    agreed: Annotated[
        bool, msgspec.Meta(description="Whether the client agrees to have sessions compared; without that, nothing is compared.")
    ] = True
    entries: Annotated[list[CourseEntry], msgspec.Meta(description="In order of time; running and interrupted ones too.")] = []
    figures: Annotated[Course | None, msgspec.Meta(description="Null where nothing is compared.")] = None
    waiting: Annotated[int, msgspec.Meta(description="Number of sessions left out until they are analysed anew.")] = 0
    undated: Annotated[int, msgspec.Meta(description="Number of imported sessions left out: nobody knows when they were.")] = 0
    flags: list[FlagRow] = []

    def massage_days(self) -> list[date]:
        """Return the days of the massages, in the practice's time zone."""
        return [local_day(entry.started_utc, self.zone) for entry in self.entries if entry.kind != "rest"]


class DueRow(msgspec.Struct, frozen=True, kw_only=True):
    """One client in the practice's overview of due visits."""

    client: str
    state: DueState
    due_on: Annotated[str | None, msgspec.Meta(description="Day of the next visit, as ISO date; null where none is due.")]
    days_late: Annotated[int, msgspec.Meta(description="Days since `due_on`; negative before it, 0 where none is due.")]
    last_visit_utc: str | None
    sessions: Annotated[int, msgspec.Meta(description="Number of massages.")]
    missed: Annotated[int, msgspec.Meta(description="Number of the plan's periods without a visit.")]
    plan: ClientPlan
    running: Annotated[bool, msgspec.Meta(description="Whether a session is running now.")]
    may_record: bool
    flags: Annotated[list[FlagRow], msgspec.Meta(description="Open flags.")]


def local_day(utc: str, zone: str | None) -> date:
    """Return the day of an ISO 8601 moment in a time zone, by its IANA name; None: that of this computer."""
    return datetime.fromisoformat(utc).astimezone(time_zone(zone) if zone else None).date()
