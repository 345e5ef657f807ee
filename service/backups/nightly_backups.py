"""Backups that the practice makes by itself: each verified by opening and counting, the outlived ones deleted."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
import logging
import os
from pathlib import Path
import threading
import time
from types import TracebackType
from typing import Final, Self

import msgspec

from ...sensors.task_cancellation import cancel_and_wait
from ..errors import OutputError, RefusedError, ServiceError
from ..packets.archive_size import ArchiveSize, archive_size
from ..settings import read_settings, time_zone
from ..storage.audit_log import note
from ..storage.sqlite import Database
from ..storage.storage import Storage
from .backup import take_backup
from .backup_catalogue import MARKER, BackupEntry, add_backup, delete_backups, listed_backups
from .backup_schedule import KEPT_AT_MOST, BackupSchedule, Standing, is_due, last_backup, notice, outlived
from .daemon_thread import in_daemon_thread

_LOG = logging.getLogger(__name__)
_NAME: Final = "backups"
_LOOK_EVERY_S: Final = 60.0
_AGAIN_S: Final = 900.0
"""How long after a failure the next attempt is made."""
_ANSWER_S: Final = 15.0
"""How long a drive may take to answer before it counts as missing."""
_QUIET: Final = timedelta(days=30)


def read_schedule(db: Database) -> BackupSchedule:
    """Return the schedule; one that makes no backups where none is stored or it cannot be read."""
    row = db.execute("SELECT value FROM setting WHERE name = ?", (_NAME,)).fetchone()
    try:
        return BackupSchedule() if row is None else msgspec.json.decode(row[0], type=BackupSchedule)
    except msgspec.MsgspecError:
        return BackupSchedule()


def standing_of(data: Path, schedule: BackupSchedule, now: datetime) -> Standing:
    """Return what there is to know of the data folder's backups, beside what failed; it asks the drive."""
    last = last_backup(listed_backups(data), now)
    return Standing(
        schedule=schedule,
        last_utc=last.made_utc if last else None,
        last_verified=last is not None and last.verified,
        drive_missing=schedule.folder is not None and not (Path(schedule.folder) / MARKER).exists(),
    )


class Archive(msgspec.Struct, frozen=True, kw_only=True):
    """The database and its backups."""

    size: ArchiveSize
    free_bytes: int | None
    """Free space on its disk; None where that is not known."""
    backups: Standing
    notice: str | None
    """Sentence on what is amiss with the backups; None where all is well."""


