"""Export and erasure for the pages: what `web.rights.Rights` asks for."""

import asyncio
from collections.abc import AsyncIterator, Callable, Container, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
import re
import tempfile

import msgspec

from ..errors import NoSuchClientError, PortError, ServiceError, UnknownClientError
from ..rooms.rooms import Rooms
from ..sessions.session_store import SessionStore
from ..storage.audit_log import note
from ..storage.backup_catalogue import Kept
from ..storage.encryption import IdentityCipher
from ..storage.event_rows import stamp
from ..worker.worker import Worker
from .erasure import erase, still_in
from .export import write_export
from .personal_data import SessionHeld, of_client, session_of


class BackupHolds(msgspec.Struct, frozen=True):
    """A backup that still holds an erased client."""

    file: str
    until_utc: str


class ErasedClient(msgspec.Struct, frozen=True, kw_only=True):
    """What was erased, and what still holds it."""

    sessions: int
    packets: int
    backups: list[BackupHolds]


class DataRequests:
    """Export and erasure, each noted."""

    def __init__(
        self,
        storage: SessionStore,
        worker: Worker,
        seal: IdentityCipher,
        rooms: Rooms,
        *,
        now_utc: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._storage = storage
        self._worker = worker
        self._seal = seal
        self._rooms = rooms
        self._now_utc = now_utc

    async def export(self, client: str, *, by: str) -> Path:
        """Write everything of a client into a zip; whoever has sent it deletes the file."""
        now, seal = self._now_utc(), self._seal
        running = {row.session for row in await self._storage.sessions() if row.state == "running"}
        folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="restbeat-export-"))
        out = folder / f"{_file_name(client)}.zip"
        try:
            held = await self._storage.work(lambda db: of_client(db, seal, client, now, running))
            await write_export(out, held, self._sessions(held.sessions, running), self._worker, now)
        except NoSuchClientError as error:
            raise UnknownClientError(str(error)) from error
        except ServiceError as error:
            raise PortError(str(error)) from error
        finally:
            _leave_nothing(folder)
        await self._storage.work(lambda db: note(db, now, by, "client exported", client=client))
        return out

    async def erase(self, client: str, *, by: str) -> ErasedClient:
        """Erase everything of a client. Raises `RefusedError` while a session of theirs runs."""
        self._rooms.forget(client)
        now, folder = self._now_utc(), self._storage.folder
        await self._storage.flush()
        try:
            erased = await self._storage.work(lambda db: erase(db, folder, client, by, now))
        except NoSuchClientError as error:
            raise UnknownClientError(str(error)) from error
        return ErasedClient(sessions=erased.sessions, packets=erased.packets, backups=_holding(erased.backups))

    async def backups(self, client: str) -> Sequence[BackupHolds]:
        """Backups that hold a client."""
        return _holding(await asyncio.to_thread(still_in, self._storage.folder, client))

    async def _sessions(self, numbers: Sequence[int], running: Container[int]) -> AsyncIterator[SessionHeld]:
        for number in numbers:
            yield await self._storage.work(partial(session_of, session=number, running=running))


def _leave_nothing(folder: Path) -> None:
    """Where an export was refused, failed or was left its folder is empty; one that holds the zip stays."""
    with suppress(OSError):
        folder.rmdir()


def _file_name(client: str) -> str:
    """A pseudonym from elsewhere may hold any character."""
    return re.sub(r"[^\w.-]+", "_", client, flags=re.ASCII).strip("._")[:40] or "client"


def _holding(backups: Sequence[Kept]) -> list[BackupHolds]:
    return [BackupHolds(kept.file, stamp(kept.until_utc)) for kept in backups]
