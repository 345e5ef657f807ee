"""Rooms over a real database and a real worker; straps are written by hand."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
import sqlite3

import msgspec
import pytest

from restbeat.analysis.figures import ALGORITHM, SessionReport
from restbeat.analysis.simulate import simulate
from restbeat.sensors.clock import FlatOutClock, RunningClock
from restbeat.sensors.model import Device, Phase
from restbeat.sensors.recording import Header, Link, Packet, PhaseStart, Recording
from restbeat.sensors.source import LinkChange, LinkState, ReplaySource
from restbeat.service.database import DATABASE
from restbeat.service.house import House
from restbeat.service.storage import NewSession, Storage
from restbeat.service.worker import Worker
from restbeat.web.live import Hub
from restbeat.web.messages import ClientView
from restbeat.web.ports import (
    AdapterState,
    Note,
    Opening,
    Press,
    RefusedError,
    Screening,
    Settings,
    StrapSeen,
    UnknownRoomError,
    UnknownSessionError,
)

ADDRESS = "A0:9E:1A:00:00:01"
PACKETS = [Packet(float(t), "2a37", bytes.fromhex("1040") + (1004 + 40 * (t % 2)).to_bytes(2, "little")) for t in range(1, 91)]
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


class Air:
    def adapter(self):
        return AdapterState(ready=True, text="Bluetooth ready")

    seen = (StrapSeen(ADDRESS, "H10", -60, None),)

    def straps(self):
        return self.seen


class Strap:
    """Sends its packets at once, then stays."""

    def __init__(self, address, packets=PACKETS):
        self.packets = packets
        self.heard = asyncio.Event()

    async def items(self, clock):
        yield LinkChange(0.0, LinkState.STREAMING)
        for packet in self.packets:
            yield packet
        self.heard.set()
        await asyncio.Event().wait()


class Bench:
    """A house, what it stands on, and the straps that it has made."""

    def __init__(self, storage, worker, **more):
        self.storage, self.worker, self.hub, self.straps = storage, worker, Hub(), []
        self.air = Air()
        clock = partial(RunningClock, start_s=91.0)  # behind the packets, which all come at once
        self.house = House(storage, worker, self.hub, self.air, self._strap, new_clock=clock, now_utc=lambda: NOW, **more)

    def _strap(self, address):
        self.straps.append(Strap(address))
        return self.straps[-1]


@pytest.fixture(scope="module")
def worker_pool():
    return Worker()


@pytest.fixture
async def bench(tmp_path, worker_pool):
    async with await Storage.open(tmp_path) as storage:
        made = Bench(storage, worker_pool)
        async with made.house:
            yield made


async def open_room(bench, address=ADDRESS, **plan):
    return await bench.house.open_room(Opening(address=address, **({"consent": True} | plan)), by="Ada")


async def ended(bench, session):
    async with asyncio.timeout(60):
        while await bench.storage.report(session) is None:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.05)


async def test_a_session_on_a_strap_goes_from_settling_to_a_stored_report(bench):
    room = await open_room(bench, client="M-014")
    await bench.straps[0].heard.wait()
    (state,) = bench.hub.rooms()
    assert (state.room, state.client, state.phase, state.strap) == (room, "M-014", "settle", "H10")
    for leaving, following in (("settle", "baseline"), ("baseline", "massage"), ("massage", "recovery"), ("recovery", "ended")):
        assert await bench.house.advance(room, leaving) == following
    await ended(bench, state.session)
    row, report = await bench.house.report(state.session)
    assert (row.state, row.client, row.source) == ("ended", "M-014", "H10")
    assert report.figures.integrity.packets == len(PACKETS)


async def test_a_second_press_of_the_same_button_is_refused_in_words(bench):
    room = await open_room(bench, kind="rest")
    await bench.house.advance(room, "settle")
    with pytest.raises(RefusedError, match="settle is over already: this is baseline"):
        await bench.house.advance(room, "settle")


async def test_the_live_figures_are_checked_against_neurokit2_while_the_session_runs(bench, monkeypatch):
    monkeypatch.setattr("restbeat.service.room._CHECK_EVERY_S", 0.01)
    await open_room(bench)
    async with asyncio.timeout(60):
        while bench.hub.rooms()[0].checked is None:  # noqa: ASYNC110 - it comes with one of the next states
            await asyncio.sleep(0.05)
    checked = bench.hub.rooms()[0].checked
    assert (checked.compared, checked.differences) == (6, [])


async def test_a_strap_serves_one_room_only(bench):
    await open_room(bench)
    with pytest.raises(RefusedError, match="Room 1 holds this strap"):
        await open_room(bench)
    assert [strap.room for strap in bench.house.straps()] == ["room-1"]
    assert len(await bench.house.sessions()) == 1


async def test_a_room_is_called_what_its_proxy_is_and_two_near_one_proxy_are_told_apart(bench):
    bench.air.seen = [
        StrapSeen(f"A0:9E:1A:00:00:0{n}", "H10", -60, None, near) for n, near in enumerate(["Blue room"] * 3 + [None])
    ]
    for strap in bench.air.seen:
        await open_room(bench, strap.address)
    assert [state.name for state in bench.hub.rooms()] == ["Blue room", "Blue room 2", "Blue room 3", "Room 4"]
    assert [strap.room_name for strap in bench.house.straps()] == ["Blue room", "Blue room 2", "Blue room 3", "Room 4"]
    with pytest.raises(RefusedError, match="Blue room 2 holds this strap"):
        await open_room(bench, bench.air.seen[1].address)


async def test_what_is_not_there_is_said(bench):
    with pytest.raises(UnknownRoomError):
        await bench.house.advance("room-9", "settle")
    with pytest.raises(UnknownSessionError):
        await bench.house.report(99)
    with pytest.raises(RefusedError):
        await bench.house.resume(99)
    with pytest.raises(RefusedError):
        await bench.house.close(99)


async def test_the_summary_of_a_running_session_is_made_as_far_as_it_has_come(bench):
    await open_room(bench)
    await bench.straps[0].heard.wait()
    session = bench.hub.rooms()[0].session
    await bench.storage.flush()
    row, report = await bench.house.report(session)
    assert (row.state, report.figures.integrity.beats) == ("running", 90)
    assert (await bench.house.picture(session)).lstrip().startswith("<")


async def test_a_replayed_recording_ends_by_its_own_lines_and_its_room_is_free_again(bench):
    lines = (PhaseStart(0.0, Phase.BASELINE), *PACKETS, PhaseStart(91.0, Phase.ENDED))
    source = ReplaySource(Recording(Header(), lines))
    room = await bench.house.start("replay-1", source, FlatOutClock(), Header(Device(name="H10")))
    await ended(bench, 1)
    again = await bench.house.start("replay-1", source, FlatOutClock(), Header())
    assert again == room
    await ended(bench, 2)


async def cut_off(storage, header=None):
    """A session as a crash leaves it: begun, 90 s long, no end."""
    header = header or Header(Device(name="H10", address=ADDRESS))
    session = await storage.create_session(NewSession(header=header, source="H10", room="room-1", consent="imported"))
    for event in (PhaseStart(0.5, Phase.BASELINE), *PACKETS):
        storage.append(session, event)
    await storage.flush()
    return session


async def reopened(tmp_path, worker, header=None):
    first = await Storage.open(tmp_path, now_utc=lambda: NOW - timedelta(seconds=120))
    session = await cut_off(first, header)
    await first.close()
    return session, Bench(await Storage.open(tmp_path, now_utc=lambda: NOW), worker)


async def test_a_session_that_a_crash_cut_off_can_be_taken_up_with_its_gap(tmp_path, worker_pool):
    session, bench = await reopened(tmp_path, worker_pool)
    async with bench.storage, bench.house:
        (row,) = await bench.house.sessions()
        assert (row.state, row.duration_s) == ("interrupted", 90.0)
        room = await bench.house.resume(session)
        (state,) = bench.hub.rooms()
        assert (state.session, state.phase) == (session, "baseline")
        assert state.now_s == pytest.approx(120, abs=5)
        assert await bench.house.advance(room, "baseline") == "massage"
        await bench.storage.flush()
        _, events = await bench.storage.events(session)
        assert any(isinstance(event, Link) and not event.up for event in events)


async def test_a_session_taken_up_on_a_sensor_that_smooths_its_intervals_has_no_hrv_of_before_either(tmp_path, worker_pool):
    session, bench = await reopened(tmp_path, worker_pool, Header(Device(name="Polar OH1 21A3F22B", address=ADDRESS)))
    async with bench.storage, bench.house:
        await bench.house.resume(session)
        (state,) = bench.hub.rooms()
        assert (state.phase, state.baseline_rmssd_ms) == ("baseline", None)


async def test_a_session_that_a_crash_cut_off_can_be_ended_where_it_was_cut(tmp_path, worker_pool):
    session, bench = await reopened(tmp_path, worker_pool)
    async with bench.storage, bench.house:
        await bench.house.close(session)
        row, report = await bench.house.report(session)
        assert (row.state, row.duration_s, report.figures.integrity.beats) == ("ended", 90.0, 90)


async def test_a_session_without_a_strap_can_only_be_ended(tmp_path, worker_pool):
    session, bench = await reopened(tmp_path, worker_pool, Header())
    async with bench.storage, bench.house:
        with pytest.raises(RefusedError, match="no strap"):
            await bench.house.resume(session)


async def test_leaving_the_house_leaves_its_sessions_to_be_taken_up(tmp_path, worker_pool):
    async with await Storage.open(tmp_path) as storage:
        bench = Bench(storage, worker_pool)
        async with bench.house:
            await open_room(bench)
            await bench.straps[0].heard.wait()
        assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
    async with await Storage.open(tmp_path) as storage:
        assert [cut.last_s for cut in await storage.interrupted()] == [90.0]


async def test_a_source_that_fails_is_logged_and_its_session_kept(bench, caplog):
    class Broken:
        async def items(self, clock):
            yield PACKETS[0]
            raise OSError("radio on fire")

    await bench.house.start("x", Broken(), RunningClock(), Header())
    async with asyncio.timeout(5):
        while "radio on fire" not in caplog.text:  # noqa: ASYNC110 - a log tells nobody
            await asyncio.sleep(0.01)
    assert len(await bench.house.sessions()) == 1


async def audit(bench):
    query = "SELECT actor, action, client, session, detail FROM audit ORDER BY id"
    return await bench.storage.work(lambda db: [tuple(row) for row in db.execute(query)])


async def flags(bench):
    return await bench.storage.work(lambda db: [row[0] for row in db.execute("SELECT reason FROM flag")])


async def test_a_strap_known_from_another_client_must_be_confirmed(bench):
    room = await open_room(bench, client="M-014", posture="prone")
    for leaving in ("settle", "baseline", "massage", "recovery"):
        await bench.house.advance(room, leaving)
    with pytest.raises(RefusedError, match="M-014 wore this strap last"):
        await open_room(bench, client="M-020")
    await open_room(bench, client="M-020", strap_confirmed=True)
    worn = "SELECT pseudonym, strap_address, posture FROM client ORDER BY pseudonym"
    rows = await bench.storage.work(lambda db: [tuple(row) for row in db.execute(worn)])
    assert rows == [("M-014", None, "prone"), ("M-020", ADDRESS, None)]


async def test_what_was_settled_before_is_kept_and_shown(bench):
    asked = (Screening("Fever or infection?", yes=False), Screening("Recent injury?", yes=True))
    settled = {"client": "M-014", "posture": "prone", "technique": "Swedish", "pain_before": 6, "screening": asked}
    with pytest.raises(RefusedError, match=r"Answered with yes: Recent injury\?\. Consider it"):
        await open_room(bench, **settled)
    await open_room(bench, **settled, screening_confirmed=True)
    (state,) = bench.hub.rooms()
    shown = (state.posture, state.technique, state.pain_before, state.pain, state.therapist, state.target_s)
    assert shown == ("prone", "Swedish", 6, 6, "Ada", 180.0)
    query = "SELECT question, answer, confirmed_utc IS NOT NULL FROM screening ORDER BY question"
    rows = await bench.storage.work(lambda db: [tuple(row) for row in db.execute(query)])
    assert rows == [("Fever or infection?", "no", 0), ("Recent injury?", "yes", 1)]


async def test_what_is_entered_reaches_every_page_the_store_and_the_report(bench):
    room = await open_room(bench, client="M-014", pain_before=5)
    await bench.straps[0].heard.wait()
    for leaving in ("settle", "baseline"):
        await bench.house.advance(room, leaving, by="Ada")
    await bench.house.mark(room, Note(technique="Kneading", region="Neck"), ago_s=0.0, by="Ada")
    await bench.house.pain(room, 7, ago_s=0.0, by="Ada")
    (state,) = bench.hub.rooms()
    assert (state.pain, state.notice) == (7, "Pain 7, 2 more than before. Lighten or stop; what was measured is kept.")
    assert [action.text for action in state.actions] == ["Pain 7", "Kneading, Neck", "Massage began", "Baseline began"]
    story = bench.house.story(room)
    assert [mark.text for mark in story.marks] == ["Kneading, Neck"]
    assert [score for _, score in story.pain] == [7]
    _, report = await bench.house.report(state.session)
    assert [note.text for note in report.notes] == ["Kneading, Neck"]
    await bench.house.undo(room, state.actions[1].number, by="Bo")
    _, report = await bench.house.report(state.session)
    assert report.notes == []
    kept = await bench.storage.work(lambda db: db.execute("SELECT therapist, became_s FROM correction").fetchall())
    assert [tuple(row) for row in kept] == [("Bo", None)]


async def test_a_stop_for_pain_flags_the_next_visit_unless_it_is_taken_back(bench):
    room = await open_room(bench, client="M-014")
    for leaving in ("settle", "baseline"):
        await bench.house.advance(room, leaving)
    stop = await bench.house.stop(room, by="Ada")
    (state,) = bench.hub.rooms()
    assert (state.phase, await flags(bench)) == ("recovery", ["Pain increased – stopped"])
    await bench.house.undo(room, stop.number, by="Ada")
    (state,) = bench.hub.rooms()
    assert (state.phase, await flags(bench)) == ("massage", [])


async def test_the_end_of_a_session_can_be_taken_back_and_it_goes_on_behind_a_gap(bench):
    room = await open_room(bench, client="M-014")
    await bench.straps[0].heard.wait()
    for leaving in ("settle", "baseline", "massage", "recovery"):
        await bench.house.advance(room, leaving, by="Ada")
    (state,) = bench.hub.rooms()
    await ended(bench, state.session)
    await bench.house.undo(room, state.actions[0].number, by="Ada")
    (again,) = bench.hub.rooms()
    assert (again.session, again.phase, again.client) == (state.session, "recovery", "M-014")
    assert len(bench.straps) == 2
    assert await bench.storage.report(state.session) is None
    await bench.storage.flush()
    _, events = await bench.storage.events(state.session)
    assert isinstance(events[-1], Link)
    assert not any(isinstance(event, PhaseStart) and event.phase is Phase.ENDED for event in events)
    await bench.house.advance(room, "recovery", by="Ada")
    await ended(bench, state.session)


async def test_a_session_goes_to_another_client_and_the_log_tells(bench):
    room = await open_room(bench, client="M-014")
    with pytest.raises(RefusedError, match="M-020 has not agreed to be recorded yet"):
        await bench.house.reassign(room, "M-020", by="Ada")
    await bench.house.reassign(room, "M-020", consent=True, by="Ada")
    (state,) = bench.hub.rooms()
    (row,) = await bench.house.sessions()
    assert (state.client, row.client) == ("M-020", "M-020")
    log = [row for row in await audit(bench) if row[1] == "session reassigned"]
    assert log == [("Ada", "session reassigned", "M-020", state.session, "before: M-014")]
    assert [check.ok for check in state.ready if check.name == "strap"] == [True]
    await bench.house.reassign(room, "M-020", by="Bo")
    assert [row for row in await audit(bench) if row[1] == "session reassigned"] == log, "a second press changes nothing"
    worn = "SELECT pseudonym, strap_address FROM client ORDER BY pseudonym"
    rows = await bench.storage.work(lambda db: [tuple(row) for row in db.execute(worn)])
    assert rows == [("M-014", None), ("M-020", ADDRESS)], "the strap goes with the session"
    with pytest.raises(RefusedError, match="Nothing is recorded without consent"):
        await bench.house.reassign(room, None, by="Ada")
    await bench.house.reassign(room, None, consent=True, by="Ada")
    assert (await bench.house.sessions())[0].client is None
    await open_room(bench, "A0:9E:1A:00:00:02", client="M-014")


async def test_what_the_clients_own_screen_shows_is_told_with_the_room(bench):
    room = await open_room(bench)
    assert bench.hub.rooms()[0].client_view == ClientView()
    bench.house.show_client(room, ClientView(pacer=True, pace_per_min=5.5))
    assert bench.hub.rooms()[0].client_view == ClientView(pacer=True, pace_per_min=5.5)
    with pytest.raises(UnknownRoomError):
        bench.house.show_client("room-9", ClientView())


async def test_settings_are_kept_and_shape_the_next_session(bench):
    await bench.house.set_settings(Settings(techniques=("Swedish",), baseline_s=600.0), by="Ada")
    assert (await bench.house.settings()).techniques == ("Swedish",)
    room = await open_room(bench)
    await bench.house.advance(room, "settle")
    (state,) = bench.hub.rooms()
    assert state.target_s == 600.0


async def test_a_press_told_again_after_a_crash_counts_once_in_its_own_session_and_room(tmp_path, worker_pool):
    press = Press(key="press-00001")
    async with await Storage.open(tmp_path) as storage:
        bench = Bench(storage, worker_pool)
        async with bench.house:
            await open_room(bench, "A0:9E:1A:00:00:09")
            room = await open_room(bench)
            session = bench.hub.rooms()[1].session
            for leaving in ("settle", "baseline"):
                await bench.house.advance(room, leaving, press=Press(key=f"leaving {leaving}", session=session))
            await bench.house.mark(room, Note(technique="Kneading"), press=press)
            await bench.house.stop(room, press=Press(key="press-00002"))
            query = "SELECT count(*) FROM mark"
            assert await storage.work(lambda db: db.execute(query).fetchone()[0]) == 2
    async with await Storage.open(tmp_path) as storage:
        bench = Bench(storage, worker_pool)
        async with bench.house:
            assert await bench.house.resume(session) == room == "room-2"
            again = await bench.house.mark(room, Note(technique="Kneading"), ago_s=40.0, press=press)
            assert (again.text, again.left_s) == ("Kneading", 0.0)
            assert (await bench.house.stop(room, press=Press(key="press-00002"))).kind == "stop"
            assert await bench.house.advance(room, "baseline", press=Press(key="leaving baseline")) == "recovery"
            assert [mark.text for mark in bench.house.story(room).marks] == ["Kneading", "Pain increased – stopped"]
            with pytest.raises(RefusedError, match=f"meant for session 99; Room 2 now holds session {session}"):
                await bench.house.pain(room, 3, press=Press(key="press-00003", session=99))
            assert len(await flags(bench)) == 1


async def test_what_a_page_pressed_is_on_the_disk_when_it_is_answered(bench):
    room = await open_room(bench)
    await bench.house.pain(room, 4, press=Press(key="press-00001"))
    with closing(sqlite3.connect(bench.storage.folder / DATABASE)) as other:
        assert other.execute("SELECT score, press FROM pain").fetchall() == [(4, "press-00001")]


async def test_a_stop_for_pain_is_said_until_the_session_ends(bench):
    room = await open_room(bench)
    for leaving in ("settle", "baseline"):
        await bench.house.advance(room, leaving)
    stop = await bench.house.stop(room, by="Ada")
    await bench.house.pain(room, 2)
    assert bench.hub.rooms()[0].notice.startswith("Stopped: pain increased.")
    await bench.house.undo(room, stop.number)
    assert bench.hub.rooms()[0].notice is None


async def test_the_story_tells_the_level_of_each_minute_and_what_was_done_where(bench):
    room = await open_room(bench)
    await bench.straps[0].heard.wait()
    await bench.house.mark(room, Note(technique="Kneading", region="Neck", pressure="Deep"))
    story = bench.house.story(room)
    (mark,) = story.marks
    assert (mark.technique, mark.region, mark.pressure) == ("Kneading", "Neck", "Deep")
    full = story.segments[4]
    assert (full.mid_s, full.resp_per_min) == (45.0, None)
    assert full.low_ms < full.level_ms < full.high_ms


async def test_a_running_massage_shows_its_change_so_far_with_an_interval(bench, monkeypatch):
    monkeypatch.setattr("restbeat.service.room._ESTIMATE_EVERY_S", 0.05)
    _, events = simulate("clear", seed=1, minutes=(3, 3, 3))
    source = Strap("x", [event for event in events if event.t < 300])
    await bench.house.start("x", source, RunningClock(start_s=301.0), Header(Device(name="H10"), client="M-014"))
    await source.heard.wait()
    async with asyncio.timeout(60):
        while bench.hub.rooms()[0].change_low_pct is None:  # noqa: ASYNC110 - it comes with one of the next states
            await asyncio.sleep(0.05)
    state = bench.hub.rooms()[0]
    assert (state.phase, state.change_why) == ("massage", None)
    assert state.change_low_pct < state.change_so_far_pct < state.change_high_pct


async def ended_session(storage, kind, seed, client="M-014"):
    """A simulated session of 5/5/1 minutes, ended, without a report."""
    header, events = simulate("none", seed=seed, minutes=(5, 5, 1))
    header = Header(device=header.device, client=client, kind=kind)
    session = await storage.create_session(NewSession(header=header, source="H10"))
    for event in events:
        storage.append(session, event)
    await storage.end_session(session, NOW, events[-1].t)
    return session


async def test_what_is_usual_is_learnt_from_the_clients_own_earlier_rests(bench):
    rests = [await ended_session(bench.storage, "rest", seed) for seed in (1, 2, 3)]
    other = await ended_session(bench.storage, "rest", 4, client="M-015")
    massage = await ended_session(bench.storage, "massage", 5)
    later = await ended_session(bench.storage, "rest", 6)
    _, report = await bench.house.report(massage)
    context = report.context["massage"]
    assert (context.usual_rests, context.wander_rests) == (3, 3)
    assert context.usual_class in {"more", "usual", "less"}
    assert "3 rest-only sessions" in context.usual_why
    changes = []
    for session in rests:
        kept = msgspec.json.decode(await bench.storage.report(session, ALGORITHM), type=SessionReport)
        changes.append(kept.figures.responses[0].delta_ln_rmssd)
    assert context.usual_ln_rmssd == pytest.approx(sum(changes) / 3)
    for session in (other, later):
        assert await bench.storage.report(session) is None
    assert await bench.storage.past(rests[2]) == []
    assert len(await bench.storage.past(massage)) == 3


async def test_fewer_than_three_rests_are_said_kindly_and_a_rest_is_not_compared(bench):
    await ended_session(bench.storage, "rest", 1)
    massage = await ended_session(bench.storage, "massage", 5)
    rest = await ended_session(bench.storage, "rest", 6)
    for session, words in ((massage, "there is one of about this length so far"), (rest, "it helps to tell what is usual")):
        _, report = await bench.house.report(session)
        assert report.context["massage"].usual_class == "unknown"
        assert words in report.context["massage"].usual_why
