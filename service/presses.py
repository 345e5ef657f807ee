"""The presses that a session has taken already, as its database knows them: none counts twice, not even after a crash."""

from ..sensors.recordings.recording import Mark, Pain, PhaseStart
from .rooms.messages import Action
from .rooms.session_entries import STOPPED, Kind, text_of
from .storage.event_rows import EVENT_COLUMNS, EVENT_OF, TOLD
from .storage.sqlite import Database


def presses_of(db: Database, session: int, *, rest: bool) -> dict[str, Action]:
    """What each press told, by its key; none of it can be changed any more."""
    taken: dict[str, Action] = {}
    for table in TOLD:
        names = ", ".join(EVENT_COLUMNS[table])
        query = f"SELECT press, t_s, {names} FROM {table} WHERE session = ? AND press IS NOT NULL"  # noqa: S608
        for press, t_s, *own in db.execute(query, (session,)):
            event = EVENT_OF[table](t_s, *own)
            if isinstance(event, PhaseStart | Mark | Pain):
                kind: Kind = "stop" if isinstance(event, Mark) and event.note == STOPPED else table  # type: ignore[assignment]
                taken[press] = Action(0, kind, text_of(event, rest=rest), t_s, "", 0.0)
    return taken
