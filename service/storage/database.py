"""The database file in its folder: locked for one process, opened, migrated; SQLite's errors as sentences."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
import sqlite3
from typing import TypeVar

from ..errors import (
    DiskFullError,
    FolderNotWritableError,
    FolderTakenError,
    ForeignDatabaseError,
    NewerDatabaseError,
    StorageError,
)
from .migrations import migrations
from .sqlite import Database

T = TypeVar("T")

DATABASE = "restbeat.db"
RESCUED = "restbeat-rescued"
"""How the names of rescue copies begin, written where another file took the database's place."""
_LOCK = "restbeat.lock"
_MAGIC = b"SQLite format 3\0"
_BUSY_S = 5.0
_CHECKED_BYTES = 100_000_000
"""Size up to which a database is checked for damage before it is used; that takes a second at most."""


def take_folder(folder: Path) -> sqlite3.Connection:
    """Make the folder, closed to other users, and lock it for this process.

    The lock is released by `close()` on the returned connection, and when the process ends in any way. It is SQLite's own lock
    on an empty file, because that works alike on Linux, macOS and Windows.

    Raises `FolderTakenError` where another process has the lock, `FolderNotWritableError` where the folder cannot be made or
    written, `StorageError` where SQLite fails otherwise.
    """
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _not_writable(folder, error.strerror or str(error)) from error
    lock = None
    try:
        lock = sqlite3.connect(folder / _LOCK, timeout=0, isolation_level=None, check_same_thread=False)
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        if lock:
            lock.close()
        if _code(error) == sqlite3.SQLITE_BUSY:
            sentence = (
                f"Another running restbeat uses the data folder {folder}. Nothing was changed. "
                "Stop that one first, or choose another folder with --data."
            )
            raise FolderTakenError(sentence) from error
        raise storage_error(error, folder) from error
    return lock


def open_database(folder: Path, name: str = DATABASE, *, busy_s: float = _BUSY_S) -> Database:
    """Open the folder's database in WAL mode, with every commit synced to disk, and apply its pending migrations.

    `name`: of another file in the folder; `busy_s`: how long a statement waits for another program's lock.
    Raises `ForeignDatabaseError` where it is damaged or another program's, `NewerDatabaseError` where a later restbeat wrote
    it, `StorageError` where SQLite fails otherwise.
    """
    path = folder / name
    connection = None
    try:
        _require_sqlite(path)
        connection = sqlite3.connect(path, timeout=busy_s, check_same_thread=False)
        db = Database(connection, execute_plugins=False)
        check_schema(db, path)
        db.enable_wal()
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA foreign_keys=ON")
        db.execute("PRAGMA secure_delete=ON")
        if path.stat().st_size <= _CHECKED_BYTES and (reason := first_damage(db)):
            raise damaged(path, reason)
        migrations.apply(db)
    except (sqlite3.Error, StorageError) as error:
        if connection:
            connection.close()
        if isinstance(error, StorageError):
            raise
        raise storage_error(error, folder) from error
    return db


def first_damage(db: Database) -> str | None:
    """Return the first damage that SQLite finds in the file's structure; None where there is none."""
    found: str = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    return None if found == "ok" else found.splitlines()[-1]


def rescue_copies(folder: Path) -> list[Path]:
    """Return the folder's rescue copies, oldest first."""
    return sorted(folder.glob(f"{RESCUED}-*.db"))


def _require_sqlite(path: Path) -> None:
    """Raise `ForeignDatabaseError` where a file is not SQLite's: SQLite itself would write over a short one."""
    try:
        with path.open("rb") as file:
            begins = file.read(len(_MAGIC))
    except OSError:
        return
    if begins and begins != _MAGIC:
        raise _not_a_database(path)


def require_database(folder: Path) -> None:
    """Raise `ForeignDatabaseError` unless the folder holds a database: a mere reader must not create one."""
    if not (folder / DATABASE).exists():
        raise ForeignDatabaseError(f"There is no database in {folder}. Choose another folder with --data.")


def open_readonly(folder: Path, name: str = DATABASE, *, busy_s: float = _BUSY_S) -> Database:
    """Open the folder's database for reading while another process may write it.

    `name`: of another file in the folder; `busy_s`: how long a statement waits for another program's lock.
    Raises `StorageError` where SQLite fails.
    """
    try:
        uri = f"{(folder / name).resolve().as_uri()}?mode=ro"
        return Database(sqlite3.connect(uri, uri=True, timeout=busy_s, check_same_thread=False), execute_plugins=False)
    except sqlite3.Error as error:
        raise storage_error(error, folder) from error


