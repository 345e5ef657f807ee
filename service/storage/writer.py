"""The thread that writes the database: rows are queued without waiting and committed in batches, other work is queued too."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing, suppress
from datetime import datetime
import logging
from pathlib import Path
import queue
import sqlite3
import threading
import time
from typing import Final, TypeVar

from ..errors import StorageError
from .database import DATABASE, rescue_copies, storage_error, take_folder
from .database_file import DatabaseFile
from .event_rows import Unit
from .spill import SpillFile, read_back
from .sqlite import Database
from .trouble import StorageTrouble, TroubleCode, code_of, space_is_low

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")
_LOG_BYTES: Final = 16_000_000
"""Size from which the write-ahead log is emptied, even where readers never pause."""
_LOG_EVERY_S: Final = 1.0
_LOG_AGAIN_S: Final = 5.0
"""How often the log's size is looked at, and how soon it is tried again after a reader was in the way."""
_LOOK_EVERY_S: Final = 0.5
"""How often the database file and its lock are looked at while nothing is written."""
_SLOW_S: Final = 1.2
"""After how long one commit counts as a disk that does not answer."""
_ANSWER_S: Final = 10.0
"""How long a person waits for a commit; the rows stay queued."""
_MOST_WAITING: Final = 200_000
"""Number of waiting rows from which packets are left out; what people enter never is."""
_REFUSALS = (
    sqlite3.IntegrityError,
    sqlite3.ProgrammingError,
    sqlite3.InterfaceError,
    sqlite3.DataError,
    ValueError,
    OverflowError,
)
"""Errors of the row itself: trying again cannot help, and it must not delay the others."""


class _Flush(Future[None]):
    """A caller who waits until all that was queued before is on the disk."""


_Job = Callable[[Database], None]


