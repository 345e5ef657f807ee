"""When a backup is due, which are deleted, and what a person is told: decided from the list of backups and the time of day.

A clock that was set forward or back must neither delete all nor stop all. So age deletes nothing, later backups do; and backups
that are dated in the future, as a clock that was ahead dates them, are left alone and count for nothing until then.
"""

from collections.abc import Callable, Hashable, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Annotated, Final

import msgspec

from .backup_catalogue import BackupEntry

KEEP: Final = ((7, lambda day: day.date()), (4, lambda day: day.isocalendar()[:2]), (12, lambda day: (day.year, day.month)))
"""How many days, weeks and months have a backup that is kept: the newest of each."""
OVERDUE_AFTER: Final = timedelta(days=2)
KEPT_AT_MOST: Final = timedelta(days=400)
"""Time after which a scheduled backup has been outlived by twelve months of others, told to a client who is erased."""
_AHEAD: Final = timedelta(hours=1)


class BackupSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when backups are made by themselves."""

    folder: str | None = None
    """Folder that takes them, as an absolute path; None: none are made."""
    hour: Annotated[int, msgspec.Meta(ge=0, le=23)] = 2
    """Hour of the day, in the practice's time zone."""
    quiet_until_utc: datetime | None = None
    """Until then nobody is told that none are made."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """State of a practice's backups."""

    schedule: BackupSchedule
    last_utc: datetime | None = None
    """When the last one was made; None where there is none."""
    last_verified: bool = False
    drive_missing: bool = False
    """Whether the folder is not there, or does not answer."""
    making: bool = False
    """Whether one is being made, or is about to be."""
    failed: str | None = None
    """Sentence on the last attempt, where it failed."""


def last_backup(backups: Sequence[BackupEntry], now: datetime) -> BackupEntry | None:
    """Return the newest backup that is not dated in the future."""
    return max((backup for backup in backups if backup.made_utc <= now + _AHEAD), key=lambda one: one.made_utc, default=None)


def is_due(backups: Sequence[BackupEntry], now: datetime, hour: int, zone: tzinfo | None) -> bool:
    """Return whether no scheduled backup has been made since the last time that the clock struck that hour."""
    struck = now.astimezone(zone).replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    if struck > now:
        struck -= timedelta(days=1)
    return not any(backup.scheduled and struck <= backup.made_utc <= now + _AHEAD for backup in backups)


def outlived(backups: Sequence[BackupEntry], now: datetime, zone: tzinfo | None) -> list[BackupEntry]:
    """Return the scheduled backups that are no longer kept: neither of 7 days, nor of 4 weeks, nor of 12 months the newest."""
    own = [backup for backup in backups if backup.scheduled and backup.made_utc <= now + _AHEAD]
    own.sort(key=lambda backup: backup.made_utc, reverse=True)
    kept: set[str] = set()
    for number, period_of in KEEP:
        kept |= _newest_of_each(own, number, period_of, zone)
    return [backup for backup in own if backup.file not in kept]


def notice(standing: Standing, now: datetime) -> str | None:
    """Return the sentence that the start page shows; None where all is well, or nobody wants to be told."""
    schedule, last = standing.schedule, standing.last_utc
    if schedule.folder is None:
        quiet = schedule.quiet_until_utc
        if quiet is not None and now < quiet <= now + timedelta(days=60):
            return None
        return "No automatic backups are set up. If this computer or its disk fails, every session is lost."
    if standing.drive_missing:
        return f"The folder for backups, {schedule.folder}, is not there. {_since(last, now)} Connect the drive."
    if standing.failed:
        return f"The last backup failed. {standing.failed} {_since(last, now)}"
    if last is None:
        return "The first automatic backup is made within some minutes."
    if now - last > OVERDUE_AFTER:
        return f"The backup is overdue. {_since(last, now)}"
    return None


def _since(last: datetime | None, now: datetime) -> str:
    if last is None:
        return "There is no backup yet."
    days = (now - last).days
    return (
        f"The last one is {'a day' if days == 1 else f'{days} days'} old." if days > 0 else "The last one is less than a day old."
    )


def _newest_of_each(
    backups: Sequence[BackupEntry], number: int, period_of: Callable[[datetime], Hashable], zone: tzinfo | None
) -> set[str]:
    """Return the files of the newest backup of each of the newest periods; `backups`: newest first."""
    newest: dict[Hashable, str] = {}
    for backup in backups:
        newest.setdefault(period_of(backup.made_utc.astimezone(zone)), backup.file)
    return set(list(newest.values())[:number])
