"""The thread that owns the database: rows are queued without waiting and committed in batches, other work is queued too."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
import logging
from pathlib import Path
import queue
import sqlite3
import threading
import time
from typing import TypeVar

from ..errors import StorageError
from .database import open_database, storage_error, take_folder
from .event_rows import Statement
from .sqlite import Database

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")
_REFUSALS = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    sqlite3.DataError,
    ValueError,
    OverflowError,
)
"""Errors of the row itself: trying again cannot help, and it must not delay the others."""


class Writer:
    """The database thread, its queue, and the rows that are not on the disk yet.

    A batch that cannot be written stays in memory and is tried again every `batch_s`; `trouble` says so meanwhile.
    """

    def __init__(self, folder: Path, batch_s: float) -> None:
        self.trouble: str | None = None
        self._folder = folder
        self._batch_s = batch_s
        self._queue: queue.SimpleQueue[Statement | Callable[[Database], None] | None] = queue.SimpleQueue()
        self._waiting: list[Statement] = []
        self._refused = 0
        self._stopped = False
        self._opened: Future[None] = Future()
        self._ended: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="restbeat-storage", daemon=True)

    async def start(self) -> None:
        """Lock the folder and open the database. Raises `StorageError` where either fails."""
        self._thread.start()
        try:
            await _outcome(self._opened)
        except asyncio.CancelledError:
            self._queue.put(None)
            raise

    async def stop(self) -> None:
        """Write the queued rows, close the database and release the folder. Raises `StorageError` where rows remain unwritten."""
        if not self._stopped:
            self._stopped = True
            self._queue.put(None)
        await _outcome(self._ended)

    def put(self, statement: Statement) -> None:
        """Queue one row without waiting. Raises `StorageError` after `stop`."""
        self._demand_open()
        self._queue.put(statement)

    async def call(self, job: Callable[[Database], _T]) -> _T:
        """Return the result of `job`, run on the database after everything queued before it.

        Raises `StorageError` where SQLite fails or after `stop`, and whatever `job` raises.
        """
        self._demand_open()
        result: Future[_T] = Future()

        def run(db: Database) -> None:
            if not result.set_running_or_notify_cancel():
                return
            try:
                result.set_result(job(db))
            except sqlite3.Error as error:
                result.set_exception(_chained(storage_error(error, self._folder), error))
            except Exception as error:  # noqa: BLE001 - the caller handles it, not this thread
                result.set_exception(error)

        self._queue.put(run)
        return await asyncio.wrap_future(result)

    async def flush(self) -> None:
        """Wait until every row queued so far is on the disk. Raises `StorageError` where that fails; writing is tried again."""
        await self.call(self._demand_written)

    def _run(self) -> None:
        try:
            lock = take_folder(self._folder)
        except StorageError as error:
            self._opened.set_exception(error)
            return
        with closing(lock):
            try:
                db = open_database(self._folder)
            except BaseException as error:  # noqa: BLE001 - `start` raises it, whatever it is
                self._opened.set_exception(error)
                return
            with closing(db):
                self._opened.set_result(None)
                self._serve(db)
                self._write_waiting(db)
        if self._waiting:
            lost = StorageError(f"{self.trouble} {len(self._waiting)} entries could not be stored before the end.")
            _LOG.error("%s", lost)
            self._ended.set_exception(lost)
        else:
            self._ended.set_result(None)

    def _serve(self, db: Database) -> None:
        due_s = 0.0
        while True:
            left_s = max(0.0, due_s - time.monotonic()) if self._waiting else None
            try:
                job = self._queue.get(timeout=left_s)
            except queue.Empty:
                self._write_waiting(db)
                due_s = time.monotonic() + self._batch_s
                continue
            if job is None:
                return
            if not isinstance(job, tuple):
                self._write_waiting(db)
                job(db)
                continue
            if not self._waiting:
                due_s = time.monotonic() + self._batch_s
            self._waiting.append(job)
            if time.monotonic() >= due_s:
                self._write_waiting(db)
                due_s = time.monotonic() + self._batch_s

    def _write_waiting(self, db: Database) -> None:
        if not self._waiting:
            return
        try:
            try:
                self._refused += self._write_batch(db, fail_on_refusal=True)
            except _REFUSALS:
                self._refused += self._write_batch(db, fail_on_refusal=False)
        except Exception as error:  # noqa: BLE001 - no error may end this thread and lose rows
            if not self.trouble:
                _LOG.error("Rows wait in memory: %s", error)
            reason = storage_error(error, self._folder) if isinstance(error, sqlite3.Error) else error
            self.trouble = f"{reason} {len(self._waiting)} entries wait in memory and are tried again: leave restbeat running."
        else:
            self._waiting.clear()
            self.trouble = f"{self._refused} odd entries could not be stored; all others are." if self._refused else None

    def _write_batch(self, db: Database, *, fail_on_refusal: bool) -> int:
        refused = 0
        with db.atomic():
            for sql, values in self._waiting:
                try:
                    db.conn.execute(sql, values)
                except _REFUSALS as error:
                    if fail_on_refusal:
                        raise
                    refused += 1
                    _LOG.error("A row was refused: %s", error)
        return refused

    def _demand_open(self) -> None:
        if self._stopped:
            raise StorageError("The storage is closed; this came too late to be stored.")

    def _demand_written(self, _db: Database) -> None:
        if self._waiting:
            raise StorageError(self.trouble or "Rows wait in memory.")


def _chained(error: StorageError, cause: sqlite3.Error) -> StorageError:
    error.__cause__ = cause
    return error


async def _outcome(future: Future[None]) -> None:
    """Wait for `future`; cancelling this wait does not cancel it, and its error is then not logged as never retrieved."""
    wrapped = asyncio.wrap_future(future)
    wrapped.add_done_callback(lambda done: done.cancelled() or done.exception())
    await asyncio.shield(wrapped)
