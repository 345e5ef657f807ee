"""Entries on the room page in a real Chromium: by touch, keys or pedal; undone, dated back, and never lost."""

import asyncio
import re

import pytest

from restbeat.service.rooms.messages import EntryView

from ..made_up import room_state
from ..room import a_practice, open_room
from ..screen import ARTIFACTS, SIZES, a_page, becomes, serving, text, until

pytestmark = pytest.mark.browser

MARKS = [("mark", said) for said in ("Kneading", "Lower back", "Deep", "Turned over", "Talking", "Heat", "Cold")]


async def all_stored(page):
    await until(page, "[...document.querySelectorAll('.chip')].every((chip) => chip.dataset.fate === 'stored')")


def entered(practice):
    """Return the calls of entries that the practice got, without those that other tests are about."""
    return [call[0] if call[0] == "advance" else (call[0], call[2]) for call in practice.calls]


@pytest.mark.parametrize("size", SIZES)
async def test_a_finger_alone_enters_everything(browser, size):
    practice = a_practice(phase="baseline", change_pct=None)

    async with serving(practice) as address, a_page(browser, size, touch=True) as page:
        await open_room(page, address)

        async def tap(selector):
            await page.locator(selector).tap()

        async def from_sheet(sheet, choice):
            if size == "phone" and sheet != "pain":
                await tap(".open-marks")
            await tap(f'[data-sheet="{sheet}"]:visible')
            await tap(f"#sheet-{sheet} {choice}")
            assert await page.locator(f"#sheet-{sheet}").is_hidden()

        await tap("#next")
        await becomes(page, "#phase", "Massage")
        await from_sheet("technique", "[data-key='2']")
        await from_sheet("region", "[data-value='Lower back']")
        await from_sheet("pressure", "[data-value='Deep']")
        for name in ("turned", "talking", "heat", "cold"):
            if size == "phone":
                await tap(".open-marks")
            await tap(f"#{name}")
        await from_sheet("pain", "[data-score='10']")
        await until(page, "document.querySelector('#pain-now').textContent === '10'")
        await tap("#stop")
        await becomes(page, "#phase", "Recovery")
        await all_stored(page)
        assert entered(practice) == [
            "advance",
            *MARKS,
            ("pain", "Pain 10"),
            ("stop", "Pain increased – stopped"),
        ]
        if size == "phone":
            await tap(".open-marks")
        now = [await text(page, f"#doing-{name}") for name in ("technique", "region", "pressure")]
        assert now == ["Kneading", "Lower back", "Deep"]
        assert page.troubles == []


async def test_keys_alone_enter_everything(page):
    practice = a_practice(phase="baseline", change_pct=None)
    async with serving(practice) as address:
        await open_room(page, address)
        for keys in ("Space", "2", "r 4", "d 3", "t", "k", "h", "c", "p 0", "p t", "s"):
            for key in keys.split():
                await page.keyboard.press(key)
            if keys == "Space":
                await becomes(page, "#phase", "Massage")
        await becomes(page, "#phase", "Recovery")
        await all_stored(page)
        assert entered(practice) == [
            "advance", *MARKS, ("pain", "Pain 0"), ("pain", "Pain 10"), ("stop", "Pain increased – stopped"),
        ]  # fmt: skip
        await page.keyboard.press("?")
        assert await page.locator("#help").is_visible()
        await page.keyboard.press("Escape")
        assert await page.locator("#help").is_hidden()
        await page.keyboard.press("p")
        await page.keyboard.press("Escape")
        assert await page.locator("#sheet-pain").is_hidden()
        assert page.troubles == []


async def test_a_pedal_begins_the_next_phase_whatever_has_the_focus_and_letters_can_be_switched_off(page):
    practice = a_practice(phase="settle", change_pct=None)
    practice.set = type(practice.set)(next_keys=("F13", "KeyB", "Space"), techniques=("Swedish",))
    async with serving(practice) as address:
        await open_room(page, address)
        assert await text(page, "#next-hint") == "F13 or pedal"
        await page.locator("#as-table").focus()
        await page.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', { code: 'F13', key: 'F13', bubbles: true }))")
        await becomes(page, "#phase", "Baseline")
        await page.keyboard.press("2")  # there is one technique only
        await page.keyboard.press("1")
        await page.keyboard.press("?")
        assert "Swedish" in await text(page, "#help")
        await page.click("#letters")
        await page.keyboard.press("Escape")
        await page.keyboard.press("s")
        await page.keyboard.press("1")
        await until(page, "document.querySelector('#next').getAttribute('aria-disabled') === 'false'")
        await page.keyboard.press("b")
        await becomes(page, "#phase", "Massage")
        assert entered(practice) == ["advance", ("mark", "Swedish"), "advance"]
        assert page.troubles == []


