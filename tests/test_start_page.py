"""The page that starts a session, in a real Chromium with virtual straps."""

import asyncio

from playwright.async_api import expect
import pytest

from restbeat.service.rooms.session_start import Opening

from .visit_practice import a_screen, fill, practice, worker  # noqa: F401 fixture
from .web.screen import ARTIFACTS

# ruff: noqa: F811 what fixtures are is imported

pytestmark = [pytest.mark.browser, pytest.mark.dbus]


async def held_back(page, address):
    """Hold back the answers of an address; return the event that lets them go."""
    arrives = asyncio.Event()

    async def late(route):
        await arrives.wait()
        await route.continue_()

    await page.route(address, late)
    return arrives


async def test_consent_strap_and_screening_are_confirmed_on_the_start_page(tmp_path, worker):
    async with practice(tmp_path, worker) as made, a_screen() as page:
        await made.records.add("M-001", by="Ada")
        await made.records.agree("M-001", "record", by="Ada")
        worn = made.seen[0].address
        await made.storage.run(lambda db: db.execute("UPDATE client SET strap_address = ?", (worn,)))
        await page.goto(f"{made.address}/start?strap={worn}")
        await page.get_by_role("button", name="Add M-002").click()
        go, why = page.locator("#go"), page.locator("#why")
        await expect(why).to_have_text("Ask for consent to be recorded.")
        await expect(page.locator("#wording")).to_contain_text("I can take this back at any time")
        await go.click(force=True)  # leads to what is missing, and starts nothing
        await expect(page.locator('[name="consent"]')).to_be_focused()
        await page.locator('[name="consent"]').check()
        await expect(why).to_have_text("Confirm whose chest the strap is on.")
        await expect(page.locator("#worn-text")).to_have_text("M-001 wore this strap last. Look whose chest it is on.")
        await page.locator('[name="strap_confirmed"]').check()
        await page.locator('[name="yes"][value="Fibromyalgia"]').check()
        await expect(why).to_have_text("Consider what applies, and confirm.")
        await expect(page.locator("#considered-text")).to_contain_text("light to moderate pressure; no tender points")
        await page.locator('[name="screening_confirmed"]').check()
        await expect(page.locator("#go-hint")).to_have_text("1 applies, considered")
        await page.locator('[name="posture"][value="Supine"]').check()
        await page.locator('[name="technique"][value="Holding"]').check()
        await go.click()
        await page.wait_for_url("**/rooms/room-1")
        assert await made.sql("SELECT client, posture, technique FROM session") == [("M-002", "Supine", "Holding")]
        assert await made.sql("SELECT question FROM screening WHERE answer = 'yes' AND confirmed_utc > ''") == [("Fibromyalgia",)]
        assert await made.sql("SELECT pseudonym FROM client WHERE strap_address = ?", worn) == [("M-002",)]
        assert await made.sql("SELECT client, purpose FROM consent WHERE client = 'M-002'") == [("M-002", "record")]
        # nobody named: asked once, stored with the session
        await page.goto(f"{made.address}/start?strap={made.seen[1].address}")
        await page.locator('[name="client"][value=""]').check()
        await expect(page.locator("#agrees")).to_have_text("The person on the table agrees to be recorded")
        await page.locator('[name="consent"]').check()
        await page.locator('[name="yes"]').first.check()
        await page.locator('[name="none_applies"]').check()
        await expect(page.locator('[name="yes"]:checked')).to_have_count(0)
        await expect(page.locator("#go-hint")).to_have_text("Asked: none applies")
        await page.locator('[name="none_applies"]').uncheck()
        await expect(page.locator("#go-hint")).to_have_text("Not asked what applies")
        await go.click()
        await page.wait_for_url("**/rooms/room-2")
        assert await made.sql("SELECT client, session FROM consent ORDER BY id DESC LIMIT 1") == [(None, 2)]


