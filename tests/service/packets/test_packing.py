import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta
import random
import sqlite3

import pytest

from restbeat.sensors.model import Phase
from restbeat.sensors.recordings.recording import Packet, PhaseStart
from restbeat.service.backups.backup import take_backup, verify
from restbeat.service.errors import DamagedChunkError
from restbeat.service.packets.packing import Packing, next_piece, put_in_place
from restbeat.service.privacy.erasure import erase
from restbeat.service.sessions.session_store import SessionStore
from restbeat.service.storage.database import DATABASE

from ..stored import EVENTS, HEADER, NOON, stored

ENDED = NOON + timedelta(minutes=10)
LATER = ENDED + timedelta(hours=2)


def beats(count, seed=1):
    """Return the packets of a strap that sends each second, at times with every bit a clock has."""
    chance = random.Random(seed)
    return [
        Packet(n + chance.random() / 50, "2a37", bytes([0x10, 60 + chance.randrange(20), chance.randrange(256), 3]))
        for n in range(count)
    ]


async def ended(storage, events=EVENTS):
    session = await stored(storage, HEADER, events)
    await storage.end_session(session, ENDED, 600.0)
    return session


def packing(storage):
    return Packing(storage, now_utc=lambda: LATER)


async def pack_all(storage):
    pieces = 0
    while await packing(storage).pack_one():
        pieces += 1
    return pieces


def rows(folder, table="packet"):
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        return db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


async def test_a_packed_session_reads_back_bit_for_bit_and_its_rows_are_gone(tmp_path):
    async with await SessionStore.open(tmp_path) as storage:
        sessions = [await ended(storage), await ended(storage, [*EVENTS, *beats(8000)]), await ended(storage, [])]
        before = [await storage.events(session) for session in sessions]
        counted = [await storage.session(session) for session in sessions]
        assert await pack_all(storage) == 1 + 5 + 3, "a piece, five of the long one, and the word that each is packed"
        assert [await storage.events(session) for session in sessions] == before
        assert [await storage.session(session) for session in sessions] == counted
        assert (rows(tmp_path), rows(tmp_path, "packet_chunk")) == (0, 6)
        assert await pack_all(storage) == 0


async def test_what_ended_within_the_hour_or_is_running_stays_in_rows(tmp_path):
    async with await SessionStore.open(tmp_path) as storage:
        await stored(storage)
        await ended(storage)
        assert not await Packing(storage, now_utc=lambda: ENDED + timedelta(minutes=59)).pack_one()


async def test_a_session_that_is_reopened_goes_on_after_its_packed_packets(tmp_path):
    async with await SessionStore.open(tmp_path) as storage:
        session = await ended(storage, beats(100))
        await pack_all(storage)
        await storage.reopen(session)
        assert storage.append(session, Packet(100.5, "2a37", b"\x10\x40\x00\x04")) == 100
        storage.append(session, PhaseStart(101.0, Phase.ENDED))
        assert not await packing(storage).pack_one(), "it is running"
        await storage.end_session(session, ENDED, 101.0)
        _, events = await storage.events(session)
        assert [event.t for event in events[-2:]] == [100.5, 101.0]
        assert len(events) == 102
        assert await pack_all(storage) == 2
        assert (await storage.events(session))[1] == events


async def test_a_session_cut_off_after_it_was_reopened_resumes_after_its_packed_packets(tmp_path):
    async with await SessionStore.open(tmp_path) as storage:
        session = await ended(storage, beats(100))
        await pack_all(storage)
        await storage.reopen(session)
    async with await SessionStore.open(tmp_path) as storage:
        interrupted = await storage.resume(session)
        assert interrupted.last_s == beats(100)[-1].t
        assert storage.append(session, Packet(100.5, "2a37", b"")) == 100


async def test_a_piece_is_not_put_in_place_of_what_has_changed_meanwhile(tmp_path):
    async with await SessionStore.open(tmp_path) as storage:
        session = await ended(storage, beats(50))
        piece = await storage.read(lambda db: next_piece(db, LATER))
        await storage.run(lambda db: db.execute("UPDATE packet SET t_s = 0.5 WHERE seq = 7") and db.conn.commit())
        assert not await storage.run(lambda db: put_in_place(db, piece, LATER))
        again = await storage.read(lambda db: next_piece(db, LATER))
        await storage.reopen(session)
        assert not await storage.run(lambda db: put_in_place(db, again, LATER)), "it runs again"
        assert (rows(tmp_path), rows(tmp_path, "packet_chunk")) == (50, 0)


async def test_the_same_piece_twice_is_put_in_place_once(tmp_path):
    async with await SessionStore.open(tmp_path) as storage:
        session = await ended(storage, beats(50))
        piece = await storage.read(lambda db: next_piece(db, LATER))
        assert await storage.run(lambda db: put_in_place(db, piece, LATER))
        assert not await storage.run(lambda db: put_in_place(db, piece, LATER))
        assert len((await storage.events(session))[1]) == 50


async def test_a_backup_counts_packed_packets_and_an_erasure_erases_them(tmp_path):
    out = tmp_path / "out.db"
    async with await SessionStore.open(tmp_path) as storage:
        await ended(storage, beats(500))
        await pack_all(storage)
        await stored(storage, HEADER, beats(20))
        await storage.flush()
        assert take_backup(tmp_path, out).counts.packets == verify(out).counts.packets == 520
        gone = await storage.run(lambda db: erase(db, tmp_path, HEADER.client, "Ada", LATER))
        assert gone.packets == 520
        assert rows(tmp_path, "packet_chunk") == 0


async def test_a_damaged_chunk_is_told_and_no_other_session_is_harmed(tmp_path):
    async with await SessionStore.open(tmp_path) as storage:
        damaged, sound = await ended(storage), await ended(storage)
        await pack_all(storage)
        change = "UPDATE packet_chunk SET data = CAST(substr(data, 1, length(data) - 1) || x'ff' AS BLOB) WHERE session = ?"
        await storage.run(lambda db: db.execute(change, (damaged,)) and db.conn.commit())
        with pytest.raises(DamagedChunkError, match="Restore a backup"):
            await storage.events(damaged)
        assert (await storage.events(sound))[1]


async def test_the_task_packs_older_sessions_beside_one_that_runs(tmp_path):
    async with await SessionStore.open(tmp_path) as storage:
        older = [await ended(storage, beats(300, seed)) for seed in range(3)]
        running = await stored(storage, HEADER, beats(5))
        before = [await storage.events(session) for session in (*older, running)]
        async with packing(storage), asyncio.timeout(20):
            while (
                await storage.run(lambda db: db.execute("SELECT count(*) FROM packet").fetchone()[0])
            ) > 5:  # each look waits its turn behind the packing
                pass
        assert [await storage.events(session) for session in (*older, running)] == before
        assert rows(tmp_path) == 5


def test_the_next_session_to_pack_is_looked_up_without_a_scan(tmp_path):
    from restbeat.service.storage.database import open_database

    with closing(open_database(tmp_path)) as db:
        asked = []
        db.conn.set_trace_callback(asked.append)
        next_piece(db, datetime.now(UTC))
        db.conn.set_trace_callback(None)
        plans = [row[3] for sql in asked for row in db.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert plans
    assert not [plan for plan in plans if plan.startswith("SCAN")]
