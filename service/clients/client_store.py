"""Clients in the database: pseudonyms, visits and flags."""

from collections.abc import Sequence
from datetime import datetime
import re
from typing import Final

from ..errors import RefusedError, UnknownClientError, UnknownError
from ..storage.audit_log import note
from ..storage.event_rows import stamp
from ..storage.sqlite import Database
from .client_list import SELECT, client_row
from .models import AuditRow, ClientRow, FlagRow

PSEUDONYM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)
_NUMBERED: Final = re.compile(r"(.*?\D)(\d{2,6})", re.ASCII)
_FIRST: Final = "M-001"
_AUDIT_ENTRIES: Final = 200
"""Number of newest audit entries that are returned."""

_IS_NUMBERED: Final = (
    "rtrim(pseudonym, '0123456789') <> '' AND length(pseudonym) - length(rtrim(pseudonym, '0123456789')) BETWEEN 2 AND 6"
)
"""Condition of the indexes `client_numbered` and `client_numbers`, word by word."""
_NUMBER: Final = "CAST(substr(pseudonym, length(rtrim(pseudonym, '0123456789')) + 1) AS INTEGER)"
_NEWEST: Final = 20
"""Number of newest numbered clients among whom the pattern of the next one is looked for."""
_FLAGS: Final = """
SELECT flag.id, flag.session, reason, raised_utc, cleared_utc, cleared_by FROM flag JOIN session ON session.id = flag.session
WHERE session.client = ? ORDER BY cleared_utc IS NOT NULL, raised_utc DESC, flag.id DESC
"""


def row_of(db: Database, client: str) -> ClientRow:
    """Return one client. Raises `UnknownClientError` where there is no such client."""
    found = db.execute(f"{SELECT} FROM client WHERE pseudonym = ?", (client,)).fetchone()
    if found is None:
        raise UnknownClientError(f"There is no client {client[:80]}.")
    return client_row(found)


def next_pseudonym(db: Database) -> str:
    """Return the next free pseudonym in the pattern of the newest numbered client: after M-014 comes M-015."""
    query = (
        f"SELECT pseudonym FROM client WHERE {_IS_NUMBERED} AND created_utc > ''"  # noqa: S608 - constant text
        f" ORDER BY created_utc DESC, rowid DESC LIMIT {_NEWEST}"
    )
    newest = db.execute(query)
    numbered = [match for (name,) in newest if PSEUDONYM.fullmatch(name) and (match := _NUMBERED.fullmatch(name))]
    if not numbered:
        return _FIRST
    prefix, digits = numbered[0].groups()
    greatest = f"SELECT max({_NUMBER}) FROM client WHERE {_IS_NUMBERED} AND rtrim(pseudonym, '0123456789') = ?"  # noqa: S608 - constant text
    (number,) = db.execute(greatest, (prefix,)).fetchone()
    return f"{prefix}{number + 1:0{len(digits)}d}"


def add(db: Database, pseudonym: str | None, actor: str, now: datetime) -> ClientRow:
    """Add a client; with None, the next free pseudonym is used. Raises `RefusedError` where it is taken or not valid."""
    name = pseudonym or next_pseudonym(db)
    if not PSEUDONYM.fullmatch(name):
        raise RefusedError("A pseudonym is up to 40 letters, digits, dots, dashes; it names nobody.")
    if db.execute("SELECT 1 FROM client WHERE pseudonym = ? COLLATE NOCASE", (name,)).fetchone():
        raise RefusedError(f"There is a client {name} already. The next free pseudonym is {next_pseudonym(db)}.")
    with db.atomic():
        db.execute("INSERT INTO client (pseudonym, created_utc) VALUES (?, ?)", (name, stamp(now)))
        note(db, now, actor, "client added", client=name)
    return row_of(db, name)


def flags_of(db: Database, client: str) -> list[FlagRow]:
    """Return a client's flags: open ones first, then cleared ones, each newest first."""
    return [
        FlagRow(flag=flag, session=session, reason=reason, raised_utc=raised, cleared_utc=cleared, cleared_by=by)
        for flag, session, reason, raised, cleared, by in db.execute(_FLAGS, (client,))
    ]


def mark_seen(db: Database, client: str, flag: int, actor: str, now: datetime) -> FlagRow:
    """Clear a flag, unless it is cleared already, and return it. Raises `UnknownError` where the client has no such flag."""
    found = next((row for row in flags_of(db, client) if row.flag == flag), None)
    if found is None:
        raise UnknownError(f"{client} has no flag {flag}.")
    if found.cleared_utc is None:
        with db.atomic():
            db.execute("UPDATE flag SET cleared_utc = ?, cleared_by = ? WHERE id = ?", (stamp(now), actor, flag))
            note(db, now, actor, "flag seen", client=client, session=found.session, detail=found.reason)
    return next(row for row in flags_of(db, client) if row.flag == flag)


def last_posture_and_technique(db: Database, client: str) -> tuple[str | None, str | None]:
    """Return a client's posture in the last session and the technique planned last, each None where there is none."""
    (posture,) = db.execute("SELECT posture FROM client WHERE pseudonym = ?", (client,)).fetchone()
    query = "SELECT technique FROM session WHERE client = ? AND technique IS NOT NULL ORDER BY id DESC LIMIT 1"
    row = db.execute(query, (client,)).fetchone()
    return posture, row[0] if row else None


def screening_yes(db: Database, client: str) -> list[str]:
    """Return the questions answered with yes in the client's last screening."""
    query = (
        "SELECT question FROM screening WHERE answer = 'yes' AND session ="
        " (SELECT max(session) FROM screening JOIN session ON session.id = session WHERE client = ?) ORDER BY question"
    )
    return [row[0] for row in db.execute(query, (client,))]


def audit_of(db: Database, client: str) -> Sequence[AuditRow]:
    """Return the newest entries of the audit log about a client and their sessions, newest first."""
    query = (
        "SELECT at_utc, actor, action, session, detail FROM audit"
        " WHERE client = :client OR session IN (SELECT id FROM session WHERE client = :client) ORDER BY id DESC LIMIT :most"
    )
    found = db.execute(query, {"client": client, "most": _AUDIT_ENTRIES})
    return [
        AuditRow(at_utc=at, actor=who, action=what, session=session, detail=detail) for at, who, what, session, detail in found
    ]
