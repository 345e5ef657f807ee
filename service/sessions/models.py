"""A stored session: its row, screening answers, marks and SOAP notes."""

from typing import Annotated, Literal

import msgspec

from ...analysis.reporting_items import Reported
from ...analysis.session_pain import SessionPain
from ...sensors.recordings.recording import MarkContent
from .screening import Screening


class SessionSetup(msgspec.Struct, frozen=True, kw_only=True):
    """Set-up of a session; None where nothing was entered. Here once for the request, the room and the record."""

    posture: str | None = None
    technique: str | None = None
    """Technique planned."""
    therapist: str | None = None
    pain_before: int | None = None
    screening: tuple[Screening, ...] = ()
    screening_confirmed: bool = False
    """Whether it was pressed that none applies, or that each question answered with yes was considered."""


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One session in the list of sessions."""

    session: int
    started_utc: Annotated[str, msgspec.Meta(description="ISO 8601, to the second.")]
    client: str | None
    kind: str
    room: str | None
    source: Annotated[str, msgspec.Meta(description="strap name, or the recording's file name")]
    duration_s: float
    state: Annotated[str, msgspec.Meta(description="running, ended, or interrupted (by a crash; can be resumed or ended)")]
    dated: Annotated[
        bool,
        msgspec.Meta(
            description="False: nobody knows when it was, and started_utc is when its file was added. It stays out of the course."
        ),
    ] = True
    imported: Annotated[
        str | None, msgspec.Meta(description="Format of the file that it was imported from; null: it was recorded here.")
    ] = None


Screened = Literal["asked", "not confirmed", "not asked"]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A screening question and its answer."""

    question: str
    yes: bool
    confirmed_utc: Annotated[
        str | None,
        msgspec.Meta(description="When it was pressed that none applies, or that what applies was considered; null: neither."),
    ]


class TimeSpent(msgspec.Struct, frozen=True, kw_only=True):
    """Minutes of the massage spent on one technique, region or pressure."""

    what: str
    minutes: float


class Soap(msgspec.Struct, frozen=True, kw_only=True):
    """SOAP notes of one session."""

    subjective: str = ""
    objective: str = ""
    assessment: str = ""
    contraindications: str = ""
    plan: str = ""


class SavedSoap(msgspec.Struct, frozen=True, kw_only=True):
    """SOAP notes as saved, by whom and when."""

    soap: Soap
    therapist: str
    updated_utc: str


class VisitMark(MarkContent, frozen=True):
    """A mark of a stored session; `at_s` in s from its start."""

    at_s: float


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """Screening, marks, pain scores and notes of one session."""

    session: int
    client: str | None
    therapist: str | None
    posture: str | None
    technique: str | None
    pain_before: Annotated[int | None, msgspec.Meta(description="As asked before the session.")]
    pain_after: Annotated[int | None, msgspec.Meta(description="As asked after the session.")]
    pain: SessionPain = SessionPain()
    reported: Annotated[Reported, msgspec.Meta(description="What studies report beside the figures; all optional.")] = Reported()
    stopped: Annotated[bool, msgspec.Meta(description="Whether the massage was stopped because of pain.")] = False
    screening: Annotated[list[Answer], msgspec.Meta(description="Empty where no question was asked.")]
    screened: Annotated[
        Screened, msgspec.Meta(description="not confirmed: answers are stored, but nothing shows that anybody pressed them.")
    ] = "not asked"
    marks: list[VisitMark]
    saved: SavedSoap | None
    mind: Annotated[str, msgspec.Meta(description="The therapist's reminder for the next visit; empty where there is none.")]
