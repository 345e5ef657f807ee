"""Reports of sessions: kept with those that have ended, computed in the worker where they are missing."""

from collections.abc import Sequence

import msgspec

from ...analysis.figures import ALGORITHM, SessionReport
from ...analysis.response.earlier_rests import EarlierSession
from ...sensors.recordings.recording import Event, Header
from ..errors import PortError, UnknownSessionError, WorkerError
from ..worker.worker import Worker
from .models import SessionRow
from .session_store import SessionStore


class SessionReports:
    """Figures of stored sessions by today's algorithm."""

    def __init__(self, storage: SessionStore, worker: Worker) -> None:
        self._storage = storage
        self._worker = worker

    async def sessions(self) -> list[SessionRow]:
        """List every session, newest first."""
        return await self._storage.sessions()

    async def sessions_of(self, client: str) -> list[SessionRow]:
        """List a client's sessions, newest first."""
        return await self._storage.sessions_of(client)

    async def of(self, session: int) -> tuple[SessionRow, SessionReport]:
        """Give the summary of a session: kept where it has ended, made anew as far as it has come where it runs."""
        row = await self._row(session)
        kept = await self._storage.report(session, ALGORITHM) if row.state == "ended" else None
        if kept is not None:
            return row, msgspec.json.decode(kept, type=SessionReport)
        try:
            return row, await self._make(row)
        except WorkerError as error:
            raise PortError(str(error)) from error

    async def picture(self, session: int) -> str:
        """Draw the summary picture of a session."""
        _, report = await self.of(session)
        try:
            return await self._worker.run(draw_picture, report)
        except WorkerError as error:
            raise PortError(str(error)) from error

    async def make(self, session: int) -> SessionReport:
        """Compute a session anew, and keep that where it has ended. Raises `WorkerError`."""
        return await self._make(await self._row(session))

    async def _row(self, session: int) -> SessionRow:
        row = next((row for row in await self._storage.sessions() if row.session == session), None)
        if row is None:
            raise UnknownSessionError(f"There is no session {session}.")
        return row

    async def _make(self, row: SessionRow) -> SessionReport:
        header, events = await self._storage.events(row.session)
        await self._make_rests(row.session)
        report = await self._worker.run(
            compute_report, row.source, header, events, row.duration_s, await self._storage.past(row.session)
        )
        if row.state == "ended":
            await self._storage.put_report(row.session, ALGORITHM, msgspec.json.encode(report))
        return report

    async def _make_rests(self, session: int) -> None:
        """Have reports by today's algorithm of the client's earlier rests: they tell what is usual."""
        missing = await self._storage.unreported_rests(session)
        rows = {row.session: row for row in await self._storage.sessions()} if missing else {}
        for rest in missing:
            await self._make(rows[rest])


def compute_report(
    name: str, header: Header, events: Sequence[Event], end_s: float | None = None, past: Sequence[EarlierSession] = ()
) -> SessionReport:
    """Compute the figures of record of a whole session: for the worker process. `past`: the client's earlier rests."""
    from ...analysis.session_report import summarise

    return summarise(name, header, events, end_s=end_s, earlier_rests=past)


def draw_picture(report: SessionReport) -> str:
    """Draw the summary picture as SVG: for the worker process."""
    from ..rendering.session_plot import session_picture

    return session_picture(report)
