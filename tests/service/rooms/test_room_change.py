"""The change against the baseline: while the massage runs, and against what is usual for the client."""

import asyncio

import msgspec
import pytest

from restbeat.analysis.figures import ALGORITHM, SessionReport
from restbeat.analysis.simulation.scenarios import simulate
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.model import Device
from restbeat.sensors.recordings.recording import Header, Mark
from restbeat.service.sessions.session_store import NewSession, SessionStore
from restbeat.service.worker.worker import Worker

from ..practice_under_test import NOW, PracticeUnderTest, Strap


async def test_a_running_massage_shows_its_change_so_far_with_an_interval(bench, monkeypatch):
    monkeypatch.setattr("restbeat.service.rooms.room._ESTIMATE_EVERY_S", 0.05)
    _, events = simulate("clear", seed=1, minutes=(5, 3, 3))
    source = Strap("x", [event for event in events if event.t < 420])
    await bench.rooms.start("x", source, RunningClock(start_s=421.0), Header(Device(name="H10"), client="M-014"))
    await source.heard.wait()
    async with asyncio.timeout(60):
        while bench.live_feed.rooms()[0].change_low_pct is None:  # noqa: ASYNC110 - it comes with one of the next states
            await asyncio.sleep(0.05)
    state = bench.live_feed.rooms()[0]
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


async def test_the_estimate_uses_the_clients_own_earlier_rests(bench):
    rests = [await ended_session(bench.storage, "rest", seed) for seed in (1, 2, 3)]
    other = await ended_session(bench.storage, "rest", 4, client="M-015")
    massage = await ended_session(bench.storage, "massage", 5)
    later = await ended_session(bench.storage, "rest", 6)
    _, report = await bench.reports.of(massage)
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
    assert await bench.storage.earlier_rests(rests[2]) == []
    assert len(await bench.storage.earlier_rests(massage)) == 3


async def test_fewer_than_three_rests_are_explained_and_a_rest_is_not_compared(bench):
    await ended_session(bench.storage, "rest", 1)
    massage = await ended_session(bench.storage, "massage", 5)
    rest = await ended_session(bench.storage, "rest", 6)
    for session, words in ((massage, "there is one of about this length so far"), (rest, "it helps to tell what is usual")):
        _, report = await bench.reports.of(session)
        assert report.context["massage"].usual_class == "unknown"
        assert words in report.context["massage"].usual_why


async def test_a_killed_analysis_process_is_told_and_the_estimate_comes_back_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr("restbeat.service.rooms.room._ESTIMATE_EVERY_S", 0.05)
    _, events = simulate("clear", seed=1, minutes=(5, 3, 3))
    source = Strap("x", [event for event in events if event.t < 420])
    async with await SessionStore.open(tmp_path) as storage, Worker() as worker, asyncio.timeout(120):
        bench, killing, told = PracticeUnderTest(storage, worker), True, set()

        async def kill():
            while killing:
                worker._process.kill()
                await asyncio.sleep(0.02)

        async with bench.rooms:
            await bench.rooms.start("x", source, RunningClock(start_s=421.0), Header(Device(name="H10")))
            await source.heard.wait()
            killer = asyncio.create_task(kill())
            while "the analysis process is away; it is started again by itself" not in told:
                told.add(bench.live_feed.rooms()[0].change_why)
                await asyncio.sleep(0.02)
            state = bench.live_feed.rooms()[0]
            assert (state.signal, state.rmssd_ms is not None) == ("good", True), "the live figures need no analysis process"
            await bench.rooms.entries.mark("room-1", Mark(0.0, note="goes on"))
            killing = False
            await killer
            while bench.live_feed.rooms()[0].change_low_pct is None:  # noqa: ASYNC110 - it comes with one of the next states
                await asyncio.sleep(0.05)
