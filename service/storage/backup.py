"""Copies of the database: taken while sessions record, believed only once they were opened and counted.

SQLite's online backup under one read transaction gives the state of one moment, however long the copying takes; who writes
meanwhile is not held up (WAL).
"""

from collections.abc import Callable
from contextlib import closing
import os
from pathlib import Path
import sqlite3

import msgspec

from ..errors import ForeignDatabaseError, OutputError
from .database import check_schema, open_readonly, require_database, storage_error
from .sqlite import Database

_STEP_PAGES = 2000
_COUNTED = ("session", "packet", "client", "report")


ProgressCallback = Callable[[int, int], None]
"""Called with how much is done, and how much there is in all."""


class Counts(msgspec.Struct, frozen=True):
    """What a database holds."""

    sessions: int
    packets: int
    clients: int
    reports: int


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """A backup that was opened and found whole."""

    file: str
    bytes: int
    counts: Counts


def take_backup(folder: Path, out: Path, told: ProgressCallback = lambda _done, _all: None) -> Backup:
    """Copy the folder's database to the file `out`, whole or not at all, beside whoever writes to it. Raises `ServiceError`."""
    require_database(folder)
    part = out.with_name(f".{out.name}.part")
    try:
        with closing(open_readonly(folder)) as source:
            counted = _copy(source, part, told)
        made = verify(part)
        if made.counts != counted:
            raise OutputError(f"The backup holds {made.counts}, not {counted}. It was thrown away; try again.")
        _to_disk(part, out)
    except OSError as error:
        raise OutputError(f"{out} could not be written: {error.strerror}. Nothing was changed.") from error
    except sqlite3.Error as error:
        raise storage_error(error, folder) from error
    finally:
        part.unlink(missing_ok=True)
    return msgspec.structs.replace(made, file=str(out.resolve()))


def verify(file: Path) -> Backup:
    """Open a backup, check it through, and count. Raises `ForeignDatabaseError`, `NewerDatabaseError`."""
    try:
        with closing(_opened(file)) as db:
            check_schema(db, file)
            damage = [row[0] for row in db.execute("PRAGMA integrity_check(3)").fetchall()]
            if damage != ["ok"]:
                raise ForeignDatabaseError(f"{file} is damaged ({damage[0]}). It was left as it is; take another backup.")
            counts = count(db)
    except sqlite3.Error as error:
        raise ForeignDatabaseError(f"{file} is no backup of restbeat ({error}). It was left as it is.") from error
    return Backup(file=str(file), bytes=file.stat().st_size, counts=counts)


def count(db: Database) -> Counts:
    """Count what a database holds."""
    return Counts(*(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in _COUNTED))  # noqa: S608


def holds_client(file: Path, client: str) -> bool:
    """Whether a backup holds anything of a client; a file that cannot be read might."""
    try:
        with closing(_opened(file)) as db:
            return db.execute("SELECT 1 FROM client WHERE pseudonym = ?", (client,)).fetchone() is not None
    except sqlite3.Error:
        return True


def _opened(file: Path) -> Database:
    return Database(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True), execute_plugins=False)


def _copy(source: Database, part: Path, told: ProgressCallback) -> Counts:
    part.write_bytes(b"")
    source.execute("BEGIN")
    counted = count(source)  # the first read fixes the moment
    with closing(sqlite3.connect(part)) as target:
        source.conn.backup(target, pages=_STEP_PAGES, sleep=0.0, progress=lambda _, left, whole: told(whole - left, whole))
        target.execute("PRAGMA journal_mode=DELETE")
    source.conn.rollback()
    return counted


def _to_disk(part: Path, out: Path) -> None:
    part.chmod(0o600)
    with part.open("rb") as written:
        os.fsync(written.fileno())
    part.replace(out)
