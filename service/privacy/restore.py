"""Restoring a backup: the present database is kept aside, and clients erased since the backup are erased again."""

from contextlib import closing
from datetime import datetime, timedelta
import os
from pathlib import Path
import shutil
from typing import Final

import msgspec

from ..backups.backup import Counts, count, take_backup
from ..backups.backup_catalogue import KEEP_DAYS, SIDE_FILES, BackupEntry, add_backup
from ..errors import ForeignDatabaseError, OutputError
from ..storage.database import DATABASE, open_database, take_folder
from .erasure import erase_again

_PART: Final = f".{DATABASE}.part"


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """The restored database, and what became of the one before."""

    holds: Counts
    before: str | None
    """Path of the database before, which is on the list of backups; None where there was none."""
    damaged: bool
    """Whether it could not be read, and was moved there unchanged."""
    erased_again: int
    """Number of clients erased since the backup was made."""


def restore_backup(file: Path, folder: Path, now: datetime) -> Restored:
    """Put a verified backup in the place of the folder's database.

    Raises `FolderTakenError` where a running restbeat uses the folder, `OutputError` where a file cannot be written,
    `StorageError` where the restored database cannot be opened.
    """
    with closing(take_folder(folder)):
        database = folder / DATABASE
        try:
            _copy(file, folder / _PART)
            erased = _prepare(folder, now)
            before, damaged = _keep_aside(database, folder / f"restbeat-before-{now:%Y%m%d-%H%M%S}.db", now)
            for suffix in SIDE_FILES:
                _side_file(database, suffix).unlink(missing_ok=True)
            (folder / _PART).replace(database)
        except OSError as error:
            raise OutputError(f"{file} could not be put into {folder}: {error.strerror}. Nothing was lost.") from error
        finally:
            for suffix in ("", *SIDE_FILES):
                _side_file(folder / _PART, suffix).unlink(missing_ok=True)
        with closing(open_database(folder)) as db:
            return Restored(holds=count(db), before=before, damaged=damaged, erased_again=erased)


def _prepare(folder: Path, now: datetime) -> int:
    """Migrate the copy and erase in it the clients erased since, so that it takes the database's place without them.

    Returns their number. The copy is one file afterwards, synced to the disk.
    """
    part = folder / _PART
    with closing(open_database(folder, _PART)) as db:
        erased = erase_again(db, folder, now)
        db.execute("PRAGMA journal_mode=DELETE")
    with part.open("rb+") as copy:
        os.fsync(copy.fileno())
    return erased


def _copy(file: Path, part: Path) -> None:
    for suffix in SIDE_FILES:
        _side_file(part, suffix).unlink(missing_ok=True)
    shutil.copyfile(file, part)
    part.chmod(0o600)


def _keep_aside(database: Path, aside: Path, now: datetime) -> tuple[str | None, bool]:
    """Back up the present database; one too damaged for that is moved unchanged, with SQLite's files beside it."""
    if not database.exists():
        return None, False
    damaged = False
    try:
        take_backup(database.parent, aside)
    except ForeignDatabaseError:
        damaged = True
        for suffix in ("", *SIDE_FILES):
            if (found := _side_file(database, suffix)).exists():
                found.replace(_side_file(aside, suffix))
    add_backup(database.parent, BackupEntry(str(aside.resolve()), now, now + timedelta(days=KEEP_DAYS)))
    return str(aside), damaged


def _side_file(database: Path, suffix: str) -> Path:
    return database.with_name(f"{database.name}{suffix}")
