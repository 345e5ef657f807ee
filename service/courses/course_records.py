"""The data of a course in the database, and the course built from it: for the pages and a client's export."""

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from ...analysis.course.course_figures import Course
from ...analysis.session_pain import SessionPain
from ..clients import client_store
from ..clients.consents import has_consent
from ..clients.pain_scores import stored_pain
from ..sessions import co_interventions, soap_notes
from ..sessions.models import SessionRow
from ..settings import zone_of
from ..storage.event_rows import moment
from ..storage.sqlite import Database
from . import visit_plans
from .course_data import PainScores, SessionComparison, StoredSession
from .models import ClientCourse, CourseEntry, local_day

_LATER_PAINS = """
SELECT session.id, day.pain, two.pain FROM session
LEFT JOIN follow_up AS day ON day.session = session.id AND day.slot = 24
LEFT JOIN follow_up AS two ON two.session = session.id AND two.slot = 48
WHERE client = ?
"""


class CourseRecords(msgspec.Struct, frozen=True):
    """A course without figures, and the sessions to compare."""

    course: ClientCourse
    sessions: list[StoredSession]
    """Ended sessions, in order of time; empty without the client's consent to compare them."""


def load_course_records(db: Database, client: str, rows: Sequence[SessionRow], now: datetime) -> CourseRecords:
    """Return a course without its figures, and the sessions to compare.

    `rows`: the client's sessions in order of time; one that has been deleted or reassigned since is left out, and so is one
    whose date nobody knows.
    """
    zone = zone_of(db)
    complements, agreed = co_interventions.of_client(db, client), has_consent(db, client, "trends")
    pains = {
        session: _pains(stored_pain(db, session), *later) for session, *later in db.execute(_LATER_PAINS, (client,)).fetchall()
    }
    rows = [row for row in rows if row.session in pains]
    undated = sum(not row.dated for row in rows)
    rows = [row for row in rows if row.dated]
    course = ClientCourse(
        client=client,
        today=local_day(now.isoformat(), zone).isoformat(),
        zone=zone,
        plan=visit_plans.plan_of(db, client, first_visit(rows, zone)),
        agreed=agreed,
        undated=undated,
        entries=[
            CourseEntry(
                session=row.session,
                started_utc=row.started_utc,
                kind=row.kind,
                state=row.state,
                stopped=soap_notes.stopped_for_pain(db, row.session),
                complements=complements.get(row.session, []),
                **pains[row.session]._asdict(),
            )
            for row in rows
        ],
        flags=[flag for flag in client_store.flags_of(db, client) if flag.cleared_utc is None],
    )
    to_compare = [row for row in rows if agreed and row.state == "ended"]
    return CourseRecords(
        course,
        [
            StoredSession(row.session, moment(row.started_utc), soap_notes.visit_of(db, row.session).marks, pains[row.session])
            for row in to_compare
        ],
    )


def _pains(pain: SessionPain, pain_24h: int | None, pain_48h: int | None) -> PainScores:
    return PainScores(pain.before, pain.after, pain_24h, pain_48h, tuple(score for _, score in pain.during))


def with_figures(course: ClientCourse, figures: Course, compared: Sequence[SessionComparison], waiting: int = 0) -> ClientCourse:
    """Return the course with its figures; `waiting`: number of sessions left out until they are analysed anew."""
    fields = {session.session: session._asdict() for session in compared}
    entries = [msgspec.structs.replace(entry, **fields.get(entry.session, {})) for entry in course.entries]
    return msgspec.structs.replace(course, entries=entries, figures=figures, waiting=waiting)


def first_visit(rows: Sequence[SessionRow], zone: str | None) -> date | None:
    """Return the day of the first massage; None where there was none. `rows` in order of time."""
    return next((local_day(row.started_utc, zone) for row in rows if row.kind == "massage" and row.dated), None)
