"""Whole sessions run by a therapist: a real demo at 60 times the speed, a real Chromium, by touch alone or keys alone."""

import asyncio
import json
import sqlite3

import psutil
import pytest

from restbeat.service.storage.database import DATABASE

from .chromium import SIZES
from .test_demo import ARTIFACTS, ROOT, get, on_the_air, running
from .web.screen import a_page, chromium, until

pytestmark = [pytest.mark.browser, pytest.mark.dbus]

MINUTE_S = 1.0
"""Of the session, in real time at 60 times the speed."""

WATCH = """() => {
  new MutationObserver(() => { if (document.body.dataset.stale === 'yes') window.staleMs ??= performance.now(); })
    .observe(document.body, { attributes: true });
  return performance.now();
}"""
"""Notes when the page says that it is stale; gives the time of now."""


async def says(page, selector, wanted, timeout_s=30):
    await until(page, f"document.querySelector({selector!r}).textContent.trim() === {wanted!r}", timeout_s)


class Fingers:
    """A therapist who only taps."""

    def __init__(self, page, size):
        self.page, self.phone = page, size == "phone"

    async def tap(self, selector):
        await self.page.locator(selector).tap()

    async def marks(self):
        if self.phone:
            await self.tap(".open-marks")

    async def next(self):
        await self.tap("#next")

    async def technique(self, n):
        await self.marks()
        await self.tap('[data-sheet="technique"]:visible')
        await self.tap(f'#sheet-technique [data-key="{n}"]')

    async def region(self, n):
        await self.marks()
        await self.tap('[data-sheet="region"]:visible')
        await self.tap(f'#sheet-region [data-key="{n}"]')

    async def turned(self):
        await self.marks()
        await self.tap("#turned")

    async def pain(self, score):
        await self.tap('[data-sheet="pain"]')
        await self.tap(f'#sheet-pain [data-score="{score}"]')

    async def undo(self):
        await self.tap("#undo")

    async def a_minute_ago(self):
        if self.phone:
            await self.tap('[data-sheet="date"]')
            await self.tap('#sheet-date [data-ago-min="1"]')
        else:
            await self.tap('#redate [data-ago-min="1"]')

    async def stop(self):
        await self.tap("#stop")


class Keyboard:
    """A therapist who only uses keys."""

    def __init__(self, page, size):
        self.page = page

    async def press(self, keys):
        for key in keys.split():
            await self.page.keyboard.press(key)

    async def next(self):
        await self.press("Space")

    async def technique(self, n):
        await self.press(str(n))

    async def region(self, n):
        await self.press(f"r {n}")

    async def turned(self):
        await self.press("t")

    async def pain(self, score):
        await self.press(f"p {score}")

    async def undo(self):
        await self.press("u")

    async def a_minute_ago(self):
        await self.press("b 1")

    async def stop(self):
        await self.press("s")


async def stored(page, text):
    """Wait until the server has stored the newest entry."""
    await until(page, f"document.querySelector('.chip[aria-pressed=true][data-fate=stored] .what')?.textContent === {text!r}")


ASKED = """{
    const asked = document.querySelector("#asked");
    window.asked = [];
    new MutationObserver(() => window.asked.push(asked.textContent)).observe(asked, {
        childList: true, characterData: true, subtree: true,
    });
}"""
"""Keeps what the page asks of the client: at 60 times the speed a baseline is over in five seconds."""


