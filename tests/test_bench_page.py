"""The test bench in a real Chromium: starting, pausing, seeking, looping and closing a recording."""

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
import pytest

from restbeat.sensors.recordings.fault_grammar import KINDS
from restbeat.service.commands.options import FIXTURES
from restbeat.service.radio.radio import AdapterState
from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.settings import Settings
from restbeat.service.testbench.bench import Bench
from restbeat.web.app import create_app

from .chromium import SIZES
from .practices import practice_of
from .web.screen import a_page, chromium

pytestmark = pytest.mark.browser

ARTIFACTS = Path(__file__).parents[1] / "artifacts"
AXE = Path(__file__).parents[1] / "node_modules" / "axe-core" / "axe.min.js"
CLEAR = "polar-h10_simulated_clear.jsonl.gz"


class NoRooms:
    trouble = None
    zone = None

    async def read(self):
        return Settings()

    def adapter(self):
        return AdapterState(ready=True, text="")

    def straps(self):
        return []


@asynccontextmanager
async def serving():
    live_feed = LiveFeed()
    async with Bench(live_feed, [FIXTURES]) as bench:
        runner = web.AppRunner(
            create_app(practice_of(NoRooms(), live_feed, test_bench=bench), version="1"), access_log=None, shutdown_timeout=0.5
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


@pytest.fixture
async def page():
    async with chromium() as browser, a_page(browser) as page:
        yield page


async def until(page, selector, words):
    """Wait until an element has this text. (Playwright's own way needs eval, which the pages' policy forbids.)"""
    async with asyncio.timeout(20):
        while words not in (await page.evaluate("s => document.querySelector(s)?.textContent ?? ''", selector)):
            await page.wait_for_timeout(50)


async def test_a_tester_plays_pauses_seeks_loops_and_closes(page):
    async with serving() as address:
        await page.goto(f"{address}/bench")
        await until(page, "#none", "Nothing plays yet")
        await page.select_option("[name=recording]", CLEAR)
        await page.fill("[name=faults]", "drop@120:15 ectopic:2%")
        await page.select_option("[name=speed]", "60")
        await page.click("#play button")
        await until(page, ".player-state", "Signal good")
        await until(page, ".player", "15 packets")
        await page.click(".pause")
        await until(page, ".player-state", "Paused")
        slider = page.locator(".player input[type=range]")
        await slider.fill("600")
        await until(page, ".player-state", "Massage")
        await until(page, ".time", "10:00 of 20:00")
        await slider.focus()
        await page.keyboard.press("ArrowRight")
        await until(page, ".time", "10:10 of 20:00")
        await page.get_by_role("button", name="Back 10 s").click()
        await until(page, ".time", "10:00 of 20:00")
        for name, (width, height) in SIZES.items():
            await page.set_viewport_size({"width": width, "height": height})
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
            small = "[...document.querySelectorAll('main button, main select, main input:not([type=checkbox])')]"
            assert await page.evaluate(f"{small}.every((e) => e.getBoundingClientRect().height >= 48)"), name
            await page.screenshot(path=ARTIFACTS / f"bench-{name}.png", full_page=True)
        await page.get_by_role("button", name="Loop").click()
        await page.wait_for_selector(".transport [aria-pressed=true]")
        await slider.fill("1200")
        await page.select_option(".transport select", "200")
        await page.click(".pause")
        await until(page, ".time", "0:")
        await page.get_by_role("button", name="Close Bench 1").click()
        await until(page, "#none", "Nothing plays yet")
        assert page.troubles == []


async def test_the_list_of_faults_unfolds_below_the_form(page):
    async with serving() as address:
        await page.goto(f"{address}/bench")
        await page.get_by_text("What can be put in").click()
        for kind in KINDS.values():
            assert await page.get_by_text(kind.example, exact=True).is_visible()
        for name, (width, height) in SIZES.items():
            await page.set_viewport_size({"width": width, "height": height})
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
            await page.screenshot(path=ARTIFACTS / f"bench-faults-{name}.png", full_page=True)


async def test_an_unknown_fault_is_shown_beside_the_form(page):
    async with serving() as address:
        await page.goto(f"{address}/bench")
        await page.fill("[name=faults]", "flood@3")
        await page.click("#play button")
        await until(page, "#news", "flood")
        assert [text for text in page.troubles if "409" not in text] == []


async def test_the_room_of_a_paused_recording_shows_it_and_is_never_stale(page):
    async with serving() as address:
        await page.goto(f"{address}/bench")
        await page.select_option("[name=recording]", CLEAR)
        await page.click("#play button")
        await page.click(".pause")
        await page.locator(".player input[type=range]").fill("700")
        await until(page, ".time", "11:40")
        await page.goto(f"{address}/rooms/bench-1")
        await until(page, "#signal-text", "Paused · Signal good")
        rate, elapsed = await page.text_content("#rate"), await page.text_content("#elapsed")
        await page.wait_for_timeout(3500)  # longer than what counts as stale
        assert await page.text_content("#signal-text") == "Paused · Signal good"
        assert (await page.text_content("#rate"), await page.text_content("#elapsed")) == (rate, elapsed)
        await page.click("#next")
        await page.wait_for_url("**/bench")
        assert page.troubles == []


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed; make test brings it where there is npm")
@pytest.mark.parametrize("theme", ["dark", "dim"])
async def test_the_bench_meets_wcag_2_2_aa(page, theme):
    async with serving() as address:
        await page.goto(f"{address}/healthz")
        await page.evaluate(f"localStorage.setItem('restbeat-theme', {theme!r})")
        await page.goto(f"{address}/bench")
        await page.fill("[name=faults]", "ectopic:1%")
        await page.click("#play button")
        await page.wait_for_selector(".player")
        await page.evaluate(AXE.read_text())
        broken = await page.evaluate(
            "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })"
            ".then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target + ' ' + n.failureSummary).join('; ')))"
        )
        assert broken == []
