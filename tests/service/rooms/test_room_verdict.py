"""After the end a room says what came of the session; before the baseline its signal and its checks are one state."""

import asyncio

from restbeat.analysis.simulation.scenarios import simulate
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.model import Device
from restbeat.sensors.recordings.recording import Header
from restbeat.service.errors import WorkerError

from ..practice_under_test import Strap, open_room


async def concluded(bench, *, stop=False, minutes=(5, 10, 2)):
    """Run a session to its end, and return the room's state once it knows the outcome."""
    _, events = simulate("clear", seed=1, minutes=minutes)
    end_s = sum(minutes) * 60
    source = Strap("x", [event for event in events if event.t < end_s])
    await bench.rooms.start("x", source, RunningClock(start_s=end_s + 1.0), Header(Device(name="H10"), client="M-014"))
    await source.heard.wait()
    if stop:
        await bench.rooms.entries.stop("room-1", by="Ada")
    await bench.rooms.entries.advance("room-1", "recovery", by="Ada")
    async with asyncio.timeout(60):
        while (state := bench.live_feed.rooms()[0]).verdict is None:  # noqa: ASYNC110 - it comes with one of the next states
            await asyncio.sleep(0.02)
    return state


async def test_an_ended_room_shows_the_verdict_of_its_report(bench):
    state = await concluded(bench)
    assert (state.phase, state.verdict) == ("ended", "Clear rise")
    assert state.verdict_why.startswith("Compared with the quiet minutes before, heart rhythm variability during the massage")


async def test_a_baseline_too_short_is_the_verdict(bench):
    state = await concluded(bench, minutes=(2, 10, 2))
    assert (state.verdict, state.change_pct, state.change_low_pct) == ("Baseline too short", None, None)
    assert "Next time, begin the massage once the room says “Baseline complete”." in state.verdict_why


async def test_a_stop_for_pain_precedes_the_verdict(bench):
    state = await concluded(bench, stop=True)
    assert state.verdict == "Stopped for pain"
    assert "the next visit is flagged" in state.verdict_why


async def test_where_the_figures_cannot_be_computed_the_room_says_so(bench, monkeypatch, caplog):
    async def fails(*given):
        raise WorkerError("The analysis process died twice.")

    monkeypatch.setattr(bench.rooms._reports, "make", fails)
    state = await concluded(bench)
    assert (state.verdict, state.verdict_why) == (
        "Session ended",
        "Its figures could not be computed now; its page tries again.",
    )
    assert "died twice" in caplog.text


async def test_while_the_checks_are_open_the_signal_is_not_good_but_not_ready_yet(bench):
    room = await open_room(bench)
    (state,) = bench.live_feed.rooms()
    assert state.signal_text != "Signal good"
    await bench.straps[0].heard.wait()
    state = bench.rooms._rooms[room].state
    assert ((state.signal, state.signal_text) == ("good", "Signal good")) is all(check.ok for check in state.ready)
