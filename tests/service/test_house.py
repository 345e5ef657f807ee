"""Rooms over a real database and a real worker; straps are written by hand."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from restbeat.sensors.clock import FlatOutClock, RunningClock
from restbeat.sensors.model import Device, Phase
from restbeat.sensors.recording import Header, Link, Packet, PhaseStart, Recording
from restbeat.sensors.source import LinkChange, LinkState, ReplaySource
from restbeat.service.house import House
from restbeat.service.storage import NewSession, Storage
from restbeat.service.worker import Worker
from restbeat.web.live import Hub
from restbeat.web.ports import AdapterState, RefusedError, StrapSeen, UnknownRoomError, UnknownSessionError

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

    def __init__(self, storage, worker):
        self.storage, self.worker, self.hub, self.straps = storage, worker, Hub(), []
        self.air = Air()
        clock = partial(RunningClock, start_s=91.0)  # behind the packets, which all come at once
        self.house = House(storage, worker, self.hub, self.air, self._strap, new_clock=clock, now_utc=lambda: NOW)

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


async def ended(bench, session):
    async with asyncio.timeout(60):
        while await bench.storage.report(session) is None:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.05)


async def test_a_session_on_a_strap_goes_from_settling_to_a_stored_report(bench):
    room = await bench.house.open_room(ADDRESS, client="M-014", kind="massage")
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
    room = await bench.house.open_room(ADDRESS, client=None, kind="rest")
    await bench.house.advance(room, "settle")
    with pytest.raises(RefusedError, match="settle is over already: this is baseline"):
        await bench.house.advance(room, "settle")


async def test_the_live_figures_are_checked_against_neurokit2_while_the_session_runs(bench, monkeypatch):
    monkeypatch.setattr("restbeat.service.room._CHECK_EVERY_S", 0.01)
    await bench.house.open_room(ADDRESS, client=None, kind="massage")
    async with asyncio.timeout(60):
        while bench.hub.rooms()[0].checked is None:  # noqa: ASYNC110 - it comes with one of the next states
            await asyncio.sleep(0.05)
    checked = bench.hub.rooms()[0].checked
    assert (checked.compared, checked.differences) == (6, [])


async def test_a_strap_serves_one_room_only(bench):
    await bench.house.open_room(ADDRESS, client=None, kind="massage")
    with pytest.raises(RefusedError, match="Room 1 holds this strap"):
        await bench.house.open_room(ADDRESS, client=None, kind="massage")
    assert [strap.room for strap in bench.house.straps()] == ["room-1"]
    assert len(await bench.house.sessions()) == 1


async def test_a_room_is_called_what_its_proxy_is_and_two_near_one_proxy_are_told_apart(bench):
    bench.air.seen = [
        StrapSeen(f"A0:9E:1A:00:00:0{n}", "H10", -60, None, near) for n, near in enumerate(["Blue room"] * 3 + [None])
    ]
    for strap in bench.air.seen:
        await bench.house.open_room(strap.address, client=None, kind="massage")
    assert [state.name for state in bench.hub.rooms()] == ["Blue room", "Blue room 2", "Blue room 3", "Room 4"]
    assert [strap.room_name for strap in bench.house.straps()] == ["Blue room", "Blue room 2", "Blue room 3", "Room 4"]
    with pytest.raises(RefusedError, match="Blue room 2 holds this strap"):
        await bench.house.open_room(bench.air.seen[1].address, client=None, kind="massage")


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
    await bench.house.open_room(ADDRESS, client=None, kind="massage")
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
    session = await storage.create_session(NewSession(header=header, source="H10", room="room-1"))
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
            await bench.house.open_room(ADDRESS, client=None, kind="massage")
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
