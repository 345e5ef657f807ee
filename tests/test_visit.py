"""A whole visit in a real Chromium with virtual straps: before, during and after a session; by touch alone and by keys alone."""

import re

from playwright.async_api import expect
import pytest

from restbeat.service.rooms.session_start import Opening
from restbeat.service.settings import PracticeSettings

from .chromium import SIZES
from .visit_practice import a_screen, fill, practice, worker  # noqa: F401 fixture
from .web.screen import ARTIFACTS, AXE, broken_rules

# ruff: noqa: F811 what fixtures are is imported

pytestmark = [pytest.mark.browser, pytest.mark.dbus]


class Touch:
    """A therapist who only taps."""

    def __init__(self, page):
        self.page = page
        self.presses = 0

    async def press(self, target):
        self.presses += 1
        await target.tap()

    async def choose(self, name, value):
        self.presses += 1
        await self.page.locator(f'[name="{name}"][value="{value}"]').tap()

    async def write(self, target, text):
        await target.tap()
        await self.page.keyboard.insert_text(text)  # as the tablet's own keyboard does

    async def next_phase(self):
        await self.press(self.page.locator("#next"))


class Keys:
    """A therapist without a pointer: Tab, arrows, Space, Enter, letters."""

    def __init__(self, page):
        self.page = page

    async def reach(self, target):
        for _ in range(120):
            if await target.evaluate("element => element === document.activeElement"):
                return
            await self.page.keyboard.press("Tab")
        pytest.fail(f"no Tab leads to {target}")

    async def press(self, target):
        checkbox = target.locator("input")
        await self.reach(checkbox if await checkbox.count() else target)
        await self.page.keyboard.press("Space" if await checkbox.count() else "Enter")

    async def choose(self, name, value):
        wanted = self.page.locator(f'[name="{name}"][value="{value}"]')
        for _ in range(120):
            if await self.page.evaluate(f"document.activeElement.name === {name!r}"):
                break
            await self.page.keyboard.press("Tab")
        for _ in range(30):
            if await wanted.is_checked():
                return
            await self.page.keyboard.press("ArrowRight")
        pytest.fail(f"no arrow leads to {name} {value}")

    async def write(self, target, text):
        await self.reach(target)
        await self.page.keyboard.press("Control+End")
        await self.page.keyboard.type(text)

    async def next_phase(self):
        await self.page.keyboard.press("Space")


async def lead_to_the_end(page, therapist):
    """Run through every phase, each with some beats in it, once the readiness checks have passed by themselves."""
    await expect(page.locator("#ready")).to_have_attribute("data-ready", "yes")
    for phase, following in (("Settling", "Baseline"), ("Baseline", "Massage"), ("Massage", "Recovery"), ("Recovery", "Ended")):
        await expect(page.locator("#phase")).to_have_text(phase)
        await expect(page.locator("#next")).to_have_attribute("aria-disabled", "false")
        await page.wait_for_timeout(250)  # heartbeats of this phase
        await therapist.next_phase()
        if phase == "Baseline":  # of which a moment only was usable: it asks once
            await expect(page.locator("#early-words")).to_contain_text("of 5:00 usable: begin anyway?")
            await expect(page.locator("#next")).to_have_attribute("aria-disabled", "false")
            await therapist.press(page.locator("#early-begin"))
        await expect(page.locator("#phase")).to_have_text(following)
        await expect(page.locator("#ready")).to_be_hidden()


