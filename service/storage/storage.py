"""The data folder: one SQLite database, written on one thread and read on others."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from .event_rows import Statement
from .reader import Reader
from .sqlite import Database
from .trouble import StorageTrouble
from .writer import Writer

T = TypeVar("T")


class Storage:
    """The data folder of this process; open it with `await Storage.open(folder)`.

    All writing runs on one thread of its own, in the order of the calls. Queued rows are committed within `batch_s`.
    """

    def __init__(self, folder: Path, *, now_utc: Callable[[], datetime], batch_s: float) -> None:
        self.folder = folder
        self._now_utc = now_utc
        self._writer = Writer(folder, batch_s, now_utc)
        self._reader = Reader(folder, self._writer)
        self._together: list[Statement] | None = None

    @classmethod
    async def open(cls, path: Path, *, now_utc: Callable[[], datetime] = lambda: datetime.now(UTC), batch_s: float = 0.5) -> Self:
        """Lock the data folder `path` and migrate its database; both are made where missing.

        Rows that an earlier run could not store are stored now.
        Raises `FolderTakenError` where another restbeat uses it, `StorageError` where it cannot be used otherwise.
        """
        storage = cls(path, now_utc=now_utc, batch_s=batch_s)
        await storage._writer.start()
        storage._reader.check()
        return storage

    async def close(self) -> None:
        """Write the queued rows and release the folder. Raises `StorageError` where a row could not be written."""
        await self._reader.close()
        await self._writer.stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    @property
    def trouble(self) -> StorageTrouble | None:
        """Trouble that keeps rows from reaching the disk; None where all is well."""
        return self._writer.trouble

    @property
    def free_bytes(self) -> int | None:
        """Free space on the folder's disk; None before the folder is open."""
        return self._writer.free_bytes

    async def run(self, job: Callable[[Database], T]) -> T:
        """Return the result of `job`, which may write, after everything queued before it; what it wrote is on the disk then.

        Raises `StorageError` where SQLite fails or the storage is closed, and whatever `job` raises.
        """
        return await self._writer.call(job)

    async def read(self, job: Callable[[Database], T]) -> T:
        """Return the result of `job`, which reads one moment of the database and waits for no writer's lock.

        It sees every row queued before it; while rows cannot be written, what is on the disk.
        Raises `StorageError` where SQLite fails or the storage is closed, and whatever `job` raises.
        """
        return await self._reader.call(job)

    def put(self, *statements: Statement, droppable: bool = False) -> None:
        """Queue rows that are stored together or not at all, without waiting.

        `droppable`: they may be left out when far too much waits for the disk. Raises `StorageError` after `close`.
        """
        if self._together is None:
            self._writer.put(statements, droppable=droppable)
        else:
            self._together += statements

    @contextmanager
    def together(self) -> Generator[None]:
        """Store all rows that are queued within the block together or not at all; it must not wait for anything."""
        if self._together is not None:
            yield
            return
        self._together = []
        try:
            yield
        finally:
            statements, self._together = tuple(self._together), None
            if statements:
                self._writer.put(statements)

    async def flush(self) -> None:
        """Wait until every queued row is on the disk.

        Raises `StorageError` where that fails; the rows are kept and tried again.
        """
        await self._writer.flush()
