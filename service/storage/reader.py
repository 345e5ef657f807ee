"""Threads that read the database on connections of their own: no page waits for the writer, or for another program's lock."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
import sqlite3
import threading
from typing import Final, TypeVar

from ..errors import StorageError
from .database import first_damage, open_readonly, storage_error
from .sqlite import Database
from .writer import Writer

_T = TypeVar("_T")
_THREADS: Final = 2
_BUSY_S: Final = 0.3
_SETTLE_S: Final = 0.5
"""How long a reader waits for rows queued before it to be committed; it then reads what is on the disk."""


class _Connection(threading.local):
    """A reading thread's own connection, and the writer's generation that it was opened in."""

    database: Database | None = None
    generation = -1


class Reader:
    """Reading connections to the database that a `Writer` writes."""

    def __init__(self, folder: Path, writer: Writer) -> None:
        self._folder = folder
        self._writer = writer
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="restbeat-reading")
        self._connection = _Connection()
        self._open: set[Database] = set()
        self._checked: Database | None = None
        """The connection on which the file is looked through for damage."""
        self._closed = False

    def check(self) -> None:
        """Begin to look for damage in the whole file, without waiting; what is found is reported as trouble."""
        self._threads.submit(self._check)

    async def call(self, job: Callable[[Database], _T]) -> _T:
        """Return the result of `job`, which sees one moment of the database: that of every row queued before it.

        While rows cannot be written, it sees what is on the disk.
        Raises `StorageError` where SQLite fails or after `close`, and whatever `job` raises.
        """
        await self._writer.settle(_SETTLE_S)
        if self._closed:
            raise StorageError("The storage is closed; nothing can be read any more.")
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, job)

    async def close(self) -> None:
        """Wait for the readers under way, and close their connections."""
        self._closed = True
        if checked := self._checked:
            checked.conn.interrupt()
        await asyncio.to_thread(self._threads.shutdown)
        while self._open:
            self._open.pop().close()

    def _read(self, job: Callable[[Database], _T]) -> _T:
        try:
            db = self._database()
            db.execute("BEGIN")
            try:
                return job(db)
            finally:
                db.conn.rollback()
        except sqlite3.Error as error:
            self._writer.report(error)
            raise storage_error(error, self._folder) from error

    def _check(self) -> None:
        with suppress(sqlite3.Error, StorageError):  # a file that cannot be read is reported by those who read it
            self._checked = self._database()
            try:
                reason = first_damage(self._checked)
            finally:
                self._checked = None
            if reason:
                self._writer.report(sqlite3.DatabaseError(reason), damaged=True)

    def _database(self) -> Database:
        mine, generation = self._connection, self._writer.generation
        if mine.database is not None and mine.generation != generation:
            self._open.discard(mine.database)
            mine.database.close()
            mine.database = None
        if mine.database is None:
            mine.database = open_readonly(self._folder, self._writer.database_name, busy_s=_BUSY_S)
            mine.generation = generation
            self._open.add(mine.database)
        return mine.database