@pytest.mark.parametrize("size", ["tablet", "phone"])
@pytest.mark.parametrize("way", [Touch, Keys])
async def test_a_whole_visit_from_start_to_notes(tmp_path, worker, way, size):
    async with practice(tmp_path, worker) as made, a_screen(size, touch=way is Touch) as page:
        await made.records.add("M-014", by="Ada")
        await made.records.agree("M-014", "record", by="Ada")
        therapist = way(page)
        await page.goto(f"{made.address}/")
        await therapist.press(page.locator(".strap a").first)
        await page.wait_for_url("**/start?strap=*")
        # a known client: three presses, and on a tablet no scrolling
        await expect(page.locator('[name="client"][value="M-014"]')).to_be_visible()
        if way is Keys:
            await therapist.write(page.locator("#search"), "m-014")
            await page.keyboard.press("Enter")
        else:
            await therapist.choose("client", "M-014")
        await therapist.choose("pain_before", "6")
        await expect(page.locator("#go-hint")).to_have_text("Not asked what applies")
        if way is Keys:
            await therapist.press(page.locator(".none-applies"))
            await expect(page.locator("#go-hint")).to_have_text("Asked: none applies")
        await expect(page.locator("#go")).to_have_attribute("aria-disabled", "false")
        if way is Touch and size == "tablet":
            await expect(page.locator("#go")).to_be_in_viewport()
            assert await page.evaluate("scrollY") == 0
        await therapist.press(page.locator("#go"))
        if way is Touch:
            assert therapist.presses == 4  # with that on the strap in the grid
        await page.wait_for_url("**/rooms/room-1")
        await lead_to_the_end(page, therapist)
        await expect(page.locator("#next-word")).to_have_text("Pain after, notes")
        await expect(page.locator("#next")).to_have_attribute("aria-disabled", "false")
        await therapist.next_phase()
        await page.wait_for_url("**/sessions/1/notes")
        await therapist.choose("pain_after", "4")
        await expect(page.locator('[name="assessment"]')).to_have_value("Pain 2 points lower than before the session.")
        assert "Pain, 0 to 10: 6 before, 4 after." in await page.locator('[name="subjective"]').input_value()
        objective = await page.locator('[name="objective"]').input_value()
        assert "It does not measure pain, health or treatment success." in objective
        assert "medical necessity" not in objective
        contraindications = await page.locator('[name="contraindications"]').input_value()
        pressed = way is Keys
        said = "Asked before the session (9 questions): none applies." if pressed else "Not asked before the session."
        assert contraindications == said
        await therapist.write(page.locator('[name="plan"]'), "again in a week")
        await therapist.write(page.locator('[name="mind"]'), "left hip")
        await therapist.press(page.get_by_role("button", name="Save the notes"))
        await expect(page.locator("#by")).to_contain_text("Saved by demo on")
        await therapist.press(page.get_by_role("link", name="To the summary"))
        await expect(page.locator("table.figures tbody tr")).to_have_count(4)
        row = await made.sql("SELECT client, pain_before, pain_after, therapist, technique FROM session")
        assert row == [("M-014", 6, 4, "demo", None)]
        assert await made.sql("SELECT plan FROM soap") == [("again in a week",)]
        told = "SELECT count(*), count(confirmed_utc), total(answer = 'yes') FROM screening"
        assert await made.sql(told) == [(9, 9, 0) if pressed else (0, 0, 0)]
        # the next visit begins with the flag, the strap and the position of the last one
        await page.goto(f"{made.address}/start?client=M-014")
        await expect(page.locator("#flags")).to_contain_text("left hip")
        await expect(page.locator("#go")).to_have_attribute("aria-disabled", "false")
        await therapist.press(page.get_by_role("button", name="Seen: left hip"))
        await expect(page.locator("#mind-title")).to_have_text("M-014")
        assert await made.sql("SELECT cleared_by FROM flag") == [("demo",)]


async def test_withdrawing_consent_on_a_clients_page_ends_the_running_session(tmp_path, worker):
    async with practice(tmp_path, worker) as made, a_screen() as page:
        await made.rooms.open_room(Opening(address=made.seen[0].address, client="M-001", consent=True), by="Ada")
        await page.goto(f"{made.address}/clients/M-001")
        button = page.get_by_role("button", name=re.compile("Take back.*To be recorded"))
        await button.click()
        await page.get_by_role("button", name="Take back, and end what runs").click()
        await expect(page.get_by_text("taken back on")).to_be_visible()
        await page.goto(f"{made.address}/rooms/room-1")
        await expect(page.locator("#phase")).to_have_text("Ended")
        await expect(page.locator("#news")).to_contain_text("M-001 took back the consent to be recorded.")


