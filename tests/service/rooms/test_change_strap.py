"""A running session that goes on with another strap: one record, a gap between, a mark, and what the new strap sends."""

import asyncio
from contextlib import closing
import sqlite3

import pytest

from restbeat.analysis.hrv.time_domain import numpy_time_domain
from restbeat.analysis.session_report import summarise
from restbeat.sensors.bluetooth.scanner import StrapSource, Timing, on_bus
from restbeat.sensors.clock import FlatOutClock, RunningClock
from restbeat.sensors.model import Device, Phase
from restbeat.sensors.recordings.anonymise import anonymised
from restbeat.sensors.recordings.recording import ConnectionEvent, Header, Mark, Packet, PhaseStart, Recording, StrapChange
from restbeat.sensors.source import ConnectionChange, ConnectionState, Described, ReplaySource
from restbeat.sensors.virtual.straps_on_air import virtual_straps
from restbeat.service.errors import RefusedError, StrapTakenError, UnconfirmedError, UnknownRoomError
from restbeat.service.exchange.formats import FORMATS, write_as
from restbeat.service.exchange.session_data import session_data
from restbeat.service.radio.radio import StrapSeen
from restbeat.service.radio.strap_claims import StrapClaims
from restbeat.service.rooms import room_registry
from restbeat.service.sessions.session_store import SessionStore
from restbeat.service.storage.database import DATABASE

from ...analysis.test_strap_changes import session as session_with_change
from ...sensors.conftest import beat_packet, until
from ..practice_under_test import ADDRESS, NOW, PracticeUnderTest, audit, ended, open_room

OTHER, THIRD = "A0:9E:1A:00:00:02", "A0:9E:1A:00:00:03"
PAYLOAD = bytes.fromhex("10400004")


class Sending:
    """A strap that describes itself, sends three packets, and then one each time it is told to."""

    def __init__(self, address):
        self.address, self.more, self.closed, self.may_go = address, asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.may_go.set()

    async def items(self, clock):
        try:
            yield ConnectionChange(clock.now(), ConnectionState.STREAMING)
            yield Described(
                clock.now(), Device(name=f"H10 {self.address[-2:]}", address=self.address, model="H10", battery_pct=80)
            )
            for _ in range(3):
                yield Packet(clock.now(), "2a37", PAYLOAD)
            while True:
                await self.more.wait()
                self.more.clear()
                yield Packet(clock.now(), "2a37", PAYLOAD)
        finally:
            await self.may_go.wait()
            self.closed.set()


@pytest.fixture
def straps(bench):
    made = {address: Sending(address) for address in (ADDRESS, OTHER, THIRD)}
    bench.rooms._source_of = made.__getitem__
    bench.air.seen = tuple(StrapSeen(address, f"H10 {address[-2:]}", -60, None) for address in made)
    return made


async def events_of(bench, session=1):
    await bench.storage.flush()
    return await bench.storage.events(session)


def packets_of(events):
    return [event for event in events if isinstance(event, Packet)]


async def sending(bench, count):
    """Wait until the session has stored so many packets."""
    async with asyncio.timeout(10):
        while len(packets_of((await events_of(bench))[1])) < count:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.01)


async def test_a_session_goes_on_with_another_strap_in_one_record_with_a_gap_and_a_mark(bench, straps):
    room = await open_room(bench, client="M-014")
    await sending(bench, 3)
    await bench.rooms.change_strap(room, OTHER, by="Ada")
    await sending(bench, 6)
    header, events = await events_of(bench)
    assert header.device.address == ADDRESS
    at = next(n for n, event in enumerate(events) if isinstance(event, StrapChange))
    assert [type(event) for event in events[at - 1 : at + 2]] == [ConnectionEvent, StrapChange, Mark]
    assert len(packets_of(events[:at])) == len(packets_of(events[at:])) == 3
    assert events[at].device == Device(name="H10 02", address=OTHER, model="H10", battery_pct=80)
    assert events[at + 1].note == "Strap changed from H10 01 to H10 02"
    (state,) = bench.live_feed.rooms()
    assert (state.room, state.strap, state.battery_pct) == (room, "H10 02", 80)
    assert straps[ADDRESS].closed.is_set()
    assert ("Ada", "strap changed", "M-014", 1, "Strap changed from H10 01 to H10 02") in await audit(bench)
    seen = {strap.address: strap.room for strap in bench.rooms.straps()}
    assert seen == {ADDRESS: None, OTHER: room, THIRD: None}


