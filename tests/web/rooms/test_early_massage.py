"""A baseline cannot be ruined silently: its time counts by usable beats, and a massage that would cut it short asks once."""

import asyncio

import pytest

from restbeat.service.rooms.messages import EntryView

from ..made_up import room_state
from ..room import a_practice, open_room
from ..screen import ARTIFACTS, SIZES, a_page, becomes, serving, text, until

pytestmark = pytest.mark.browser

BASELINE = {"phase": "baseline", "change_pct": None, "target_s": 300.0}
SHORT = BASELINE | {"phase_s": 200.0, "baseline_usable_s": 130.0}
WHOLE = BASELINE | {"phase_s": 320.0, "baseline_usable_s": 300.0}


def begun(practice):
    return [call for call in practice.calls if call[0] == "advance"]


async def again(page):
    """Wait until a second press is not taken for a bouncing key."""
    await until(page, "document.querySelector('#next').getAttribute('aria-disabled') === 'false'")


async def test_progress_counts_usable_time_alone(page):
    practice = a_practice(**SHORT)
    async with serving(practice) as address:
        await open_room(page, address)
        assert await text(page, "#elapsed") in {"2:50", "2:49"}  # of 5:00, though 3:20 are over
        assert (await text(page, "#asked")).startswith("Lie still, no talking · 2:1")
        assert "of 5:00 usable" in await text(page, "#asked")
        practice.change("room-1", room_state(**WHOLE))
        await becomes(page, "#asked", "Baseline complete: the massage can begin")
        practice.change("room-1", room_state(**(WHOLE | {"baseline_usable_s": 240.0})))
        await until(page, "document.querySelector('#asked').textContent.startsWith('Lie still')")


@pytest.mark.parametrize("size", SIZES)
async def test_a_massage_begun_early_asks_once_and_counts_from_the_first_press(browser, size):
    practice = a_practice(**SHORT)
    ago = []
    advance = practice.advance

    async def heard(room, leaving, *, ago_s=0.0, by="", request=None):
        ago.append(ago_s)
        return await advance(room, leaving, ago_s=ago_s, by=by, request=request)

    practice.advance = heard
    async with serving(practice) as address, a_page(browser, size) as page:
        await open_room(page, address)
        await page.keyboard.press("Space")
        assert await text(page, "#early-words") in {f"2:1{n} of 5:00 usable: begin anyway?" for n in range(3)}
        await page.screenshot(path=ARTIFACTS / f"room-early-{size}.png")
        await again(page)
        assert begun(practice) == []
        await page.keyboard.press("Space")
        await becomes(page, "#phase", "Massage")
        assert len(begun(practice)) == 1
        assert ago[0] >= 1.0  # the pause after the first press, at least
        assert await page.locator("#early").is_hidden()


async def test_the_question_can_be_declined_and_a_bouncing_key_answers_nothing(page):
    practice = a_practice(**SHORT)
    async with serving(practice) as address:
        await open_room(page, address)
        await page.locator("#next").dblclick()
        await until(page, "!document.querySelector('#early').hidden")
        assert begun(practice) == []
        await page.click("#early-wait")
        assert await page.locator("#early").is_hidden()
        await again(page)
        await page.keyboard.press("Space")
        await page.keyboard.press("Escape")
        assert await page.locator("#early").is_hidden()
        practice.change("room-1", room_state(**WHOLE))
        await becomes(page, "#asked", "Baseline complete: the massage can begin")
        await again(page)
        await page.keyboard.press("Space")
        await becomes(page, "#phase", "Massage")
        assert len(begun(practice)) == 1


async def test_the_beginning_of_a_massage_can_be_moved_after_the_half_minute_of_other_entries(page):
    massage = EntryView(3, "phase", "Massage began", 480.0, "demo", 0.0, 400.0)
    others = [EntryView(n, "mark", f"Mark {n}", 690.0, "demo", 20.0) for n in range(9, 4, -1)]
    practice = a_practice(actions=[*others, massage])
    async with serving(practice) as address:
        await open_room(page, address)
        await page.locator(".chip", has_text="Massage began").click()
        assert await page.locator("#undo").is_hidden()
        await page.get_by_role("button", name="The massage began 1 min earlier").click()
        async with asyncio.timeout(10):
            while not (moved := [call for call in practice.calls if call[0] == "redate"]):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert moved[0][2] == 3
        assert 280.0 <= moved[0][3] < 290.0  # 220 s ago by the room's clock, and a minute
        await page.screenshot(path=ARTIFACTS / "room-massage-moved.png")


async def test_with_a_baseline_too_short_the_room_says_so_and_shows_no_comparison(page):
    why = "the baseline was too short: 2:10 usable, and a comparison takes 4:00. Next time, wait for “Baseline complete”."
    practice = a_practice(baseline_usable_s=130.0, baseline_short=True, change_pct=None, change_why=why)
    async with serving(practice) as address:
        await open_room(page, address)
        await becomes(page, "#word", "Baseline too short")
        assert await text(page, "#detail") == f"RMSSD 44 ms · T{why[1:]}"
        assert await page.locator("#change").get_attribute("data-empty") == "yes"
        await page.screenshot(path=ARTIFACTS / "room-baseline-short.png")


async def test_the_grid_asks_in_its_button(page):
    practice = a_practice(**SHORT)
    async with serving(practice) as address:
        await page.goto(address)
        button = page.locator(".tile .next, .room .next, button.next").first
        await button.click()
        await until(
            page, "[...document.querySelectorAll('button')].some((b) => b.textContent.includes('of 5:00 usable: begin anyway?'))"
        )
        assert begun(practice) == []
        await until(page, "document.querySelector('button.next').getAttribute('aria-disabled') === 'false'")
        await button.click()
        async with asyncio.timeout(10):
            while not begun(practice):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert len(begun(practice)) == 1