class Writer:
    """The database thread, its queue, and the rows that are not on the disk yet.

    A batch that cannot be written stays in memory and in a spill file, and is tried again twice a second; `trouble` says so
    meanwhile. Callers of `flush` who wait at the same moment share one commit.
    """

    def __init__(self, folder: Path, batch_s: float, now_utc: Callable[[], datetime]) -> None:
        self.generation = 0
        """Grows when another file becomes the database: readers open it anew."""
        self.database_name = DATABASE
        """File name of the database in the folder."""
        self.free_bytes: int | None = None
        """Free space on the folder's disk when it was last looked at."""
        self._folder = folder
        self._batch_s = batch_s
        self._now_utc = now_utc
        self._queue: queue.SimpleQueue[Unit | _Flush | _Job | None] = queue.SimpleQueue()
        self._waiting: list[Unit] = []
        self._queued = 0
        self._stored = 0
        """Numbers of units ever queued, and of those that are on the disk or were refused."""
        self._error: StorageError | None = None
        self._code: TroubleCode | None = None
        self._damaged = False
        self._replaced = False
        self._rescued = False
        self._refused = 0
        self._dropped = 0
        self._spill = SpillFile(folder)
        self._writing_since: float | None = None
        self._stopped = False
        self._opened: Future[None] = Future()
        self._ended: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name="restbeat-storage", daemon=True)

    @property
    def trouble(self) -> StorageTrouble | None:
        """Trouble that keeps rows from reaching the disk; None where all is well."""
        code, since = self._code, self._writing_since
        waiting = len(self._waiting) if code else 0
        if code is None and since is not None and time.monotonic() - since > _SLOW_S:
            code, waiting = "slow", len(self._waiting) + self._queue.qsize()
        code = code or self._notice
        return None if code is None else StorageTrouble(code=code, waiting=waiting, spilled=self._spill.exists)

    @property
    def _notice(self) -> TroubleCode | None:
        """Code of what stays true after rows reach the disk again, the worst first."""
        notices: dict[TroubleCode, int] = {
            "damaged": self._damaged,
            "replaced": self._replaced,
            "rescued": self._rescued,
            "dropped": self._dropped,
            "refused": self._refused,
            "low-space": self.free_bytes is not None and space_is_low(self.free_bytes),
        }
        return next((code for code, so in notices.items() if so), None)

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

    def put(self, unit: Unit, *, droppable: bool = False) -> None:
        """Queue rows that belong together, without waiting. Raises `StorageError` after `stop`.

        `droppable`: they may be left out when far too much waits for the disk.
        """
        self._require_open()
        if droppable and len(self._waiting) + self._queue.qsize() >= _MOST_WAITING:
            self._dropped += 1
            return
        self._queued += 1
        self._queue.put(unit)

    async def call(self, job: Callable[[Database], _T]) -> _T:
        """Return the result of `job`, run on the database after everything queued before it.

        Raises `StorageError` where SQLite fails or after `stop`, and whatever `job` raises.
        """
        self._require_open()
        result: Future[_T] = Future()

        def run(db: Database) -> None:
            if not result.set_running_or_notify_cancel():
                return
            try:
                result.set_result(job(db))
            except sqlite3.Error as error:
                self.report(error)
                result.set_exception(_chained(storage_error(error, self._folder), error))
            except Exception as error:  # noqa: BLE001 - the caller handles it, not this thread
                result.set_exception(error)

        self._queue.put(run)
        return await asyncio.wrap_future(result)

    async def flush(self) -> None:
        """Wait until every row queued so far is on the disk.

        Raises `StorageError` where that fails or takes too long; writing is tried again.
        """
        self._require_open()
        flush = _Flush()
        self._queue.put(flush)
        try:
            async with asyncio.timeout(_ANSWER_S):
                await _outcome(flush)
        except TimeoutError:
            trouble = self.trouble or StorageTrouble(code="slow")
            raise StorageError(trouble.sentence) from None

    async def settle(self, timeout_s: float) -> None:
        """Wait until every row queued so far is on the disk, but not while none can be written, nor longer than `timeout_s`."""
        if self._stored == self._queued or self._code is not None or self._stopped:
            return
        flush = _Flush()
        self._queue.put(flush)
        with suppress(TimeoutError, StorageError):
            async with asyncio.timeout(timeout_s):
                await _outcome(flush)

    def report(self, error: sqlite3.Error, *, damaged: bool = False) -> None:
        """Take note of an error that SQLite raised elsewhere: a damaged database is told from then on."""
        if (damaged or code_of(error) == "damaged") and not self._damaged:
            self._damaged = True
            _LOG.error("The database in %s is damaged: %s", self._folder, error)

    def _run(self) -> None:
        try:
            lock = take_folder(self._folder)
        except StorageError as error:
            self._opened.set_exception(error)
            return
        with closing(lock):
            try:
                file = DatabaseFile(self._folder)
                _read_back(file)
                self._rescued = bool(rescue_copies(self._folder))
            except BaseException as error:  # noqa: BLE001 - `start` raises it, whatever it is
                self._opened.set_exception(error)
                return
            with closing(file):
                self.free_bytes = file.free_bytes()
                self._opened.set_result(None)
                self._serve(file)
                self._write_waiting(file)
        if self._waiting:
            lost = StorageError(
                f"{self._error} {_entries(len(self._waiting))} could not be stored before the end"
                + (", and are in a file that the next start reads." if self._spill.exists else ".")
            )
            _LOG.error("%s", lost)
            self._ended.set_exception(lost)
        else:
            self._ended.set_result(None)

    def _serve(self, file: DatabaseFile) -> None:
        due_s = look_s = time.monotonic() + _LOOK_EVERY_S
        log_s = time.monotonic()
        while True:
            now_s = time.monotonic()
            if now_s >= log_s:
                small = file.log_bytes() <= _LOG_BYTES or file.empty_log()
                log_s = now_s + (_LOG_EVERY_S if small else _LOG_AGAIN_S)
            try:
                job = self._queue.get(timeout=max(0.0, min(due_s if self._waiting else look_s, look_s) - now_s))
            except queue.Empty:
                if self._waiting and time.monotonic() >= due_s:
                    self._write_waiting(file)
                    due_s = time.monotonic() + self._batch_s
                if time.monotonic() >= look_s:
                    self._look(file)
                    look_s = time.monotonic() + _LOOK_EVERY_S
                continue
            if job is None:
                return
            if isinstance(job, tuple):
                if not self._waiting:
                    due_s = time.monotonic() + self._batch_s
                self._waiting.append(job)
                if time.monotonic() >= due_s:
                    self._write_waiting(file)
                    due_s = time.monotonic() + self._batch_s
            elif isinstance(job, _Flush):
                if not self._flush(file, job):
                    return
            else:
                self._write_waiting(file)
                self._call(file, job)

    def _flush(self, file: DatabaseFile, first: _Flush) -> bool:
        """Commit for all who wait by now; return False where the end was asked for meanwhile."""
        flushes, following, going = [first], None, True
        while following is None and going:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
            if isinstance(job, tuple):
                self._waiting.append(job)
            elif isinstance(job, _Flush):
                flushes.append(job)
            else:
                following, going = job, job is not None
        stored = self._write_waiting(file)
        for flush in flushes:
            if stored:
                flush.set_result(None)
            else:
                flush.set_exception(self._failure())
        if following is not None:
            self._call(file, following)
        return going

    def _call(self, file: DatabaseFile, job: _Job) -> None:
        self._timed(lambda: job(file.db))
        self._mend(file)

    def _failure(self) -> StorageError:
        """Return an error of the same kind as the last one, with what waits."""
        trouble = self.trouble or StorageTrouble(code="other")
        kind = StorageError if self._error is None else type(self._error)
        return kind(f"{self._error or trouble.sentence} {_entries(len(self._waiting))} wait in memory: leave restbeat running.")

    def _write_waiting(self, file: DatabaseFile) -> bool:
        """Write what waits and return whether it is on the disk, in the file that has the database's name."""
        if not self._mend(file):
            self._spill.write(self._waiting)
            return False
        if not self._waiting:
            return True
        try:
            try:
                self._refused += self._timed(lambda: self._write_batch(file.db, fail_on_refusal=True))
            except _REFUSALS:
                self._refused += self._write_batch(file.db, fail_on_refusal=False)
        except Exception as error:  # noqa: BLE001 - no error may end this thread and lose rows
            self._failed(error)
            self._spill.write(self._waiting)
            return False
        self._stored += len(self._waiting)
        self._waiting.clear()
        self._spill.drop()
        if not self._mend(file):
            return False
        self._recovered()
        return True

    def _mend(self, file: DatabaseFile) -> bool:
        """Rescue a database that was moved, deleted or replaced; return whether it is where it belongs."""
        if file.in_place():
            return True
        try:
            file.rescue(self._now_utc())
        except StorageError as error:
            self._code, self._error = "moved", error
            return False
        self._replaced = file.replaced
        self.database_name = file.path.name
        self.generation += 1
        return True

    def _look(self, file: DatabaseFile) -> None:
        """Look whether a row could be written, without writing one."""
        self.free_bytes = file.free_bytes()
        if self._waiting or not self._mend(file):
            return
        try:
            file.db.execute("BEGIN IMMEDIATE")
            file.db.conn.rollback()
        except sqlite3.Error as error:
            self._failed(error)
        else:
            self._recovered()

    def _failed(self, error: Exception) -> None:
        if self._code is None:
            _LOG.error("The database in %s cannot be written: %s", self._folder, error)
        if isinstance(error, sqlite3.Error):
            self._code, self._error = code_of(error), storage_error(error, self._folder)
            self.report(error)
        else:
            self._code, self._error = "other", StorageError(str(error))

    def _recovered(self) -> None:
        if self._code is not None:
            self._code, self._error = None, None
            _LOG.warning("The database in %s can be written again; nothing waits.", self._folder)

    def _timed(self, work: Callable[[], _T]) -> _T:
        self._writing_since = time.monotonic()
        try:
            return work()
        finally:
            self._writing_since = None

    def _write_batch(self, db: Database, *, fail_on_refusal: bool) -> int:
        refused = 0
        with db.atomic():
            for unit in self._waiting:
                try:
                    _execute(db, unit, whole=not fail_on_refusal)
                except _REFUSALS as error:
                    if fail_on_refusal:
                        raise
                    refused += 1
                    _LOG.error("A row was refused: %s", error)
        return refused

    def _require_open(self) -> None:
        if self._stopped:
            raise StorageError("The storage is closed; this came too late to be stored.")


def _execute(db: Database, unit: Unit, *, whole: bool) -> None:
    """Execute a unit's statements; `whole`: all of them or none, even where the transaction goes on."""
    if whole and len(unit) > 1:
        with db.atomic():
            _execute(db, unit, whole=False)
        return
    for sql, values in unit:
        db.conn.execute(sql, values)


def _read_back(file: DatabaseFile) -> None:
    """Store the rows that an earlier run could not. Raises `StorageError` where SQLite fails."""
    try:
        read_back(file.db, file.folder)
    except sqlite3.Error as error:
        raise storage_error(error, file.folder) from error


def _entries(number: int) -> str:
    return f"{number} {'entry' if number == 1 else 'entries'}"


def _chained(error: StorageError, cause: sqlite3.Error) -> StorageError:
    error.__cause__ = cause
    return error


async def _outcome(future: Future[None]) -> None:
    """Wait for `future`; cancelling this wait does not cancel it, and its error is then not logged as never retrieved."""
    wrapped = asyncio.wrap_future(future)
    wrapped.add_done_callback(lambda done: done.cancelled() or done.exception())
    await asyncio.shield(wrapped)
