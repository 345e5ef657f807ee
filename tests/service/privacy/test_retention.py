"""Deletion of sessions older than the practice keeps them."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from restbeat.sensors.recordings.recording import Header, Mark
from restbeat.service.privacy.retention import Retention
from restbeat.service.sessions.session_store import NewSession, SessionStore
from restbeat.service.settings import Settings, write_settings
from restbeat.service.storage.database import DATABASE

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
async def storage(tmp_path):
    async with await SessionStore.open(tmp_path) as storage:
        for months in (30, 13, 1):
            ended = NOW - timedelta(days=30.44 * months)
            new = NewSession(header=Header(client="M-014"), source="H10", began_utc=ended)
            session = await storage.create_session(new)
            storage.append(session, Mark(1.0, note=f"sentinel {months}"))
            await storage.end_session(session, ended, 60.0)
        await storage.create_session(NewSession(source="H10", began_utc=NOW - timedelta(days=4000)))
        yield storage


async def kept(storage):
    return [row.session for row in sorted((await storage.sessions()).rows, key=lambda row: row.session)]


async def test_nothing_is_deleted_unless_the_practice_says_so(storage):
    async with Retention(storage, now_utc=lambda: NOW):
        await asyncio.sleep(0)
        await storage.flush()
    assert await kept(storage) == [1, 2, 3, 4]


async def test_outdated_sessions_are_deleted_and_running_or_newer_ones_stay(storage, tmp_path):
    await storage.run(lambda db: write_settings(db, Settings(keep_months=12), "Ada", NOW))
    async with Retention(storage, now_utc=lambda: NOW):
        await asyncio.sleep(0)
        await storage.flush()
    assert await kept(storage) == [3, 4]
    log = await storage.run(lambda db: db.execute("SELECT actor, action, detail FROM audit ORDER BY id DESC LIMIT 1").fetchone())
    assert tuple(log) == ("restbeat", "outdated sessions deleted", "2, kept for 12 months")
    live = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.name.startswith(DATABASE))
    assert [f"sentinel {months}".encode() in live for months in (30, 13, 1)] == [False, False, True]


async def test_nothing_is_deleted_by_a_clock_that_was_set_forward(storage, caplog):
    await storage.run(lambda db: write_settings(db, Settings(keep_months=12), "Ada", NOW))
    async with Retention(storage, now_utc=lambda: NOW + timedelta(days=365)):
        await asyncio.sleep(0)
        await storage.flush()
    assert await kept(storage) == [1, 2, 3, 4]
    assert "clock" in caplog.text
