"""Another strap for a running session, chosen on the room's page."""

import pytest

from restbeat.service.radio.radio import StrapSeen

from ..room import a_practice, open_room
from ..screen import ARTIFACTS, AXE, LOST, a_page, broken_rules, serving, until

pytestmark = pytest.mark.browser
USE = "#other-strap button"
TOOLS = "#tools button:has-text('Another strap')"
NEAR = "dialog[open] .near-straps"


def practice_with_straps(**changes):
    practice = a_practice(**changes)
    practice.seen.append(StrapSeen("E5:F6", "H808S 0012345", -84, None))
    practice.seen.append(StrapSeen("07:08", "Gym 7", -70, None, strap=False))
    return practice


async def test_a_lost_strap_is_changed_for_a_free_one_that_is_near(page):
    practice = practice_with_straps(**LOST)
    async with serving(practice) as address:
        await open_room(page, address)
        await page.locator(USE).click()
        await until(page, f"document.querySelector({NEAR!r})?.childElementCount === 2")
        shown = await page.locator(NEAR).first.inner_text()
        assert "Polar H10 C3D4E5" in shown
        assert "Polar H10 A1B2C3" not in shown, "a room holds it"
        await page.locator(f"{NEAR} button", has_text="C3D4E5").click()
        await until(page, "!document.querySelector('dialog[open]')")
        assert practice.calls[-1] == ("strap", "room-1", "C3:D4", 7, False)
        await until(page, "document.querySelector('#who').textContent.includes('Polar H10 C3D4E5')")
        await until(page, "document.querySelector('#other-strap').hidden")
        assert page.troubles == []


async def test_a_strap_that_another_client_wore_last_is_taken_once_that_is_confirmed(page):
    practice = practice_with_straps()
    async with serving(practice) as address:
        await open_room(page, address)
        assert await page.locator(USE).is_hidden(), "the strap is well"
        await page.locator(TOOLS).click()
        await page.locator(f"{NEAR} button", has_text="H808S").click()
        await until(page, "document.querySelector('dialog[open] .notice').textContent.startsWith('M-015 wore this strap last')")
        await page.locator("dialog[open] button", has_text="It is on this client now").click()
        await until(page, "!document.querySelector('dialog[open]')")
        assert practice.calls[-1] == ("strap", "room-1", "E5:F6", 7, True)


async def test_a_device_that_does_not_say_what_it_is_can_be_chosen(page):
    practice = practice_with_straps()
    async with serving(practice) as address:
        await open_room(page, address)
        await page.locator(TOOLS).click()
        await page.locator("dialog[open] summary").click()
        await page.locator("dialog[open] details button", has_text="Gym 7").click()
        await until(page, "!document.querySelector('dialog[open]')")
        assert practice.calls[-1][:3] == ("strap", "room-1", "07:08")


async def test_with_no_other_strap_it_says_what_to_do(page):
    practice = a_practice(**LOST)
    practice.seen = practice.seen[:1]
    async with serving(practice) as address:
        await open_room(page, address)
        await page.locator(USE).click()
        await until(page, "document.querySelector('dialog[open]').textContent.includes('No other strap is heard.')")


async def test_an_ended_session_takes_no_other_strap(page):
    practice = a_practice(phase="ended", signal="ended", signal_text="Session ended")
    async with serving(practice) as address:
        await page.goto(f"{address}/rooms/room-1")
        await until(page, "document.querySelector('#tools').childElementCount > 1")
        assert await page.locator(TOOLS).is_hidden()
        assert await page.locator(USE).is_hidden()


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed; make test brings it where there is npm")
@pytest.mark.parametrize("size", ["tablet", "phone", "desk"])
async def test_the_choice_of_a_strap_on_every_screen(browser, size):
    practice = practice_with_straps(**LOST)
    async with serving(practice) as address, a_page(browser, size) as page:
        await open_room(page, address)
        await until(page, "!document.querySelector('#other-strap').hidden")
        await page.screenshot(path=ARTIFACTS / f"strap-lost-{size}.png")
        await page.locator(USE).click()
        await until(page, f"document.querySelector({NEAR!r})?.childElementCount === 2")
        await page.locator("dialog[open] summary").click()
        await page.screenshot(path=ARTIFACTS / f"strap-choice-{size}.png")
        small = await page.evaluate(
            "[...document.querySelectorAll('dialog[open] button, dialog[open] summary, #other-strap button')]"
            ".filter((e) => e.getClientRects().length && e.getBoundingClientRect().height < 48).map((e) => e.textContent)"
        )
        assert small == []
        assert await broken_rules(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
