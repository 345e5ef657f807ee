"""The open database file, and a watch over it: a file that is moved, deleted or replaced under us is noticed and rescued."""

from contextlib import closing
from datetime import datetime
import logging
import os
from pathlib import Path
import shutil
import sqlite3
from typing import Final, Literal

from ..errors import StorageError
from .database import DATABASE, RESCUED, open_database, storage_error

_LOG = logging.getLogger(__name__)
_BUSY_S: Final = 0.7
"""How long a commit waits for another program's lock; the rows are kept and tried again."""
_LOG_WAIT_MS: Final = 150
"""How long emptying the log waits for readers; people's entries wait for it."""
_COPY_PAGES: Final = 2000
_SIDE_FILES: Final = ("-wal", "-shm")

FileIdentity = tuple[int, int]
"""Device and inode."""


class DatabaseFile:
    """The folder's database, opened for writing; used on one thread.

    SQLite goes on writing to a deleted or moved file without an error, and all of it is lost when the program ends.
    """

    def __init__(self, folder: Path) -> None:
        """Open the database. Raises `StorageError` where that fails."""
        self.folder = folder
        self.path = folder / DATABASE
        self.replaced = False
        """Whether another file took the database's place, so that a rescue copy is written instead."""
        self._open()

    def close(self) -> None:
        """Close the database."""
        self.db.close()

    def in_place(self) -> bool:
        """Return whether database, WAL and shared memory are still the files that were opened."""
        return self._identities() == self._opened

    def free_bytes(self) -> int:
        """Return the free space on the disk that holds the folder, for this user."""
        return shutil.disk_usage(self.folder).free

    def log_bytes(self) -> int:
        """Return the size of the write-ahead log."""
        try:
            return self.path.with_name(f"{self.path.name}-wal").stat().st_size
        except OSError:
            return 0

    def empty_log(self) -> bool:
        """Move the write-ahead log into the database and empty it, and return whether that was possible.

        SQLite does so by itself only where a commit meets no reader. This waits a moment for those of an older state to be done.
        """
        self.db.execute(f"PRAGMA busy_timeout={_LOG_WAIT_MS}")
        try:
            return not self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.Error:
            return False
        finally:
            self.db.execute(f"PRAGMA busy_timeout={1000 * _BUSY_S:.0f}")

    def rescue(self, now: datetime) -> None:
        """Write everything that the open connection holds to a new file, and go on with that one.

        It takes the database's place, unless another file is there by now: that one is left as it is.
        Raises `StorageError` where the copy cannot be written; the open connection then stays in use.
        """
        state = self._state()
        part = self.folder / f".{DATABASE}.rescue"
        try:
            part.unlink(missing_ok=True)
            self._copy_to(part)
            target = self.path
            if state == "replaced":
                target = self.folder / f"{RESCUED}-{now:%Y%m%d-%H%M%S}.db"
            self.db.close()
            for suffix in _SIDE_FILES:
                target.with_name(f"{target.name}{suffix}").unlink(missing_ok=True)
            part.replace(target)
            _sync_folder(self.folder)
        except sqlite3.Error as error:
            raise storage_error(error, self.folder) from error
        except OSError as error:
            raise StorageError(
                f"The database in {self.folder} is gone, and no copy could be written: {error.strerror}."
            ) from error
        _LOG.error("The database was %s while restbeat ran; everything was kept in %s.", state, target)
        self.path, self.replaced = target, self.replaced or state == "replaced"
        self._open()

    def _open(self) -> None:
        self.db = open_database(self.folder, self.path.name, busy_s=_BUSY_S)
        self.db.execute("BEGIN IMMEDIATE")  # SQLite makes WAL and shared memory at the first transaction
        self.db.conn.rollback()
        self._opened = self._identities()

    def _copy_to(self, part: Path) -> None:
        with closing(sqlite3.connect(part)) as copy:
            self.db.conn.backup(copy, pages=_COPY_PAGES, sleep=0.0)
            copy.execute("PRAGMA journal_mode=DELETE")
        part.chmod(0o600)
        with part.open("rb") as file:
            os.fsync(file.fileno())

    def _state(self) -> Literal["moved", "replaced", "cut off from its log"]:
        found = _identity(self.path)
        if found is None:
            return "moved"
        return "cut off from its log" if found == self._opened[0] else "replaced"

    def _identities(self) -> tuple[FileIdentity | None, ...]:
        return tuple(_identity(self.path.with_name(f"{self.path.name}{suffix}")) for suffix in ("", *_SIDE_FILES))


def _identity(path: Path) -> FileIdentity | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _sync_folder(folder: Path) -> None:
    """Sync a folder, so that a renamed file keeps its name after a power cut; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
