"""The API of the sessions on record."""

import msgspec

from ...analysis.figures import SessionReport
from ...service.clients.clients import Clients
from ...service.rooms.rooms import Rooms
from ...service.sessions.models import SessionRow
from ..http.endpoint import Call, Endpoint
from ..rooms.api import Opened


class SessionFull(msgspec.Struct, frozen=True):
    """A session with its figures."""

    session: SessionRow
    report: SessionReport


class Closed(msgspec.Struct, frozen=True):
    """The session that was ended."""

    session: int


class SessionsApi:
    """Handlers of the sessions."""

    def __init__(self, house: Rooms, records: Clients | None = None) -> None:
        self._house = house
        self._records = records

    def endpoints(self) -> list[Endpoint]:
        """The addresses."""
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
        """Give every session."""
        return list(await self._house.sessions())

    async def session(self, call: Call) -> SessionFull:
        """Give one session."""
        session = call.number("session")
        found = SessionFull(*await self._house.report(session))
        if self._records:
            await self._records.saw(session, "summary", by=call.person.name)
        return found

    async def resume(self, call: Call) -> Opened:
        """Take up an interrupted session; gives the room."""
        return Opened(await self._house.resume(call.number("session")))

    async def close(self, call: Call) -> Closed:
        """End an interrupted session."""
        session = call.number("session")
        await self._house.close(session)
        return Closed(session)
