"""What clients said a day and two days later, where that is kept."""

from ..web.course import Slot
from .sqlite import Database

_TABLE = "follow_up"


def pain_later(db: Database, client: str) -> dict[tuple[int, Slot], int]:
    """Pain of a client's sessions by session and slot; nothing where nobody asks for it yet."""
    if _TABLE not in db.table_names():
        return {}
    query = (
        "SELECT follow_up.session, follow_up.slot, follow_up.pain FROM follow_up JOIN session ON session.id = follow_up.session"
        " WHERE session.client = ? AND follow_up.pain IS NOT NULL"
    )
    return {(session, _slot(slot)): pain for session, slot, pain in db.execute(query, (client,))}


def _slot(slot: object) -> Slot:
    """24 and 48 may be written with or without their unit."""
    return "24h" if str(slot).startswith("24") else "48h"