class NightlyBackups:
    """Task that makes the scheduled backups, within an `async with` block."""

    def __init__(
        self,
        storage: Storage,
        *,
        now_utc: Callable[[], datetime] = lambda: datetime.now(UTC),
        look_every_s: float = _LOOK_EVERY_S,
    ) -> None:
        self._storage = storage
        self._now_utc = now_utc
        self._look_every_s = look_every_s
        self._standing: Standing | None = None
        self._failure: str | None = None
        """Sentence on the last attempt, where it failed."""
        self._wanted = False
        """Whether a person wants one now."""
        self._not_before_s = 0.0
        self._making = asyncio.Lock()
        self._look_now = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="nightly backups")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._task:
            await cancel_and_wait(self._task)

    @property
    def notice(self) -> str | None:
        """Sentence for the start page; None where all is well, or it is not known yet."""
        return None if self._standing is None else notice(self._standing, self._now_utc())

    @property
    def set_up(self) -> bool:
        """Whether backups are made by themselves."""
        return self._standing is not None and self._standing.schedule.folder is not None

    async def standing(self) -> Standing:
        """Return what there is to know of the backups. Raises `StorageError` where the schedule cannot be read."""
        schedule = await self._storage.read(read_schedule)
        try:
            async with asyncio.timeout(_ANSWER_S):
                found = await in_daemon_thread(lambda: standing_of(self._storage.folder, schedule, self._now_utc()))
        except TimeoutError:
            found = Standing(schedule=schedule, drive_missing=True)
        self._standing = msgspec.structs.replace(found, failed=self._failure, making=self._wanted or self._making.locked())
        return self._standing

    async def archive(self) -> Archive:
        """Return the figures of the database and of its backups. Raises `StorageError` where they cannot be read."""
        now = self._now_utc()
        size = await self._storage.read(lambda db: archive_size(db, now))
        standing = await self.standing()
        return Archive(size=size, free_bytes=self._storage.free_bytes, backups=standing, notice=notice(standing, now))

    async def set_schedule(self, folder: str | None, hour: int, *, by: str) -> Standing:
        """Store the schedule; the first backup is made at once. `folder`: absolute path; None: none are made from now on.

        Raises `RefusedError` where the folder cannot take backups, `StorageError` where the schedule cannot be stored.
        """
        if folder is not None:
            path, data = Path(folder), self._storage.folder
            async with asyncio.timeout(_ANSWER_S):
                await in_daemon_thread(lambda: _prepare(path, data))
        now = self._now_utc()
        await self._storage.run(lambda db: _write(db, BackupSchedule(folder=folder, hour=hour), by, now))
        self._not_before_s = 0.0
        self._failure = None
        standing = await self.standing()
        self._look_now.set()
        return standing

    async def remind_later(self, *, by: str) -> Standing:
        """Say nothing for 30 days of none being made. Raises `StorageError` where that cannot be stored."""
        now = self._now_utc()

        def put(db: Database) -> None:
            _write(db, msgspec.structs.replace(read_schedule(db), quiet_until_utc=now + _QUIET), by, now)

        await self._storage.run(put)
        return await self.standing()

    async def make_soon(self) -> None:
        """Have a backup made without waiting for it. Raises `RefusedError` where no folder is set."""
        if (await self._storage.read(read_schedule)).folder is None:
            raise RefusedError("No folder for backups is set. Set one first.")
        self._wanted = True
        self._look_now.set()

    async def make(self) -> Standing:
        """Make a backup now. Raises `RefusedError` where no folder is set, `ServiceError` where it fails."""
        schedule = await self._storage.read(read_schedule)
        if schedule.folder is None:
            raise RefusedError("No folder for backups is set. Set one first.")
        async with self._making:
            await self._make(schedule)
        return await self.standing()

    async def _run(self) -> None:
        while True:
            try:
                self._look_now.clear()
                await self._look()
            except (ServiceError, OSError) as error:
                _LOG.error("The backups could not be looked at: %s", error)
            try:
                async with asyncio.timeout(self._look_every_s):
                    await self._look_now.wait()
            except TimeoutError:
                pass

    async def _look(self) -> None:
        """Make a backup if one is due."""
        wanted, standing = self._wanted, await self.standing()
        if standing.schedule.folder is None or (time.monotonic() < self._not_before_s and not wanted):
            return
        zone = await self._storage.read(lambda db: read_settings(db).zone)
        backups = await in_daemon_thread(lambda: listed_backups(self._storage.folder))
        if not wanted and not is_due(backups, self._now_utc(), standing.schedule.hour, time_zone(zone) if zone else None):
            return
        try:
            async with self._making:
                await self._make(standing.schedule)
        except ServiceError as error:
            self._not_before_s = time.monotonic() + _AGAIN_S
            _LOG.error("The backup failed: %s", error)
        finally:
            self._wanted = False
        await self.standing()

    async def _make(self, schedule: BackupSchedule) -> None:
        zone = await self._storage.read(lambda db: read_settings(db).zone)
        ended, now, data = threading.Event(), self._now_utc(), self._storage.folder
        target = Path(schedule.folder or "")

        def progress(_done: int, _total: int) -> None:
            if ended.is_set():
                raise OutputError("The practice ended while the backup was made. It was thrown away.")

        def work() -> None:
            _require_drive(target)
            _tidy(target, data)
            backup = take_backup(data, _free_name(target, now), progress)
            add_backup(data, BackupEntry(backup.file, now, now + KEPT_AT_MOST, scheduled=True, verified=True))
            delete_backups(data, outlived(listed_backups(data), now, time_zone(zone) if zone else None))

        try:
            await in_daemon_thread(work)
        except OSError as error:
            self._failure = f"{target} could not be written: {error.strerror}."
            raise OutputError(self._failure) from error
        except ServiceError as error:
            self._failure = str(error)
            raise
        finally:
            ended.set()
        self._failure = None


def _write(db: Database, schedule: BackupSchedule, by: str, now: datetime) -> None:
    with db.atomic():
        db.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (_NAME, msgspec.json.encode(schedule).decode()))
        note(db, now, by, "backups set")


def _prepare(folder: Path, data: Path) -> None:
    """Mark a folder as that of the backups. Raises `RefusedError` where it cannot take them."""
    if not folder.is_absolute() or not folder.is_dir() or folder == Path("/"):
        raise RefusedError(f"There is no folder {folder} on the computer that restbeat runs on. Make it, or connect the drive.")
    if data.resolve() in (folder.resolve(), *folder.resolve().parents):
        raise RefusedError("Backups beside the database are lost with it. Choose another folder, best on another drive.")
    try:
        (folder / MARKER).write_text("restbeat keeps its backups here.\n")
    except OSError as error:
        raise RefusedError(f"{folder} cannot be written: {error.strerror}. Give this user the right to write there.") from error


def _require_drive(folder: Path) -> None:
    if not (folder / MARKER).exists():
        raise OutputError(f"{folder} is not there: is the drive connected? Nothing was copied.")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{folder} cannot be written. Give this user the right to write there.")


def _tidy(folder: Path, data: Path) -> None:
    """Delete copies that a kill cut off, and list those that it kept from being listed: an erasure must know of them."""
    for part in folder.glob(".restbeat-*.part*"):
        part.unlink()
    listed = {backup.file for backup in listed_backups(data)}
    for path in folder.glob("restbeat-*.db"):
        if (file := str(path.resolve())) not in listed:
            made = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            add_backup(data, BackupEntry(file, made, made + KEPT_AT_MOST, scheduled=True))


def _free_name(folder: Path, now: datetime) -> Path:
    """Return a file name by the time that no other backup has, as a clock that was set back may tell a time twice."""
    names = (folder / f"restbeat-{now:%Y%m%d-%H%M%S}{suffix}.db" for suffix in ("", *(f"-{n}" for n in range(2, 1000))))
    return next(path for path in names if not path.exists())
