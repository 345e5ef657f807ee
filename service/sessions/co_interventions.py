"""Co-interventions (complements) in the database: noted with a session, and by whom."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, get_args

from ..errors import UnknownError, UnknownSessionError
from ..rendering.translations import Speech, marked
from ..storage.audit_log import note
from ..storage.event_rows import stamp
from ..storage.sqlite import Database
from .client_session import Complement, ComplementKind

_ALL = "SELECT complement.id, session, complement.kind, detail, noted_by, noted_utc FROM complement"


def of_session(db: Database, session: int) -> list[Complement]:
    """Return a session's co-interventions, oldest first. Raises `UnknownSessionError` where there is no such session."""
    _client_of(db, session)
    return _read(db, f"{_ALL} WHERE session = ? ORDER BY complement.id", session)


def of_client(db: Database, client: str) -> dict[int, list[Complement]]:
    """Return the co-interventions of a client by session, oldest first."""
    found: dict[int, list[Complement]] = {}
    query = f"{_ALL} JOIN session ON session.id = complement.session WHERE session.client = ? ORDER BY complement.id"
    for complement in _read(db, query, client):
        found.setdefault(complement.session, []).append(complement)
    return found


def add(db: Database, session: int, kind: ComplementKind, detail: str, actor: str, now: datetime) -> Complement:
    """Note a co-intervention. Raises `UnknownSessionError` where there is no such session."""
    client = _client_of(db, session)
    with db.atomic():
        row = (session, kind, " ".join(detail.split()), actor, stamp(now))
        cursor = db.execute("INSERT INTO complement (session, kind, detail, noted_by, noted_utc) VALUES (?, ?, ?, ?, ?)", row)
        note(db, now, actor, "complement noted", client=client, session=session, detail=kind)
    return next(row for row in of_session(db, session) if row.complement == cursor.lastrowid)


def remove(db: Database, session: int, complement: int, actor: str, now: datetime) -> None:
    """Remove a co-intervention. Raises `UnknownError` where there is no such session or co-intervention."""
    client = _client_of(db, session)
    found = next((row for row in of_session(db, session) if row.complement == complement), None)
    if found is None:
        raise UnknownError(f"Session {session} has no complement {complement}.")
    with db.atomic():
        db.execute("DELETE FROM complement WHERE id = ?", (complement,))
        note(db, now, actor, "complement taken back", client=client, session=session, detail=found.kind)


def _client_of(db: Database, session: int) -> str | None:
    row = db.execute("SELECT client FROM session WHERE id = ?", (session,)).fetchone()
    if row is None:
        raise UnknownSessionError(f"There is no session {session}.")
    client: str | None = row[0]
    return client


def _read(db: Database, query: str, value: int | str) -> list[Complement]:
    return [
        Complement(complement=number, session=session, kind=kind, detail=detail, noted_by=by, noted_utc=at)
        for number, session, kind, detail, by, at in db.execute(query, (value,))
    ]


KINDS: Final[tuple[ComplementKind, ...]] = get_args(ComplementKind)


NAMES: Final[dict[ComplementKind, str]] = {
    "heat": marked("Heat"),
    "cold": marked("Cold"),
    "mindfulness": marked("Mindfulness"),
    "tai-chi-yoga": marked("Tai chi or yoga"),
    "medication": marked("Medication changed"),
    "other": marked("Something else"),
}


def complement_word(speech: Speech, kind: ComplementKind) -> str:
    """Return the name of a kind in a client's language."""
    return speech.say(NAMES[kind])


def complements_of(complements: Iterable[Complement]) -> list[ComplementKind]:
    """Return the distinct kinds of some co-interventions, in the order of `KINDS`."""
    present = {complement.kind for complement in complements}
    return [kind for kind in KINDS if kind in present]
