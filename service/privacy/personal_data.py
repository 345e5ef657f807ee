"""Everything that the database holds of a client, found by its foreign keys: a table that is added later comes along."""

from collections.abc import Container, Iterator
from datetime import datetime
from functools import partial
from typing import Any, Final

import msgspec

from ...analysis.response.earlier_rests import EarlierSession
from ...sensors.recordings.recording import Event, Header
from ..clients.identities import language_of, open_identity
from ..courses.course_records import CourseHeld, course_held
from ..errors import NoSuchClientError
from ..sessions.client_session import ClientSession
from ..sessions.earlier_rests import past_before
from ..sessions.session_context import around
from ..sessions.session_store import events_of, session_row
from ..storage.encryption import IdentityCipher
from ..storage.event_rows import moment
from ..storage.sqlite import Database

_ELSEWHERE: Final = frozenset({"packet", "report", "identity"})
"""Packets stand in the recordings, reports beside them; who the client is, is opened."""

_SESSIONS: Final = "(SELECT id FROM session WHERE client = :client)"


class SessionHeld(msgspec.Struct, frozen=True, kw_only=True):
    """A session with all that arrived in it."""

    session: int
    began: datetime
    end_s: float | None
    header: Header
    events: list[Event]
    past: list[EarlierSession]
    around: partial[ClientSession]
    """All that the client's summary tells of beside the report."""


class ClientHeld(msgspec.Struct, frozen=True, kw_only=True):
    """A client's rows by table, and their sessions' numbers."""

    client: str
    language: str | None
    """What they read; None where it is not written down."""
    rows: dict[str, list[dict[str, Any]]]
    sessions: list[int]
    """In order of time."""
    course: CourseHeld


def of_client(db: Database, seal: IdentityCipher, client: str, now: datetime, running: Container[int] = ()) -> ClientHeld:
    """Every row of a client but their packets, and their course. Raises `NoSuchClientError`."""
    if db.execute("SELECT 1 FROM client WHERE pseudonym = ?", (client,)).fetchone() is None:
        raise NoSuchClientError(f"There is no client {client}. restbeat clients lists them.")
    rows: dict[str, list[dict[str, Any]]] = {"client": list(db.query("SELECT * FROM client WHERE pseudonym = ?", (client,)))}
    for table, condition in tables_of_client(db):
        if table not in _ELSEWHERE and (found := list(db.query(f"SELECT * FROM {table} WHERE {condition}", {"client": client}))):  # noqa: S608
            rows[table] = found
    rows["identity"] = [msgspec.to_builtins(open_identity(db, seal, client))]
    audit = f"SELECT * FROM audit WHERE client = :client OR session IN {_SESSIONS} ORDER BY id"  # noqa: S608 - words of our own
    rows["audit"] = list(db.query(audit, {"client": client}))
    in_time = sorted(rows.get("session", []), key=lambda row: (row["started_utc"], row["id"]))
    sessions = [session_row(db, row["id"], running) for row in in_time]
    return ClientHeld(
        client=client,
        language=language_of(db, seal, client),
        rows=rows,
        sessions=[row.session for row in sessions],
        course=course_held(db, client, sessions, now),
    )


def tables_of_client(db: Database) -> Iterator[tuple[str, str]]:
    """Each table that belongs to a client or to a client's session, and the condition that finds their rows (`:client`)."""
    for table in db.table_names():
        conditions = []
        for key in db.table(table).foreign_keys:
            if key.other_table == "client":
                conditions.append(f"{key.column} = :client")
            elif key.other_table == "session":
                conditions.append(f"{key.column} IN {_SESSIONS}")
        if conditions:
            yield table, " OR ".join(conditions)


def session_of(db: Database, session: int, running: Container[int] = ()) -> SessionHeld:
    """One session as its recording would hold it, and what stands around it."""
    started, end_s = db.execute("SELECT started_utc, duration_s FROM session WHERE id = ?", (session,)).fetchone()
    header, events = events_of(db, session)
    return SessionHeld(
        session=session,
        began=moment(started),
        end_s=end_s,
        header=header,
        events=events,
        past=past_before(db, session),
        around=around(db, session_row(db, session, running)),
    )
