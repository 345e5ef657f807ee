"""Courses over a real database, as the pages ask for them: every look and every change is noted."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Final, Protocol, TypeVar

import msgspec

from ..analysis.figures import ALGORITHM, SessionReport
from ..web.client_session import ClientSession, Complement, ComplementKind
from ..web.course import ClientCourse, CourseEntry, DueRow, local_day
from ..web.plan import ClientPlan
from ..web.ports import PortError, SessionRow
from . import clients, complements, identities, notes, plans
from .around import around, stopped
from .audit import note
from .consents import holds
from .course_rows import Compared, Stored
from .due import due_rows
from .errors import WorkerError
from .pain_later import pain_later
from .rows import moment
from .seal import Seal
from .sqlite import Database
from .storage import Storage
from .worker import Worker

T = TypeVar("T")

MOST_ANEW: Final = 4
"""Sessions that are analysed anew while somebody waits for a course; the others wait for the next look."""


class Reports(Protocol):
    """Where a session's report comes from, made anew where it is missing."""

    async def report(self, session: int) -> tuple[SessionRow, SessionReport]:
        """The session and its figures."""
        ...


class PracticeCourses:
    """What `web.course.Courses` asks for."""

    def __init__(
        self,
        storage: Storage,
        worker: Worker,
        seal: Seal,
        reports: Reports,
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
        row, report = await self._reports.report(session)
        now = self._now_utc()

        def work(db: Database) -> ClientSession:
            note(db, now, by, f"{what} looked at", client=row.client, session=session)
            return around(db, row)(report=report)

        return await self._storage.work(work)

    async def course(self, client: str, what: str, *, by: str) -> ClientCourse:
        """A client's course."""
        now = self._now_utc()
        rows = [row for row in reversed(await self._storage.sessions()) if row.client == client]

        def agreed(db: Database) -> bool:
            clients.row_of(db, client)
            note(db, now, by, f"{what} looked at", client=client)
            return holds(db, client, "trends")

        compare = await self._storage.work(agreed)
        waiting = await self._bring_up(client) if compare else 0
        stored = await self._storage.work(lambda db: _stored(db, client)) if compare else []
        try:
            figures, compared = await self._worker.course(stored) if compare else (None, [])
        except WorkerError as error:
            raise PortError(str(error)) from error
        told = {one.session: one for one in compared}

        def work(db: Database) -> ClientCourse:
            later, beside = pain_later(db, client), complements.of_client(db, client)
            entries = [_entry(db, row, told.get(row.session), beside.get(row.session, [])) for row in rows]
            return ClientCourse(
                client=client,
                today=local_day(now.isoformat()).isoformat(),
                plan=plans.plan_of(db, client, _first_visit(rows)),
                agreed=compare,
                entries=[
                    msgspec.structs.replace(
                        entry, pain_24h=later.get((entry.session, "24h")), pain_48h=later.get((entry.session, "48h"))
                    )
                    for entry in entries
                ],
                figures=figures,
                waiting=waiting,
                flags=[flag for flag in clients.flags_of(db, client) if flag.cleared_utc is None],
            )

        return await self._storage.work(work)

    async def language(self, client: str | None) -> str | None:
        """The language that a client reads; None where it is not written down, or cannot be read."""
        if client is None:
            return None
        return await self._storage.work(lambda db: identities.language_of(db, self._seal, client))

    async def practice(self) -> Sequence[DueRow]:
        """Every client: flagged first, then by how late they are."""
        today = local_day(self._now_utc().isoformat())
        return await self._storage.work(lambda db: due_rows(db, today))

    async def complements(self, session: int) -> Sequence[Complement]:
        """What else was done, oldest first."""
        return await self._storage.work(lambda db: complements.of_session(db, session))

    async def add_complement(self, session: int, kind: ComplementKind, detail: str, *, by: str) -> Complement:
        """Note what else was done."""
        now = self._now_utc()
        return await self._storage.work(lambda db: complements.add(db, session, kind, detail, by, now))

    async def remove_complement(self, session: int, complement: int, *, by: str) -> None:
        """Take such a note back."""
        now = self._now_utc()
        await self._storage.work(lambda db: complements.remove(db, session, complement, by, now))

    async def plan(self, client: str) -> ClientPlan:
        """A client's plan."""
        rows = [row for row in reversed(await self._storage.sessions()) if row.client == client]
        return await self._of(client, lambda db: plans.plan_of(db, client, _first_visit(rows)))

    async def set_plan(self, client: str, plan: ClientPlan, *, by: str) -> ClientPlan:
        """Give a client a plan of their own."""
        now = self._now_utc()
        await self._of(client, lambda db: plans.keep(db, client, plan, by, now))
        return await self.plan(client)

    async def drop_plan(self, client: str, *, by: str) -> ClientPlan:
        """Let the practice's usual plan hold again."""
        now = self._now_utc()
        await self._of(client, lambda db: plans.drop(db, client, by, now))
        return await self.plan(client)

    async def pdf(self, html: str, files: Mapping[str, bytes]) -> bytes:
        """Make a page into a PDF, in the worker process."""
        try:
            return await self._worker.pdf(html, dict(files))
        except WorkerError as error:
            raise PortError(str(error)) from error

    async def _bring_up(self, client: str) -> int:
        """Have sessions analysed by today's algorithm, a few at a time; gives how many still wait."""
        lacking = await self._storage.work(lambda db: _lacking(db, client))
        for session in lacking[:MOST_ANEW]:
            await self._reports.report(session)
        return max(len(lacking) - MOST_ANEW, 0)

    async def _of(self, client: str, job: Callable[[Database], T]) -> T:
        def work(db: Database) -> T:
            clients.row_of(db, client)
            return job(db)

        return await self._storage.work(work)


def _entry(db: Database, row: SessionRow, told: Compared | None, beside: list[Complement]) -> CourseEntry:
    before, after = db.execute("SELECT pain_before, pain_after FROM session WHERE id = ?", (row.session,)).fetchone()
    entry = CourseEntry(
        session=row.session,
        started_utc=row.started_utc,
        kind=row.kind,
        state=row.state,
        stopped=stopped(db, row.session),
        pain_before=before,
        pain_after=after,
        complements=beside,
    )
    return (
        entry if told is None else msgspec.structs.replace(entry, **{k: v for k, v in told._asdict().items() if k != "session"})
    )


def _first_visit(rows: Sequence[SessionRow]) -> date | None:
    return next((local_day(row.started_utc) for row in rows if row.kind == "massage"), None)


def _lacking(db: Database, client: str) -> list[int]:
    """Ended sessions without a report by today's algorithm, newest first."""
    found = db.execute(
        "SELECT id FROM session WHERE client = ? AND ended_utc IS NOT NULL"
        " AND id NOT IN (SELECT session FROM report WHERE algorithm = ?) ORDER BY started_utc DESC, id DESC",
        (client, ALGORITHM),
    )
    return [row[0] for row in found]


def _stored(db: Database, client: str) -> list[Stored]:
    """Sessions with a report by today's algorithm, in order of time."""
    later = pain_later(db, client)
    rows = db.execute(
        "SELECT session.id, started_utc, figures, pain_before, pain_after FROM session"
        " JOIN report ON report.session = session.id AND report.algorithm = ?"
        " WHERE client = ? AND ended_utc IS NOT NULL ORDER BY started_utc, session.id",
        (ALGORITHM, client),
    ).fetchall()
    return [
        Stored(
            session,
            moment(started),
            figures.encode(),
            notes.visit_of(db, session).marks,
            before,
            after,
            later.get((session, "24h")),
            later.get((session, "48h")),
        )
        for session, started, figures, before, after in rows
    ]
