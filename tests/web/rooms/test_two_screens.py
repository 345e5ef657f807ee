"""Two tablets on one real room: whatever is pressed on both at once, they show the same afterwards."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from restbeat.service.sessions.session_store import SessionStore
from restbeat.service.worker.worker import Worker
from restbeat.web.server import serving

from ...practices import practice_of
from ...service.practice_under_test import PracticeUnderTest, open_room
from ..screen import ARTIFACTS, chromium, text, until

pytestmark = [pytest.mark.browser, pytest.mark.alone]

WATCH = """() => import(document.querySelector("link[href$='/live.js']").href)
  .then(({ Live }) => { window.watched = new Live("room-1").start(); })"""
STATE = "window.watched.rooms.get('room-1')?.state"
SEEN = f"JSON.stringify([{STATE}.phase, {STATE}.pain, {STATE}.actions.map(a => [a.number, a.text, a.at_s])])"
PRESS = "document.getElementById('next').click()"
ASK = """([method, path, body]) => fetch(`/api/v1/rooms/room-1${path}`, {
  method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
}).then(async (r) => [r.status, await r.json()])"""


@asynccontextmanager
async def two_tablets(tmp_path):
    """Yield a real room, and two browsers that have nothing but the server in common."""
    ARTIFACTS.mkdir(exist_ok=True)
    async with await SessionStore.open(tmp_path) as storage, Worker() as worker:
        bench = PracticeUnderTest(storage, worker)
        async with (
            bench.rooms as rooms,
            serving(practice_of(rooms, bench.live_feed), "127.0.0.1", 0) as address,
            chromium() as browser,
        ):
            await open_room(bench, client="M-014", pain_before=3)
            tablets = [await (await browser.new_context()).new_page() for _ in range(2)]
            for tablet in tablets:
                await tablet.goto(f"{address}/rooms/room-1")
                await tablet.evaluate(WATCH)
                await until(tablet, f"Boolean({STATE})")
            yield bench, *tablets


async def ask(tablet, method, path, body):
    return await tablet.evaluate(ASK, [method, path, body])


async def until_agreed(bench, *tablets):
    """Wait until both show the room's state, and return the texts of the entries that can be undone."""
    async with asyncio.timeout(5):
        while True:
            (state,) = bench.live_feed.rooms()
            wanted = [state.phase, state.pain, [[a.number, a.text] for a in state.actions]]
            seen = [await tablet.evaluate(SEEN) for tablet in tablets]
            phases = {await text(tablet, "#phase") for tablet in tablets}
            states = [
                await tablet.evaluate(f"[{STATE}.phase, {STATE}.pain, {STATE}.actions.map(a => [a.number, a.text])]")
                for tablet in tablets
            ]
            if len(set(seen)) == 1 and len(phases) == 1 and states == [wanted, wanted]:
                return [action.text for action in state.actions]
            await asyncio.sleep(0.02)


async def test_two_tablets_that_press_in_the_same_moment_never_disagree(tmp_path):
    async with two_tablets(tmp_path) as (bench, one, other):
        tablets, clock, delays = (one, other), asyncio.get_running_loop().time, []
        for following in ("baseline", "massage"):
            for tablet in tablets:
                await until(tablet, "document.querySelector('#next').getAttribute('aria-disabled') === 'false'")
            if following == "massage":  # each asks first, as the baseline is too short
                await asyncio.gather(*(tablet.evaluate(PRESS) for tablet in tablets))
                for tablet in tablets:
                    await until(tablet, "!document.querySelector('#early').hidden")
                    await until(tablet, "document.querySelector('#next').getAttribute('aria-disabled') === 'false'")
            start = clock()
            await asyncio.gather(*(tablet.evaluate(PRESS) for tablet in tablets))
            for tablet in tablets:
                await until(tablet, f"document.querySelector('#phase').textContent.toLowerCase() === '{following}'")
            delays.append(clock() - start)
            await until_agreed(bench, *tablets)
            assert bench.live_feed.rooms()[0].phase == following, "two presses, one step"
        marked = await asyncio.gather(
            ask(one, "POST", "/marks", {"technique": "Kneading"}), ask(other, "POST", "/marks", {"region": "Neck"})
        )
        assert [status for status, _ in marked] == [201, 201]
        assert sorted((await until_agreed(bench, *tablets))[:2]) == ["Kneading", "Neck"]
        number = marked[0][1]["number"]
        undone = await asyncio.gather(*(ask(tablet, "POST", f"/actions/{number}/undo", {}) for tablet in tablets))
        assert [status for status, _ in undone] == [200, 200], "it is undone once, and both hear so"
        assert (await until_agreed(bench, *tablets))[0] == "Neck"
        scores = await asyncio.gather(ask(one, "POST", "/pain", {"score": 4}), ask(other, "POST", "/stop", {}))
        assert [status for status, _ in scores] == [201, 201]
        assert set((await until_agreed(bench, *tablets))[:2]) == {"Pain 4", "Pain increased – stopped"}
        assert {await text(tablet, "#phase") for tablet in tablets} == {"Recovery"}
        start = clock()
        renamed = await asyncio.gather(
            ask(one, "PUT", "/client", {"client": "M-020", "consent": True}),
            ask(other, "PUT", "/client", {"client": "M-021", "consent": True}),
        )
        assert [status for status, _ in renamed] == [200, 200]
        client = bench.live_feed.rooms()[0].client
        for tablet in tablets:
            await until(tablet, f"document.querySelector('#who').textContent.includes('{client}')")
        delays.append(clock() - start)
        assert (await bench.reports.sessions()).rows[0].client == client, "what the screens show is what is stored"
    (ARTIFACTS / "two-tablets.txt").write_text("".join(f"{1000 * delay:.0f} ms\n" for delay in delays))
    assert max(delays) < 1.0
