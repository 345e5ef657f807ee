"""The list of a data folder's backups, with their paths and expiry dates, so that an erased client is found in each."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

CATALOGUE: Final = "backups.jsonl"
KEEP_DAYS: Final = 90
"""Default lifetime of a backup."""
MARKER: Final = ".restbeat-backups"
"""File by which the folder of scheduled backups is known, so that the empty place of a missing drive is not filled."""
SIDE_FILES: Final = ("-wal", "-shm")
"""Suffixes of the files that SQLite writes beside a database; they are moved and deleted with it."""


class BackupEntry(msgspec.Struct, frozen=True):
    """A backup, and when it is to be deleted."""

    file: str
    made_utc: datetime
    until_utc: datetime
    scheduled: bool = False
    """Whether it was made by the schedule, which deletes it when others have outlived it."""
    verified: bool = False
    """Whether it was opened, checked and counted when it was made."""


def add_backup(folder: Path, backup: BackupEntry) -> None:
    """Add a backup to the folder's list, in place of an entry for the same file."""
    _write(folder, [*(other for other in listed_backups(folder) if other.file != backup.file), backup])


def listed_backups(folder: Path) -> Sequence[BackupEntry]:
    """Return the listed backups that exist, or lie on a drive that is not there now, oldest first.

    A line that cannot be read is skipped.
    """
    try:
        lines = (folder / CATALOGUE).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    found: list[BackupEntry] = []
    for line in lines:
        try:
            entry = msgspec.json.decode(line, type=BackupEntry)
        except msgspec.MsgspecError:
            continue
        if Path(entry.file).exists() or _drive_is_missing(entry):
            found.append(entry)
    return sorted(found, key=lambda entry: entry.made_utc)


def delete_expired(folder: Path, now: datetime) -> Sequence[BackupEntry]:
    """Delete the expired backups and return them. One that cannot be deleted stays on the list."""
    deleted: list[BackupEntry] = []
    for backup in listed_backups(folder):
        if backup.until_utc <= now:
            try:
                Path(backup.file).unlink()
                for suffix in SIDE_FILES:
                    Path(f"{backup.file}{suffix}").unlink(missing_ok=True)
            except OSError:
                continue
            deleted.append(backup)
    if deleted:
        _write(folder, listed_backups(folder))
    return deleted


def delete_backups(folder: Path, backups: Sequence[BackupEntry]) -> None:
    """Delete backups and take them off the list; one that cannot be deleted stays on it."""
    for backup in backups:
        with suppress(OSError):
            Path(backup.file).unlink()
            for suffix in SIDE_FILES:
                Path(f"{backup.file}{suffix}").unlink(missing_ok=True)
    if backups:
        _write(folder, listed_backups(folder))


def _drive_is_missing(backup: BackupEntry) -> bool:
    """Return whether the folder of a backup is not there, or is the empty place of a drive that is not mounted."""
    folder = Path(backup.file).parent
    return not folder.exists() or (backup.scheduled and not (folder / MARKER).exists())


def _write(folder: Path, backups: Sequence[BackupEntry]) -> None:
    part = folder / f".{CATALOGUE}.part"
    part.write_bytes(b"".join(msgspec.json.encode(backup) + b"\n" for backup in backups))
    part.replace(folder / CATALOGUE)
