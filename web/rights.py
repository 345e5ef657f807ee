"""What a client may ask of the practice, as the pages ask for it; `service` answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec


class BackupHolds(msgspec.Struct, frozen=True):
    """A backup that still holds an erased client."""

    file: str
    until_utc: str


class ErasedClient(msgspec.Struct, frozen=True, kw_only=True):
    """What was erased, and what still holds it."""

    sessions: int
    packets: int
    backups: list[BackupHolds]


class Rights(Protocol):
    """Export and erasure. `by` names who acts; an unknown client raises `UnknownClientError`."""

    async def export(self, client: str, *, by: str) -> Path:
        """Write everything of a client into a zip; whoever has sent it deletes the file."""
        ...

    async def erase(self, client: str, *, by: str) -> ErasedClient:
        """Erase everything of a client. Raises `RefusedError` while a session of theirs runs."""
        ...

    async def backups(self, client: str) -> Sequence[BackupHolds]:
        """Backups that hold a client."""
        ...
