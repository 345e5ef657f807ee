"""Courses of clients, for the pages: every view and every change is noted in the audit log."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

from ...analysis.course.course_figures import Course
from ...analysis.figures import ALGORITHM
from ..clients import client_store, identities
from ..clients.consents import has_consent
from ..errors import RequestError, WorkerError
from ..listing import Page
from ..rendering.pdf import make_pdf
from ..sessions import co_interventions
from ..sessions.client_session import ClientSession, Complement, ComplementKind
from ..sessions.report_cache import SessionReports
from ..sessions.session_context import client_session_of
from ..sessions.session_list import clients_of
from ..sessions.session_store import SessionStore
from ..settings import zone_of
from ..storage.audit_log import audit_statement
from ..storage.encryption import IdentityCipher
from ..storage.sqlite import Database
from ..worker.worker import Worker
from . import visit_plans
from .course_data import SessionComparison, StoredSession
from .course_records import first_visit, load_course_records, with_figures
from .due_clients import EVERYBODY, DueWanted, due_page, due_unknown, refresh_due
from .models import ClientCourse, DueRow, local_day
from .visit_schedule import ClientPlan

T = TypeVar("T")

MAX_RECOMPUTED: Final = 4
"""Number of sessions that are analysed anew for one view of a course; the others wait for the next view."""


class Courses:
    """Clients' courses, co-interventions and visit plans. `by`: name of the account that acts, for the audit log."""

    def __init__(
        self,
        store: SessionStore,
        worker: Worker,
        cipher: IdentityCipher,
        reports: SessionReports,
        *,
        now_utc: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._worker = worker
        self._cipher = cipher
        self._reports = reports
        self._now_utc = now_utc

    async def session(self, session: int, what: str, *, by: str) -> ClientSession:
        """Return the data of a session's summary, and note the view; `what` names the document.

        Raises `UnknownSessionError` where there is no such session, `RequestError` where the analysis failed.
        """
        summary = await self.session_by_link(session)
        now, client = self._now_utc(), summary.row.client
        self._store.put(audit_statement(now, by, f"{what} looked at", client=client, session=session))
        return summary

    async def session_by_link(self, session: int) -> ClientSession:
        """Return the data of a session's summary, without a note in the audit log.

        Raises `UnknownSessionError` where there is no such session, `RequestError` where the analysis failed.
        """
        row, report = await self._reports.of(session)
        return await self._store.read(lambda db: client_session_of(db, row)(report=report))

    async def course(self, client: str, what: str, *, by: str) -> ClientCourse:
        """Return a client's course, and note the view; `what` names the document.

        Without the client's consent "trends" it has no figures. Raises `UnknownClientError` where there is no such client,
        `RequestError` where the analysis failed.
        """
        now = self._now_utc()

        agreed = await self._read_of(client, lambda db: has_consent(db, client, "trends"))
        self._store.put(audit_statement(now, by, f"{what} looked at", client=client))
        waiting = await self._analyse_missing(client) if agreed else 0
        rows = await self._store.all_sessions_of(client)
        records = await self._store.read(lambda db: load_course_records(db, client, rows, now))
        if not records.course.agreed:
            return records.course
        reports = await self._store.read(lambda db: _reports(db, client))
        try:
            figures, compared = await self._worker.run(_compute_course, records.sessions, reports)
        except WorkerError as error:
            raise RequestError(str(error)) from error
        return with_figures(records.course, figures, compared, waiting)

    async def language(self, client: str | None) -> str | None:
        """Return a client's language; None for no client, or where no identity is stored or it cannot be decrypted."""
        if client is None:
            return None
        return await self._store.read(lambda db: identities.language_of(db, self._cipher, client))

    async def practice(self, wanted: DueWanted = EVERYBODY) -> Page[DueRow]:
        """Return a page of the clients with their plans: flagged ones first, then by days late.

        Raises `UnknownError` where the list has no such page.
        """
        now = self._now_utc().isoformat()
        if await self._store.read(due_unknown):
            while await self._store.run(refresh_due):
                pass

        def read(db: Database) -> Page[DueRow]:
            return due_page(db, wanted, local_day(now, zone_of(db)), clients_of(db, self._store.running))

        return await self._store.read(read)

    async def complements(self, session: int) -> Sequence[Complement]:
        """Return a session's co-interventions, oldest first. Raises `UnknownSessionError` where there is no such session."""
        return await self._store.read(lambda db: co_interventions.of_session(db, session))

    async def add_complement(self, session: int, kind: ComplementKind, detail: str, *, by: str) -> Complement:
        """Note a co-intervention, and return it. Raises `UnknownSessionError` where there is no such session."""
        now = self._now_utc()
        return await self._store.run(lambda db: co_interventions.add(db, session, kind, detail, by, now))

    async def remove_complement(self, session: int, complement: int, *, by: str) -> None:
        """Remove a co-intervention. Raises `UnknownError` where there is no such session or co-intervention."""
        now = self._now_utc()
        await self._store.run(lambda db: co_interventions.remove(db, session, complement, by, now))

    async def plan(self, client: str) -> ClientPlan:
        """Return a client's visit plan, or the practice's. Raises `UnknownClientError` where there is no such client."""
        rows = await self._store.all_sessions_of(client)
        return await self._read_of(client, lambda db: visit_plans.plan_of(db, client, first_visit(rows, zone_of(db))))

    async def set_plan(self, client: str, plan: ClientPlan, *, by: str) -> ClientPlan:
        """Store a client's own visit plan, and return it.

        Raises `UnknownClientError` where there is no such client, `RefusedError` where the plan has no start date.
        """
        now = self._now_utc()
        await self._of(client, lambda db: visit_plans.save_plan(db, client, plan, by, now))
        return await self.plan(client)

    async def drop_plan(self, client: str, *, by: str) -> ClientPlan:
        """Delete a client's own plan, and return the practice's. Raises `UnknownClientError` where there is no such client."""
        now = self._now_utc()
        await self._of(client, lambda db: visit_plans.delete_plan(db, client, by, now))
        return await self.plan(client)

    async def pdf(self, html: str, files: Mapping[str, bytes]) -> bytes:
        """Return a page as PDF, made in the worker process; `files`: those that the page names.

        Raises `PaperError` where WeasyPrint is not installed, `RequestError` where the worker failed.
        """
        return await make_pdf(self._worker, html, files)

    async def _analyse_missing(self, client: str) -> int:
        """Analyse sessions that lack a report by the current algorithm, a few at a time; return how many are left."""
        missing = await self._store.read(lambda db: _missing(db, client))
        for session in missing[:MAX_RECOMPUTED]:
            await self._reports.of(session)
        return max(len(missing) - MAX_RECOMPUTED, 0)

    async def _of(self, client: str, job: Callable[[Database], T]) -> T:
        def work(db: Database) -> T:
            client_store.row_of(db, client)
            return job(db)

        return await self._store.run(work)

    async def _read_of(self, client: str, job: Callable[[Database], T]) -> T:
        def work(db: Database) -> T:
            client_store.row_of(db, client)
            return job(db)

        return await self._store.read(work)


def _missing(db: Database, client: str) -> list[int]:
    """Return the ended sessions without a report by the current algorithm, newest first."""
    found = db.execute(
        "SELECT id FROM session WHERE client = ? AND ended_utc IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM report WHERE report.session = session.id AND algorithm = ?) ORDER BY place DESC",
        (client, ALGORITHM),
    )
    return [row[0] for row in found]


def _reports(db: Database, client: str) -> dict[int, bytes]:
    """Return a client's reports by the current algorithm as JSON, by session."""
    rows = db.execute(
        "SELECT session, figures FROM report JOIN session ON session.id = report.session WHERE client = ? AND algorithm = ?",
        (client, ALGORITHM),
    )
    return {session: figures.encode() for session, figures in rows}


def _compute_course(stored: Sequence[StoredSession], reports: Mapping[int, bytes]) -> tuple[Course, list[SessionComparison]]:
    """Compute a course from reports by session, in the worker process."""
    from .course_computation import compute_course

    return compute_course(stored, reports)
