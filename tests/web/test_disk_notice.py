"""What every page says while nothing can be stored, and what programs are told."""

import pytest

from restbeat.service.storage.trouble import StorageTrouble
from restbeat.web.app import create_app

from ..practices import practice_of
from .fake_practice import FakePractice
from .made_up import room_state
from .screen import ARTIFACTS, a_page, serving

FULL = StorageTrouble(code="disk-full", waiting=3, spilled=True)
PAGES = ["/", "/rooms/room-1", "/sessions", "/sessions/7", "/settings", "/start", "/api/v1", "/nowhere"]


@pytest.fixture
def practice():
    return FakePractice(states=[room_state()])


async def test_the_health_check_is_503_with_a_code_while_nothing_can_be_stored(aiohttp_client, practice):
    client = await aiohttp_client(create_app(practice_of(practice, practice.live_feed), version="1"))
    practice.trouble = FULL
    answer = await client.get("/healthz")
    assert answer.status == 503
    assert (await answer.json())["storage"] == {"code": "disk-full", "saves": False, "waiting": 3, "sentence": FULL.sentence}
    practice.trouble = StorageTrouble(code="refused")
    answer = await client.get("/healthz")
    assert (answer.status, (await answer.json())["storage"]["code"]) == (200, "refused")


async def test_every_page_says_within_two_seconds_that_nothing_is_saved_and_when_it_is_again(browser, practice):
    async with serving(practice) as address, a_page(browser) as page:
        for path in PAGES:
            practice.trouble = None
            await page.goto(address + path)
            notice = page.locator("#disk-notice")
            assert await notice.is_hidden(), path
            practice.trouble = FULL
            await notice.wait_for(timeout=2000)
            assert "The disk is full" in await notice.inner_text()
            assert "3 entries wait in memory" in await notice.inner_text()
            if path == "/rooms/room-1":
                await page.screenshot(path=ARTIFACTS / "disk_notice_room.png")
            practice.trouble = None
            await notice.wait_for(state="hidden", timeout=2000)


async def test_a_page_opened_meanwhile_says_so_at_once_and_the_clients_screen_never_does(browser, practice):
    async with serving(practice) as address, a_page(browser, "tablet") as page:
        practice.trouble = FULL
        await page.goto(f"{address}/sessions")
        assert await page.locator("#disk-notice").is_visible()
        await page.screenshot(path=ARTIFACTS / "disk_notice_sessions.png")
        await page.goto(f"{address}/rooms/room-1/client")
        assert await page.locator("#disk-notice").count() == 0
