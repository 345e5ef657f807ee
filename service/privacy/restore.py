"""A backup put in the place of the database: what was there before is kept aside, and who was erased since is erased again."""

from contextlib import closing
from datetime import datetime, timedelta
import os
from pathlib import Path
import shutil
from typing import Final

import msgspec

from ..errors import ForeignDatabaseError, OutputError
from ..storage.backup import Counts, count, take_backup
from ..storage.backup_catalogue import KEEP_DAYS, SIDE_FILES, BackupEntry, add_backup
from ..storage.database import DATABASE, open_database, take_folder
from .erasure import erase_again

_PART: Final = f".{DATABASE}.part"


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What the folder holds now, and what became of what it held before."""

    holds: Counts
    before: str | None
    """Where that lies; it is on the list of backups. None where there was nothing."""
    damaged: bool
    """It could not be read, and lies there as it was found."""
    erased_again: int
    """Clients who were erased since the backup was made."""


def restore_backup(file: Path, folder: Path, now: datetime) -> Restored:
    """Put a verified backup in the place of the folder's database. Raises `ServiceError`."""
    with closing(take_folder(folder)):
        database = folder / DATABASE
        try:
            _copy(file, folder / _PART)
            before, damaged = _keep_aside(database, folder / f"restbeat-before-{now:%Y%m%d-%H%M%S}.db", now)
            for suffix in SIDE_FILES:
                _beside(database, suffix).unlink(missing_ok=True)
            (folder / _PART).replace(database)
        except OSError as error:
            raise OutputError(f"{file} could not be put into {folder}: {error.strerror}. Nothing was lost.") from error
        finally:
            (folder / _PART).unlink(missing_ok=True)
        with closing(open_database(folder)) as db:
            again = erase_again(db, folder, now)
            return Restored(holds=count(db), before=before, damaged=damaged, erased_again=again)


def _copy(file: Path, part: Path) -> None:
    shutil.copyfile(file, part)
    with part.open("rb+") as written:
        os.fsync(written.fileno())


def _keep_aside(database: Path, aside: Path, now: datetime) -> tuple[str | None, bool]:
    """Make a backup of what is there; what is too damaged for that is moved as it is, with all that lies beside it."""
    if not database.exists():
        return None, False
    damaged = False
    try:
        take_backup(database.parent, aside)
    except ForeignDatabaseError:
        damaged = True
        for suffix in ("", *SIDE_FILES):
            if (found := _beside(database, suffix)).exists():
                found.replace(_beside(aside, suffix))
    add_backup(database.parent, BackupEntry(str(aside.resolve()), now, now + timedelta(days=KEEP_DAYS)))
    return str(aside), damaged


def _beside(database: Path, suffix: str) -> Path:
    return database.with_name(f"{database.name}{suffix}")
