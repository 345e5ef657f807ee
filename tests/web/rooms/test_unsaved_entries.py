"""Entries and forms while the server cannot store them: kept in sight, sent again, and counted once."""

import json

from restbeat.service.errors import DiskFullError

from ...service.storage.test_storage_trouble import until as happens
from ..fake_practice import FakePractice
from ..made_up import room_state
from ..screen import a_page, serving, until
from .test_room_page import open_room

FULL = "The disk is full. What was stored is kept; free some space."


class FullPractice(FakePractice):
    """A made-up practice whose disk is full for a while."""

    full = False

    def entered(self, *arguments, **more):
        if self.full:
            raise DiskFullError(FULL)
        return super().entered(*arguments, **more)

    def changed(self, *arguments):
        if self.full:
            raise DiskFullError(FULL)
        super().changed(*arguments)


async def test_an_entry_that_is_not_stored_is_kept_in_sight_over_a_reload_and_counts_once(browser):
    practice = FullPractice(states=[room_state()])
    async with serving(practice) as address, a_page(browser) as page:
        await open_room(page, address)
        practice.full = True
        await page.keyboard.press("1")
        await until(page, "document.querySelector('#news').textContent.includes('Not saved')")
        assert FULL in await page.locator("#news").inner_text()
        assert "1 entry is kept here" in await page.locator("#news").inner_text()
        await page.reload()
        await until(page, "document.querySelector('.chip')?.dataset.fate === 'waiting'")
        assert practice.presses == []
        practice.full = False
        await until(page, "document.querySelector('.chip')?.dataset.fate === 'stored'")
        assert len(practice.presses) == 1
        assert practice.presses[0].key


async def test_an_undo_that_is_not_stored_is_sent_again_until_it_is(browser):
    practice = FullPractice(states=[room_state()])
    async with serving(practice) as address, a_page(browser) as page:
        await open_room(page, address)
        await page.keyboard.press("1")
        await until(page, "document.querySelector('.chip')?.dataset.fate === 'stored'")
        practice.full = True
        await page.keyboard.press("u")
        await until(page, "document.querySelector('#news').textContent.includes('Not saved')")
        practice.full = False
        await happens(lambda: any(call[0] == "undo" for call in practice.calls))
        assert practice.state("room-1").actions == []


async def test_a_form_that_is_not_stored_says_so_and_keeps_what_was_typed(browser):
    async with serving(FakePractice()) as address, a_page(browser) as page:

        async def refuse(route):
            if route.request.method == "GET":
                await route.continue_()
            else:
                await route.fulfill(status=503, content_type="application/json", body=json.dumps({"error": FULL}))

        await page.goto(f"{address}/settings")
        await page.route("**/api/v1/**", refuse)
        await page.locator("[name=settle_s]").fill("7")
        await page.locator("#settings").evaluate("form => form.requestSubmit()")
        await until(page, "document.querySelector('#news').textContent.includes('Not saved')")
        assert FULL in await page.locator("#news").inner_text()
        assert await page.locator("[name=settle_s]").input_value() == "7"
