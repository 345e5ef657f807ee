"""Backups of the database: made while sessions record, and verified by opening them and counting their rows.

SQLite's online backup under one read transaction copies the state of one moment, however long the copying takes, and does
not block the writer (WAL).
"""

from collections.abc import Callable
from contextlib import closing
import os
from pathlib import Path
import sqlite3

import msgspec

from ..errors import ForeignDatabaseError, OutputError
from ..packets.stored_packets import count_packets
from ..storage.database import check_schema, open_readonly, require_database, storage_error
from ..storage.sqlite import Database

_STEP_PAGES = 2000


ProgressCallback = Callable[[int, int], None]
"""Called with the pages copied so far and the pages in all."""


class Counts(msgspec.Struct, frozen=True):
    """Numbers of rows in a database."""

    sessions: int
    packets: int
    clients: int
    reports: int


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """A verified backup."""

    file: str
    bytes: int
    counts: Counts


def take_backup(folder: Path, out: Path, progress: ProgressCallback = lambda _done, _total: None) -> Backup:
    """Copy the folder's database to the file `out`, completely or not at all, while another process may write to it.

    Raises `OutputError` where `out` cannot be written or differs from the database, `ForeignDatabaseError` or
    `NewerDatabaseError` where there is no database that this restbeat can read, `StorageError` where SQLite fails.
    """
    require_database(folder)
    part = out.with_name(f".{out.name}.part")
    try:
        with closing(open_readonly(folder)) as source:
            expected = _copy(source, part, progress)
        backup = verify(part)
        if backup.counts != expected:
            raise OutputError(f"The backup holds {backup.counts}, not {expected}. It was thrown away; try again.")
        _move_into_place(part, out)
    except OSError as error:
        raise OutputError(f"{out} could not be written: {error.strerror}. Nothing was changed.") from error
    except sqlite3.Error as error:
        raise storage_error(error, folder) from error
    finally:
        part.unlink(missing_ok=True)
    return msgspec.structs.replace(backup, file=str(out.resolve()))


def verify(file: Path) -> Backup:
    """Open a backup, check its integrity and count its rows.

    Raises `ForeignDatabaseError` where the file is damaged or no backup, `NewerDatabaseError` where a later restbeat made it.
    """
    try:
        with closing(_open_backup(file)) as db:
            check_schema(db, file)
            damage = [row[0] for row in db.execute("PRAGMA integrity_check(3)").fetchall()]
            if damage != ["ok"]:
                raise ForeignDatabaseError(f"{file} is damaged ({damage[0]}). It was left as it is; take another backup.")
            counts = count(db)
    except sqlite3.Error as error:
        raise ForeignDatabaseError(f"{file} is no backup of restbeat ({error}). It was left as it is.") from error
    return Backup(file=str(file), bytes=file.stat().st_size, counts=counts)


def count(db: Database) -> Counts:
    """Count the rows of a database's main tables."""
    sessions, clients, reports = (
        db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - names of our own
        for table in ("session", "client", "report")
    )
    return Counts(sessions=sessions, packets=count_packets(db), clients=clients, reports=reports)


def holds_client(file: Path, client: str) -> bool:
    """Return whether a backup holds a client's data; True too for a file that cannot be read, as it might."""
    try:
        with closing(_open_backup(file)) as db:
            return db.execute("SELECT 1 FROM client WHERE pseudonym = ?", (client,)).fetchone() is not None
    except sqlite3.Error:
        return True


def _open_backup(file: Path) -> Database:
    return Database(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro&immutable=1", uri=True), execute_plugins=False)


def _copy(source: Database, part: Path, progress: ProgressCallback) -> Counts:
    part.write_bytes(b"")
    source.execute("BEGIN")
    counts = count(source)  # the first read fixes the moment that is copied
    with closing(sqlite3.connect(part)) as target:
        source.conn.backup(target, pages=_STEP_PAGES, sleep=0.0, progress=lambda _, left, total: progress(total - left, total))
        target.execute("PRAGMA journal_mode=DELETE")
    source.conn.rollback()
    return counts


def _move_into_place(part: Path, out: Path) -> None:
    part.chmod(0o600)
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(out)
