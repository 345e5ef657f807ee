import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from restbeat.service.backups.backup import verify
from restbeat.service.backups.backup_catalogue import MARKER, listed_backups
from restbeat.service.backups.nightly_backups import NightlyBackups
from restbeat.service.errors import OutputError, RefusedError
from restbeat.service.privacy.erasure import backups_holding
from restbeat.service.sessions.session_store import SessionStore

from ..stored import NOON, stored

DAY = timedelta(days=1)


class Clock:
    now = NOON


@asynccontextmanager
async def practice(tmp_path, clock, look_every_s=0.01):
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "drive").mkdir(exist_ok=True)
    async with (
        await SessionStore.open(tmp_path / "data", now_utc=lambda: clock.now) as storage,
        NightlyBackups(storage, now_utc=lambda: clock.now, look_every_s=look_every_s) as backups,
    ):
        yield storage, backups


async def until(backups, condition):
    async with asyncio.timeout(30):
        while not condition(await backups.standing()):  # noqa: ASYNC110 - what a drive holds has no event
            await asyncio.sleep(0.01)


def files(tmp_path):
    return sorted(path.name for path in (tmp_path / "drive").iterdir() if path.name != MARKER)


async def test_backups_are_made_each_night_verified_and_listed(tmp_path):
    clock = Clock()
    async with practice(tmp_path, clock) as (storage, backups):
        await stored(storage)
        await storage.flush()
        await until(backups, lambda _: backups.notice and "No automatic backups" in backups.notice)
        await backups.set_schedule(str(tmp_path / "drive"), 2, by="Ada")
        await until(backups, lambda standing: standing.last_utc == NOON and standing.last_verified)
        assert backups.notice is None
        for night in range(1, 10):
            clock.now = NOON + night * DAY
            await until(backups, lambda standing: standing.last_utc == clock.now and not standing.making)
        listed = listed_backups(tmp_path / "data")
        assert [Path(one.file).name for one in listed] == files(tmp_path)
        assert 7 <= len(listed) <= 9, "seven days, and the newest of the weeks and months before"
        assert verify(Path(listed[-1].file)).counts.packets == 4
        assert len(backups_holding(tmp_path / "data", "c-7")) == len(listed)


async def test_a_drive_that_is_not_there_is_told_nothing_is_written_in_its_place_and_its_backups_stay_known(tmp_path):
    clock, drive, away = Clock(), tmp_path / "drive", tmp_path / "away"
    async with practice(tmp_path, clock) as (storage, backups):
        await stored(storage)
        await storage.flush()
        await backups.set_schedule(str(drive), 2, by="Ada")
        await until(backups, lambda standing: standing.last_utc == NOON)
        drive.rename(away)
        drive.mkdir()  # as the empty place of a drive that is not mounted
        clock.now = NOON + DAY
        await until(backups, lambda standing: standing.drive_missing and standing.failed)
        assert "is not there" in backups.notice
        assert files(tmp_path) == []
        assert len(backups_holding(tmp_path / "data", "c-7")) == 1, "an erasure names it though its drive is away"
        with pytest.raises(OutputError, match="is the drive connected"):
            await backups.make()
        drive.rmdir()
        away.rename(drive)
        await backups.make()
        assert backups.notice is None
        assert len(files(tmp_path)) == 2


async def test_what_a_kill_left_on_the_drive_is_deleted_or_listed(tmp_path):
    async with practice(tmp_path, Clock(), look_every_s=3600) as (storage, backups):
        await stored(storage)
        await backups.set_schedule(str(tmp_path / "drive"), 2, by="Ada")
        await until(backups, lambda standing: standing.last_utc)
        (tmp_path / "drive" / ".restbeat-20260101-000000.db.part").write_bytes(b"half a copy")
        (tmp_path / "data" / "backups.jsonl").unlink()
        await backups.make()
        assert sorted(Path(one.file).name for one in listed_backups(tmp_path / "data")) == files(tmp_path)
        assert len(listed_backups(tmp_path / "data")) == len(files(tmp_path)) == 2


@pytest.mark.parametrize("folder", ["relative", "/nowhere/at/all", "{data}", "{data}/inside"])
async def test_a_folder_that_cannot_take_backups_is_refused(tmp_path, folder):
    (tmp_path / "data" / "inside").mkdir(parents=True)
    async with practice(tmp_path, Clock()) as (_, backups):
        with pytest.raises(RefusedError):
            await backups.set_schedule(folder.format(data=tmp_path / "data"), 2, by="Ada")


async def test_a_practice_that_wants_no_backups_is_reminded_a_month_later(tmp_path):
    clock = Clock()
    async with practice(tmp_path, clock) as (_, backups):
        await backups.remind_later(by="Ada")
        assert backups.notice is None
        clock.now = NOON + 31 * DAY
        assert "No automatic backups" in backups.notice
