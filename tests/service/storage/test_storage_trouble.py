"""Troubles of the disk: each is told, loses nothing, and ends by itself where it can."""

import asyncio
from contextlib import closing
import os
import sqlite3
import subprocess
import sys
import threading

import pytest

from restbeat.sensors.recordings.recording import Mark, Packet, Pain
from restbeat.service.errors import ForeignDatabaseError, StorageError
from restbeat.service.sessions.session_store import NewSession, SessionStore
from restbeat.service.storage.database import DATABASE
from restbeat.service.storage.spill import spill_paths

from ..stored import NOON

WAL = f"{DATABASE}-wal"
LOCKER = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
async def storage(tmp_path):
    async with await SessionStore.open(tmp_path, now_utc=lambda: NOON, batch_s=0.05) as opened:
        yield opened


@pytest.fixture
async def session(storage):
    return await storage.create_session(NewSession(source="x"))


def scores(folder, session, name=DATABASE):
    with closing(sqlite3.connect(folder / name)) as db:
        return [row[0] for row in db.execute("SELECT score FROM pain WHERE session = ? ORDER BY t_s", (session,))]


async def until(condition):
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the storage has no event for a test
            await asyncio.sleep(0.02)


async def test_a_deleted_database_is_put_back_with_all_that_was_stored_and_entries_go_on(tmp_path, storage, session, caplog):
    storage.append(session, Pain(1.0, 3))
    await storage.flush()
    for name in (DATABASE, WAL, f"{DATABASE}-shm"):
        (tmp_path / name).unlink()
    storage.append(session, Pain(2.0, 4))
    await storage.flush()
    assert scores(tmp_path, session) == [3, 4]
    assert storage.trouble is None
    assert "was moved while restbeat ran" in caplog.text
    assert len((await storage.events(session))[1]) == 2, "readers look at the new file too"


async def test_a_deleted_write_ahead_log_costs_nothing(tmp_path, storage, session):
    storage.append(session, Pain(1.0, 3))
    await storage.flush()
    (tmp_path / WAL).unlink()
    storage.append(session, Pain(2.0, 4))
    await storage.flush()
    assert scores(tmp_path, session) == [3, 4]
    await storage.close()
    async with await SessionStore.open(tmp_path) as again:
        assert len((await again.events(session))[1]) == 2


async def test_a_deleted_database_is_noticed_while_nothing_is_entered(tmp_path, storage, session):
    (tmp_path / DATABASE).unlink()
    await until((tmp_path / DATABASE).exists)
    assert len((await storage.sessions()).rows) == 1


async def test_a_replaced_database_is_left_and_everything_goes_on_in_a_rescue_copy(tmp_path, storage, session):
    storage.append(session, Pain(1.0, 3))
    await storage.flush()
    (tmp_path / "other").write_bytes(b"another program's file")
    (tmp_path / "other").replace(tmp_path / DATABASE)
    storage.append(session, Pain(2.0, 4))
    await storage.flush()
    rescued = next(tmp_path.glob("restbeat-rescued-*.db")).name
    assert scores(tmp_path, session, rescued) == [3, 4]
    assert (tmp_path / DATABASE).read_bytes() == b"another program's file"
    assert (storage.trouble.code, storage.trouble.saves) == ("replaced", True)
    assert len((await storage.sessions()).rows) == 1
    await storage.close()
    with pytest.raises(ForeignDatabaseError, match="rescued"):
        await SessionStore.open(tmp_path)


async def test_nothing_is_answered_where_the_database_is_gone_and_cannot_be_put_back(tmp_path, storage, session, monkeypatch):
    def full(_connection, _copy, **_options):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("restbeat.service.storage.database_file.DatabaseFile._copy_to", full)
    (tmp_path / DATABASE).unlink()
    storage.append(session, Pain(1.0, 3))
    with pytest.raises(StorageError):
        await storage.flush()
    assert (storage.trouble.code, storage.trouble.saves) == ("moved", False)
    monkeypatch.undo()
    await storage.flush()
    assert scores(tmp_path, session) == [3]
    assert storage.trouble is None


