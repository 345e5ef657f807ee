"""Reports of sessions: stored for ended ones, computed in the worker process where missing."""

from collections.abc import Sequence

import msgspec

from ...analysis.figures import ALGORITHM, SessionReport
from ...analysis.response.earlier_rests import EarlierSession
from ...sensors.recordings.recording import Event, Header
from ..errors import NoSuchSessionError, RequestError, UnknownSessionError, WorkerError
from ..listing import Page
from ..worker.worker import Worker
from .models import SessionRow
from .session_list import NEWEST, SessionsWanted
from .session_store import SessionStore


class SessionReports:
    """Reports of stored sessions by the current algorithm."""

    def __init__(self, store: SessionStore, worker: Worker) -> None:
        self._store = store
        self._worker = worker

    async def sessions(self, wanted: SessionsWanted = NEWEST) -> Page[SessionRow]:
        """Return a page of the list of sessions: the newest where nothing else is wanted."""
        return await self._store.sessions(wanted)

    async def of(self, session: int) -> tuple[SessionRow, SessionReport]:
        """Return a session's row and report: the stored one where it has ended, else computed from the data so far.

        Raises `UnknownSessionError` where there is no such session, `RequestError` where the analysis failed.
        """
        row = await self._row(session)
        stored = await self._store.report(session, ALGORITHM) if row.state == "ended" else None
        if stored is not None:
            return row, msgspec.json.decode(stored, type=SessionReport)
        try:
            return row, await self._make(row)
        except WorkerError as error:
            raise RequestError(str(error)) from error

    async def picture(self, session: int) -> str:
        """Return a session's summary picture as SVG.

        Raises `UnknownSessionError` where there is no such session, `RequestError` where the analysis failed.
        """
        _, report = await self.of(session)
        try:
            return await self._worker.run(draw_picture, report)
        except WorkerError as error:
            raise RequestError(str(error)) from error

    async def make(self, session: int) -> SessionReport:
        """Compute a session's report anew, and store it where the session has ended.

        Raises `UnknownSessionError` where there is no such session, `WorkerError` where the analysis failed.
        """
        return await self._make(await self._row(session))

    async def _row(self, session: int) -> SessionRow:
        try:
            return await self._store.session(session)
        except NoSuchSessionError as error:
            raise UnknownSessionError(str(error)) from error

    async def _make(self, row: SessionRow) -> SessionReport:
        header, events = await self._store.events(row.session)
        await self._make_rests(row.session)
        report = await self._worker.run(
            compute_report, row.source, header, events, row.duration_s, await self._store.earlier_rests(row.session)
        )
        if row.state == "ended":
            await self._store.put_report(row.session, ALGORITHM, msgspec.json.encode(report))
        return report

    async def _make_rests(self, session: int) -> None:
        """Compute the missing reports of the client's earlier rests: the report of the session uses them."""
        for rest in await self._store.unreported_rests(session):
            await self._make(await self._row(rest))


def compute_report(
    name: str, header: Header, events: Sequence[Event], end_s: float | None = None, earlier_rests: Sequence[EarlierSession] = ()
) -> SessionReport:
    """Compute the report of a whole session, in the worker process.

    `end_s`: the session's end, in s from its start. `earlier_rests`: of the same client, in order of time.
    """
    from ...analysis.session_report import summarise

    return summarise(name, header, events, end_s=end_s, earlier_rests=earlier_rests)


def draw_picture(report: SessionReport) -> str:
    """Return the summary picture of a report as SVG, in the worker process."""
    from ..rendering.session_plot import session_picture

    return session_picture(report)
