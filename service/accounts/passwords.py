"""Passwords as Argon2id hashes, made and checked beside the event loop."""

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH: Final = 10
"""Characters; NIST SP 800-63B asks for 8, and for no rules on their kinds."""
_AT_ONCE: Final = 2
"""Each takes 64 MiB."""


class Passwords:
    """Hashes and checks; a name that does not exist costs as much time as one that does."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._limit = asyncio.Semaphore(_AT_ONCE)
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """The hash to store."""
        async with self._limit:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether this is the password; `stored` is None where there is no such account."""
        if self._nobody is None:
            self._nobody = await self.hash("nobody")
        async with self._limit:
            matches = await asyncio.to_thread(self._check, stored or self._nobody, password)
        return matches and stored is not None

    def needs_rehash(self, stored: str) -> bool:
        """Whether the hash was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    def _check(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
