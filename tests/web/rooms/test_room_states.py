"""Every state of the room page on every screen, in both themes and in print, and checked by axe-core."""

import asyncio

import pytest

from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.rooms.messages import EntryView, ReadyCheck

from ..fake_practice import FakePractice
from ..made_up import room_state
from ..room import NOTICE, SURE, open_room
from ..screen import ARTIFACTS, AXE, LOST, SIZES, broken_rules, serving, until

pytestmark = pytest.mark.browser

LONG = "A client with a very long pseudonym, indeed"
WAITS = [
    ReadyCheck("packets", "Packets arrive", True),
    ReadyCheck("rr", "RR intervals arrive", True),
    ReadyCheck("beats", "21 of 30 s heard", False, "Lie still: this fills by itself."),
    ReadyCheck("battery", "Battery 80 %", True),
    ReadyCheck("strap", f"Strap of {LONG}", True),
]
STATES = {
    "massage": {**SURE, "target_s": 1200.0, "technique": "Swedish, lower back", "posture": "prone", "pain_before": 6, "pain": 5},
    "first-minute": {
        "phase": "settle", "phase_s": 21.0, "now_s": 21.0, "target_s": 180.0, "change_pct": None, "baseline_rmssd_ms": None,
        "rmssd_ms": None, "rmssd_why": "collecting beats", "client": LONG, "ready": WAITS,
        "signal": "settling", "signal_text": "Not ready yet",
    },
    "baseline": {
        "phase": "baseline", "phase_s": 200.0, "now_s": 350.0, "target_s": 300.0, "change_pct": None, "client": LONG,
        "technique": "Myofascial release of the whole back", "posture": "side-lying",
    },
    "recovery": {**SURE, "phase": "recovery", "phase_s": 100.0, "now_s": 740.0, "target_s": 300.0},
    "ended": {
        "phase": "ended", "signal": "ended", "signal_text": "Session ended", "hr_bpm": None, "rmssd_ms": None, "change_pct": None,
        "verdict": "A hint of a rise",
        "verdict_why": "Compared with the quiet minutes before, heart rhythm variability during the massage was a little higher: "
        "a hint, within what rest can do.",
    },
    "baseline-short": {
        "baseline_usable_s": 130.0, "baseline_short": True, "change_pct": None,
        "change_why": "the baseline was too short: 2:10 usable, and a comparison takes 4:00. If it began later than entered, "
        "set that below.",
    },
    "lost": LOST,
    "heart-rate-only": {
        "signal": "hr-only", "signal_text": "Heart rate only – no HRV", "rmssd_ms": None, "rmssd_why": "heart rate only",
        "change_pct": None, "baseline_rmssd_ms": None, "hint": "This sensor sends no RR intervals; a chest strap does.",
    },
    "notice": {**SURE, **NOTICE, "actions": [EntryView(1, "pain", "Pain 7", 696.0, "demo", 26.0)]},
    "perhaps": {"change_low_pct": -12.0, "change_high_pct": 62.0},
    "lower": {"change_pct": -38.0, "rmssd_ms": 21.0, "change_low_pct": -61.0, "change_high_pct": -12.0},
}  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
async def test_every_state_fits_every_screen_in_both_themes(page, size):
    width, height = SIZES[size]
    practice = FakePractice(LiveFeed(), [room_state(name, name="Room 2", **changes) for name, changes in STATES.items()])
    await page.set_viewport_size({"width": width, "height": height})
    async with serving(practice) as address:
        for theme in ("dark", "dim"):
            await page.goto(f"{address}/api/v1")
            await page.evaluate(f"localStorage.setItem('restbeat-theme', {theme!r})")
            for name in STATES if theme == "dark" else ("massage", "notice", "first-minute"):
                await open_room(page, address, name)
                await page.wait_for_timeout(250)
                await page.screenshot(path=ARTIFACTS / f"room-{name}-{size}{'-dim' if theme == 'dim' else ''}.png")
                assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} scrolls sideways"
                assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight") or size == "phone", name
                small = await page.evaluate(
                    "[...document.querySelectorAll('button, input, a')].filter((e) => e.offsetParent && !e.matches('.skip')"
                    " && (e.offsetHeight < 48 || e.offsetWidth < 48)).map((e) => e.outerHTML)"
                )
                assert small == [], name
                cut = await page.evaluate(
                    "[...document.querySelectorAll('main > .rate, main > .response')]"
                    ".filter((e) => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1)"
                    ".map((e) => e.className)"
                )
                assert cut == [], name
                if name == "massage" and size == "desk":
                    high = "getComputedStyle(document.querySelector('#big')).fontSize"
                    assert float((await page.evaluate(high)).removesuffix("px")) * 0.73 > 119  # height of a digit
        await open_room(page, address, "notice")
        await page.emulate_media(media="print")
        assert await page.locator(".desk").is_hidden()
        if size == "desk":
            await page.set_viewport_size({"width": 718, "height": 1030})
            await page.wait_for_timeout(250)
            await page.screenshot(path=ARTIFACTS / "room-notice-print.png")
        assert page.troubles == []


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed; make test brings it where there is npm")
@pytest.mark.parametrize("theme", ["dark", "dim"])
async def test_every_state_of_the_page_meets_wcag_2_2_aa(page, theme):
    practice = FakePractice(LiveFeed(), [room_state(name, **changes) for name, changes in STATES.items()])
    async with serving(practice) as address:
        await page.goto(f"{address}/api/v1")
        await page.evaluate(f"localStorage.setItem('restbeat-theme', {theme!r})")
        for name in ("massage", "first-minute", "lost", "notice", "ended") if theme == "dark" else ("first-minute", "notice"):
            await open_room(page, address, name)
            assert await broken_rules(page) == [], name
        await open_room(page, address, "massage")
        for keys in ("1", "p", "r", "b", "Escape", "v", "i", "?") if theme == "dark" else ("1", "p", "i", "?"):
            await page.keyboard.press(keys)
            await page.wait_for_timeout(150)
            if keys == "p":
                await page.screenshot(path=ARTIFACTS / f"room-pain-{theme}.png")
            assert await broken_rules(page) == [], keys
        await page.screenshot(path=ARTIFACTS / f"room-help-{theme}.png")
        practice.change("massage", practice.states["massage"])
    await until(page, "document.body.dataset.stale === 'yes'")
    await asyncio.sleep(0)
    assert await broken_rules(page) == []
