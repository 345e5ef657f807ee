"""Which backups were made of a data folder, where they lie and until when: an erased client must not live on unnoticed in one."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

LIST: Final = "backups.jsonl"
KEEP_DAYS: Final = 90
"""How long a backup is kept unless told otherwise."""
BESIDE: Final = ("-wal", "-shm")
"""What SQLite writes beside a database; it goes with it."""


class Kept(msgspec.Struct, frozen=True):
    """A backup that was made, and when it is to be deleted."""

    file: str
    made_utc: datetime
    until_utc: datetime


def remember(folder: Path, kept: Kept) -> None:
    """Put a backup on the list."""
    _write(folder, [*(other for other in listed(folder) if other.file != kept.file), kept])


def listed(folder: Path) -> Sequence[Kept]:
    """Backups that were made and still lie where they were put, oldest first; a line that cannot be read is passed over."""
    try:
        lines = (folder / LIST).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    found: list[Kept] = []
    for line in lines:
        try:
            kept = msgspec.json.decode(line, type=Kept)
        except msgspec.MsgspecError:
            continue
        if Path(kept.file).exists():
            found.append(kept)
    return sorted(found, key=lambda kept: kept.made_utc)


def delete_expired(folder: Path, now: datetime) -> Sequence[Kept]:
    """Delete the backups whose time is over; gives those that are gone. One that cannot be deleted stays on the list."""
    gone: list[Kept] = []
    for kept in listed(folder):
        if kept.until_utc <= now:
            try:
                Path(kept.file).unlink()
                for suffix in BESIDE:
                    Path(f"{kept.file}{suffix}").unlink(missing_ok=True)
            except OSError:
                continue
            gone.append(kept)
    if gone:
        _write(folder, listed(folder))
    return gone


def _write(folder: Path, kept: Sequence[Kept]) -> None:
    part = folder / f".{LIST}.part"
    part.write_bytes(b"".join(msgspec.json.encode(one) + b"\n" for one in kept))
    part.replace(folder / LIST)