def read_alongside(folder: Path, job: Callable[[Database], T]) -> T:
    """Return the result of `job`, which reads the folder's database while another process may write it.

    A database of an older restbeat is migrated first. Raises `FolderTakenError` where an older restbeat that is running uses
    it, `StorageError` where there is no database, this restbeat cannot read it, or SQLite fails.
    """
    require_database(folder)
    _migrate_if_needed(folder)
    db = open_readonly(folder)
    try:
        check_schema(db, folder / DATABASE)
        return job(db)
    except sqlite3.Error as error:
        raise storage_error(error, folder) from error
    finally:
        db.close()


def _migrate_if_needed(folder: Path) -> None:
    """Apply the pending migrations. Raises `FolderTakenError` where an older restbeat that is running uses the folder."""
    try:
        with closing(open_readonly(folder)) as db:
            check_schema(db, folder / DATABASE)
            pending = bool(migrations.pending(db))
    except sqlite3.Error as error:
        raise storage_error(error, folder) from error
    if pending:
        with closing(take_folder(folder)):
            open_database(folder).close()


def write_alongside(folder: Path, job: Callable[[Database], None]) -> None:
    """Run `job`, which makes one short entry while another process may write too. Raises `StorageError` where SQLite fails."""
    try:
        with closing(sqlite3.connect(folder / DATABASE, timeout=_BUSY_S)) as connection, connection:
            job(Database(connection, execute_plugins=False))
    except sqlite3.Error as error:
        raise storage_error(error, folder) from error


def folder_taken(folder: Path) -> bool:
    """Return whether a running restbeat uses the folder; False too where that cannot be found out."""
    try:
        take_folder(folder).close()
    except FolderTakenError:
        return True
    except StorageError:
        return False
    return False


def storage_error(error: sqlite3.Error, folder: Path) -> StorageError:
    """Return the typed error for one of SQLite's: its text says what happened, what was kept and what to do."""
    match _code(error):
        case sqlite3.SQLITE_FULL:
            return DiskFullError(f"The disk that holds {folder} is full. What was stored is kept; free some space.")
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return _not_writable(folder, str(error))
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return StorageError(f"Another program is writing to the database in {folder}; close it there.")
        case sqlite3.SQLITE_NOTADB:
            return _not_a_database(folder / DATABASE)
        case sqlite3.SQLITE_CORRUPT:
            return damaged(folder / DATABASE, str(error))
        case _:
            return StorageError(f"The database in {folder} could not be used: {error}. Check the disk and the folder.")


def check_schema(db: Database, path: Path) -> None:
    """Raise `ForeignDatabaseError` or `NewerDatabaseError` unless this restbeat can read the database."""
    known = {step.name for step in migrations.pending(Database(memory=True, execute_plugins=False))}
    applied = [step.name for step in migrations.applied(db)]
    if not applied and set(db.table_names()) - {migrations.migrations_table}:
        raise ForeignDatabaseError(
            f"{path} belongs to another program. It was left as it is; move it away, or choose another folder with --data."
        )
    unknown = [name for name in applied if name not in known]
    if unknown:
        raise NewerDatabaseError(
            f"{path} was written by a later restbeat (this one does not know {', '.join(unknown)}). "
            "It was left as it is; update restbeat, or choose another folder with --data."
        )


def damaged(path: Path, reason: str) -> ForeignDatabaseError:
    """Return the error for a database with a page that SQLite cannot read."""
    return ForeignDatabaseError(
        f"{path} is damaged ({reason}). It was left as it is. Put a backup in its place with restbeat restore FILE, "
        "or write what can still be read to a new file with restbeat salvage FILE."
    )


def _not_a_database(path: Path) -> ForeignDatabaseError:
    rescued = rescue_copies(path.parent)
    what = (
        f"What restbeat rescued when it was replaced is in {rescued[-1]}: put that in its place with restbeat restore FILE."
        if rescued
        else "Move it away, put a backup in its place with restbeat restore FILE, or choose another folder with --data."
    )
    return ForeignDatabaseError(f"{path} is no database. It was left as it is. {what}")


def _not_writable(folder: Path, reason: str) -> FolderNotWritableError:
    return FolderNotWritableError(
        f"The data folder {folder} cannot be written ({reason}). "
        "Nothing was stored; give this user the right to write there, or choose another folder with --data."
    )


def _code(error: sqlite3.Error) -> int | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
