"""Figures of a database, read without changing it."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
import sqlite3

import msgspec

from ..backups.backup_schedule import BackupSchedule
from ..backups.nightly_backups import read_schedule
from ..packets.archive_size import ArchiveSize, archive_size
from ..packets.stored_packets import count_packets
from ..storage.database import DATABASE, check_schema, first_damage, open_readonly, storage_error
from ..storage.migrations import migrations


class DatabaseSummary(msgspec.Struct, frozen=True):
    """Figures of a database for `restbeat doctor`."""

    sessions: int
    interrupted: int
    packets: int
    size_mb: float
    wal_mb: float
    pending: int
    """Number of migrations that have not been applied yet."""
    damage: str | None
    schema: list[str]
    archive: ArchiveSize | None
    """Its growth, and how much is packed; None before the migration that packs."""


def summarise_database(folder: Path) -> DatabaseSummary:
    """Read the figures of a database without changing it. Raises `StorageError` where it cannot be read."""
    path = folder / DATABASE
    db = open_readonly(folder)
    try:
        check_schema(db, path)
        wal = path.with_name(f"{DATABASE}-wal")
        return DatabaseSummary(
            sessions=db.execute("SELECT count(*) FROM session").fetchone()[0],
            interrupted=db.execute("SELECT count(*) FROM session WHERE ended_utc IS NULL").fetchone()[0],
            packets=count_packets(db),
            size_mb=path.stat().st_size / 1e6,
            wal_mb=wal.stat().st_size / 1e6 if wal.exists() else 0.0,
            pending=len(migrations.pending(db)),
            damage=first_damage(db),
            archive=None if migrations.pending(db) else archive_size(db, datetime.now(UTC)),
            schema=[row[0] for row in db.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")],
        )
    except sqlite3.Error as error:
        raise storage_error(error, folder) from error
    finally:
        db.close()


def stored_schedule(folder: Path) -> BackupSchedule:
    """Return the schedule of the automatic backups. Raises `StorageError` where the database cannot be read."""
    try:
        with closing(open_readonly(folder)) as db:
            return read_schedule(db)
    except sqlite3.Error as error:
        raise storage_error(error, folder) from error
