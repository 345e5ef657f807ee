"""Which backups were made of a data folder, where they lie and until when: an erased client must not live on unnoticed in one."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

CATALOGUE: Final = "backups.jsonl"
KEEP_DAYS: Final = 90
"""How long a backup is kept unless told otherwise."""
SIDE_FILES: Final = ("-wal", "-shm")
"""What SQLite writes beside a database; it goes with it."""


class BackupEntry(msgspec.Struct, frozen=True):
    """A backup that was made, and when it is to be deleted."""

    file: str
    made_utc: datetime
    until_utc: datetime


def add_backup(folder: Path, kept: BackupEntry) -> None:
    """Put a backup on the list."""
    _write(folder, [*(other for other in listed_backups(folder) if other.file != kept.file), kept])


def listed_backups(folder: Path) -> Sequence[BackupEntry]:
    """Backups that were made and still lie where they were put, oldest first; a line that cannot be read is passed over."""
    try:
        lines = (folder / CATALOGUE).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    found: list[BackupEntry] = []
    for line in lines:
        try:
            kept = msgspec.json.decode(line, type=BackupEntry)
        except msgspec.MsgspecError:
            continue
        if Path(kept.file).exists():
            found.append(kept)
    return sorted(found, key=lambda kept: kept.made_utc)


def delete_expired(folder: Path, now: datetime) -> Sequence[BackupEntry]:
    """Delete the backups whose time is over; gives those that are gone. One that cannot be deleted stays on the list."""
    gone: list[BackupEntry] = []
    for kept in listed_backups(folder):
        if kept.until_utc <= now:
            try:
                Path(kept.file).unlink()
                for suffix in SIDE_FILES:
                    Path(f"{kept.file}{suffix}").unlink(missing_ok=True)
            except OSError:
                continue
            gone.append(kept)
    if gone:
        _write(folder, listed_backups(folder))
    return gone


def _write(folder: Path, kept: Sequence[BackupEntry]) -> None:
    part = folder / f".{CATALOGUE}.part"
    part.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in kept))
    part.replace(folder / CATALOGUE)
