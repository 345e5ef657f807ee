"""Flags for a client's next visit, in the database."""

from datetime import datetime
from typing import Literal

from ...analysis.pain_rules import flag_at_end
from ..storage.event_rows import Unit, stamp
from ..storage.sqlite import Database
from .pain_scores import stored_pain

Rule = Literal["stop", "pain", "note", "after 24 h", "after 48 h", "mail"]
"""What raises a flag: the stop button, pain scores, the therapist’s note, a follow-up answer, a mail that failed."""


def flag_statements(session: int, rule: Rule, reason: str | None, now: datetime) -> Unit:
    """Return the statements that flag the next visit of the session's client by a rule, or with no reason remove its flag.

    A cleared flag stays cleared as long as its reason is the same.
    """
    gone = ("DELETE FROM flag WHERE session = ? AND rule = ? AND reason IS NOT ?", (session, rule, reason))
    if reason is None:
        return (gone,)
    row = (session, reason, stamp(now), rule)
    return gone, ("INSERT OR IGNORE INTO flag (session, reason, raised_utc, rule) VALUES (?, ?, ?, ?)", row)


def set_flag(db: Database, session: int, rule: Rule, reason: str | None, now: datetime) -> None:
    """Flag the next visit of the session's client by a rule, as `flag_statements` does."""
    with db.atomic():
        for statement, values in flag_statements(session, rule, reason, now):
            db.execute(statement, values)


def flag_pain(db: Database, session: int, now: datetime) -> None:
    """Flag the next visit by the pain rule, from the scores before, after, and since the massage began."""
    set_flag(db, session, "pain", flag_at_end(stored_pain(db, session)), now)