async def test_what_the_strap_before_sends_after_the_change_reaches_nothing(bench, straps):
    room = await open_room(bench)
    await sending(bench, 3)
    session = bench.rooms._rooms[room].session
    straps[ADDRESS].more.set()
    session.change_strap(straps[OTHER], Device(name="H10 02", address=OTHER), "Strap changed")
    await sending(bench, 6)
    _, events = await events_of(bench)
    assert len(packets_of(events)) == 6


async def test_the_change_is_on_disk_before_it_is_answered(bench, straps, tmp_path):
    room = await open_room(bench)
    await bench.rooms.change_strap(room, OTHER)
    with closing(sqlite3.connect(tmp_path / DATABASE)) as other_program:
        assert other_program.execute("SELECT address FROM strap").fetchall() == [(OTHER,)]


async def test_asked_again_for_the_strap_that_it_has_nothing_changes(bench, straps):
    room = await open_room(bench)
    await bench.rooms.change_strap(room, OTHER)
    await bench.rooms.change_strap(room, OTHER.lower())
    _, events = await events_of(bench)
    assert sum(isinstance(event, StrapChange) for event in events) == 1


async def test_changed_twice_the_session_ends_up_with_the_last_and_every_other_strap_is_free(bench, straps):
    room = await open_room(bench)
    await sending(bench, 3)
    straps[ADDRESS].may_go.clear()
    await bench.rooms.change_strap(room, OTHER)
    await bench.rooms.change_strap(room, THIRD)
    straps[ADDRESS].may_go.set()
    await sending(bench, 6)
    assert bench.live_feed.rooms()[0].strap == "H10 03"
    assert await open_room(bench, OTHER) == "room-2"
    assert await open_room(bench, ADDRESS) == "room-3"


async def test_a_strap_that_is_being_left_is_waited_for(bench, straps):
    room = await open_room(bench)
    await sending(bench, 3)
    straps[ADDRESS].may_go.clear()
    await bench.rooms.change_strap(room, OTHER)
    opening = asyncio.create_task(open_room(bench, ADDRESS))
    begun, _ = await asyncio.wait({opening}, timeout=0.3)
    assert not begun
    straps[ADDRESS].may_go.set()
    assert await opening == "room-2"


async def test_a_strap_is_claimed_in_the_moment_in_which_it_is_let_go(bench, straps, tmp_path):
    claims, let_go = StrapClaims(tmp_path / "claims"), asyncio.Event()
    registry = room_registry.RoomRegistry(claims)
    await open_room(bench)
    await claims.claim(ADDRESS)
    registry.leave(bench.rooms._rooms["room-1"], ADDRESS, let_go)
    let_go.set()
    async with asyncio.timeout(5), registry.claimed(ADDRESS):
        await registry.release_left(ADDRESS)
    with pytest.raises(StrapTakenError):
        await StrapClaims(tmp_path / "claims").claim(ADDRESS)


async def test_a_strap_of_another_room_or_another_client_is_refused_and_nothing_has_changed(bench, straps):
    first = await open_room(bench, client="M-014")
    second = await open_room(bench, OTHER, client="M-015")
    with pytest.raises(StrapTakenError, match="Room 2 holds this strap"):
        await bench.rooms.change_strap(first, OTHER)
    for leaving in ("settle", "baseline", "massage", "recovery"):
        await bench.rooms.entries.advance(second, leaving)
    await ended(bench, 2)
    with pytest.raises(UnconfirmedError, match="M-015 wore this strap last"):
        await bench.rooms.change_strap(first, OTHER)
    _, events = await events_of(bench)
    assert not any(isinstance(event, StrapChange) for event in events)
    await bench.rooms.change_strap(first, OTHER, strap_confirmed=True)
    with pytest.raises(RefusedError, match=r"has ended|is over"):
        await bench.rooms.change_strap(second, THIRD)
    with pytest.raises(RefusedError, match="meant for session 9"):
        await bench.rooms.change_strap(first, THIRD, session=9)
    with pytest.raises(UnknownRoomError):
        await bench.rooms.change_strap("room-9", THIRD)