async def test_a_lock_of_another_program_is_told_and_pages_are_read_meanwhile(tmp_path, storage, session):
    command = [sys.executable, "-c", LOCKER, str(tmp_path / DATABASE)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as locker:  # noqa: ASYNC220
        locker.stdout.readline()
        await until(lambda: storage.trouble is not None)
        assert storage.trouble.code == "locked"
        storage.append(session, Pain(1.0, 3))
        with pytest.raises(StorageError, match="Another program"):
            await storage.flush()
        writing = asyncio.create_task(storage.flush())
        await asyncio.sleep(0)
        reading = asyncio.create_task(storage.sessions())
        done, _ = await asyncio.wait({reading, writing}, return_when=asyncio.FIRST_COMPLETED)
        assert done == {reading}, "a reader waits for no lock"
        with pytest.raises(StorageError):
            await writing
        locker.stdin.write("\n")
        locker.stdin.flush()
    await storage.flush()
    assert storage.trouble is None
    assert scores(tmp_path, session) == [3]


async def test_what_a_full_disk_keeps_out_is_stored_once_at_the_next_start(tmp_path):
    storage = await SessionStore.open(tmp_path)
    session = await storage.create_session(NewSession(source="x"))
    await storage.run(lambda db: db.execute("PRAGMA max_page_count = 1").fetchone())
    events = [Packet(float(i), "2a37", bytes(500)) for i in range(60)]
    for event in events[:40]:
        storage.append(session, event)
    with pytest.raises(StorageError, match="is full"):
        await storage.flush()
    assert storage.trouble.spilled
    assert "file that the next start reads" in storage.trouble.sentence
    for event in events[40:]:
        storage.append(session, event)
    storage.correct(session, 59, events[59], None, "Ada")
    with pytest.raises(StorageError, match="61 entries could not be stored before the end, and are in a file"):
        await storage.close()
    spilled = next(path for path in spill_paths(tmp_path) if path.exists())
    kept = spilled.read_bytes()
    for _ in range(2):  # the second time as after a kill between the commit and deleting the file
        async with await SessionStore.open(tmp_path) as again:
            assert (await again.events(session))[1] == events[:-1]
            assert await again.read(lambda db: db.execute("SELECT count(*) FROM correction").fetchone()[0]) == 1
        assert not spilled.exists()
        spilled.write_bytes(kept)


async def test_a_spill_file_that_was_cut_off_gives_what_it_holds_and_a_strangers_file_nothing(tmp_path):
    storage = await SessionStore.open(tmp_path)
    session = await storage.create_session(NewSession(source="x"))
    await storage.run(lambda db: db.execute("PRAGMA max_page_count = 1").fetchone())
    events = [Mark(float(i), note="x" * 400) for i in range(60)]
    for event in events:
        storage.append(session, event)
    with pytest.raises(StorageError):
        await storage.close()
    path = spill_paths(tmp_path)[0]
    os.truncate(path, path.stat().st_size - 10)
    async with await SessionStore.open(tmp_path) as again:
        assert (await again.events(session))[1] == events[:-1]
    target = tmp_path / "kept"
    target.write_bytes(b"not ours")
    path.symlink_to(target)
    async with await SessionStore.open(tmp_path):
        assert target.read_bytes() == b"not ours"


async def test_a_disk_that_does_not_answer_is_told_while_it_does_not(storage, session, monkeypatch):
    monkeypatch.setattr("restbeat.service.storage.writer._SLOW_S", 0.1)
    release = threading.Event()
    stuck = asyncio.create_task(storage.run(lambda _db: release.wait(20)))
    storage.append(session, Pain(1.0, 3))
    await until(lambda: storage.trouble is not None)
    assert storage.trouble.code == "slow"
    release.set()
    await stuck
    await storage.flush()
    assert storage.trouble is None


async def test_rows_that_belong_together_are_stored_together_or_not_at_all(storage, session):
    with storage.together():
        storage.append(session, Pain(1.0, 3))
        storage.append(session, Pain(2.0, 11))
    storage.append(session, Pain(3.0, 5))
    assert (await storage.events(session))[1] == [Pain(3.0, 5)]


async def test_what_waits_is_bounded_heartbeats_are_left_out_and_told_and_entries_never(tmp_path, monkeypatch):
    monkeypatch.setattr("restbeat.service.storage.writer._MOST_WAITING", 50)
    async with await SessionStore.open(tmp_path, batch_s=0.02) as storage:
        session = await storage.create_session(NewSession(source="x"))
        await storage.run(lambda db: db.execute("PRAGMA max_page_count = 1").fetchone())
        for n in range(200):
            storage.append(session, Packet(float(n), "2a37", bytes(500)))
        storage.append(session, Mark(200.0, note="an entry is never left out"))
        with pytest.raises(StorageError, match="is full"):
            await storage.flush()
        assert storage.trouble.waiting == 51
        await storage.run(lambda db: db.execute("PRAGMA max_page_count = 100000").fetchone())
        await storage.flush()
        assert (storage.trouble.code, storage.trouble.saves) == ("dropped", True)
        _, events = await storage.events(session)
        assert len(events) == 51
        assert events[-1].note == "an entry is never left out"


async def test_a_deleted_shared_memory_file_costs_nothing(tmp_path, storage, session):
    storage.append(session, Pain(1.0, 3))
    await storage.flush()
    (tmp_path / f"{DATABASE}-shm").unlink()
    storage.append(session, Pain(2.0, 4))
    await storage.flush()
    assert scores(tmp_path, session) == [3, 4]
    assert storage.trouble is None


async def test_a_database_that_may_not_be_written_is_told_and_written_when_it_may(tmp_path, storage, session):
    await storage.run(lambda db: db.execute("PRAGMA query_only=ON"))
    storage.append(session, Pain(1.0, 3))
    with pytest.raises(StorageError, match="cannot be written"):
        await storage.flush()
    assert (storage.trouble.code, storage.trouble.waiting) == ("read-only", 1)
    await storage.run(lambda db: db.execute("PRAGMA query_only=OFF"))
    await storage.flush()
    assert scores(tmp_path, session) == [3]


async def test_a_page_that_is_damaged_while_restbeat_runs_is_told_by_whoever_reads_it(tmp_path, storage, session):
    for n in range(2000):
        storage.append(session, Packet(float(n), "2a37", bytes(50)))
    await storage.flush()
    await storage.run(lambda db: db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())
    with closing(sqlite3.connect(tmp_path / DATABASE)) as db:
        page = db.execute("SELECT max(pageno) FROM dbstat WHERE name = 'packet' AND pagetype = 'leaf'").fetchone()[0]
    with (tmp_path / DATABASE).open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 4096)
    with pytest.raises(ForeignDatabaseError, match="restbeat salvage"):
        await storage.events(session)
    assert (storage.trouble.code, storage.trouble.saves) == ("damaged", False)
