"""Salvage of a damaged database: every row that can still be read, written into a new one.

SQLite's own `.recover` needs a shell that many systems build without it. Here rows are read by ranges of their key, and a range
that cannot be read is halved until only the unreadable rows are left out.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
import sqlite3
from typing import Any, Final

import msgspec

from ..errors import ForeignDatabaseError
from ..storage.database import open_database, open_readonly, require_database
from ..storage.sqlite import Database
from .backup import Counts, count

_LARGEST_KEY: Final = 2**31
_MOST_FAILURES: Final = 2000
"""Ranges of one table, or of one session's rows, that may fail before the rest of it is left out."""
_MOST_SESSIONS: Final = 200_000
"""Sessions that are looked for where their own table cannot tell how many there are."""
_KEPT_UP: Final = ("session_search", "client_search")
"""How the names of tables begin that triggers fill."""

Rows = list[tuple[Any, ...]]


class Salvaged(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of a salvage."""

    file: str
    counts: Counts
    lost_in: list[str]
    """Tables of which something could not be read."""
    orphans: int
    """Rows that were left out because what they belong to is lost."""


def salvage_database(folder: Path, out: Path) -> Salvaged:
    """Write what can be read of the folder's database to the new database `out`; the damaged one is left as it is.

    Raises `ForeignDatabaseError` where there is no database or nothing can be read, `StorageError` where `out` cannot be written.
    """
    require_database(folder)
    with closing(open_readonly(folder)) as source, closing(open_database(out.parent, out.name)) as target:
        target.execute("PRAGMA foreign_keys=OFF")
        try:
            tables = _tables(source)
        except sqlite3.Error as error:
            raise ForeignDatabaseError(f"Nothing in {folder} can be read ({error}). Restore a backup.") from error
        lost = [table for table in tables if not _copy(source, target, table)]
        orphans = _drop_orphans(target)
        target.execute("PRAGMA journal_mode=DELETE")
        return Salvaged(file=str(out), counts=count(target), lost_in=lost, orphans=orphans)


def _tables(db: Database) -> list[str]:
    names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql IS NOT NULL")]
    return [name for name in names if not name.startswith(("sqlite_", "_", *_KEPT_UP))]


def _copy(source: Database, target: Database, table: str) -> bool:
    """Copy what can be read of a table, and return whether that was all of it."""
    there = {row[1] for row in target.execute(f"PRAGMA table_xinfo({table})") if row[6] == 0}
    names = [row[1] for row in source.execute(f"PRAGMA table_xinfo({table})") if row[6] == 0 and row[1] in there]
    if not names:
        return True
    columns = ", ".join(f'"{name}"' for name in names)
    insert = f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - a schema's names
    unread = 0
    with target.atomic():
        for rows in _readable(source, table, columns):
            if rows is None:
                unread += 1
                continue
            for row in rows:
                try:
                    target.conn.execute(insert, row)
                except sqlite3.IntegrityError:  # a row that the damage has changed
                    unread += 1
    return unread == 0


def _readable(db: Database, table: str, columns: str) -> Iterator[Rows | None]:
    """Yield the rows of a table in parts; None for each part that cannot be read."""
    where, sessions = _key_of(db, table)
    query = f"SELECT {columns} FROM {table} NOT INDEXED WHERE {where}"  # noqa: S608 - a schema's names
    for session in sessions:
        own = () if session is None else (session,)
        yield from _halves(lambda low, high, own=own: db.execute(query, (*own, low, high)).fetchall())  # type: ignore[misc]


def _key_of(db: Database, table: str) -> tuple[str, Sequence[int | None]]:
    """Return the condition of a range of a table's keys, and the sessions that it is asked for one by one."""
    names = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    if names[:2] == ["session", "seq"]:
        return "session = ? AND seq BETWEEN ? AND ?", range(1, _last_session(db) + 1)
    try:
        db.execute(f"SELECT rowid FROM {table} LIMIT 0")  # noqa: S608 - a schema's names
    except sqlite3.OperationalError:  # a small table without rowids, read whole
        return "? = 0 AND ? > 0", [None]
    return "rowid BETWEEN ? AND ?", [None]


def _halves(read: Callable[[int, int], Rows]) -> Iterator[Rows | None]:
    """Yield all rows; a range that cannot be read is halved until what is left out is small, or it was tried too often."""
    ranges, failures = [(0, _LARGEST_KEY)], 0
    while ranges:
        low, high = ranges.pop()
        try:
            yield read(low, high)
        except sqlite3.DatabaseError:
            failures += 1
            if low >= high or failures > _MOST_FAILURES:
                yield None
                continue
            middle = (low + high) // 2
            ranges += [(middle + 1, high), (low, middle)]


def _last_session(db: Database) -> int:
    try:
        return int(db.execute("SELECT max(id) FROM session").fetchone()[0] or 0)
    except sqlite3.DatabaseError:
        return _MOST_SESSIONS


def _drop_orphans(db: Database) -> int:
    """Delete rows that refer to lost ones, until none is left, and return their number."""
    dropped = 0
    while found := sum(_drop_orphans_of(db, table) for table in _tables(db)):
        dropped += found
    return dropped


def _drop_orphans_of(db: Database, table: str) -> int:
    found = 0
    for _, _, parent, column, key, *_ in db.execute(f"PRAGMA foreign_key_list({table})").fetchall():
        parents = f"SELECT {key or 'pseudonym'} FROM {parent}"  # noqa: S608 - a schema's names
        found += db.execute(f"DELETE FROM {table} WHERE {column} IS NOT NULL AND {column} NOT IN ({parents})").rowcount  # noqa: S608
    return found
