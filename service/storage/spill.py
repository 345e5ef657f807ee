"""The file of rows that could not be written to the database, read back at the next start, each row once.

It lies beside the database, or where that disk takes no file, in the computer's temporary folder.
"""

from collections.abc import Sequence
import hashlib
import logging
import os
from pathlib import Path
import secrets
import stat
import tempfile
from typing import Any, Final
import zlib

import msgspec

from .event_rows import Statement, Unit
from .sqlite import Database

_LOG = logging.getLogger(__name__)
_NAME: Final = "restbeat-unsaved"
_LARGEST: Final = 256 * 1024 * 1024
"""Greatest size of a spill file, bytes."""


class _Head(msgspec.Struct, frozen=True, array_like=True):
    """First record of a spill file."""

    format: str
    file: str
    """Random name of the file's content, by which it is read back once."""


class SpillFile:
    """The rows that wait for the database, in a file to which new ones are added; it is deleted once they are stored."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path: Path | None = None
        self._count = 0
        self._bytes = 0

    @property
    def exists(self) -> bool:
        """Whether rows are in the file."""
        return self._path is not None

    def write(self, units: Sequence[Unit]) -> None:
        """Add those of the waiting rows that are not in the file yet; nothing where no disk takes them.

        `units`: all that wait, in the order of earlier calls.
        """
        if self._path and self._append(self._path, units[self._count :]):
            self._count = len(units)
            return
        for path in spill_paths(self._folder):
            if path == self._path:
                continue
            head = msgspec.msgpack.encode(_Head(_NAME, secrets.token_hex(16)))
            if self._begin(path, head) and self._append(path, units):
                if self._path:
                    self._path.unlink(missing_ok=True)
                self._path, self._count = path, len(units)
                return
            path.unlink(missing_ok=True)

    def drop(self) -> None:
        """Delete the file: its rows are stored."""
        if self._path:
            self._path.unlink(missing_ok=True)
        self._path, self._count, self._bytes = None, 0, 0

    def _begin(self, path: Path, head: bytes) -> bool:
        try:
            path.unlink(missing_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "wb") as file:  # noqa: PTH123 - new, and for this user alone
                file.write(_record(head))
        except OSError:
            return False
        self._bytes = len(_record(head))
        return True

    def _append(self, path: Path, units: Sequence[Unit]) -> bool:
        content = b"".join(map(_encoded, units))
        try:
            with path.open("r+b") as file:
                file.seek(self._bytes)  # a record that a full disk cut off is written over
                file.truncate()
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            return False
        self._bytes += len(content)
        return True


def spill_paths(folder: Path) -> list[Path]:
    """Return where a folder's spill file may be, the first choice first."""
    name = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    return [folder / f"{_NAME}.bin", Path(tempfile.gettempdir()) / f"{_NAME}-{name}.bin"]


def read_back(db: Database, folder: Path) -> int:
    """Store the rows of the folder's spill files, delete the files, and return the number of rows stored.

    A row that the database refuses is logged, and kept from nothing else. Raises `sqlite3.Error` where none can be stored;
    the files are then left.
    """
    stored = 0
    for path in spill_paths(folder):
        head, units = _read(path)
        if head is None:
            continue
        with db.atomic():
            known = db.execute("SELECT 1 FROM spill_read WHERE file = ?", (head.file,)).fetchone()
            if known is None:
                db.execute("INSERT INTO spill_read (file) VALUES (?)", (head.file,))
                stored += sum(_store(db, unit) for unit in units)
        path.unlink(missing_ok=True)
    if stored:
        _LOG.warning("%d rows that could not be stored at the last run were stored now.", stored)
    return stored


def _store(db: Database, unit: Unit) -> int:
    try:
        with db.atomic():
            for sql, values in unit:
                db.conn.execute(sql, values)
    except db.conn.IntegrityError as error:
        _LOG.error("A row of the last run was refused: %s", error)
        return 0
    return len(unit)


def _encoded(unit: Unit) -> bytes:
    """Return a unit as a record; nothing for one that cannot be written, which the database would refuse as well."""
    try:
        return _record(msgspec.msgpack.encode(unit))
    except (ValueError, OverflowError, TypeError):
        return b""


def _record(payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + zlib.crc32(payload).to_bytes(4, "big") + payload


def _read(path: Path) -> tuple[_Head | None, list[Unit]]:
    """Return a spill file's head and rows; None where there is no file of this user, or it is not one of ours."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return None, []
    with open(descriptor, "rb") as file:  # noqa: PTH123 - opened without following a link
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode) or state.st_size > _LARGEST or (os.name != "nt" and state.st_uid != os.getuid()):
            _LOG.error("%s is not a file of this program's own; it was left as it is.", path.name)
            return None, []
        content = file.read()
    payloads: list[bytes] = []
    at = 0
    while at + 8 <= len(content):
        length, checksum = int.from_bytes(content[at : at + 4], "big"), int.from_bytes(content[at + 4 : at + 8], "big")
        payload = content[at + 8 : at + 8 + length]
        if len(payload) < length or zlib.crc32(payload) != checksum:
            break
        payloads.append(payload)
        at += 8 + length
    try:
        head = msgspec.msgpack.decode(payloads[0], type=_Head)
        units = [_unit(payload) for payload in payloads[1:]]
    except (IndexError, msgspec.MsgspecError):
        return None, []
    return (head, units) if head.format == _NAME else (None, [])


def _unit(payload: bytes) -> Unit:
    rows: tuple[tuple[str, tuple[Any, ...]], ...] = msgspec.msgpack.decode(payload, type=tuple[Statement, ...])
    return rows