async def lead(page, hand, address, room, name):
    """Run a session from the first press to the summary."""
    await page.goto(f"{address}/rooms/{room}")
    await until(page, "/^[0-9]{2,3}$/.test(document.querySelector('#rate').textContent)")
    await says(page, "#asked", "Settled: the baseline can begin")
    await page.evaluate(ASKED)
    await hand.next()
    await says(page, "#phase", "Baseline")
    await until(page, "/^(Baseline complete|Still settling)/.test(document.querySelector('#asked').textContent)", 30)
    assert "Lie still, no talking" in await page.evaluate("window.asked"), page.troubles
    await hand.next()
    await until(page, "document.querySelector('#phase').textContent === 'Massage' || !document.querySelector('#early').hidden")
    if await page.locator(
        "#early"
    ).is_visible():  # at 60 times the speed a moment without beats takes seconds off what was usable
        await until(page, "document.querySelector('#next').getAttribute('aria-disabled') === 'false'")
        await hand.next()
    await says(page, "#phase", "Massage")
    await hand.technique(2)
    await stored(page, "Kneading")
    await hand.region(4)
    await stored(page, "Lower back")
    await hand.turned()
    await stored(page, "Turned over")
    await hand.undo()
    await stored(page, "Lower back")
    await page.wait_for_timeout(int(2500 * MINUTE_S))
    await hand.pain(3)
    await stored(page, "Pain 3")
    await hand.a_minute_ago()
    await until(page, "parseInt(document.querySelector('.chip[aria-pressed=true] .when').textContent) >= 60 || "
                      "/min ago/.test(document.querySelector('.chip[aria-pressed=true] .when').textContent)")  # fmt: skip
    await until(
        page, "document.querySelectorAll('#plot canvas').length === 1 || !document.querySelector('#plot').dataset.library"
    )
    await page.screenshot(path=ARTIFACTS / f"led-{name}.png")
    await hand.stop()
    await says(page, "#phase", "Recovery")
    await until(page, "document.querySelector('#notice').textContent.startsWith('Stopped: pain increased.')")
    assert await page.text_content("#asked") == "No talking, please"
    await says(page, "#asked", "Recovery complete")
    await hand.next()
    await says(page, "#phase", "Ended")
    await says(page, "#signal-text", "Session ended")
    await until(page, "document.querySelector('#next').getAttribute('aria-disabled') === 'false'")
    await hand.next()
    await page.wait_for_url("**/sessions/*/notes")


def stored_entries(data, session):
    """Return a session's stored entries: phases with their times, marks, pain."""
    with sqlite3.connect(data / DATABASE) as db:
        phases = dict(db.execute("SELECT phase, t_s FROM phase WHERE session = ?", (session,)).fetchall())
        marks = [row[0] or row[1] or row[2] for row in db.execute(
            "SELECT technique, region, note FROM mark WHERE session = ? ORDER BY seq", (session,))]  # fmt: skip
        pain = db.execute("SELECT t_s, score FROM pain WHERE session = ?", (session,)).fetchall()
    db.close()
    return phases, marks, pain


def start_over(address, room, strap):
    """End the demo's own session and start one for a therapist to run; return its number and room."""
    while (state := json.loads(get(f"{address}/api/v1/rooms/{room}")))["phase"] != "ended":
        get(f"{address}/api/v1/rooms/{room}/advance", {"leaving": state["phase"]})
    opened = json.loads(get(f"{address}/api/v1/rooms", {"address": strap, "consent": True}))["room"]
    return json.loads(get(f"{address}/api/v1/rooms/{opened}"))["session"], opened


@pytest.mark.parametrize("hand", [Fingers, Keyboard])
async def test_whole_sessions_are_run_by_touch_alone_and_by_keys_alone_on_every_screen(tmp_path, hand):
    ARTIFACTS.mkdir(exist_ok=True)
    with running("demo", "--port", 0, "--speed", 60, "--data", tmp_path) as (_, address):
        straps = [strap["address"] for strap in json.loads(get(address + "/api/v1/straps"))["straps"]]
        begun = [start_over(address, f"room-{n}", strap) for n, strap in enumerate(straps, 1)]
        async with chromium() as browser, asyncio.TaskGroup() as rooms:
            for (_, room), size in zip(begun, SIZES, strict=True):

                async def one(room=room, size=size):
                    async with a_page(browser, size, touch=hand is Fingers) as page:
                        await lead(page, hand(page, size), address, room, f"{hand.__name__.lower()}-{size}")
                        assert page.troubles == []

                rooms.create_task(one())
        for session, _ in begun:
            phases, marks, pain = stored_entries(tmp_path, session)
            assert list(phases) == ["baseline", "massage", "recovery", "ended"]
            assert phases["baseline"] >= 180
            assert phases["massage"] - phases["baseline"] >= 300
            assert phases["ended"] - phases["recovery"] >= 300
            assert marks == ["Kneading", "Lower back", "Pain increased – stopped"]
            ((at_s, score),) = pain
            assert score == 3
            assert phases["massage"] < at_s < phases["recovery"] - 55


