"""The API of the sessions on record, and of interrupted ones."""

from datetime import date
from typing import Annotated, Literal

import msgspec

from ...analysis.figures import ResponseClass, SessionReport
from ...analysis.session_pain import SessionPain
from ...service.listing import Page
from ...service.rooms.rooms import Rooms
from ...service.sessions.models import SessionRow
from ...service.sessions.report_cache import SessionReports
from ...service.sessions.session_list import SessionsWanted
from ...service.sessions.soap_notes import SessionNotes
from ..http.endpoint import Call, Endpoint
from ..http.paging import Items, PageQuery, Search
from ..rooms.api import Opened


class ResumeQuery(msgspec.Struct, frozen=True, kw_only=True):
    """How to resume a session."""

    confirmed: Annotated[
        bool, msgspec.Meta(description="Whether it goes on though it was cut off more than a day ago by the computer's clock.")
    ] = False


class SessionsQuery(PageQuery, frozen=True, kw_only=True):
    """Which sessions, and which page of them."""

    search: Annotated[
        Search,
        msgspec.Meta(
            description="Beginnings of words of pseudonym, room, strap and flags; a date or month (2026-11-23, 2026-11)."
        ),
    ] = ""
    client: Annotated[Annotated[str, msgspec.Meta(max_length=80)] | None, msgspec.Meta(description="Pseudonym.")] = None
    response: Annotated[ResponseClass | None, msgspec.Meta(description="Class of the response to the massage.")] = None
    flagged: Annotated[bool, msgspec.Meta(description="Only those with an open flag.")] = False
    since: date | None = None
    until: Annotated[date | None, msgspec.Meta(description="The last day, itself included.")] = None
    sort: Literal["newest", "oldest"] = "newest"

    def wanted(self) -> SessionsWanted:
        """Return what is wanted of the list."""
        fields = msgspec.structs.asdict(self)
        return SessionsWanted(oldest_first=fields.pop("sort") == "oldest", **fields)


class SessionFull(msgspec.Struct, frozen=True):
    """A session with its report and its pain."""

    session: SessionRow
    report: SessionReport
    pain: SessionPain


class Closed(msgspec.Struct, frozen=True):
    """The session that was ended."""

    session: int


class SessionsApi:
    """Endpoints of the sessions."""

    def __init__(self, rooms: Rooms, reports: SessionReports, notes: SessionNotes | None) -> None:
        self._rooms = rooms
        self._reports = reports
        self._notes = notes

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        one = "/sessions/{session}"
        return [
            Endpoint(
                method="GET",
                path="/sessions",
                handler=self.sessions,
                summary="The sessions, newest first, in pages.",
                answer=Items[SessionRow],
                query=SessionsQuery,
                tag="sessions",
            ),
            Endpoint(
                method="GET",
                path=one,
                handler=self.session,
                summary="One session with its figures, as far as it has come.",
                answer=SessionFull,
                tag="sessions",
            ),
            Endpoint(
                method="POST",
                path=f"{one}/resume",
                handler=self.resume,
                summary="Take up an interrupted session on its strap; the time between is a gap.",
                query=ResumeQuery,
                answer=Opened,
                refusals=(409,),
                tag="sessions",
            ),
            Endpoint(
                method="POST",
                path=f"{one}/close",
                handler=self.close,
                summary="End an interrupted session where it was cut off.",
                answer=Closed,
                refusals=(409,),
                tag="sessions",
            ),
        ]

    async def sessions(self, call: Call) -> Page[SessionRow]:
        """Return a page of the sessions, newest first."""
        return await self._reports.sessions(call.query.wanted())

    async def session(self, call: Call) -> SessionFull:
        """Return a session with its report; the audit log notes it.

        Raises `UnknownSessionError`, and `RequestError` where the report cannot be computed.
        """
        row, report = await self._reports.of(call.number("session"))
        if self._notes is None:
            return SessionFull(row, report, SessionPain())
        visit = await self._notes.visit(row.session, by=call.person.name, what="summary")
        return SessionFull(row, report, visit.pain)

    async def resume(self, call: Call) -> Opened:
        """Resume an interrupted session, and return its room.

        Raises `UnconfirmedError` where it was cut off more than a day ago, `RefusedError` where it is not interrupted, has no
        strap or lacks consent, and `StrapTakenError` where the strap is in use.
        """
        return Opened(await self._rooms.resume(call.number("session"), confirmed=call.query.confirmed))

    async def close(self, call: Call) -> Closed:
        """End an interrupted session where it was cut off. Raises `RefusedError` where it is not interrupted."""
        session = call.number("session")
        await self._rooms.close(session)
        return Closed(session)
