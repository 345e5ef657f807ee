"""Registry of the open rooms: which strap each holds, which is free for the next session, and their names."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Final

from ...sensors.model import canonical_address, same_address
from ..errors import StrapTakenError, UnknownRoomError
from ..radio.strap_claims import StrapClaims
from .room import Room

_LET_GO_S: Final = 10.0
"""How long an ended session may take to disconnect its strap."""


class RoomRegistry:
    """The open rooms by identifier, in the order of opening."""

    def __init__(self, claims: StrapClaims | None) -> None:
        """`claims`: strap claims shared with other processes on this computer; None where they are not shared."""
        self._claims = claims
        self._rooms: dict[str, Room] = {}
        self._leaving: dict[str, tuple[Room, asyncio.Event]] = {}
        """Straps that a running session changed for another, by address, until they are let go."""
        self.opening = asyncio.Lock()
        """Held while a session starts: two claims in the same moment would both find the strap, and the room, free."""

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
        return next((room for room in self if room.running and same_address(room.address, address)), None)

    @asynccontextmanager
    async def claimed(self, address: str) -> AsyncGenerator[None]:
        """Claim a strap for what starts within the block, one at a time; it stays claimed until `release` or an error.

        Waits until an ended session has let go of the strap: what it publishes last must not appear in the next one's place.
        Other straps are claimed meanwhile.
        Raises `StrapTakenError` where a running session or another process holds the strap, or an ended one keeps it.
        """
        until = asyncio.get_running_loop().time() + _LET_GO_S
        while True:
            await self._let_go(address, until)
            async with self.opening:
                self._require_free(address)
                if self._keepers(address):
                    continue
                self._release_left(address)
                if self._claims:
                    await self._claims.claim(address)
                try:
                    yield
                except BaseException:
                    self.release(address)
                    raise
                return

    async def _let_go(self, address: str, until: float) -> None:
        """Wait until nothing that is over keeps a strap, at most until `until` of the loop's clock."""
        self._require_free(address)
        for room, let_go in self._keepers(address):
            try:
                async with asyncio.timeout_at(until):
                    await let_go.wait()
            except TimeoutError:
                text = f"The last session in {room.name} still holds this strap. Try again in a moment, or choose another strap."
                raise StrapTakenError(text, room.identifier) from None

    def _require_free(self, address: str) -> None:
        if room := self.holder(address):
            text = f"{room.name} holds this strap. End its session first, or choose another strap."
            raise StrapTakenError(text, room.identifier)

    def _keepers(self, address: str) -> list[tuple[Room, asyncio.Event]]:
        ended = [(room, room.over) for room in self if same_address(room.address, address) and not room.over.is_set()]
        leaving = self._leaving.get(canonical_address(address))
        return ended if leaving is None or leaving[1].is_set() else [*ended, leaving]

    def leave(self, room: Room, address: str, let_go: asyncio.Event) -> None:
        """Note that a room's session changed the strap at `address` for another, and lets go of it when `let_go` is set."""
        self._leaving[canonical_address(address)] = room, let_go

    async def release_left(self, address: str) -> None:
        """Release a strap that was changed for another, as soon as it is let go."""
        if leaving := self._leaving.get(canonical_address(address)):
            await leaving[1].wait()
            self._release_left(address)

    def _release_left(self, address: str) -> None:
        leaving = self._leaving.get(canonical_address(address))
        if leaving is not None and leaving[1].is_set():
            del self._leaving[canonical_address(address)]
            self.release(address)

    def release(self, address: str) -> None:
        """Release a strap after its session."""
        if self._claims:
            self._claims.release(address)

    def free_for(self, address: str, preferred: str | None = None) -> str:
        """Return the identifier of the room for a strap's next session: its previous one, else `preferred`, else a new one."""
        previous = next((room for room in self if not room.running and same_address(room.address, address)), None)
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
