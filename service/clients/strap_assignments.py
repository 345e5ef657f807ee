"""Which client wears a strap, and putting a session under another client."""

from datetime import datetime

from ..storage.audit_log import note
from ..storage.sqlite import Database


def wearer_of(db: Database, address: str) -> str | None:
    """The client who wore this strap last; None where nobody is known to."""
    row = db.execute("SELECT pseudonym FROM client WHERE strap_address = ?", (address,)).fetchone()
    return None if row is None else row[0]


def assign_strap(db: Database, client: str | None, address: str, name: str | None, posture: str | None) -> None:
    """Note which strap a client wears, and how they lie; nobody else wears that strap now. With no client, nobody is known to."""
    with db.atomic():
        db.execute("UPDATE client SET strap_address = NULL, strap_name = NULL WHERE strap_address = ?", (address,))
        db.execute(
            "UPDATE client SET strap_address = ?, strap_name = ?, posture = coalesce(?, posture) WHERE pseudonym = ?",
            (address, name, posture, client),
        )


def reassign_session(db: Database, session: int, client: str | None, actor: str, now: datetime) -> None:
    """Put a session under another client, the strap with it; the audit log keeps both names."""
    query = "SELECT client, strap_address, strap_name FROM session WHERE id = ?"
    before, address, name = db.execute(query, (session,)).fetchone()
    if before == client:
        return
    with db.atomic():
        db.execute("UPDATE session SET client = ? WHERE id = ?", (client, session))
        if address is not None:
            assign_strap(db, client, address, name, None)
        note(db, now, actor, "session reassigned", client=client, session=session, detail=f"before: {before or 'nobody'}")
