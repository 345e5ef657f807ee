"""Export and erasure of a client's data, for the pages."""

import asyncio
from collections.abc import AsyncIterator, Callable, Container, Sequence
from datetime import UTC, datetime
from functools import partial
import re
import tempfile
from typing import Final

import msgspec

from ..backups.backup_catalogue import BackupEntry
from ..errors import NoSuchClientError, RequestError, ServiceError, UnknownClientError
from ..rooms.rooms import Rooms
from ..sessions.session_store import SessionStore
from ..storage.audit_log import note
from ..storage.encryption import IdentityCipher
from ..storage.event_rows import stamp
from ..uploads.uploads import Uploads
from ..worker.worker import Worker
from .erasure import backups_holding, erase
from .export import write_archive
from .personal_data import SessionRecords, client_records, session_records

_IN_MEMORY: Final = 32 * 1024 * 1024
"""Size of an export up to which it is made in memory alone, bytes."""


class ExportedClient(msgspec.Struct, frozen=True):
    """All data of a client as a zip file."""

    name: str
    """File name for it."""
    content: bytes


class BackupHolds(msgspec.Struct, frozen=True):
    """A backup that holds a client's data, and when it is deleted."""

    file: str
    until_utc: str


class ErasedClient(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of rows erased, and the backups that still hold them."""

    sessions: int
    packets: int
    backups: list[BackupHolds]


class DataRequests:
    """Export and erasure of a client's data, each noted in the audit log. `by`: name of the account that acts."""

    def __init__(
        self,
        store: SessionStore,
        worker: Worker,
        cipher: IdentityCipher,
        rooms: Rooms,
        uploads: Uploads | None = None,
        *,
        now_utc: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._worker = worker
        self._cipher = cipher
        self._rooms = rooms
        self._uploads = uploads
        self._now_utc = now_utc

    async def export(self, client: str, *, by: str) -> ExportedClient:
        """Return all data of a client as a zip file.

        While it is made, what is too large for memory is in a file without a name, which the system deletes with the process.
        Raises `UnknownClientError` where there is no such client, `RefusedError` where the identity cannot be decrypted,
        `RequestError` where the export fails otherwise.
        """
        now, cipher = self._now_utc(), self._cipher
        running = self._store.running
        try:
            records = await self._store.read(lambda db: client_records(db, cipher, client, now, running))
            with tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(self._store.folder)) as file:
                await write_archive(file, records, self._sessions(records.sessions, running), self._worker, now)
                file.seek(0)
                content = await asyncio.to_thread(file.read)
        except NoSuchClientError as error:
            raise UnknownClientError(str(error)) from error
        except RequestError:
            raise
        except ServiceError as error:
            raise RequestError(str(error)) from error
        await self._store.run(lambda db: note(db, now, by, "client exported", client=client))
        return ExportedClient(f"{_file_name(client)}.zip", content)

    async def erase(self, client: str, *, by: str) -> ErasedClient:
        """Erase all data of a client, for good.

        Raises `UnknownClientError` where there is no such client, `RefusedError` while a session of theirs runs,
        `StorageError` where the database fails.
        """
        self._rooms.forget(client)
        if self._uploads:
            await self._uploads.forget(client)
        now, folder = self._now_utc(), self._store.folder
        await self._store.flush()
        try:
            erased = await self._store.run(lambda db: erase(db, folder, client, by, now))
        except NoSuchClientError as error:
            raise UnknownClientError(str(error)) from error
        return ErasedClient(sessions=erased.sessions, packets=erased.packets, backups=_with_expiry(erased.backups))

    async def backups(self, client: str) -> Sequence[BackupHolds]:
        """Return the backups that hold a client's data."""
        return _with_expiry(await asyncio.to_thread(backups_holding, self._store.folder, client))

    async def _sessions(self, numbers: Sequence[int], running: Container[int]) -> AsyncIterator[SessionRecords]:
        for number in numbers:
            yield await self._store.read(partial(session_records, session=number, running=running))


def _file_name(client: str) -> str:
    """Return a safe file name for a pseudonym: an imported one may contain any character."""
    return re.sub(r"[^\w.-]+", "_", client, flags=re.ASCII).strip("._")[:40] or "client"


def _with_expiry(backups: Sequence[BackupEntry]) -> list[BackupHolds]:
    return [BackupHolds(backup.file, stamp(backup.until_utc)) for backup in backups]
