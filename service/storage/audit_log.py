"""The audit log: who did or viewed something, and when. Entries are added, never changed."""

from datetime import datetime

from .event_rows import Statement, stamp
from .sqlite import Database


def note(
    db: Database,
    at_utc: datetime,
    actor: str,
    action: str,
    *,
    client: str | None = None,
    session: int | None = None,
    detail: str | None = None,
) -> None:
    """Add an entry to the audit log, within the open transaction if there is one.

    `actor`: an account's name, "link" for a visitor with a client's link, "restbeat" for the program itself.
    """
    statement, values = audit_statement(at_utc, actor, action, client=client, session=session, detail=detail)
    db.execute(statement, values)


def audit_statement(
    at_utc: datetime,
    actor: str,
    action: str,
    *,
    client: str | None = None,
    session: int | None = None,
    detail: str | None = None,
) -> Statement:
    """Return the statement that adds an entry, for a view that is noted while its page is sent."""
    return (
        "INSERT INTO audit (at_utc, actor, action, client, session, detail) VALUES (?, ?, ?, ?, ?, ?)",
        (stamp(at_utc), actor, action, client, session, detail),
    )
