"""Rooms over a real database and a real worker; straps are written by hand."""

import asyncio

import pytest

from restbeat.sensors.clock import FlatOutClock, RunningClock
from restbeat.sensors.model import Device, Phase
from restbeat.sensors.recordings.recording import Header, PhaseStart, Recording
from restbeat.sensors.source import ReplaySource
from restbeat.service.errors import RefusedError, StrapTakenError, UnknownRoomError, UnknownSessionError
from restbeat.service.radio.radio import StrapSeen
from restbeat.service.settings import Settings

from ...sensors.conftest import until
from ..practice_under_test import PACKETS, ended, open_room


async def test_a_session_on_a_strap_runs_from_settling_to_a_stored_report(bench):
    room = await open_room(bench, client="M-014")
    await bench.straps[0].heard.wait()
    (state,) = bench.live_feed.rooms()
    assert (state.room, state.client, state.phase, state.strap) == (room, "M-014", "settle", "H10")
    for leaving, following in (("settle", "baseline"), ("baseline", "massage"), ("massage", "recovery"), ("recovery", "ended")):
        assert await bench.rooms.entries.advance(room, leaving) == following
    await ended(bench, state.session)
    row, report = await bench.reports.of(state.session)
    assert (row.state, row.client, row.source) == ("ended", "M-014", "H10")
    assert report.figures.integrity.packets == len(PACKETS)


async def test_a_second_press_of_the_same_button_is_refused_with_a_sentence(bench):
    room = await open_room(bench, kind="rest")
    await bench.rooms.entries.advance(room, "settle")
    with pytest.raises(RefusedError, match="settle is over already: this is baseline"):
        await bench.rooms.entries.advance(room, "settle")


async def test_the_live_figures_are_checked_against_neurokit2_while_the_session_runs(bench, monkeypatch):
    monkeypatch.setattr("restbeat.service.rooms.room._CHECK_EVERY_S", 0.01)
    await open_room(bench)
    async with asyncio.timeout(60):
        while bench.live_feed.rooms()[0].checked is None:  # noqa: ASYNC110 - it comes with one of the next states
            await asyncio.sleep(0.05)
    checked = bench.live_feed.rooms()[0].checked
    assert (checked.compared, checked.differences) == (6, [])


async def test_a_strap_serves_one_room_only(bench):
    await open_room(bench)
    with pytest.raises(RefusedError, match="Room 1 holds this strap"):
        await open_room(bench)
    assert [strap.room for strap in bench.rooms.straps()] == ["room-1"]
    assert len((await bench.reports.sessions()).rows) == 1


async def test_a_room_is_named_after_its_proxy_and_two_near_one_proxy_are_numbered(bench):
    bench.air.seen = [
        StrapSeen(f"A0:9E:1A:00:00:0{n}", "H10", -60, None, near) for n, near in enumerate(["Blue room"] * 3 + [None])
    ]
    for strap in bench.air.seen:
        await open_room(bench, strap.address)
    assert [state.name for state in bench.live_feed.rooms()] == ["Blue room", "Blue room 2", "Blue room 3", "Room 4"]
    assert [strap.room_name for strap in bench.rooms.straps()] == ["Blue room", "Blue room 2", "Blue room 3", "Room 4"]
    with pytest.raises(RefusedError, match="Blue room 2 holds this strap"):
        await open_room(bench, bench.air.seen[1].address)


async def test_unknown_rooms_and_sessions_are_refused_with_a_sentence(bench):
    with pytest.raises(UnknownRoomError):
        await bench.rooms.entries.advance("room-9", "settle")
    with pytest.raises(UnknownSessionError):
        await bench.reports.of(99)
    with pytest.raises(RefusedError):
        await bench.rooms.resume(99)
    with pytest.raises(RefusedError):
        await bench.rooms.close(99)


async def test_the_summary_of_a_running_session_covers_what_was_recorded_so_far(bench):
    await open_room(bench)
    await bench.straps[0].heard.wait()
    session = bench.live_feed.rooms()[0].session
    await bench.storage.flush()
    row, report = await bench.reports.of(session)
    assert (row.state, report.figures.integrity.beats) == ("running", 90)
    assert (await bench.reports.picture(session)).lstrip().startswith("<")


