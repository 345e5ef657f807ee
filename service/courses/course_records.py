"""What the database holds of a course, and the course put together from it: for the pages, and for a client's export."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from ...analysis.course.course_figures import Course
from ..clients import client_store
from ..clients.consents import has_consent
from ..sessions import co_interventions, soap_notes
from ..sessions.models import SessionRow
from ..sessions.session_context import stopped_for_pain
from ..storage.event_rows import moment
from ..storage.sqlite import Database
from . import visit_plans
from .course_data import PainScores, SessionComparison, StoredSession
from .models import ClientCourse, CourseEntry, local_day

_PAINS = """
SELECT session.id, pain_before, pain_after, day.pain, two.pain FROM session
LEFT JOIN follow_up AS day ON day.session = session.id AND day.slot = 24
LEFT JOIN follow_up AS two ON two.session = session.id AND two.slot = 48
WHERE client = ?
"""


class CourseRecords(msgspec.Struct, frozen=True):
    """A course before anything is compared, and what is to be compared."""

    course: ClientCourse
    sessions: list[StoredSession]
    """Those that have ended, in order of time; none where the client does not agree to have them compared."""


def load_course_records(db: Database, client: str, rows: Sequence[SessionRow], now: datetime) -> CourseRecords:
    """Everything of a course but its figures. `rows`: the client's sessions in order of time."""
    beside, agreed = co_interventions.of_client(db, client), has_consent(db, client, "trends")
    pains = {session: PainScores(*scores) for session, *scores in db.execute(_PAINS, (client,)).fetchall()}
    rows = [row for row in rows if row.session in pains]
    course = ClientCourse(
        client=client,
        today=local_day(now.isoformat()).isoformat(),
        plan=visit_plans.plan_of(db, client, first_visit(rows)),
        agreed=agreed,
        entries=[
            CourseEntry(
                session=row.session,
                started_utc=row.started_utc,
                kind=row.kind,
                state=row.state,
                stopped=stopped_for_pain(db, row.session),
                complements=beside.get(row.session, []),
                **pains[row.session]._asdict(),
            )
            for row in rows
        ],
        flags=[flag for flag in client_store.flags_of(db, client) if flag.cleared_utc is None],
    )
    compared = [row for row in rows if agreed and row.state == "ended"]
    return CourseRecords(
        course,
        [
            StoredSession(row.session, moment(row.started_utc), soap_notes.visit_of(db, row.session).marks, pains[row.session])
            for row in compared
        ],
    )


def with_figures(course: ClientCourse, figures: Course, compared: Sequence[SessionComparison], waiting: int = 0) -> ClientCourse:
    """The course with all that was compared; `waiting`: sessions that are yet to be analysed anew."""
    told = {one.session: one._asdict() for one in compared}
    entries = [msgspec.structs.replace(entry, **told.get(entry.session, {})) for entry in course.entries]
    return msgspec.structs.replace(course, entries=entries, figures=figures, waiting=waiting)


def first_visit(rows: Sequence[SessionRow]) -> date | None:
    """The day of the first massage."""
    return next((local_day(row.started_utc) for row in rows if row.kind == "massage"), None)