async def test_a_clients_data_is_exported_or_erased_from_their_page(tmp_path, worker):
    async with practice(tmp_path, worker) as made, a_screen() as page:
        await made.records.add("M-001", by="Ada")
        await page.goto(f"{made.address}/clients/M-001")
        async with page.expect_download() as download:
            await page.get_by_role("link", name="Export everything").click()
        assert (await download.value).suggested_filename == "M-001.zip"
        await page.get_by_role("button", name="Erase everything …").click()
        await expect(page.get_by_label("Write M-001 once more")).to_be_focused()
        await page.keyboard.type("M-001")
        await page.locator("#rights").screenshot(path=ARTIFACTS / "visit-erase.png")
        await page.keyboard.press("Enter")
        await expect(page.locator("#erased")).to_contain_text("Erased: 0 sessions, 0 packets")
        await page.screenshot(path=ARTIFACTS / "visit-erased.png")
        await page.get_by_role("link", name="To the clients").click()
        await expect(page.get_by_text("No client yet")).to_be_visible()


async def test_a_clients_identity_is_shown_only_on_a_press_and_noted(tmp_path, worker):
    async with practice(tmp_path, worker) as made, a_screen() as page:
        await page.goto(f"{made.address}/clients")
        await expect(page.get_by_text("No client yet")).to_be_visible()
        await page.get_by_role("button", name="Add").click()
        await page.wait_for_url("**/clients/M-001")
        await page.get_by_role("button", name="Write it down").click()
        await page.get_by_label("Name").fill("Erika Mustermann")
        await page.get_by_label("Language").select_option("de")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("#identity-said")).to_have_text("Saved, encrypted.")
        await page.reload()
        assert "Erika" not in await page.content()
        await page.get_by_role("button", name="Show").click()
        await expect(page.get_by_label("Name")).to_have_value("Erika Mustermann")
        await expect(page.get_by_label("Language")).to_have_value("de")
        await page.get_by_text("Who looked and changed").click()
        await expect(page.locator("#entries")).to_contain_text("demo · identity looked at")
        await page.goto(f"{made.address}/clients")
        await page.get_by_placeholder("Name, e-mail or phone").fill("musterm")
        await page.get_by_role("button", name="Find by name").click()
        await expect(page.locator("#clients > li:visible")).to_have_count(1)
        # without the key: a sentence about it, and everything else still works
        (tmp_path / "data.key").unlink()
        await page.goto(f"{made.address}/clients/M-001")
        await expect(page.locator("#identity-state")).to_contain_text("the key that opens it is missing")
        await page.get_by_role("button", name="Show").click()
        await expect(page.locator("#news")).to_contain_text("Put it back from your copy.")
        await page.get_by_label("Name").fill("Erika M.")
        await page.locator('[name="new_key"]').check()
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("#identity-said")).to_have_text("Saved, encrypted.")
        page.troubles.clear()  # a refusal is an error to the console, as it should be


async def test_settings_are_saved_and_the_pedal_key_is_entered_by_pressing_it(tmp_path, worker):
    async with practice(tmp_path, worker) as made, a_screen() as page:
        await page.goto(f"{made.address}/settings")
        await page.get_by_label("Technique on key 1", exact=True).fill("Effleurage")
        await page.get_by_label("Technique on key 9").fill("")
        await page.get_by_label("Regions").fill("Jaw\n\nNeck\n")
        await page.get_by_role("button", name="Remove PageDown").click()
        await page.get_by_role("button", name="Press a key or the pedal").click()
        await page.keyboard.press("PageUp")
        await page.get_by_label("Baseline").fill("10")
        await page.get_by_label("Massage").fill("25")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("#said")).to_have_text("Saved.")
        settings = await PracticeSettings(made.storage).read()
        assert settings.techniques[0] == "Effleurage"
        assert len(settings.techniques) == 8
        assert (settings.regions, settings.next_keys) == (("Jaw", "Neck"), ("Space", "PageUp"))
        assert (settings.baseline_s, settings.massage_s) == (600.0, 1500.0)
        await page.get_by_role("button", name="Press a key or the pedal").click()
        await page.keyboard.press("1")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("#news")).to_contain_text("Digit1 means something else in a room.")
        page.troubles.clear()


