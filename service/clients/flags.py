"""A client between visits, as the database keeps them: the strap worn last, and what to mind at the next visit."""

from datetime import datetime
from typing import Literal

from ...analysis.pain_rules import flag_at_end
from ..storage.event_rows import stamp
from ..storage.sqlite import Database

Rule = Literal["stop", "pain", "note", "after 24 h", "after 48 h", "mail"]
"""What raises a flag: the button, the scores, the therapist’s own word, what the client told later, a mail that did not go."""


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