async def test_while_clients_are_hidden_the_start_page_names_none_of_them(tmp_path, worker):
    async with practice(tmp_path, worker) as made, a_screen() as page:
        for name in ("M-001", "M-002"):
            await made.records.add(name, by="Ada")
            await made.records.agree(name, "record", by="Ada")
        worn = made.seen[0].address
        await made.storage.run(lambda db: db.execute("UPDATE client SET strap_address = ? WHERE pseudonym = 'M-001'", (worn,)))
        await page.goto(f"{made.address}/start?strap={worn}")
        await expect(page.locator("#straps")).to_contain_text("worn by M-001")
        await page.get_by_role("button", name="Hide other clients").click()
        for _ in range(2):  # and so after it was opened anew
            await expect(page.locator('[name="client"]')).to_have_count(1)
            await expect(page.locator("#more")).to_have_text("Other clients are hidden: type the whole pseudonym.")
            await page.get_by_placeholder("Search").fill("m-00")
            await expect(page.locator('[name="client"]')).to_have_count(1)
            await page.get_by_placeholder("Search").fill("m-002")
            await page.keyboard.press("Enter")
            await expect(page.locator("#worn-text")).to_have_text(
                "Another client wore this strap last. Look whose chest it is on."
            )
            await expect(page.locator("#straps")).to_contain_text("worn by another client")
            assert "M-001" not in await page.locator("body").inner_text()
            await page.screenshot(path=ARTIFACTS / "start-hidden.png", full_page=True)
            await page.reload()
        await page.get_by_role("button", name="Hide other clients").click()
        await expect(page.locator('[name="client"]')).to_have_count(3)


async def test_a_strap_in_use_is_shown_with_a_link_to_its_room(tmp_path, worker):
    async with practice(tmp_path, worker) as made, a_screen() as page:
        await page.goto(f"{made.address}/start?strap={made.seen[0].address}")
        for name in ("client", "consent"):
            await page.locator(f'[name="{name}"]').last.check()
        await expect(page.locator("#go")).to_have_attribute("aria-disabled", "false")
        await made.rooms.open_room(Opening(address=made.seen[0].address, consent=True), by="Bo")
        await page.locator("#go").click()
        await expect(page.locator(".conflict p")).to_contain_text("Room 1 holds this strap.")
        await page.screenshot(path=ARTIFACTS / "start-conflict.png")
        await page.get_by_role("link", name="Go to that room").click()
        await page.wait_for_url("**/rooms/room-1")
        assert [text for text in page.troubles if "409 (Conflict)" not in text] == []
        page.troubles.clear()


async def test_what_was_ticked_before_the_clients_record_arrived_stays(tmp_path, worker):
    async with practice(tmp_path, worker) as made, a_screen() as page:
        await fill(made)
        arrives = await held_back(page, "**/api/v1/clients/M-011")
        await page.goto(f"{made.address}/start")
        await page.locator('[name="client"][value="M-011"]').check()
        await page.locator('[name="yes"][value="Fracture"]').check()
        async with page.expect_response("**/api/v1/clients/M-011"):
            arrives.set()
        await expect(page.locator("#considered")).to_be_visible()
        await expect(page.locator('[name="yes"][value="Fracture"]')).to_be_checked()


async def test_keys_that_went_on_while_clients_were_searched_are_not_called_back(tmp_path, worker):
    async with practice(tmp_path, worker) as made, a_screen() as page:
        await fill(made)
        await page.goto(f"{made.address}/start")
        await expect(page.locator('[name="client"][value="M-011"]')).to_be_visible()
        arrives = await held_back(page, "**/api/v1/clients?*search=m-011")
        await page.locator("#search").focus()
        await page.keyboard.type("m-011")
        await page.keyboard.press("Enter")
        await page.locator('[name="pain_before"][value="6"]').focus()
        arrives.set()
        await expect(page.locator('[name="client"][value="M-011"]')).to_be_checked()
        await expect(page.locator("#last")).to_contain_text("First session")
        await expect(page.locator('[name="pain_before"][value="6"]')).to_be_focused()
