"""A recording under transport control shows at any point what a straight run shows there."""

import asyncio

import msgspec
import pytest

from restbeat.analysis.beats.stream_integrity import integrity_of
from restbeat.analysis.live.live_session import LiveSession
from restbeat.sensors.clock import TransportClock
from restbeat.sensors.recordings.fault_grammar import parse_faults
from restbeat.sensors.recordings.fault_injection import with_faults
from restbeat.sensors.recordings.recording import Recording, read
from restbeat.service.commands.options import FIXTURES
from restbeat.service.testbench.recording_player import OnceLog, Player

TROUBLE = ["drop@20:6", "double@60:5", "ectopic:2%"]


@pytest.fixture(scope="module")
def recording():
    whole = read(FIXTURES / "polar-h10_simulated_link-loss.jsonl.gz")
    start = Recording(whole.header, tuple(event for event in whole.events if event.t < 400))
    return with_faults([start], parse_faults(TROUBLE), seed=3)[0]


class Kept:
    def __init__(self):
        self.events = []

    def append(self, session, event, key=None):
        self.events.append(event)
        return len(self.events)


class Rounds:
    """Takes each round and holds it where it is, until it is told to run."""

    def __init__(self):
        self.begun = asyncio.Queue()

    async def play(self, session, beats):
        self.begun.put_nowait((session, beats))
        await session.run()

    async def next(self):
        async with asyncio.timeout(20):
            return await self.begun.get()


def straight_to(recording, t):
    live, beats = LiveSession(1.0, 1.0), []
    live.set_device(recording.header.device)
    for event in recording.events:
        if event.t <= t:
            beats += live.push(event)
    return live, beats


def shown(live, t):
    return msgspec.structs.asdict(live.figures(t)), integrity_of(live.stream)


@pytest.fixture
async def playing(recording):
    rounds = Rounds()
    player = Player(recording, TransportClock(1.0, paused=True), rounds.play)
    task = asyncio.create_task(player.run(stay=True))
    await rounds.next()
    yield player, rounds
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("points", [[350.0], [90.0, 26.0, 340.0], [359.0, 10.0]])
async def test_after_a_seek_the_figures_are_those_of_a_straight_run(playing, recording, points):
    player, rounds = playing
    for t in points:
        player.seek(t)
        session, beats = await rounds.next()
    live, expected = straight_to(recording, t)
    assert shown(session.live, t) == shown(live, t)
    assert beats == expected
    assert player.at_s == t


async def test_a_seek_while_playing_continues_from_there(recording):
    rounds = Rounds()
    player = Player(recording, TransportClock(200.0), rounds.play)
    async with asyncio.timeout(20):
        task = asyncio.create_task(player.run())
        await rounds.next()
        player.seek(300.0)
        session, _ = await rounds.next()
        assert session.end_s >= 290
        await task
    live, _ = straight_to(recording, 400)
    assert session.live.stream.clock.packets == live.stream.clock.packets


async def test_while_paused_time_and_ages_stand_still(playing):
    player, rounds = playing
    player.seek(60.0)
    session, _ = await rounds.next()
    before = session.live.figures(player.clock.now())
    await asyncio.sleep(0.05)
    assert session.live.figures(player.clock.now()) == before
    assert session.connection.state.value == "streaming"


async def test_each_round_of_a_loop_begins_the_session_anew(recording):
    rounds = Rounds()
    log = Kept()
    player = Player(recording, TransportClock(1000.0), rounds.play, log=OnceLog(log), loop=True, from_s=340.0)
    async with asyncio.timeout(20):
        task = asyncio.create_task(player.run())
        first, _ = await rounds.next()
        second, _ = await rounds.next()
        await rounds.next()
        player.stop()
        await task
    assert player.rounds >= 2
    assert first is not second
    assert second.live.stream.clock.packets == first.live.stream.clock.packets
    assert tuple(log.events[: len(recording.events)]) == recording.events
    assert len(log.events) == len(recording.events), "nothing twice"


async def test_events_played_again_after_a_seek_back_are_stored_once(recording):
    rounds, log = Rounds(), Kept()
    player = Player(recording, TransportClock(1.0, paused=True), rounds.play, log=OnceLog(log))
    task = asyncio.create_task(player.run(stay=True))
    await rounds.next()
    for t in (100.0, 50.0, 120.0, 10.0):
        player.seek(t)
        await rounds.next()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert log.events == [event for event in recording.events if event.t <= 120]


async def test_a_recording_sought_to_its_very_end_ends_once(recording):
    rounds, log = Rounds(), Kept()
    player = Player(recording, TransportClock(1.0, paused=True), rounds.play, log=OnceLog(log))
    task = asyncio.create_task(player.run(stay=True))
    await rounds.next()
    player.seek(player.duration_s)
    session, _ = await rounds.next()
    async with asyncio.timeout(20):
        while not player.rounds:  # noqa: ASYNC110 nobody tells of it
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert log.events == list(recording.events)
    assert session.live.phase.value == "ended"


async def test_seeking_does_not_block_the_event_loop(recording):
    rounds = Rounds()
    long = Recording(recording.header, read(FIXTURES / "pyhrv_nni-60min_real.jsonl.gz").events)
    player = Player(long, TransportClock(1.0, paused=True), rounds.play)
    task = asyncio.create_task(player.run(stay=True))
    await rounds.next()
    turns = 0

    async def count():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    player.seek(3500.0)
    await rounds.next()
    for each in (counting, task):
        each.cancel()
    await asyncio.gather(counting, task, return_exceptions=True)
    assert turns > 3000 / 100
