"""Troubles that keep rows from reaching the disk: a code for programs, and sentences for people."""

import sqlite3
from typing import Final, Literal

import msgspec

TroubleCode = Literal[
    "disk-full",
    "read-only",
    "locked",
    "disk-error",
    "slow",
    "moved",
    "replaced",
    "damaged",
    "rescued",
    "refused",
    "dropped",
    "low-space",
    "other",
]

_SENTENCES: Final[dict[TroubleCode, str]] = {
    "disk-full": "The disk is full. Free some space; restbeat then saves what waits by itself.",
    "read-only": "The data folder cannot be written. Give this user the right to write there; restbeat tries again by itself.",
    "locked": "Another program has locked the database. End that program, or wait until it is done.",
    "disk-error": "The disk reports errors. Leave restbeat running, and save what you can to another disk.",
    "slow": "The database has been busy for seconds, or the disk does not answer. What you enter is saved when that is over.",
    "moved": "The database was moved or deleted while restbeat ran, and could not be put back. Leave restbeat running.",
    "replaced": "The database was replaced by another file while restbeat ran. A rescue copy beside it has everything, "
    "and goes on being written. Have the file looked at before the next start.",
    "damaged": "The database is damaged. What was stored before may be readable; restore a backup before the next session.",
    "rescued": "A rescue copy of the database is in the data folder: what was entered when the database was replaced is in it "
    "alone. Restore it with restbeat restore, or move it away.",
    "refused": "Some entries could not be stored, as the database refused them. All others are.",
    "dropped": "Too much waited for the disk: some heartbeats were left out, and count as a gap.",
    "low-space": "Little space is left on the disk: less than a day of sessions needs. Free some.",
    "other": "The database cannot be written. restbeat tries again by itself.",
}
_NOTICES: Final = frozenset({"replaced", "rescued", "refused", "dropped", "low-space"})
"""Codes of what has been dealt with or cannot be undone: new rows do reach the disk."""

ROOM_HOUR_BYTES: Final = 200_000
"""Space that an hour of one room takes until it is packed, measured with a strap that sends each second: docs/storage.md."""
_DAY_BYTES: Final = 8 * 10 * ROOM_HOUR_BYTES
"""Space that a day of eight rooms takes."""
_WORK_BYTES: Final = 8_000_000
"""Space that the write-ahead log and a report take beside."""


def space_is_low(free_bytes: int) -> bool:
    """Return whether less space is left than a day of sessions needs."""
    return free_bytes < _DAY_BYTES + _WORK_BYTES


def space_for_an_hour(free_bytes: int, rooms: int) -> bool:
    """Return whether an hour of that many rooms finds space."""
    return free_bytes >= rooms * ROOM_HOUR_BYTES + _WORK_BYTES


class StorageTrouble(msgspec.Struct, frozen=True, kw_only=True):
    """Trouble that keeps rows from reaching the disk, or kept them from it."""

    code: TroubleCode
    waiting: int = 0
    """Number of entries and packets that wait in memory."""
    spilled: bool = False
    """Whether those are in a file too, which is read back at the next start."""

    @property
    def saves(self) -> bool:
        """Whether new rows reach the disk all the same."""
        return self.code in _NOTICES and not self.waiting

    @property
    def sentence(self) -> str:
        """Sentence for a person: what happened, what is kept, what to do."""
        text = _SENTENCES[self.code]
        if not self.waiting:
            return text
        waiting = "1 entry waits" if self.waiting == 1 else f"{self.waiting} entries wait"
        kept = " (and in a file that the next start reads)" if self.spilled else ""
        return f"{text} {waiting} in memory{kept}: leave restbeat running."


def code_of(error: sqlite3.Error) -> TroubleCode:
    """Return the code of one of SQLite's errors."""
    code = getattr(error, "sqlite_errorcode", None)
    match None if code is None else code & 0xFF:
        case sqlite3.SQLITE_FULL:
            return "disk-full"
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return "read-only"
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return "locked"
        case sqlite3.SQLITE_IOERR:
            return "disk-error"
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return "damaged"
        case _:
            return "other"
