"""The rooms that are open: which strap each holds, which is free for another session, what people call it."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager

from ..errors import StrapTakenError, UnknownRoomError
from .room import Room
from .strap_claims import StrapClaims, canonical


class RoomRegistry:
    """By identifier, in the order of their opening."""

    def __init__(self, claims: StrapClaims | None) -> None:
        """`claims`: of other programs on this computer; None where there are none."""
        self._claims = claims
        self._rooms: dict[str, Room] = {}

    def __iter__(self) -> Iterator[Room]:
        return iter(self._rooms.values())

    def __getitem__(self, identifier: str) -> Room:
        if identifier not in self._rooms:
            raise UnknownRoomError(f"There is no room {identifier}.")
        return self._rooms[identifier]

    def add(self, room: Room) -> None:
        """Open a room, or let another session into it."""
        self._rooms[room.identifier] = room

    def remove(self, room: Room) -> None:
        """Close a room."""
        del self._rooms[room.identifier]

    def of(self, client: str) -> list[Room]:
        """Those that hold a session of this client."""
        return [room for room in self if room.header.client == client]

    def holder(self, address: str) -> Room | None:
        """The room whose running session holds a strap."""
        return next((room for room in self if room.running and _same(room.address, address)), None)

    @asynccontextmanager
    async def claimed(self, address: str) -> AsyncGenerator[None]:
        """Claim a strap for the session that begins within the block; it keeps it to its end. Raises `StrapTakenError`."""
        if room := self.holder(address):
            text = f"{room.name} holds this strap. End its session first, or choose another strap."
            raise StrapTakenError(text, room.identifier)
        if self._claims:
            await self._claims.take(address)
        try:
            yield
        except BaseException:
            self.let_go(address)
            raise

    def let_go(self, address: str) -> None:
        """The session on a strap is over."""
        if self._claims:
            self._claims.drop(address)

    def free_for(self, address: str, wanted: str | None = None) -> str:
        """Identifier of the room for a strap's next session: the one it was in, else `wanted`, else a new one."""
        before = next((room for room in self if not room.running and _same(room.address, address)), None)
        if before:
            return before.identifier
        if wanted and wanted not in self._rooms:
            return wanted
        return next(name for n in range(1, len(self._rooms) + 2) if (name := f"room-{n}") not in self._rooms)

    def name_of(self, identifier: str, near: str | None) -> str:
        """What people call it: where a proxy tells where the strap is (`near`), that, else a number."""
        if near is None:
            return identifier.replace("room-", "Room ")
        taken = {room.name for room in self if room.identifier != identifier and room.running}
        names = (near, *(f"{near} {n}" for n in range(2, len(taken) + 3)))
        return next(name for name in names if name not in taken)


def _same(one: str, other: str) -> bool:
    return canonical(one) == canonical(other)
