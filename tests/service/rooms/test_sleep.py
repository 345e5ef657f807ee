"""A computer that sleeps during a session: its time counts, it is a gap with a mark, and a long one is asked about."""

import asyncio

import pytest

from restbeat.sensors.clock import RunningClock
from restbeat.sensors.computer_sleep import SleepWatch
from restbeat.sensors.model import Phase
from restbeat.sensors.recordings.recording import ConnectionEvent, Mark, PhaseStart
from restbeat.service.errors import RefusedError
from restbeat.service.sessions.session_store import SessionStore

from ..practice_under_test import PracticeUnderTest, open_room


class Computer:
    """Two clocks, of which one stands still while it sleeps."""

    def __init__(self):
        self.awake_s, self.asleep_s = 1000.0, 0.0

    def elapsed(self):
        return self.awake_s + self.asleep_s

    def clock(self):
        return RunningClock(start_s=91.0, monotonic=self.elapsed)


@pytest.fixture
def computer():
    return Computer()


@pytest.fixture
async def bench(tmp_path, worker_pool, computer):
    watch = SleepWatch(elapsed=computer.elapsed, awake=lambda: computer.awake_s)
    async with await SessionStore.open(tmp_path) as storage:
        made = PracticeUnderTest(storage, worker_pool, sleep_watch=watch)
        made.rooms._new_clock = computer.clock
        async with made.rooms:
            yield made


async def asleep(bench, computer, seconds):
    computer.asleep_s += seconds
    bench.rooms._sleep_guard.look()


async def begun(bench, computer):
    room = await open_room(bench)
    await bench.straps[0].heard.wait()
    for leaving in ("settle", "baseline"):
        computer.awake_s += 1.0
        await bench.rooms.entries.advance(room, leaving)
    return room


async def stored(bench):
    (row,) = (await bench.storage.sessions()).rows
    return (await bench.storage.events(row.session))[1]


async def test_a_sleep_of_ten_minutes_counts_and_is_a_gap_with_a_mark(bench, computer):
    room = await begun(bench, computer)
    began_s = bench.live_feed.rooms()[0].now_s
    await asleep(bench, computer, 600.0)
    state = bench.live_feed.rooms()[0]
    assert state.now_s - began_s == pytest.approx(600.0, abs=3)
    assert state.phase_s == pytest.approx(600.0, abs=1)
    assert state.slept_s == 600.0
    events = await stored(bench)
    assert Mark(93.0 + 600.0, note="The computer slept for 10:00") in events
    assert ConnectionEvent(93.0 + 600.0, up=False) in events
    await bench.rooms.answer_sleep(room, go_on=True)
    assert bench.live_feed.rooms()[0].slept_s is None
    with pytest.raises(RefusedError, match="answered already"):
        await bench.rooms.answer_sleep(room, go_on=True)


async def test_a_session_can_end_where_the_computer_fell_asleep(bench, computer):
    room = await begun(bench, computer)
    await asleep(bench, computer, 600.0)
    computer.awake_s += 30.0
    await bench.rooms.answer_sleep(room, go_on=False, by="Ada")
    end = next(event for event in await stored(bench) if isinstance(event, PhaseStart) and event.phase is Phase.ENDED)
    assert end.t == pytest.approx(93.0, abs=1)
    async with asyncio.timeout(30):
        while (await bench.storage.sessions()).rows[0].state != "ended":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert (await bench.storage.sessions()).rows[0].duration_s == pytest.approx(93.0, abs=1)


async def test_a_short_sleep_is_a_gap_and_nobody_is_asked(bench, computer):
    await begun(bench, computer)
    await asleep(bench, computer, 60.0)
    assert bench.live_feed.rooms()[0].slept_s is None
    assert any(isinstance(event, Mark) and event.note == "The computer slept for 1:00" for event in await stored(bench))
    await asleep(bench, computer, 0.0)
    assert sum(isinstance(event, Mark) for event in await stored(bench)) == 1, "one sleep is told once"


class Logind:
    """Stands in for the lock on sleep."""

    def __init__(self):
        self.held, self.calls = False, []

    async def hold(self, why):
        self.calls.append(why)
        self.held = True
        return True

    def release(self):
        self.held = False


async def test_the_computer_is_kept_awake_while_a_session_runs_and_only_then(tmp_path, worker_pool, monkeypatch):
    monkeypatch.setattr("restbeat.service.rooms.sleep_guard._EVERY_S", 0.02)
    logind = Logind()
    async with await SessionStore.open(tmp_path) as storage:
        bench = PracticeUnderTest(storage, worker_pool, sleep_inhibitor=logind)
        async with bench.rooms, asyncio.timeout(30):
            await asyncio.sleep(0.1)
            assert logind.calls == []
            room = await open_room(bench)
            while not bench.live_feed.rooms()[0].kept_awake:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            assert logind.calls == ["A session runs"]
            for leaving in ("settle", "baseline", "massage", "recovery"):
                await bench.rooms.entries.advance(room, leaving)
            while logind.held:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
