"""Sessions that were cut off, or went on after their end: taken up with their gap or ended there, and no press counts twice."""

import asyncio
from datetime import timedelta

import pytest

from restbeat.sensors.model import Device, Phase
from restbeat.sensors.recordings.recording import ConnectionEvent, Header, Mark, PhaseStart
from restbeat.service.errors import RefusedError, UnconfirmedError
from restbeat.service.rooms.session_entries import RequestKey
from restbeat.service.sessions.session_store import SessionStore

from ..practice_under_test import ADDRESS, NOW, PracticeUnderTest, ended, flags, open_room, reopened


async def test_an_interrupted_session_can_be_resumed_with_a_gap(tmp_path, worker_pool):
    session, bench = await reopened(tmp_path, worker_pool)
    async with bench.storage, bench.rooms:
        (row,) = (await bench.reports.sessions()).rows
        assert (row.state, row.duration_s) == ("interrupted", 90.0)
        room = await bench.rooms.resume(session)
        (state,) = bench.live_feed.rooms()
        assert (state.session, state.phase) == (session, "baseline")
        assert state.now_s == pytest.approx(120, abs=5)
        assert await bench.rooms.entries.advance(room, "baseline") == "massage"
        await bench.storage.flush()
        _, events = await bench.storage.events(session)
        assert any(isinstance(event, ConnectionEvent) and not event.up for event in events)


async def test_a_session_resumed_on_a_sensor_with_smoothed_intervals_has_no_earlier_hrv_either(tmp_path, worker_pool):
    session, bench = await reopened(tmp_path, worker_pool, Header(Device(name="Polar OH1 21A3F22B", address=ADDRESS)))
    async with bench.storage, bench.rooms:
        await bench.rooms.resume(session)
        (state,) = bench.live_feed.rooms()
        assert (state.phase, state.baseline_rmssd_ms) == ("baseline", None)


async def test_an_interrupted_session_can_be_ended_at_its_last_event(tmp_path, worker_pool):
    session, bench = await reopened(tmp_path, worker_pool)
    async with bench.storage, bench.rooms:
        await bench.rooms.close(session)
        row, report = await bench.reports.of(session)
        assert (row.state, row.duration_s, report.figures.integrity.beats) == ("ended", 90.0, 90)


async def test_a_session_without_a_strap_can_only_be_ended(tmp_path, worker_pool):
    session, bench = await reopened(tmp_path, worker_pool, Header())
    async with bench.storage, bench.rooms:
        with pytest.raises(RefusedError, match="no strap"):
            await bench.rooms.resume(session)


async def test_sessions_can_be_resumed_after_the_rooms_are_left(tmp_path, worker_pool):
    async with await SessionStore.open(tmp_path) as storage:
        bench = PracticeUnderTest(storage, worker_pool)
        async with bench.rooms:
            await open_room(bench)
            await bench.straps[0].heard.wait()
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
    async with await SessionStore.open(tmp_path) as storage:
        assert [cut.last_s for cut in await storage.interrupted()] == [90.0]


async def test_the_end_of_a_session_can_be_undone_and_it_continues_after_a_gap(bench):
    room = await open_room(bench, client="M-014")
    await bench.straps[0].heard.wait()
    for leaving in ("settle", "baseline", "massage", "recovery"):
        await bench.rooms.entries.advance(room, leaving, by="Ada")
    (state,) = bench.live_feed.rooms()
    await ended(bench, state.session)
    await bench.rooms.undo(room, state.actions[0].number, by="Ada")
    (again,) = bench.live_feed.rooms()
    assert (again.session, again.phase, again.client) == (state.session, "recovery", "M-014")
    assert len(bench.straps) == 2
    assert await bench.storage.report(state.session) is None
    await bench.storage.flush()
    _, events = await bench.storage.events(state.session)
    assert isinstance(events[-1], ConnectionEvent)
    assert not any(isinstance(event, PhaseStart) and event.phase is Phase.ENDED for event in events)
    await bench.rooms.entries.advance(room, "recovery", by="Ada")
    await ended(bench, state.session)


async def test_a_press_sent_again_after_a_crash_counts_once_in_its_own_session_and_room(tmp_path, worker_pool):
    press = RequestKey(key="press-00001")
    async with await SessionStore.open(tmp_path) as storage:
        bench = PracticeUnderTest(storage, worker_pool)
        async with bench.rooms:
            await open_room(bench, "A0:9E:1A:00:00:09")
            room = await open_room(bench)
            session = bench.live_feed.rooms()[1].session
            for leaving in ("settle", "baseline"):
                await bench.rooms.entries.advance(room, leaving, request=RequestKey(key=f"leaving {leaving}", session=session))
            await bench.rooms.entries.mark(room, Mark(0.0, technique="Kneading"), request=press)
            await bench.rooms.entries.stop(room, request=RequestKey(key="press-00002"))
            query = "SELECT count(*) FROM mark"
            assert await storage.run(lambda db: db.execute(query).fetchone()[0]) == 2
    async with await SessionStore.open(tmp_path) as storage:
        bench = PracticeUnderTest(storage, worker_pool)
        async with bench.rooms:
            assert await bench.rooms.resume(session) == room == "room-2"
            again = await bench.rooms.entries.mark(room, Mark(0.0, technique="Kneading"), ago_s=40.0, request=press)
            assert (again.text, again.left_s) == ("Kneading", 0.0)
            assert (await bench.rooms.entries.stop(room, request=RequestKey(key="press-00002"))).kind == "stop"
            assert await bench.rooms.entries.advance(room, "baseline", request=RequestKey(key="leaving baseline")) == "recovery"
            assert [mark.text for mark in bench.rooms.story(room).marks] == ["Kneading", "Pain increased – stopped"]
            with pytest.raises(RefusedError, match=f"meant for session 99; Room 2 now holds session {session}"):
                await bench.rooms.entries.pain(room, 3, request=RequestKey(key="press-00003", session=99))
            assert len(await flags(bench)) == 1


async def test_a_session_of_the_day_before_is_resumed_only_where_that_is_confirmed(tmp_path, worker_pool):
    session, bench = await reopened(tmp_path, worker_pool)
    bench.rooms._now_utc = lambda: NOW + timedelta(days=365)  # or the computer's clock was set forward by a year
    async with bench.storage, bench.rooms:
        with pytest.raises(UnconfirmedError, match="more than a day ago"):
            await bench.rooms.resume(session)
        assert [row.state for row in (await bench.reports.sessions()).rows] == ["interrupted"]
        await bench.rooms.resume(session, confirmed=True)
        (state,) = bench.live_feed.rooms()
        assert state.now_s == pytest.approx(90 + 86400, abs=5)


async def test_a_clock_set_back_lets_a_resumed_session_go_on_where_it_was(tmp_path, worker_pool):
    session, bench = await reopened(tmp_path, worker_pool)
    bench.rooms._now_utc = lambda: NOW - timedelta(days=400)
    async with bench.storage, bench.rooms:
        await bench.rooms.resume(session)
        (state,) = bench.live_feed.rooms()
        assert state.now_s == pytest.approx(90, abs=5)
