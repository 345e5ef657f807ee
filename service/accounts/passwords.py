"""Passwords as Argon2id hashes, made and checked outside the event loop, a few at a time."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import heapq
from itertools import count
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from .models import TooOftenError

MIN_LENGTH: Final = 10
"""Least length in characters; NIST SP 800-63B asks for 8, and for no rules on their kinds."""
_CONCURRENT: Final = 2
"""Hashes computed at the same time; each takes 64 MiB."""
_MOST_WAITING: Final = 8
"""Strangers' attempts that wait for one of them; who comes later is sent away at once."""
_BUSY_S: Final = 5.0


class Passwords:
    """Hashing and checking of passwords; an unknown name takes as long as a known one.

    `first`: whether it is somebody known, who comes before all strangers and is never sent away.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._dummy_hash: str | None = None
        self._busy = 0
        self._turns = count()
        self._waiting: list[tuple[bool, int, asyncio.Future[None]]] = []
        """Those who wait, as a heap: whether it is a stranger, the turn, and what wakes them."""

    async def hash(self, password: str) -> str:
        """Return the hash to store."""
        async with self._turn(first=True):
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str, *, first: bool = False) -> bool:
        """Return whether `password` matches the hash `stored`; None, for an unknown account, never matches.

        Raises `TooOftenError` where too many strangers wait already.
        """
        if self._dummy_hash is None:
            self._dummy_hash = await self.hash("nobody")
        async with self._turn(first=first):
            matches = await asyncio.to_thread(self._check, stored or self._dummy_hash, password)
        return matches and stored is not None

    def needs_rehash(self, stored: str) -> bool:
        """Return whether a hash was made with other parameters than the current ones."""
        return self._hasher.check_needs_rehash(stored)

    def _check(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    @asynccontextmanager
    async def _turn(self, *, first: bool) -> AsyncGenerator[None]:
        if self._busy < _CONCURRENT:
            self._busy += 1
        else:
            if not first and sum(stranger for stranger, *_ in self._waiting) >= _MOST_WAITING:
                raise TooOftenError(f"Many are logging in just now. Wait {_BUSY_S:.0f} s, then try again.", _BUSY_S)
            await self._wait(stranger=not first)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, *, stranger: bool) -> None:
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (stranger, next(self._turns), woken))
        try:
            await woken
        except asyncio.CancelledError:
            if woken.done() and not woken.cancelled():
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        while self._waiting:
            *_, woken = heapq.heappop(self._waiting)
            if not woken.done():
                woken.set_result(None)
                return
        self._busy -= 1
