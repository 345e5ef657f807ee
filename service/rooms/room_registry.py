"""Registry of the open rooms: which strap each holds, which is free for the next session, and their names."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Final

from ..errors import StrapTakenError, UnknownRoomError
from ..radio.strap_claims import StrapClaims, canonical
from .room import Room

_LET_GO_S: Final = 10.0
"""How long an ended session may take to disconnect its strap."""


class RoomRegistry:
    """The open rooms by identifier, in the order of opening."""

    def __init__(self, claims: StrapClaims | None) -> None:
        """`claims`: strap claims shared with other processes on this computer; None where they are not shared."""
        self._claims = claims
        self._rooms: dict[str, Room] = {}

    def __iter__(self) -> Iterator[Room]:
        return iter(self._rooms.values())

    def __getitem__(self, identifier: str) -> Room:
        if identifier not in self._rooms:
            raise UnknownRoomError(f"There is no room {identifier}.")
        return self._rooms[identifier]

    def add(self, room: Room) -> None:
        """Add a room, or replace the one with the same identifier by that of its next session."""
        self._rooms[room.identifier] = room

    def remove(self, room: Room) -> None:
        """Remove a room."""
        del self._rooms[room.identifier]

    def of(self, client: str) -> list[Room]:
        """Return the rooms whose session, running or ended, is this client's."""
        return [room for room in self if room.header.client == client]

    def holder(self, address: str) -> Room | None:
        """Return the room whose running session holds a strap; None where none does."""
        return next((room for room in self if room.running and _same(room.address, address)), None)

    @asynccontextmanager
    async def claimed(self, address: str) -> AsyncGenerator[None]:
        """Claim a strap for the session that starts within the block; the claim stays until `release`, or an error in the block.

        Waits until an ended session has let go of the strap: what it publishes last must not appear in the next one's place.
        Raises `StrapTakenError` where a running session or another process holds the strap, or an ended one keeps it.
        """
        if room := self.holder(address):
            text = f"{room.name} holds this strap. End its session first, or choose another strap."
            raise StrapTakenError(text, room.identifier)
        for room in [room for room in self if _same(room.address, address)]:
            try:
                async with asyncio.timeout(_LET_GO_S):
                    await room.over.wait()
            except TimeoutError:
                text = f"The last session in {room.name} still holds this strap. Try again in a moment, or choose another strap."
                raise StrapTakenError(text, room.identifier) from None
        if self._claims:
            await self._claims.claim(address)
        try:
            yield
        except BaseException:
            self.release(address)
            raise

    def release(self, address: str) -> None:
        """Release a strap after its session."""
        if self._claims:
            self._claims.release(address)

    def free_for(self, address: str, preferred: str | None = None) -> str:
        """Return the identifier of the room for a strap's next session: its previous one, else `preferred`, else a new one."""
        previous = next((room for room in self if not room.running and _same(room.address, address)), None)
        if previous:
            return previous.identifier
        if preferred and preferred not in self._rooms:
            return preferred
        return next(name for n in range(1, len(self._rooms) + 2) if (name := f"room-{n}") not in self._rooms)

    def name_of(self, identifier: str, near: str | None) -> str:
        """Return a room's name for people: `near`, the location of the nearest proxy, numbered where in use; else a number."""
        if near is None:
            return identifier.replace("room-", "Room ")
        in_use = {room.name for room in self if room.identifier != identifier and room.running}
        names = (near, *(f"{near} {n}" for n in range(2, len(in_use) + 3)))
        return next(name for name in names if name not in in_use)


def _same(one: str, other: str) -> bool:
    return canonical(one) == canonical(other)