@pytest.mark.alone
async def test_no_entry_is_lost_or_doubled_when_the_server_is_killed_and_restarted(tmp_path):
    fixture = ROOT / "fixtures" / "polar-h10_simulated_clear.jsonl.gz"
    with on_the_air(fixture) as (environment, strap):
        async with chromium() as browser, a_page(browser, "desk", touch=False) as page:
            with running("serve", "--port", 0, "--data", tmp_path, "--no-login", env=environment) as (process, address):
                port = address.rpartition(":")[2]
                room = json.loads(get(f"{address}/api/v1/rooms", {"address": strap, "consent": True}))["room"]
                session = json.loads(get(f"{address}/api/v1/rooms/{room}"))["session"]
                await page.goto(f"{address}/rooms/{room}")
                await until(page, "/^[0-9]{2,3}$/.test(document.querySelector('#rate').textContent)")
                await page.keyboard.press("Space")
                await says(page, "#phase", "Baseline")
                await page.wait_for_timeout(1300)

                async def swallow(route):  # the server takes it, and its answer never comes
                    await route.fetch()
                    await route.abort()

                await page.route("**/marks", swallow, times=1)
                await page.keyboard.press("1")
                await stored(page, "Long strokes")
                await page.wait_for_timeout(2500)  # by now it was sent again
                family = psutil.Process(process.pid).children(recursive=True)
                gone = await page.evaluate(WATCH)
                process.kill()
                process.wait()
                psutil.wait_procs(family, timeout=10)
            await until(page, "document.body.dataset.stale === 'yes'")
            stale_s = (await page.evaluate("window.staleMs") - gone) / 1000
            assert await page.text_content("#rate") == "–"
            await page.keyboard.press("3")
            pressed_s = await page.evaluate("performance.now() / 1000")
            await page.keyboard.press("Space")
            await until(page, "document.querySelector('#next').getAttribute('aria-disabled') === 'false'")
            await page.keyboard.press("Space")  # the baseline was short: the first press asked, and the massage counts from it
            await page.keyboard.press("p")
            await page.keyboard.press("6")
            await until(page, "document.querySelectorAll('.chip[data-fate=waiting]').length === 3")
            await page.screenshot(path=ARTIFACTS / "room-server-killed.png")
            await page.wait_for_timeout(1000)
            with running("serve", "--port", port, "--data", tmp_path, "--no-login", env=environment) as (_, address):
                await until(page, "document.body.dataset.stale === 'no' && !document.querySelector('.chip[data-fate=waiting]')")
                back_s = await page.evaluate("performance.now() / 1000")
                await says(page, "#phase", "Massage")
                await until(page, "/^[0-9]{2,3}$/.test(document.querySelector('#rate').textContent)")
                assert (await page.text_content("#pain-now")).strip() == "6"
                story = json.loads(get(f"{address}/api/v1/rooms/{room}/story"))
                now_s = json.loads(get(f"{address}/api/v1/rooms/{room}"))["now_s"]
                asked_s = await page.evaluate("performance.now() / 1000")
                (ARTIFACTS / "room-server-killed.txt").write_text(
                    f"stale {stale_s:.1f} s after the kill; everything sent {back_s - pressed_s:.1f} s after it was pressed\n"
                )
    assert story["session"] == session
    assert [mark["text"] for mark in story["marks"]] == ["Long strokes", "Friction"]
    assert abs((now_s - story["marks"][1]["at_s"]) - (asked_s - pressed_s)) < 1.0
    phases, marks, pain = stored_entries(tmp_path, session)
    assert list(phases) == ["baseline", "massage"]
    assert (marks, [score for _, score in pain]) == (["Long strokes", "Friction"], [6])
    assert stale_s <= 3.0
