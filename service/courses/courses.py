"""Courses over a real database, as the pages ask for them: every look and every change is noted."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

from ...analysis.course.course_figures import Course
from ...analysis.figures import ALGORITHM
from ..clients import client_store, identities
from ..clients.consents import holds
from ..errors import PortError, WorkerError
from ..rendering.pdf import make_pdf
from ..sessions import co_interventions
from ..sessions.client_session import ClientSession, Complement, ComplementKind
from ..sessions.report_cache import SessionReports
from ..sessions.session_context import around
from ..sessions.session_store import SessionStore
from ..storage.audit_log import note
from ..storage.encryption import IdentityCipher
from ..storage.sqlite import Database
from ..worker.worker import Worker
from . import visit_plans
from .course_data import Compared, Stored
from .course_records import course_held, first_visit, with_figures
from .due_clients import due_rows
from .models import ClientCourse, DueRow, local_day
from .visit_schedule import ClientPlan

T = TypeVar("T")

MOST_ANEW: Final = 4
"""Sessions that are analysed anew while somebody waits for a course; the others wait for the next look."""


class Courses:
    """What `web.course.Courses` asks for."""

    def __init__(
        self,
        storage: SessionStore,
        worker: Worker,
        seal: IdentityCipher,
        reports: SessionReports,
        *,
        now_utc: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._storage = storage
        self._worker = worker
        self._seal = seal
        self._reports = reports
        self._now_utc = now_utc

    async def session(self, session: int, what: str, *, by: str) -> ClientSession:
        """Everything that a client's summary tells of."""
        told = await self.session_by_link(session)
        now, client = self._now_utc(), told.row.client
        await self._storage.work(lambda db: note(db, now, by, f"{what} looked at", client=client, session=session))
        return told

    async def session_by_link(self, session: int) -> ClientSession:
        """The same, unnoted."""
        row, report = await self._reports.of(session)
        return await self._storage.work(lambda db: around(db, row)(report=report))

    async def course(self, client: str, what: str, *, by: str) -> ClientCourse:
        """A client's course."""
        now = self._now_utc()

        def agreed(db: Database) -> bool:
            client_store.row_of(db, client)
            note(db, now, by, f"{what} looked at", client=client)
            return holds(db, client, "trends")

        compare = await self._storage.work(agreed)
        waiting = await self._bring_up(client) if compare else 0
        rows = list(reversed(await self._storage.sessions_of(client)))
        held = await self._storage.work(lambda db: course_held(db, client, rows, now))
        if not held.course.agreed:
            return held.course
        reports = await self._storage.work(lambda db: _reports(db, client))
        try:
            figures, compared = await self._worker.run(_compute_course, held.sessions, reports)
        except WorkerError as error:
            raise PortError(str(error)) from error
        return with_figures(held.course, figures, compared, waiting)

    async def language(self, client: str | None) -> str | None:
        """The language that a client reads; None where it is not written down, or cannot be read."""
        if client is None:
            return None
        return await self._storage.work(lambda db: identities.language_of(db, self._seal, client))

    async def practice(self) -> Sequence[DueRow]:
        """Every client: flagged first, then by how late they are."""
        today = local_day(self._now_utc().isoformat())
        running = {row.client for row in await self._storage.sessions() if row.client and row.state == "running"}
        return await self._storage.work(lambda db: due_rows(db, today, running))

    async def complements(self, session: int) -> Sequence[Complement]:
        """What else was done, oldest first."""
        return await self._storage.work(lambda db: co_interventions.of_session(db, session))

    async def add_complement(self, session: int, kind: ComplementKind, detail: str, *, by: str) -> Complement:
        """Note what else was done."""
        now = self._now_utc()
        return await self._storage.work(lambda db: co_interventions.add(db, session, kind, detail, by, now))

    async def remove_complement(self, session: int, complement: int, *, by: str) -> None:
        """Take such a note back."""
        now = self._now_utc()
        await self._storage.work(lambda db: co_interventions.remove(db, session, complement, by, now))

    async def plan(self, client: str) -> ClientPlan:
        """A client's plan."""
        rows = list(reversed(await self._storage.sessions_of(client)))
        return await self._of(client, lambda db: visit_plans.plan_of(db, client, first_visit(rows)))

    async def set_plan(self, client: str, plan: ClientPlan, *, by: str) -> ClientPlan:
        """Give a client a plan of their own."""
        now = self._now_utc()
        await self._of(client, lambda db: visit_plans.keep(db, client, plan, by, now))
        return await self.plan(client)

    async def drop_plan(self, client: str, *, by: str) -> ClientPlan:
        """Let the practice's usual plan hold again."""
        now = self._now_utc()
        await self._of(client, lambda db: visit_plans.drop(db, client, by, now))
        return await self.plan(client)

    async def pdf(self, html: str, files: Mapping[str, bytes]) -> bytes:
        """Make a page into a PDF, in the worker process."""
        return await make_pdf(self._worker, html, files)

    async def _bring_up(self, client: str) -> int:
        """Have sessions analysed by today's algorithm, a few at a time; gives how many still wait."""
        lacking = await self._storage.work(lambda db: _lacking(db, client))
        for session in lacking[:MOST_ANEW]:
            await self._reports.of(session)
        return max(len(lacking) - MOST_ANEW, 0)

    async def _of(self, client: str, job: Callable[[Database], T]) -> T:
        def work(db: Database) -> T:
            client_store.row_of(db, client)
            return job(db)

        return await self._storage.work(work)


def _lacking(db: Database, client: str) -> list[int]:
    """Ended sessions without a report by today's algorithm, newest first."""
    found = db.execute(
        "SELECT id FROM session WHERE client = ? AND ended_utc IS NOT NULL"
        " AND id NOT IN (SELECT session FROM report WHERE algorithm = ?) ORDER BY started_utc DESC, id DESC",
        (client, ALGORITHM),
    )
    return [row[0] for row in found]


def _reports(db: Database, client: str) -> dict[int, bytes]:
    """Those by today's algorithm, by session."""
    rows = db.execute(
        "SELECT session, figures FROM report JOIN session ON session.id = report.session WHERE client = ? AND algorithm = ?",
        (client, ALGORITHM),
    )
    return {session: figures.encode() for session, figures in rows}


def _compute_course(stored: Sequence[Stored], reports: Mapping[int, bytes]) -> tuple[Course, list[Compared]]:
    """Compute a course from stored reports, given by session: for the worker process."""
    from .course_computation import course_of

    return course_of(stored, reports)
