"""A client between visits, as the database keeps them: the strap worn last, and what to mind at the next visit."""

from datetime import datetime

from .audit import note
from .rows import stamp
from .sqlite import Database


def wearer_of(db: Database, address: str) -> str | None:
    """The client who wore this strap last; None where nobody is known to."""
    row = db.execute("SELECT pseudonym FROM client WHERE strap_address = ?", (address,)).fetchone()
    return None if row is None else row[0]


def remember(db: Database, client: str | None, address: str, name: str | None, posture: str | None) -> None:
    """Note which strap a client wears, and how they lie; nobody else wears that strap now. With no client, nobody is known to."""
    with db.atomic():
        db.execute("UPDATE client SET strap_address = NULL, strap_name = NULL WHERE strap_address = ?", (address,))
        db.execute(
            "UPDATE client SET strap_address = ?, strap_name = ?, posture = coalesce(?, posture) WHERE pseudonym = ?",
            (address, name, posture, client),
        )


def raise_flag(db: Database, session: int, reason: str, now: datetime) -> None:
    """Flag the next visit of the session's client."""
    db.execute("INSERT OR IGNORE INTO flag (session, reason, raised_utc) VALUES (?, ?, ?)", (session, reason, stamp(now)))


def drop_flag(db: Database, session: int, reason: str) -> None:
    """Take a flag back, as what raised it was taken back."""
    db.execute("DELETE FROM flag WHERE session = ? AND reason = ?", (session, reason))


def reassign(db: Database, session: int, client: str | None, actor: str, now: datetime) -> None:
    """Put a session under another client, the strap with it; the audit log keeps both names."""
    query = "SELECT client, strap_address, strap_name FROM session WHERE id = ?"
    before, address, name = db.execute(query, (session,)).fetchone()
    if before == client:
        return
    with db.atomic():
        if client is not None:
            db.execute("INSERT OR IGNORE INTO client (pseudonym, created_utc) VALUES (?, ?)", (client, stamp(now)))
        db.execute("UPDATE session SET client = ? WHERE id = ?", (client, session))
        if address is not None:
            remember(db, client, address, name, None)
        note(db, now, actor, "session reassigned", client=client, session=session, detail=f"before: {before or 'nobody'}")
