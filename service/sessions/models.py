"""A session on record: its row, its screening answers, marks and SOAP notes."""

from typing import Annotated

import msgspec

from ...sensors.recordings.recording import MarkContent


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list of sessions."""

    session: int
    started_utc: Annotated[str, msgspec.Meta(description="ISO 8601, to the second.")]
    client: str | None
    kind: str
    room: str | None
    source: Annotated[str, msgspec.Meta(description="strap name, or the recording's file name")]
    duration_s: float
    state: Annotated[
        str, msgspec.Meta(description="running, ended, or interrupted (cut off by a crash; can be resumed or ended)")
    ]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A question before the session, and its answer."""

    question: str
    yes: bool
    confirmed_utc: Annotated[str | None, msgspec.Meta(description="Of a yes: when the therapist chose to go on.")]


class Worked(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done in the massage, and for how long."""

    what: str
    minutes: float


class Soap(msgspec.Struct, frozen=True, kw_only=True):
    """Notes of one session in SOAP form."""

    subjective: str = ""
    objective: str = ""
    assessment: str = ""
    contraindications: str = ""
    plan: str = ""


class SavedSoap(msgspec.Struct, frozen=True, kw_only=True):
    """Notes as somebody saved them."""

    soap: Soap
    therapist: str
    updated_utc: str


class VisitMark(MarkContent, frozen=True):
    """A mark of a session on record, in s from its start."""

    at_s: float


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked, done and written around one session, beside its figures."""

    session: int
    client: str | None
    therapist: str | None
    posture: str | None
    technique: str | None
    pain_before: int | None
    pain_after: int | None
    screening: Annotated[list[Answer], msgspec.Meta(description="Empty where nothing was asked.")]
    marks: list[VisitMark]
    saved: SavedSoap | None
    mind: Annotated[str, msgspec.Meta(description="What the therapist wants to be minded at the next visit.")]
