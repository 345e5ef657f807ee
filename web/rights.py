"""What a client may ask of the practice, as the pages ask for it; `service` answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from ..service.privacy.data_requests import BackupHolds, ErasedClient


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
