"""Rooms on a disk that takes nothing: what they show, what is kept, and that all is stored when it takes rows again."""

import asyncio
from contextlib import closing
import sqlite3

import pytest

from restbeat.sensors.model import Phase
from restbeat.service.errors import RefusedError, StorageError
from restbeat.service.rooms.session_entries import RequestKey
from restbeat.service.sessions.session_store import SessionStore
from restbeat.service.storage.database import DATABASE

from ..practice_under_test import ADDRESS, PracticeUnderTest, flags, open_room

KEY = RequestKey(key="0123456789abcdef")


async def fill(bench):
    await bench.storage.run(lambda db: db.execute("PRAGMA max_page_count = 1").fetchone())


async def empty(bench):
    await bench.storage.run(lambda db: db.execute("PRAGMA max_page_count = 1000000").fetchone())


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - the storage has no event for a test
            await asyncio.sleep(0.02)


async def filled(bench):
    """Fill the disk, and let the room notice: its packets alone do not fill a page."""
    await fill(bench)
    for _ in range(60):
        bench.storage.put(("INSERT INTO audit (at_utc, actor, action) VALUES (?, 'restbeat', ?)", ("2026", "x" * 900)))
    await until(lambda: bench.storage.trouble is not None)


async def test_a_room_says_that_nothing_is_saved_though_its_signal_is_good(bench):
    room = await open_room(bench)
    await bench.straps[0].heard.wait()
    await filled(bench)
    await until(lambda: bench.live_feed.rooms()[0].signal == "unsaved")
    state = bench.live_feed.rooms()[0]
    assert (state.room, state.signal_text) == (room, "Not being saved")
    assert "disk is full" in state.hint
    await empty(bench)
    await until(lambda: bench.live_feed.rooms()[0].signal != "unsaved")


async def test_a_session_that_ends_on_a_full_disk_is_ended_once_when_there_is_space(bench):
    room = await open_room(bench)
    await bench.straps[0].heard.wait()
    await filled(bench)
    for leaving in ("settle", "baseline", "massage", "recovery"):
        with pytest.raises(StorageError, match="is full"):
            await bench.rooms.entries.advance(room, leaving)
    await until(lambda: bench.live_feed.rooms()[0].phase == "ended")
    assert (bench.live_feed.rooms()[0].saved, bench.live_feed.rooms()[0].signal) == (False, "unsaved")
    await empty(bench)
    await until(lambda: bench.live_feed.rooms()[0].saved)
    assert bench.live_feed.rooms()[0].signal == "ended"
    assert [row.state for row in (await bench.storage.sessions()).rows] == ["ended"]


async def test_a_session_whose_end_never_reached_the_disk_is_ended_at_the_next_start(tmp_path, worker_pool):
    storage = await SessionStore.open(tmp_path)
    bench = PracticeUnderTest(storage, worker_pool)
    async with bench.rooms:
        room = await open_room(bench)
        await bench.straps[0].heard.wait()
        await filled(bench)
        for leaving in ("settle", "baseline", "massage", "recovery"):
            with pytest.raises(StorageError):
                await bench.rooms.entries.advance(room, leaving)
    with pytest.raises(StorageError, match="in a file that the next start reads"):
        await storage.close()
    async with await SessionStore.open(tmp_path) as again, PracticeUnderTest(again, worker_pool).rooms:
        rows = (await again.sessions()).rows
        assert [row.state for row in rows] == ["ended"]
        _, events = await again.events(rows[0].session)
        assert events[-1].phase is Phase.ENDED
        assert rows[0].duration_s == pytest.approx(events[-1].t)


async def test_a_stop_and_its_flag_are_stored_together_or_neither_is(bench):
    room = await open_room(bench, client=None)
    await bench.straps[0].heard.wait()
    await filled(bench)
    with pytest.raises(StorageError, match="is full"):
        await bench.rooms.entries.stop(room, request=KEY)
    with closing(sqlite3.connect(bench.storage.folder / DATABASE)) as disk:
        assert disk.execute("SELECT (SELECT count(*) FROM mark), (SELECT count(*) FROM flag)").fetchone() == (0, 0)
    await empty(bench)
    await bench.storage.flush()
    with closing(sqlite3.connect(bench.storage.folder / DATABASE)) as disk:
        assert disk.execute("SELECT (SELECT count(*) FROM mark), (SELECT count(*) FROM flag)").fetchone() == (1, 1)
    await bench.rooms.entries.stop(room, request=KEY)
    assert await flags(bench) == ["Pain increased – stopped"]


async def test_an_undo_that_could_not_be_stored_is_done_once_when_it_is_sent_again(bench):
    room = await open_room(bench)
    await bench.straps[0].heard.wait()
    entry = await bench.rooms.entries.pain(room, 4)
    await filled(bench)
    with pytest.raises(StorageError):
        await bench.rooms.undo(room, entry.number)
    await empty(bench)
    await bench.rooms.undo(room, entry.number)
    with closing(sqlite3.connect(bench.storage.folder / DATABASE)) as disk:
        assert disk.execute("SELECT (SELECT count(*) FROM pain), (SELECT count(*) FROM correction)").fetchone() == (0, 1)


async def test_no_session_begins_where_the_disk_has_no_room_for_an_hour(bench):
    bench.storage._writer.free_bytes = 5_000_000
    with pytest.raises(RefusedError, match=r"5 MB left.*Free some space"):
        await open_room(bench, ADDRESS)
    bench.storage._writer.free_bytes = 20_000_000
    assert (bench.storage.trouble.code, bench.storage.trouble.saves) == ("low-space", True)
    await open_room(bench, ADDRESS)


async def test_an_end_that_is_stored_late_does_not_show_the_old_session_in_place_of_the_next(bench, monkeypatch):
    stored, gate = bench.storage.end_session, asyncio.Event()

    async def late(*arguments):
        await gate.wait()
        await stored(*arguments)

    monkeypatch.setattr(bench.storage, "end_session", late)
    room = await open_room(bench)
    for leaving in ("settle", "baseline", "massage", "recovery"):
        await bench.rooms.entries.advance(room, leaving)
    first = bench.live_feed.rooms()[0].session
    await until(lambda: bench.rooms._rooms.holder(ADDRESS) is None)
    assert await open_room(bench) == room
    assert bench.live_feed.rooms()[0].session == first + 1
    shown, publish = [], bench.live_feed.publish
    monkeypatch.setattr(bench.live_feed, "publish", lambda state, *beats: (shown.append(state.session), publish(state, *beats)))
    gate.set()
    async with asyncio.timeout(30):
        while (await bench.storage.session(first)).state != "ended":  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await until(lambda: len(shown) > 1)
    assert set(shown) == {first + 1}
