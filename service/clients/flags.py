"""A client between visits, as the database keeps them: the strap worn last, and what to mind at the next visit."""

from datetime import datetime
from typing import Literal

from ...analysis.pain_rules import flag_at_end
from ..storage.audit_log import note
from ..storage.event_rows import stamp
from ..storage.sqlite import Database

Rule = Literal["stop", "pain", "note", "after 24 h", "after 48 h", "mail"]
"""What raises a flag: the button, the scores, the therapist’s own word, what the client told later, a mail that did not go."""


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


def set_flag(db: Database, session: int, rule: Rule, reason: str | None, now: datetime) -> None:
    """Flag the next visit of the session's client by a rule, or with None take back what it had raised.

    A flag that was seen stays seen, as long as its reason is the same.
    """
    with db.atomic():
        db.execute("DELETE FROM flag WHERE session = ? AND rule = ? AND reason IS NOT ?", (session, rule, reason))
        if reason is not None:
            row = (session, reason, stamp(now), rule)
            db.execute("INSERT OR IGNORE INTO flag (session, reason, raised_utc, rule) VALUES (?, ?, ?, ?)", row)


def flag_pain(db: Database, session: int, now: datetime) -> None:
    """Flag the next visit where the session's scores ask for it, from the massage on."""
    before, after = db.execute("SELECT pain_before, pain_after FROM session WHERE id = ?", (session,)).fetchone()
    during = db.execute(
        "SELECT score FROM pain WHERE session = :session"
        " AND t_s >= (SELECT min(t_s) FROM phase WHERE session = :session AND phase IN ('massage', 'recovery'))",
        {"session": session},
    )
    set_flag(db, session, "pain", flag_at_end(before, [row[0] for row in during], after), now)


def reassign(db: Database, session: int, client: str | None, actor: str, now: datetime) -> None:
    """Put a session under another client, the strap with it; the audit log keeps both names."""
    query = "SELECT client, strap_address, strap_name FROM session WHERE id = ?"
    before, address, name = db.execute(query, (session,)).fetchone()
    if before == client:
        return
    with db.atomic():
        db.execute("UPDATE session SET client = ? WHERE id = ?", (client, session))
        if address is not None:
            remember(db, client, address, name, None)
        note(db, now, actor, "session reassigned", client=client, session=session, detail=f"before: {before or 'nobody'}")
