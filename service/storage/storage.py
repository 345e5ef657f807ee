"""The data folder: one SQLite database, written and read on one thread."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from .sqlite import Database
from .writer import Writer

T = TypeVar("T")


class Storage:
    """The data folder of this process; open it with `await Storage.open(folder)`.

    All database work runs on one thread of its own, in the order of the calls. Queued rows are committed within `batch_s`.
    """

    def __init__(self, folder: Path, *, now_utc: Callable[[], datetime], batch_s: float) -> None:
        self.folder = folder
        self._now_utc = now_utc
        self._writer = Writer(folder, batch_s)

    @classmethod
    async def open(cls, path: Path, *, now_utc: Callable[[], datetime] = lambda: datetime.now(UTC), batch_s: float = 0.5) -> Self:
        """Lock the data folder `path` and migrate its database; both are made where missing.

        Raises `FolderTakenError` where another restbeat uses it, `StorageError` where it cannot be used otherwise.
        """
        storage = cls(path, now_utc=now_utc, batch_s=batch_s)
        await storage._writer.start()
        return storage

    async def close(self) -> None:
        """Write the queued rows and release the folder. Raises `StorageError` where a row could not be written."""
        await self._writer.stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    @property
    def trouble(self) -> str | None:
        """Sentence for a page while rows cannot be written; None where all is well."""
        return self._writer.trouble

    async def run(self, job: Callable[[Database], T]) -> T:
        """Return the result of `job`, run on the database thread after everything queued before it.

        Raises `StorageError` where SQLite fails or the storage is closed, and whatever `job` raises.
        """
        return await self._writer.call(job)

    async def flush(self) -> None:
        """Wait until every queued row is on the disk.

        Raises `StorageError` where that fails; the rows are kept and tried again.
        """
        await self._writer.flush()
