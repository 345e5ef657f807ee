"""The audit log: who did or viewed something, and when. Entries are added, never changed."""

from datetime import datetime

from .event_rows import stamp
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
    db.execute(
        "INSERT INTO audit (at_utc, actor, action, client, session, detail) VALUES (?, ?, ?, ?, ?, ?)",
        (stamp(at_utc), actor, action, client, session, detail),
    )