PAGES = {
    "start": "/start",
    "clients": "/clients",
    "client": "/clients/M-012",
    "client-new": "/clients/A-client-with-a-long-pseudonym_000000001",
    "notes": "/sessions/1/notes",
    "settings": "/settings",
    "room-settling": "/rooms/room-2",
}


async def opened(page, address, name):
    """Open a page with everything that it can show."""
    await page.goto(address + PAGES[name])
    if name == "start":
        await page.locator('[name="client"][value="M-011"]').check()
        await page.locator('[name="strap"]').first.check()
        await page.locator('[name="yes"][value="Fracture"]').check()
        await expect(page.locator("#considered")).to_be_visible()
        await expect(page.locator("#consent")).to_be_visible()
    elif name == "client":
        await page.locator("#show").click()
        await expect(page.get_by_label("Name")).to_have_value("Erika Mustermann")
        await page.get_by_text("Who looked and changed").click()
        await expect(page.locator("#entries li").first).to_be_visible()
    elif name == "room-settling":
        await expect(page.locator("#ready li")).to_have_count(5)


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed; make test brings it where there is npm")
@pytest.mark.parametrize(("size", "theme"), [("tablet", "dark"), ("phone", "dark"), ("desk", "dim")])
async def test_every_page_fits_every_screen_and_meets_wcag_2_2_aa(tmp_path, worker, size, theme):
    async with practice(tmp_path, worker) as made, a_screen() as page:
        await fill(made)
        width, height = SIZES[size]
        await page.set_viewport_size({"width": width, "height": height})
        await page.goto(f"{made.address}/sessions")
        await page.evaluate(f"localStorage.setItem('restbeat-theme', {theme!r})")
        for name in PAGES:
            await opened(page, made.address, name)
            await page.screenshot(path=ARTIFACTS / f"visit-{name}-{size}-{theme}.png", full_page=name != "room-settling")
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} scrolls sideways"
            small = await page.evaluate(
                "[...document.querySelectorAll('button, .button, input, select, textarea, summary, nav a')]"
                ".filter(e => e.offsetParent && (e.offsetHeight < 48 || e.offsetWidth < 44)).map(e => e.outerHTML)"
            )
            assert small == [], name
            assert await broken_rules(page) == [], name


async def test_every_page_prints_dark_on_white_without_buttons(tmp_path, worker):
    async with practice(tmp_path, worker) as made, a_screen() as page:
        await fill(made)
        await page.set_viewport_size({"width": 718, "height": 1030})
        for name in PAGES:
            await opened(page, made.address, name)
            await page.emulate_media(media="print")
            await page.screenshot(path=ARTIFACTS / f"visit-{name}-print.png", full_page=True)
            assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)", name
            assert await page.evaluate("[...document.querySelectorAll('button')].filter(e => e.offsetParent).length") == 0, name
            await page.emulate_media(media="null")


async def test_the_notes_print_completely_on_at_most_two_pages(tmp_path, worker):
    async with practice(tmp_path, worker) as made, a_screen() as page:
        await fill(made)
        await page.goto(f"{made.address}/sessions/1/notes")
        await page.locator('[name="plan"]').fill("Again in a week.\n" * 20)
        pdf = await page.pdf(path=ARTIFACTS / "visit-notes.pdf", prefer_css_page_size=True)
        assert 1 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 2
        await page.emulate_media(media="print")
        await page.set_viewport_size({"width": 665, "height": 1030})
        await expect(page.locator('[name="plan"] + .paper')).to_be_visible()
        await page.screenshot(path=ARTIFACTS / "visit-notes-print.png", full_page=True)
