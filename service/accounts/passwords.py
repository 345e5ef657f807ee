"""Passwords as Argon2id hashes, made and checked outside the event loop."""

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH: Final = 10
"""Least length in characters; NIST SP 800-63B asks for 8, and for no rules on their kinds."""
_CONCURRENT: Final = 2
"""Hashes computed at the same time; each takes 64 MiB."""


class Passwords:
    """Hashing and checking of passwords; an unknown name takes as long as a known one."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._limit = asyncio.Semaphore(_CONCURRENT)
        self._dummy_hash: str | None = None

    async def hash(self, password: str) -> str:
        """Return the hash to store."""
        async with self._limit:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Return whether `password` matches the hash `stored`; None, for an unknown account, never matches."""
        if self._dummy_hash is None:
            self._dummy_hash = await self.hash("nobody")
        async with self._limit:
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