async def test_after_a_crash_the_session_goes_on_with_its_newest_strap(tmp_path, worker_pool):
    used = []
    async with await SessionStore.open(tmp_path, now_utc=lambda: NOW) as storage:
        bench = PracticeUnderTest(storage, worker_pool)
        bench.rooms._source_of = Sending
        async with bench.rooms:
            room = await open_room(bench)
            await bench.rooms.change_strap(room, OTHER)
            await sending(bench, 3)
    async with await SessionStore.open(tmp_path, now_utc=lambda: NOW) as storage:
        bench = PracticeUnderTest(storage, worker_pool)
        bench.rooms._source_of = lambda address: used.append(address) or Sending(address)
        async with bench.rooms:
            await bench.rooms.resume(1)
            assert used == [OTHER]
            (state,) = bench.live_feed.rooms()
            assert state.strap == "H10 02"
            with pytest.raises(StrapTakenError):
                await open_room(bench, OTHER)
            assert await open_room(bench, ADDRESS) == "room-2"


async def test_put_under_another_client_the_newest_strap_is_theirs(bench, straps):
    room = await open_room(bench, client="M-014")
    await bench.rooms.change_strap(room, OTHER)
    await bench.rooms.reassign(room, "M-015", consent=True)
    worn = await bench.storage.read(lambda db: dict(db.execute("SELECT pseudonym, strap_address FROM client")))
    assert worn == {"M-014": None, "M-015": OTHER}


async def test_a_session_whose_end_is_taken_back_goes_on_with_its_newest_strap(bench, straps):
    room = await open_room(bench)
    await bench.rooms.change_strap(room, OTHER)
    for leaving in ("settle", "baseline", "massage", "recovery"):
        await bench.rooms.entries.advance(room, leaving)
    await ended(bench, 1)
    straps[OTHER].closed.clear()
    await bench.rooms.undo(room, bench.live_feed.rooms()[0].actions[0].number)
    await until(lambda: bench.live_feed.rooms()[0].phase == "recovery")
    assert bench.live_feed.rooms()[0].strap == "H10 02"
    assert {strap.address for strap in bench.rooms.straps() if strap.room} == {OTHER}


async def test_another_straps_room_opens_while_an_ended_session_keeps_its_own(bench, straps, monkeypatch):
    monkeypatch.setattr(room_registry, "_LET_GO_S", 60.0)
    room = await open_room(bench)
    await sending(bench, 3)
    straps[ADDRESS].may_go.clear()
    for leaving in ("settle", "baseline", "massage", "recovery"):
        await bench.rooms.entries.advance(room, leaving)
    again = asyncio.create_task(open_room(bench, ADDRESS))
    await asyncio.sleep(0)
    try:
        async with asyncio.timeout(5):
            assert await open_room(bench, OTHER) == "room-2"
        assert not again.done()
    finally:
        straps[ADDRESS].may_go.set()
    assert await again == "room-1"


async def test_a_strap_that_an_ended_session_does_not_let_go_of_is_refused_in_a_sentence(bench, straps, monkeypatch):
    monkeypatch.setattr(room_registry, "_LET_GO_S", 0.1)
    room = await open_room(bench)
    await sending(bench, 3)
    straps[ADDRESS].may_go.clear()
    for leaving in ("settle", "baseline", "massage", "recovery"):
        await bench.rooms.entries.advance(room, leaving)
    with pytest.raises(StrapTakenError, match="The last session in Room 1 still holds this strap"):
        await open_room(bench, ADDRESS)
    straps[ADDRESS].may_go.set()


