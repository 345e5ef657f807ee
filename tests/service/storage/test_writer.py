"""The database thread: a full disk loses nothing, no caller is blocked, a kill costs at most a second."""

import asyncio
import signal
import sqlite3
import time

import pytest

from restbeat.sensors.recordings.recording import ConnectionEvent, Mark, Packet, Pain
from restbeat.service.errors import (
    DiskFullError,
    StorageError,
)
from restbeat.service.sessions.session_store import NewSession, SessionStore
from restbeat.service.storage.database import DATABASE

from ..stored import EVENTS, NOON, stored, writing_child


@pytest.fixture
async def storage(tmp_path):
    async with await SessionStore.open(tmp_path, now_utc=lambda: NOON) as opened:
        yield opened


async def test_rows_are_committed_within_the_batch_time(tmp_path):
    async with await SessionStore.open(tmp_path, batch_s=0.05) as storage:
        await stored(storage)
        with sqlite3.connect(tmp_path / DATABASE) as other:
            async with asyncio.timeout(5):
                while other.execute("SELECT count(*) FROM packet").fetchone()[0] < 4:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        other.close()


async def test_a_full_disk_loses_nothing_and_says_so_until_there_is_room(tmp_path, caplog):
    async with await SessionStore.open(tmp_path, batch_s=0.02) as storage:
        session = await storage.create_session(NewSession(source="x"))

        def cap(pages):
            return lambda db: db.execute(f"PRAGMA max_page_count = {pages}").fetchone()[0]

        used = await storage._writer.call(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
        await storage._writer.call(cap(used))
        events = [Packet(float(i), "2a37", bytes(500)) for i in range(100)]
        for event in events[:60]:
            storage.append(session, event)
        with pytest.raises(StorageError, match=r"disk .* is full.*60 entries wait in memory"):
            await storage.flush()
        assert (storage.trouble.code, storage.trouble.waiting, storage.trouble.saves) == ("disk-full", 60, False)
        assert "leave restbeat running" in storage.trouble.sentence
        assert "cannot be written" in caplog.text
        with pytest.raises(DiskFullError, match="free some space"):
            await storage.put_report(session, "restbeat-1", b'"' + b"x" * 9999 + b'"')
        with pytest.raises(StorageError, match="is full"):
            await storage.end_session(session, NOON, 100.0)
        for event in events[60:]:
            storage.append(session, event)
        await storage._writer.call(cap(100_000))
        await storage.flush()
        assert storage.trouble is None
        assert (await storage.events(session))[1] == events


async def test_closing_on_a_full_disk_reports_how_many_rows_are_lost(tmp_path):
    storage = await SessionStore.open(tmp_path)
    session = await storage.create_session(NewSession(source="x"))
    await storage._writer.call(lambda db: db.execute("PRAGMA max_page_count = 1").fetchone())
    for i in range(60):
        storage.append(session, Packet(float(i), "2a37", bytes(500)))
    with pytest.raises(StorageError, match="60 entries could not be stored"):
        await storage.close()
    with pytest.raises(StorageError, match="closed"):
        storage.append(session, Pain(60.0, 1))
    with pytest.raises(StorageError, match="closed"):
        await storage.sessions()


async def test_an_invalid_row_does_not_delay_the_others(storage, caplog):
    session = await storage.create_session(NewSession(source="x"))
    for event in [Pain(1.0, 3), Pain(2.0, 2**70), Pain(3.0, 11), Mark(4.0, note="\ud800"), Pain(5.0, 4)]:
        storage.append(session, event)
    assert (await storage.events(session))[1] == [Pain(1.0, 3), Pain(5.0, 4)]
    assert (storage.trouble.code, storage.trouble.saves) == ("refused", True)
    assert "All others are" in storage.trouble.sentence
    assert caplog.text.count("A row was refused") == 3


async def test_a_cancelled_caller_neither_loses_nor_doubles_a_row(storage):
    session = await stored(storage)
    flush = asyncio.create_task(storage.flush())
    await asyncio.sleep(0)
    flush.cancel()
    assert (await storage.events(session))[1] == EVENTS


@pytest.mark.alone
async def test_appending_does_not_wait_for_a_busy_disk(storage):
    session = await storage.create_session(NewSession(source="x"))
    slow = asyncio.create_task(storage._writer.call(lambda _db: time.sleep(0.5)))
    await asyncio.sleep(0.02)
    start = time.perf_counter()
    for event in EVENTS * 100:
        storage.append(session, event)
    assert time.perf_counter() - start < 0.25
    assert not slow.done()
    await slow


@pytest.mark.alone
async def test_commits_of_two_hundred_rows_take_far_less_than_a_second(tmp_path, record_property):
    async with await SessionStore.open(tmp_path) as storage:
        session = await storage.create_session(NewSession(source="x"))
        took_ms = []
        for batch in range(100):
            for i in range(200):
                storage.append(session, Packet(batch + i / 200, "2a37", bytes(8)))
            start = time.perf_counter()
            await storage.flush()
            took_ms.append(1000 * (time.perf_counter() - start))
    p50, p99 = sorted(took_ms)[50], sorted(took_ms)[99 - 1]
    record_property("commit_p50_ms", round(p50, 2))
    record_property("commit_p99_ms", round(p99, 2))
    assert p99 < 500


async def test_a_killed_process_has_everything_up_to_its_last_second(tmp_path):
    child = writing_child(tmp_path)
    with child:
        lines = [child.stdout.readline() for _ in range(150)]
        child.send_signal(signal.SIGKILL)
        killed = time.time()
        lines += child.stdout.readlines()
    appended = [(int(number), float(at)) for number, at in (line.split() for line in lines)]
    must_be_there = [number for number, at in appended if at < killed - 1.0]
    assert len(must_be_there) > 20
    async with await SessionStore.open(tmp_path) as storage:
        (cut,) = await storage.interrupted()
        _, events = await storage.events(cut.session)
        numbers = [int.from_bytes(event.payload, "little") for event in events]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= len(must_be_there)
        assert cut.last_s == events[-1].t
        await storage.resume(cut.session)
        storage.append(cut.session, ConnectionEvent(cut.last_s + 5, up=False))
        assert len((await storage.events(cut.session))[1]) == len(numbers) + 1
