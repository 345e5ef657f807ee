"""Pain of a stored session, read from the database."""

from ...analysis.session_pain import SessionPain, session_pain
from ...sensors.recordings.recording import Event
from ..storage.event_rows import EVENT_COLUMNS, EVENT_OF
from ..storage.sqlite import Database


def stored_pain(db: Database, session: int) -> SessionPain:
    """Return the pain of a stored session; empty where there is no such session."""
    asked = db.execute("SELECT pain_before, pain_after FROM session WHERE id = ?", (session,)).fetchone() or (None, None)
    events: list[tuple[float, int, Event]] = []
    for table in ("phase", "pain"):
        columns = ", ".join(EVENT_COLUMNS[table])
        rows = db.execute(f"SELECT t_s, seq, {columns} FROM {table} WHERE session = ?", (session,))  # noqa: S608 - names of our own
        events += [(t_s, seq, EVENT_OF[table](t_s, *values)) for t_s, seq, *values in rows]
    return session_pain([event for *_, event in sorted(events, key=lambda row: row[:2])], *asked)