async def test_a_replayed_recording_ends_by_its_own_events_and_its_room_is_free_again(bench):
    lines = (PhaseStart(0.0, Phase.BASELINE), *PACKETS, PhaseStart(91.0, Phase.ENDED))
    source = ReplaySource(Recording(Header(), lines))
    room = await bench.rooms.start("replay-1", source, FlatOutClock(), Header(Device(name="H10")))
    await ended(bench, 1)
    again = await bench.rooms.start("replay-1", source, FlatOutClock(), Header())
    assert again == room
    await ended(bench, 2)


async def test_the_next_session_on_a_strap_begins_when_the_last_has_let_go_of_it_and_is_the_one_shown(bench):
    letting_go, gone = asyncio.Event(), asyncio.Event()

    class Slow:
        async def items(self, clock):
            try:
                yield PACKETS[0]
                await asyncio.Event().wait()
            finally:
                letting_go.set()
                await gone.wait()

    room = await bench.rooms.start("x", Slow(), RunningClock(), Header())
    first = bench.live_feed.rooms()[0].session
    for leaving in ("settle", "baseline", "massage", "recovery"):
        await bench.rooms.entries.advance(room, leaving)
    await letting_go.wait()
    following = asyncio.create_task(bench.rooms.start("x", Slow(), RunningClock(), Header()))
    begun, _ = await asyncio.wait({following}, timeout=0.5)
    gone.set()
    assert not begun
    assert await following == room
    assert bench.live_feed.rooms()[0].session == first + 1


async def test_a_strap_that_an_ended_session_does_not_let_go_of_is_refused_in_a_sentence(bench, monkeypatch):
    gone = asyncio.Event()
    monkeypatch.setattr("restbeat.service.rooms.room_registry._LET_GO_S", 0.05)

    class Stuck:
        async def items(self, clock):
            try:
                yield PACKETS[0]
                await asyncio.Event().wait()
            finally:
                await gone.wait()

    room = await bench.rooms.start("x", Stuck(), RunningClock(), Header())
    await until(lambda: bench.live_feed.rooms()[0].age_s is not None)
    for leaving in ("settle", "baseline", "massage", "recovery"):
        await bench.rooms.entries.advance(room, leaving)
    with pytest.raises(StrapTakenError, match="still holds this strap"):
        await bench.rooms.start("x", Stuck(), RunningClock(), Header())
    gone.set()


async def test_a_source_that_fails_is_logged_and_its_session_kept(bench, caplog):
    class Broken:
        async def items(self, clock):
            yield PACKETS[0]
            raise OSError("radio on fire")

    await bench.rooms.start("x", Broken(), RunningClock(), Header())
    async with asyncio.timeout(5):
        while "radio on fire" not in caplog.text:  # noqa: ASYNC110 - a log tells nobody
            await asyncio.sleep(0.01)
    assert len((await bench.reports.sessions()).rows) == 1


async def test_a_request_that_fails_in_a_rooms_task_is_logged_with_its_traceback(bench, caplog, monkeypatch):
    async def make(_):
        raise UnknownSessionError("There is no session 1.")

    monkeypatch.setattr(bench.rooms._reports, "make", make)
    await bench.rooms.start(
        "x", ReplaySource(Recording(Header(), (*PACKETS, PhaseStart(91.0, Phase.ENDED)))), FlatOutClock(), Header()
    )
    async with asyncio.timeout(5):
        while "There is no session 1." not in caplog.text:  # noqa: ASYNC110 - a log tells nobody
            await asyncio.sleep(0.01)
    assert "UnknownSessionError" in caplog.text


async def test_settings_are_kept_and_shape_the_next_session(bench):
    await bench.settings.write(Settings(techniques=("Swedish",), baseline_s=600.0), by="Ada")
    assert (await bench.settings.read()).techniques == ("Swedish",)
    room = await open_room(bench)
    await bench.rooms.entries.advance(room, "settle")
    (state,) = bench.live_feed.rooms()
    assert state.target_s == 600.0
