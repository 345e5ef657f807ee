"""A strap that is not in the list of the start page: chosen among the devices near, or opened by its address."""

from contextlib import asynccontextmanager

import pytest

from restbeat.service.clients.clients import Clients
from restbeat.service.follow_up.link_store import revoke_all
from restbeat.service.radio.radio import StrapSeen
from restbeat.service.sessions.session_store import SessionStore
from restbeat.service.storage.encryption import IdentityCipher
from restbeat.service.worker.worker import Worker
from restbeat.web.server import serving

from ...practices import practice_of
from ...service.practice_under_test import NOW, PracticeUnderTest, Strap
from ..screen import ARTIFACTS, AXE, a_page, broken_rules, until

pytestmark = pytest.mark.browser
CHOSEN = "document.querySelector('#straps input:checked')?.value"
REFUSED = "document.querySelector('#why').textContent"


@asynccontextmanager
async def a_practice(folder):
    """Yield a practice with a real database, one strap near, and two devices that do not say what they are; and its address."""
    async with await SessionStore.open(folder, now_utc=lambda: NOW) as storage:
        made = PracticeUnderTest(storage, Worker())
        unnamed = StrapSeen("09:0A", None, -80, None, strap=False)
        made.air.seen = (*made.air.seen, StrapSeen("07:08", "Gym 7", -70, None, strap=False), unnamed)
        made.records = Clients(
            storage, IdentityCipher(folder / "key"), made.rooms.end_sessions_of, revoke_all, now_utc=lambda: NOW
        )
        opened = []
        made.rooms._source_of = lambda address: opened.append(address) or Strap(address)
        practice = practice_of(made.rooms, made.live_feed, clients=made.records)
        async with made.rooms, serving(practice, "127.0.0.1", 0) as address:
            yield opened, address


async def start_page(page, address):
    await page.goto(f"{address}/start")
    await until(page, "document.querySelectorAll('#straps input').length === 1")
    await page.locator("#unlisted summary").click()


async def test_a_device_that_does_not_say_what_it_is_can_be_chosen(page, tmp_path):
    async with a_practice(tmp_path) as (_, address):
        await start_page(page, address)
        await page.locator("#others label", has_text="Gym 7").click()
        await until(page, f"{CHOSEN} === '07:08'")
        assert await page.locator("#others label").count() == 1
        assert page.troubles == []


async def test_a_strap_is_opened_by_the_address_that_was_typed_and_enter_does_not_start_a_session(page, tmp_path):
    async with a_practice(tmp_path) as (opened, address):
        await start_page(page, address)
        await page.locator("#clients label", has_text="Nobody named").click()
        await page.locator("[name=consent]").check()
        await until(page, f"{REFUSED} === ''")
        await page.locator("#address").fill(" A0:9E:1A:00:00:09 ")
        await page.keyboard.press("Enter")
        await until(page, f"{CHOSEN} === 'A0:9E:1A:00:00:09'")
        assert opened == []
        assert page.url.endswith("/start")
        await page.locator("#go").click()
        await until(page, "location.pathname === '/rooms/room-1'")
        assert opened == ["A0:9E:1A:00:00:09"]


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed; make test brings it where there is npm")
@pytest.mark.parametrize("size", ["tablet", "phone", "desk"])
async def test_what_is_not_in_the_list_on_every_screen(browser, size, tmp_path):
    async with a_practice(tmp_path) as (_, address), a_page(browser, size) as page:
        await start_page(page, address)
        await page.locator("#unlisted").scroll_into_view_if_needed()
        await page.screenshot(path=ARTIFACTS / f"strap-unlisted-{size}.png")
        small = await page.evaluate(
            "[...document.querySelectorAll('#unlisted summary, #unlisted .chip, #unlisted input#address')]"
            ".filter((e) => e.getClientRects().length && e.getBoundingClientRect().height < 48).map((e) => e.outerHTML)"
        )
        assert small == []
        assert await broken_rules(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