@pytest.mark.dbus
async def test_on_the_air_a_strap_that_is_lost_is_changed_for_one_that_does_not_say_what_it_is(bench):
    def played(name):
        return Recording(Header(Device(name=name)), tuple(beat_packet(float(n), n % 40) for n in range(1, 3600)))

    speed, quick = 20.0, Timing(silent_after_wall_s=0.3, scan_s=0.5, first_wait_s=0.05)
    bench.rooms._new_clock = lambda: RunningClock(speed)
    bench.rooms._source_of = lambda address: StrapSource(address, timing=quick)
    recordings = [played("Polar H10 1"), played("H808S 2")]
    async with virtual_straps(recordings, clock_for=lambda _: RunningClock(speed)) as air, on_bus(air.bus_address):
        first, second = (player.strap for player in air.players)
        second.names_services = False
        bench.air.seen = tuple(StrapSeen(strap.address, strap.name, -60, None) for strap in (first, second))
        room = await open_room(bench, first.address)
        await sending(bench, 10)
        first.advertising = False
        air.bluez.drop(first)
        await until(lambda: bench.live_feed.rooms()[0].signal != "good" and bench.live_feed.rooms()[0].hr_bpm is None)
        await bench.rooms.change_strap(room, second.address)
        live = bench.rooms._rooms[room].session.live
        await until(lambda: live.stream.rr_seen, 20)
        await until(second.listening.is_set)
        assert (bench.live_feed.rooms()[0].strap, live.stream.clock.duplicate_packets) == ("H808S 2", 0)
        for leaving in ("settle", "baseline", "massage", "recovery"):
            await bench.rooms.entries.advance(room, leaving)
        await ended(bench, 1)
        await until(lambda: not second.listening.is_set())


async def test_a_recorded_change_replayed_in_a_room_gives_the_same_figures(bench):
    header, events = session_with_change()
    played = Recording(header, (*events, PhaseStart(600.0, Phase.ENDED)))
    await bench.rooms.start("replay-1", ReplaySource(played), FlatOutClock(), header)
    await ended(bench, 1)
    _, report = await bench.reports.of(1)
    wanted = await bench.worker.run(summarise, report.figures.recording, header, played.events)
    assert report.figures.phases == wanted.figures.phases
    assert report.figures.responses == wanted.figures.responses
    assert [phase.rmssd_ms is None for phase in report.figures.phases if phase.phase in {"baseline", "massage"}] == [False, False]


@pytest.mark.parametrize("form", FORMATS)
def test_a_session_with_a_change_is_written_in_every_format_with_the_beats_of_both_straps(form):
    header, events = session_with_change()
    report = summarise("x", header, events, end_s=600.0, compute_time_domain=numpy_time_domain)
    data = session_data(header, events, report, NOW)
    assert write_as(form, data)
    assert len(data.beats) == sum(figures.beats for figures in report.figures.phases)


def test_an_anonymous_recording_names_neither_of_its_straps():
    header, events = session_with_change(devices=(Device("Anna’s H10", ADDRESS), Device("Polar H9 4711", OTHER)))
    clean_header, clean, _ = anonymised(header, list(events))
    change = next(event for event in clean if isinstance(event, StrapChange))
    assert (clean_header.device.name, clean_header.device.address) == ("Heart-rate strap", "02:00:00:00:00:01")
    assert (change.device.name, change.device.address) == ("Polar H9", "02:00:00:00:00:02")


def test_a_recorded_change_says_which_strap_it_was(tmp_path):
    from restbeat.sensors.recordings.recording import read, write

    path = tmp_path / "changed.jsonl"
    events = [PhaseStart(1.0, Phase.BASELINE), StrapChange(2.0, Device(name="H808S", address=OTHER, battery_pct=60))]
    write(path, Header(Device(name="Polar H10")), events)
    assert list(read(path).events) == events
    path.write_text(path.read_text().replace("H808S", "H80\\u001b8S"))
    assert read(path).events[1].device.name == "H80 8S"
