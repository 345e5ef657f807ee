"""Entries into the rooms' sessions: each is on disk, and its flag with it, before the request is answered."""

from collections.abc import Callable
from datetime import datetime

from ...sensors.model import Phase
from ...sensors.recordings.recording import STOP_NOTE, Mark
from ..clients.flags import flag_statements
from ..errors import RefusedError
from ..sessions.session_store import SessionStore
from .messages import EntryView
from .room_registry import RoomRegistry
from .session_entries import RequestKey, SessionEntries


class RoomEntries:
    """Phases, marks, pain scores and stops, entered into the running session of a room.

    `by` names who acts; `ago_s` is how long ago an entry counts from, in s. Every method returns when the entry is on disk, in
    one commit with what belongs to it. An entry with a `request` key that is sent again counts once.
    Every method raises `UnknownRoomError` where there is no such room, `RefusedError` where the entry does not fit the session,
    and `StorageError` while it cannot be stored: it then waits in memory and is stored as soon as that is possible.
    """

    def __init__(self, rooms: RoomRegistry, store: SessionStore, now_utc: Callable[[], datetime]) -> None:
        self._rooms = rooms
        self._store = store
        self._now_utc = now_utc

    async def advance(
        self, room: str, leaving: str, *, ago_s: float = 0.0, by: str = "", request: RequestKey | None = None
    ) -> str:
        """End the phase `leaving`, begin the next, and return the new phase."""
        if leaving not in {phase.value for phase in Phase}:
            raise RefusedError(f"There is no phase {leaving!r}.")
        phase = self.of(room, request).advance(Phase(leaving), ago_s, by, _key_of(request))
        await self._store.flush()
        return phase.value

    async def mark(
        self, room: str, mark: Mark, *, ago_s: float = 0.0, by: str = "", request: RequestKey | None = None
    ) -> EntryView:
        """Enter a mark; its own time `t` is ignored."""
        entry = self.of(room, request).mark(mark, ago_s, by, _key_of(request))
        await self._store.flush()
        return entry

    async def pain(
        self, room: str, score: int, *, ago_s: float = 0.0, by: str = "", request: RequestKey | None = None
    ) -> EntryView:
        """Enter a pain score from 0 to 10."""
        entry = self.of(room, request).pain(score, ago_s, by, _key_of(request))
        await self._store.flush()
        return entry

    async def stop(self, room: str, *, ago_s: float = 0.0, by: str = "", request: RequestKey | None = None) -> EntryView:
        """Stop the massage because of pain, keep what was measured, and flag the client's next visit."""
        with self._store.together():
            entry = self.of(room, request).stop(by, ago_s, _key_of(request))
            self._flag_stop(room, STOP_NOTE)
        await self._store.flush()
        return entry

    async def undo(self, room: str, number: int, *, by: str = "") -> None:
        """Undo an entry that did not end the session; the flag of a stop is removed with it. Asked again, it changes nothing."""
        with self._store.together():
            if self.of(room).undo(number, by).kind == "stop":
                self._flag_stop(room, None)
        await self._store.flush()

    async def redate(self, room: str, number: int, *, ago_s: float, by: str = "") -> None:
        """Backdate an entry to `ago_s` ago."""
        with self._store.together():
            self.of(room).redate(number, ago_s, by)
        await self._store.flush()

    def of(self, room: str, request: RequestKey | None = None) -> SessionEntries:
        """Return the entries of a room's session.

        Raises `UnknownRoomError` where there is no such room, and `RefusedError` where nothing can be entered into it or
        `request` was meant for another session.
        """
        target = self._rooms[room]
        if target.entries is None:
            raise RefusedError("Nothing can be entered into this room.")
        if request and request.session not in {None, target.session.number}:
            raise RefusedError(
                f"That was meant for session {request.session}; {target.name} now holds session {target.session.number}."
            )
        return target.entries

    def _flag_stop(self, room: str, reason: str | None) -> None:
        session = self._rooms[room].session.number
        self._store.put(*flag_statements(session, "stop", reason, self._now_utc()))


def _key_of(request: RequestKey | None) -> str | None:
    return request.key if request else None
