"""Clients in the database: pseudonyms, visits and flags."""

from collections.abc import Sequence
from datetime import datetime
import re
from typing import Any, Final

from ..errors import RefusedError, UnknownClientError, UnknownError
from ..storage.audit_log import note
from ..storage.event_rows import stamp
from ..storage.sqlite import Database
from .models import AuditRow, ClientRow, FlagRow

PSEUDONYM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)
_NUMBERED: Final = re.compile(r"(.*?\D)(\d{2,6})", re.ASCII)
_FIRST: Final = "M-001"
_AUDIT_ENTRIES: Final = 200
"""Number of newest audit entries that are returned."""

_ROWS: Final = """
SELECT pseudonym, client.created_utc, strap_address, strap_name,
  (SELECT max(started_utc) FROM session WHERE session.client = pseudonym) AS last_visit_utc,
  (SELECT count(*) FROM session WHERE session.client = pseudonym) AS sessions,
  (SELECT count(*) FROM flag JOIN session ON session.id = flag.session
    WHERE session.client = pseudonym AND flag.cleared_utc IS NULL) AS flags,
  EXISTS (SELECT 1 FROM consent WHERE consent.client = pseudonym AND purpose = 'record' AND withdrawn_utc IS NULL) AS may_record
FROM client
"""
_FLAGS: Final = """
SELECT flag.id, flag.session, reason, raised_utc, cleared_utc, cleared_by FROM flag JOIN session ON session.id = flag.session
WHERE session.client = ? ORDER BY cleared_utc IS NOT NULL, raised_utc DESC, flag.id DESC
"""


def rows(db: Database, search: str = "", *, flagged: bool = False) -> list[ClientRow]:
    """Return the clients whose pseudonym contains `search`, latest visitors first; `flagged`: only those with an open flag."""
    wanted = search.casefold().strip()
    found = [_row(row) for row in db.query(_ROWS + "ORDER BY coalesce(last_visit_utc, client.created_utc) DESC, pseudonym")]
    return [row for row in found if wanted in row.client.casefold() and (row.flags or not flagged)]


def row_of(db: Database, client: str) -> ClientRow:
    """Return one client. Raises `UnknownClientError` where there is no such client."""
    found = next(db.query(_ROWS + "WHERE pseudonym = ?", (client,)), None)
    if found is None:
        raise UnknownClientError(f"There is no client {client[:80]}.")
    return _row(found)


def next_pseudonym(db: Database) -> str:
    """Return the next free pseudonym in the pattern of the newest numbered client: after M-014 comes M-015."""
    names = [row[0] for row in db.execute("SELECT pseudonym FROM client ORDER BY created_utc DESC, rowid DESC")]
    numbered = [match for name in names if PSEUDONYM.fullmatch(name) and (match := _NUMBERED.fullmatch(name))]
    if not numbered:
        return _FIRST
    prefix = numbered[0].group(1)
    same = [match.group(2) for match in numbered if match.group(1) == prefix]
    return f"{prefix}{max(map(int, same)) + 1:0{len(numbered[0].group(2))}d}"


def add(db: Database, pseudonym: str | None, actor: str, now: datetime) -> ClientRow:
    """Add a client; with None, the next free pseudonym is used. Raises `RefusedError` where it is taken or not valid."""
    name = pseudonym or next_pseudonym(db)
    if not PSEUDONYM.fullmatch(name):
        raise RefusedError("A pseudonym is up to 40 letters, digits, dots, dashes; it names nobody.")
    if any(name.casefold() == row[0].casefold() for row in db.execute("SELECT pseudonym FROM client")):
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


def _row(row: dict[str, Any]) -> ClientRow:
    fields = row | {"client": row["pseudonym"], "may_record": bool(row["may_record"])}
    del fields["pseudonym"]
    return ClientRow(**fields)
