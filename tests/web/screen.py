"""Shared parts of the tests in a real Chromium: starting it, serving a practice to it, waiting for a page's state."""

import asyncio
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from aiohttp import web
from playwright.async_api import Error, async_playwright

from restbeat.web.app import create_app

from ..chromium import ARGUMENTS, CHROMIUM, SIZES
from ..practices import practice_of

ARTIFACTS = Path(__file__).parents[2] / "artifacts"
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
LOST = {
    "signal": "lost",
    "signal_text": "Strap lost",
    "hr_bpm": None,
    "rmssd_ms": None,
    "rmssd_why": "no beats in the last seconds",
}
LOST |= {"change_pct": None, "accepted_pct": None, "age_s": 14.0, "hint": "Come closer; restbeat keeps looking."}


@asynccontextmanager
async def chromium():
    """Yield a browser for the block."""
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@asynccontextmanager
async def a_page(browser, size="desk", *, touch=False):
    """Yield a page in a context of its own, whose console errors are collected in `troubles`; `touch`: with a touch screen."""
    width, height = SIZES[size]
    context = await browser.new_context(viewport={"width": width, "height": height}, has_touch=touch)
    page = await context.new_page()
    page.troubles = []
    page.on("console", lambda message: page.troubles.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.set_default_timeout(20_000)
    ARTIFACTS.mkdir(exist_ok=True)
    yield page
    await context.close()


@asynccontextmanager
async def serving(practice, port=0, *, pace=None, step_s=0.25, **more):
    """Serve a made-up practice on a port within the block, with beats, and yield its address."""
    runner = web.AppRunner(
        create_app(practice_of(practice, practice.live_feed, **more), version="0.1.0", pace=pace),
        access_log=None,
        shutdown_timeout=0.5,
    )
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    beating = asyncio.create_task(practice.run(step_s))
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        beating.cancel()
        with suppress(asyncio.CancelledError):
            await beating
        await runner.cleanup()


async def text(page, selector):
    return (await page.locator(selector).text_content()).strip()


async def until(page, expression, timeout_s=30):
    """Wait until an expression is truthy, and return its value. (Playwright's own way needs eval, which the pages forbid.)"""
    async with asyncio.timeout(timeout_s):
        while not (value := await _tried(page, expression)):
            await page.wait_for_timeout(50)
    return value


async def _tried(page, expression):
    try:
        return await page.evaluate(expression)
    except Error as error:
        if "context was destroyed" in str(error):  # the page is navigating
            return None
        raise


async def becomes(page, selector, wanted):
    await until(page, f"document.querySelector({selector!r})?.textContent.trim() === {wanted!r}")


async def broken_rules(page):
    """Return the violations that axe-core finds on the page now."""
    await page.evaluate(AXE.read_text())
    return await page.evaluate(
        "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })"
        ".then(r => r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target + ' ' + n.failureSummary).join('; ')))"
    )
