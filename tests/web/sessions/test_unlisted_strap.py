"""A strap that is not in the list of the start page: chosen among the devices near, or opened by its address."""

import pytest

from restbeat.service.radio.radio import StrapSeen

from ..room import a_practice
from ..screen import ARTIFACTS, AXE, a_page, broken_rules, serving, until

pytestmark = pytest.mark.browser
CHOSEN = "document.querySelector('#straps input:checked')?.value"
REFUSED = "document.querySelector('#why').textContent"


def practice_with_devices():
    practice = a_practice()
    practice.seen.append(StrapSeen("07:08", "Gym 7", -70, None, strap=False))
    practice.seen.append(StrapSeen("09:0A", None, -80, None, strap=False))
    return practice


async def start_page(page, address):
    await page.goto(f"{address}/start")
    await until(page, "document.querySelectorAll('#straps input').length === 2")
    await page.locator("#unlisted summary").click()


async def test_a_device_that_does_not_say_what_it_is_can_be_chosen(page):
    async with serving(practice_with_devices()) as address:
        await start_page(page, address)
        await page.locator("#others label", has_text="Gym 7").click()
        await until(page, f"{CHOSEN} === '07:08'")
        assert await page.locator("#others label").count() == 1
        assert page.troubles == []


async def test_a_strap_is_opened_by_the_address_that_was_typed_and_enter_does_not_start_a_session(page):
    practice = practice_with_devices()
    async with serving(practice) as address:
        await start_page(page, address)
        await page.locator("#address").fill(" A0:9E:1A:00:00:09 ")
        await page.keyboard.press("Enter")
        await until(page, f"{CHOSEN} === 'A0:9E:1A:00:00:09'")
        assert not [call for call in practice.calls if call[0] == "open"]
        assert page.url.endswith("/start")
        await page.locator("#clients label", has_text="Nobody named").click()
        await page.locator("[name=consent]").check()
        await until(page, f"{REFUSED} === ''")
        await page.locator("#go").click()
        await until(page, "location.pathname === '/rooms/room-2'")
        (opened,) = [call for call in practice.calls if call[0] == "open"]
        assert opened[1].address == "A0:9E:1A:00:00:09"


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed; make test brings it where there is npm")
@pytest.mark.parametrize("size", ["tablet", "phone", "desk"])
async def test_what_is_not_in_the_list_on_every_screen(browser, size):
    async with serving(practice_with_devices()) as address, a_page(browser, size) as page:
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
