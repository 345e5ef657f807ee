"""The API of the sessions on record, and of interrupted ones."""

import msgspec

from ...analysis.figures import SessionReport
from ...analysis.session_pain import SessionPain
from ...service.rooms.rooms import Rooms
from ...service.sessions.models import SessionRow
from ...service.sessions.report_cache import SessionReports
from ...service.sessions.soap_notes import SessionNotes
from ..http.endpoint import Call, Endpoint
from ..rooms.api import Opened


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
                summary="Every session, newest first.",
                answer=list[SessionRow],
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

    async def sessions(self, _: Call) -> list[SessionRow]:
        """Return every session, newest first."""
        return list(await self._reports.sessions())

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

        Raises `RefusedError` where it is not interrupted, has no strap or lacks consent, and `StrapTakenError` where the strap
        is in use.
        """
        return Opened(await self._rooms.resume(call.number("session")))

    async def close(self, call: Call) -> Closed:
        """End an interrupted session where it was cut off. Raises `RefusedError` where it is not interrupted."""
        session = call.number("session")
        await self._rooms.close(session)
        return Closed(session)
