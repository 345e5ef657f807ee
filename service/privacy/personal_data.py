"""All data of a client in the database, found by its foreign keys, so that a table added later is included."""

from collections.abc import Container, Iterator
from datetime import datetime
from functools import partial
from typing import Any, Final

import msgspec

from ...analysis.response.earlier_rests import EarlierSession
from ...sensors.recordings.recording import Event, Header
from ..clients.identities import language_of, read_identity
from ..courses.course_records import CourseRecords, load_course_records
from ..errors import NoSuchClientError
from ..sessions.client_session import ClientSession
from ..sessions.earlier_rests import earlier_rests_before
from ..sessions.session_context import client_session_of
from ..sessions.session_list import all_sessions_of, session_row
from ..sessions.session_store import events_of
from ..storage.encryption import IdentityCipher
from ..storage.event_rows import moment
from ..storage.sqlite import Database

_EXCLUDED: Final = frozenset({"packet", "packet_chunk", "report", "identity"})
"""Tables exported otherwise: packets in recordings, reports as files, the identity decrypted."""

_SESSIONS: Final = "(SELECT id FROM session WHERE client = :client)"


class SessionRecords(msgspec.Struct, frozen=True, kw_only=True):
    """A session's data: its recording and its client's summary."""

    session: int
    began: datetime | None
    """None where nobody knows."""
    end_s: float | None
    header: Header
    events: list[Event]
    earlier_rests: list[EarlierSession]
    client_session: partial[ClientSession]
    """Data of the client's summary, without the report: call it with `report=`."""


class ClientRecords(msgspec.Struct, frozen=True, kw_only=True):
    """A client's rows by table, the numbers of their sessions, and their course."""

    client: str
    language: str | None
    """Language of their documents; None where none is stored."""
    rows: dict[str, list[dict[str, Any]]]
    sessions: list[int]
    """Numbers of the sessions, in order of time."""
    course: CourseRecords


def client_records(
    db: Database, cipher: IdentityCipher, client: str, now: datetime, running: Container[int] = ()
) -> ClientRecords:
    """Return a client's rows without packets and reports, and their course.

    `running`: sessions that a process writes now. Raises `NoSuchClientError` where there is no such client, `RefusedError`
    where the identity cannot be decrypted.
    """
    if db.execute("SELECT 1 FROM client WHERE pseudonym = ?", (client,)).fetchone() is None:
        raise NoSuchClientError(f"There is no client {client}. restbeat clients lists them.")
    rows: dict[str, list[dict[str, Any]]] = {"client": list(db.query("SELECT * FROM client WHERE pseudonym = ?", (client,)))}
    for table, condition in tables_of_client(db):
        if table not in _EXCLUDED and (found := list(db.query(f"SELECT * FROM {table} WHERE {condition}", {"client": client}))):  # noqa: S608
            rows[table] = found
    rows["identity"] = [msgspec.to_builtins(read_identity(db, cipher, client))]
    audit = f"SELECT * FROM audit WHERE client = :client OR session IN {_SESSIONS} ORDER BY id"  # noqa: S608 - constant text
    rows["audit"] = list(db.query(audit, {"client": client}))
    sessions = all_sessions_of(db, client, running)
    return ClientRecords(
        client=client,
        language=language_of(db, cipher, client),
        rows=rows,
        sessions=[row.session for row in sessions],
        course=load_course_records(db, client, sessions, now),
    )


def tables_of_client(db: Database) -> Iterator[tuple[str, str]]:
    """Yield each table with a foreign key to client or session, and the condition for one client's rows (`:client`)."""
    for table in db.table_names():
        conditions = []
        for key in db.table(table).foreign_keys:
            if key.other_table == "client":
                conditions.append(f"{key.column} = :client")
            elif key.other_table == "session":
                conditions.append(f"{key.column} IN {_SESSIONS}")
        if conditions:
            yield table, " OR ".join(conditions)


def session_records(db: Database, session: int, running: Container[int] = ()) -> SessionRecords:
    """Return a session's recording and the data of its client's summary; `running`: sessions that a process writes now."""
    started, dated, end_s = db.execute("SELECT started_utc, dated, duration_s FROM session WHERE id = ?", (session,)).fetchone()
    header, events = events_of(db, session)
    return SessionRecords(
        session=session,
        began=moment(started) if dated else None,
        end_s=end_s,
        header=header,
        events=events,
        earlier_rests=earlier_rests_before(db, session),
        client_session=client_session_of(db, session_row(db, session, running)),
    )
