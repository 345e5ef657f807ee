"""The data of a client's summary: one session, its notes and co-interventions, and the client's typical baseline."""

from typing import Annotated, Literal

import msgspec

from ...analysis.figures import SessionReport
from .models import SessionRow, Visit

ComplementKind = Literal["heat", "cold", "mindfulness", "tai-chi-yoga", "medication", "other"]

FEWEST_DAYS = 3
"""Least number of earlier baselines for a typical range."""


class BaselineRange(msgspec.Struct, frozen=True, kw_only=True):
    """Day-to-day range of a client's baseline RMSSD, from earlier sessions of any kind."""

    days: int = 0
    """Number of earlier sessions with a baseline."""
    low_ms: float | None = None
    """Lower end of the RMSSD range in which about two thirds of days lie, in ms; None below `FEWEST_DAYS`."""
    high_ms: float | None = None
    """Upper end, in ms; None below `FEWEST_DAYS`."""
    compared: bool = True
    """False where the client has not agreed to have sessions compared."""


class Complement(msgspec.Struct, frozen=True, kw_only=True):
    """A co-intervention noted with a session, such as heat or medication."""

    complement: int
    session: int
    kind: ComplementKind
    detail: Annotated[str, msgspec.Meta(description="For the therapist only.")] = ""
    noted_by: str
    noted_utc: str


class ClientSession(msgspec.Struct, frozen=True, kw_only=True):
    """All data of a client's summary of one session."""

    row: SessionRow
    report: SessionReport
    visit: Visit
    baseline_range: BaselineRange = BaselineRange()
    earlier: int = 0
    """Number of the client's earlier sessions."""
    zone: str | None = None
    """IANA name of the practice's time zone; None: that of this computer."""
    complements: tuple[Complement, ...] = ()