async def test_entries_can_be_undone_and_dated_back(page):
    practice = a_practice()
    async with serving(practice) as address:
        await open_room(page, address)
        assert await page.locator("#entries-none").is_visible()
        for key in ("1", "2", "3"):
            await page.keyboard.press(key)
        await until(page, "document.querySelectorAll('#entries-list li').length === 3")
        await becomes(page, ".chip[aria-pressed=true] .what", "Friction")
        await all_stored(page)
        await page.keyboard.press("u")
        await until(page, "document.querySelectorAll('#entries-list li').length === 2")
        await becomes(page, "#spoken", "Friction, taken back")
        await page.get_by_role("button", name="Long strokes").click()
        await page.get_by_role("button", name="It was 2 min ago").click()
        await until(
            page, "[...document.querySelectorAll('.chip .when')].some((when) => when.textContent.startsWith('2 min ago'))"
        )
        await page.keyboard.press("b")
        await page.keyboard.press("7")
        await page.keyboard.press("b")
        await page.fill("#date-minutes", "12")
        await page.keyboard.press("Enter")
        await until(
            page, "[...document.querySelectorAll('.chip .when')].some((when) => when.textContent.startsWith('12 min ago'))"
        )
        assert [call for call in practice.calls if call[0] in {"undo", "redate"}] == [
            ("undo", "room-1", 3, None), ("redate", "room-1", 1, 120), ("redate", "room-1", 1, 420), ("redate", "room-1", 1, 720),
        ]  # fmt: skip
        assert page.troubles == []


async def test_an_immediate_undo_works_however_far_the_entry_had_come(page):
    practice, arrives = a_practice(), asyncio.Event()

    async def hold(route):
        await arrives.wait()
        await route.continue_()

    async with serving(practice) as address:
        await open_room(page, address)
        await page.route("**/marks", hold)
        await page.keyboard.press("3")  # is on its way
        await page.keyboard.press("4")  # waits for the first
        await until(page, "document.querySelectorAll('#entries-list li').length === 2")
        await page.keyboard.press("u")
        await becomes(page, "#spoken", "Trigger point, taken back")
        await page.keyboard.press("u")
        await until(page, "document.querySelectorAll('#entries-list li').length === 0")
        arrives.set()
        await becomes(page, "#spoken", "Friction, taken back")
        assert [call[0] for call in practice.calls] == ["mark", "undo"]
        assert practice.states["room-1"].actions == []
        assert await page.locator("#entries-list li").count() == 0
        assert page.troubles == []


async def test_a_refusal_shows_its_sentence_and_can_be_dismissed(page):
    practice = a_practice(actions=[EntryView(7, "mark", "Friction", 690.0, "Bo", 20.0)])
    async with serving(practice) as address:
        await open_room(page, address)
        assert re.fullmatch(r"1\d s ago, Bo", await text(page, ".chip .when"))
        advance = practice.advance

        async def too_late(*given, **more):
            practice.states["room-1"] = room_state(phase="recovery")  # another tablet was quicker
            return await advance(*given, **more)

        practice.advance = too_late
        await page.keyboard.press("Space")
        await until(page, "document.querySelector('.chip[data-fate=refused]')")
        assert "The phase massage is over already: this is recovery." in await text(page, ".chip[data-fate=refused] .when")
        await page.get_by_role("button", name=re.compile("Understood")).click()
        await until(page, "!document.querySelector('.chip[data-fate=refused]')")
        assert [said for said in page.troubles if "409" not in said] == []


async def test_an_entry_during_an_outage_is_kept_with_its_time_and_sent_afterwards(page):
    practice = a_practice(phase="baseline", change_pct=None)
    async with serving(practice) as address:
        port = int(address.rpartition(":")[2])
        await open_room(page, address)
    await until(page, "document.body.dataset.stale === 'yes'", timeout_s=3.5)
    assert [await text(page, f"#{name}") for name in ("rate", "word", "elapsed")] == ["–", "–", "–"]
    assert (await text(page, "#news")).startswith("No news from restbeat for")
    await page.keyboard.press("Space")
    await page.keyboard.press("4")
    await page.keyboard.press("p")
    await page.keyboard.press("6")
    await until(page, "document.querySelectorAll('.chip[data-fate=waiting]').length === 3")
    await page.keyboard.press("u")  # the pain score is taken back before it was ever sent
    assert await text(page, "#phase") == "Massage"
    assert await text(page, "#beside") == "waiting to be sent"
    assert await text(page, "#rate") == "–"
    assert "2 entries are kept here" in await text(page, "#news")
    await page.screenshot(path=ARTIFACTS / "room-away.png")
    await page.wait_for_timeout(1500)
    practice.calls.clear()
    async with serving(practice, port):
        await until(page, "document.body.dataset.stale === 'no'")
        await until(page, "!document.querySelector('.chip[data-fate=waiting]')")
        (advance, mark) = practice.calls
        assert advance[0] == "advance"
        assert mark[2] == "Trigger point"
        assert 1.5 < mark[3] < 60
        assert practice.states["room-1"].phase_s > 1.5
        assert await page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('restbeat-press'))") == []


async def test_an_entry_survives_closing_its_page(page):
    practice = a_practice()
    async with serving(practice) as address:
        port = int(address.rpartition(":")[2])
        await open_room(page, address)
    await page.keyboard.press("5")
    await page.wait_for_timeout(300)
    async with serving(practice, port) as address:
        practice.calls.clear()
        await page.goto(f"{address}/sessions")
        await open_room(page, address)
        await becomes(page, ".chip .what", "Myofascial release")
        await until(page, "!document.querySelector('.chip[data-fate=waiting]')")
        assert entered(practice) == [("mark", "Myofascial release")]
