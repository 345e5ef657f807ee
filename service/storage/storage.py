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

    Everything runs on one thread of its own, in the order asked for. Rows are committed at most `batch_s` after they came.
    """

    def __init__(self, folder: Path, *, now_utc: Callable[[], datetime], batch_s: float) -> None:
        self.folder = folder
        self._now_utc = now_utc
        self._writer = Writer(folder, batch_s)

    @classmethod
    async def open(cls, path: Path, *, now_utc: Callable[[], datetime] = lambda: datetime.now(UTC), batch_s: float = 0.5) -> Self:
        """Take the data folder `path` and bring its database up to date; both are made where missing. Raises `StorageError`."""
        storage = cls(path, now_utc=now_utc, batch_s=batch_s)
        await storage._writer.start()
        return storage

    async def close(self) -> None:
        """Write what waits and let go of the folder; raises `StorageError` where something could not be written."""
        await self._writer.stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    @property
    def trouble(self) -> str | None:
        """A sentence for a page while something cannot be written; None where all is well."""
        return self._writer.trouble

    async def work(self, job: Callable[[Database], T]) -> T:
        """Do some work on the database in its turn; SQLite's errors become `StorageError`."""
        return await self._writer.call(job)

    async def flush(self) -> None:
        """Have all that was appended on the disk; raises `StorageError` where that fails (it is kept and tried again)."""
        await self._writer.flush()
