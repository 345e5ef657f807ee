"""Assignments of straps and sessions to clients."""

from datetime import datetime

from ..storage.audit_log import note
from ..storage.sqlite import Database


def wearer_of(db: Database, address: str) -> str | None:
    """Return the client who wore a strap last; None where none is known."""
    row = db.execute("SELECT pseudonym FROM client WHERE strap_address = ?", (address,)).fetchone()
    return None if row is None else row[0]


def assign_strap(db: Database, client: str | None, address: str, name: str | None, posture: str | None) -> None:
    """Assign a strap to one client alone, None for no client, and note their posture unless it is None."""
    with db.atomic():
        db.execute("UPDATE client SET strap_address = NULL, strap_name = NULL WHERE strap_address = ?", (address,))
        db.execute(
            "UPDATE client SET strap_address = ?, strap_name = ?, posture = coalesce(?, posture) WHERE pseudonym = ?",
            (address, name, posture, client),
        )


def reassign_session(db: Database, session: int, client: str | None, actor: str, now: datetime) -> None:
    """Assign a session and its strap to another client, None for no client; the audit log keeps both pseudonyms."""
    query = "SELECT client, strap_address, strap_name FROM session WHERE id = ?"
    before, address, name = db.execute(query, (session,)).fetchone()
    newest = "SELECT address, name FROM strap WHERE session = ? ORDER BY seq DESC LIMIT 1"
    address, name = db.execute(newest, (session,)).fetchone() or (address, name)
    if before == client:
        return
    with db.atomic():
        db.execute("UPDATE session SET client = ? WHERE id = ?", (client, session))
        if address is not None:
            assign_strap(db, client, address, name, None)
        note(db, now, actor, "session reassigned", client=client, session=session, detail=f"before: {before or 'nobody'}")
