"""What else was done for a client, as the database keeps it: beside a session, by whom it was noted."""

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
    """Oldest first. Raises `UnknownSessionError`."""
    _client(db, session)
    return _read(db, f"{_ALL} WHERE session = ? ORDER BY complement.id", session)


def of_client(db: Database, client: str) -> dict[int, list[Complement]]:
    """Those of every session of a client."""
    found: dict[int, list[Complement]] = {}
    query = f"{_ALL} JOIN session ON session.id = complement.session WHERE session.client = ? ORDER BY complement.id"
    for complement in _read(db, query, client):
        found.setdefault(complement.session, []).append(complement)
    return found


def add(db: Database, session: int, kind: ComplementKind, detail: str, actor: str, now: datetime) -> Complement:
    """Note what else was done. Raises `UnknownSessionError`."""
    client = _client(db, session)
    with db.atomic():
        row = (session, kind, " ".join(detail.split()), actor, stamp(now))
        cursor = db.execute("INSERT INTO complement (session, kind, detail, noted_by, noted_utc) VALUES (?, ?, ?, ?, ?)", row)
        note(db, now, actor, "complement noted", client=client, session=session, detail=kind)
    return next(row for row in of_session(db, session) if row.complement == cursor.lastrowid)


def remove(db: Database, session: int, complement: int, actor: str, now: datetime) -> None:
    """Take a note back. Raises `UnknownError`."""
    client = _client(db, session)
    found = next((row for row in of_session(db, session) if row.complement == complement), None)
    if found is None:
        raise UnknownError(f"Session {session} has no complement {complement}.")
    with db.atomic():
        db.execute("DELETE FROM complement WHERE id = ?", (complement,))
        note(db, now, actor, "complement taken back", client=client, session=session, detail=found.kind)


def _client(db: Database, session: int) -> str | None:
    row = db.execute("SELECT client FROM session WHERE id = ?", (session,)).fetchone()
    if row is None:
        raise UnknownSessionError(f"There is no session {session}.")
    client: str | None = row[0]
    return client


def _read(db: Database, query: str, wanted: int | str) -> list[Complement]:
    return [
        Complement(complement=number, session=session, kind=kind, detail=detail, noted_by=by, noted_utc=at)
        for number, session, kind, detail, by, at in db.execute(query, (wanted,))
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
    """What a kind is called."""
    return speech.say(NAMES[kind])


def complements_of(complements: Iterable[Complement]) -> list[ComplementKind]:
    """The kinds there are, each once, in the usual order."""
    there = {complement.kind for complement in complements}
    return [kind for kind in KINDS if kind in there]
