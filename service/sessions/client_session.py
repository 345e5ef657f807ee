"""What a client's summary tells of: one session, what surrounds it, and what is usual for the client."""

from typing import Annotated, Literal

import msgspec

from ...analysis.figures import SessionReport
from .models import SessionRow, Visit

ComplementKind = Literal["heat", "cold", "mindfulness", "tai-chi-yoga", "medication", "other"]

FEWEST_DAYS = 3
"""Earlier sessions whose quiet minutes tell what is usual."""


class UsualDays(msgspec.Struct, frozen=True, kw_only=True):
    """How the quiet minutes vary from day to day, from a client's earlier sessions of whatever kind."""

    days: int = 0
    """Earlier sessions with a baseline."""
    low_ms: float | None = None
    """Range of RMSSD in which about two thirds of days lie; None below `FEWEST_DAYS`."""
    high_ms: float | None = None
    compared: bool = True
    """False where the client has not agreed to have sessions compared."""


class Complement(msgspec.Struct, frozen=True, kw_only=True):
    """Something else that was done for the client, noted beside a session."""

    complement: int
    session: int
    kind: ComplementKind
    detail: Annotated[str, msgspec.Meta(description="For the therapist's eyes.")] = ""
    noted_by: str
    noted_utc: str


class ClientSession(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a client's summary tells of."""

    row: SessionRow
    report: SessionReport
    visit: Visit
    stopped: bool = False
    """The massage was stopped because of pain."""
    usual: UsualDays = UsualDays()
    complements: tuple[Complement, ...] = ()
