"""A whole visit in a real Chromium with virtual straps: before, during and after a session; by touch alone and by keys alone."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
import re

from playwright.async_api import expect
import pytest

from restbeat.sensors.bluetooth.scanner import StrapSource, on_bus
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.recordings.recording import read
from restbeat.sensors.virtual.straps_on_air import virtual_straps
from restbeat.service.clients.clients import Clients
from restbeat.service.clients.models import Identity
from restbeat.service.commands.options import FIXTURES
from restbeat.service.follow_up.link_store import revoke_all
from restbeat.service.privacy.data_requests import DataRequests
from restbeat.service.radio.radio import AdapterState, StrapSeen
from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.rooms.rooms import Rooms
from restbeat.service.rooms.session_start import Opening
from restbeat.service.sessions.session_store import SessionStore
from restbeat.service.sessions.soap_notes import SessionNotes
from restbeat.service.settings import PracticeSettings
from restbeat.service.storage.encryption import IdentityCipher
from restbeat.service.worker.worker import Worker
from restbeat.web.server import serving

from .chromium import SIZES
from .practices import practice_of
from .web.screen import ARTIFACTS, AXE, a_page, broken_rules, chromium

pytestmark = [pytest.mark.browser, pytest.mark.dbus]

SPEED = 60.0


@pytest.fixture(scope="module")
def worker():
    """One analysis process for all visits, because its imports take seconds."""
    return Worker()


class Practice:
    """A practice with two virtual straps, served on a port."""

    def __init__(self, air, storage):
        self.storage = storage
        self.seen = [StrapSeen(p.strap.address, p.strap.name, p.strap.rssi_dbm, None) for p in air.players]

    def adapter(self):
        return AdapterState(ready=True, text="Bluetooth ready")

    def straps(self):
        return self.seen

    async def sql(self, query, *values):
        return await self.storage.run(lambda db: [tuple(row) for row in db.execute(query, values)])


@asynccontextmanager
async def practice(folder, worker, *, straps=("clear", "none")):
    recordings = [read(FIXTURES / f"polar-h10_simulated_{name}.jsonl.gz") for name in straps]
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(await SessionStore.open(folder / "data"))
        air = await stack.enter_async_context(virtual_straps(recordings, clock_for=lambda _: RunningClock(SPEED), loop=True))
        await stack.enter_async_context(on_bus(air.bus_address))
        made, live_feed = Practice(air, storage), LiveFeed()
        rooms = Rooms(storage, worker, live_feed, made, StrapSource, new_clock=lambda: RunningClock(SPEED))
        made.rooms = await stack.enter_async_context(rooms)
        cipher = IdentityCipher(folder / "data.key")
        made.records = Clients(storage, cipher, rooms.end_sessions_of, revoke_all)
        rights = DataRequests(storage, worker, cipher, rooms)
        made.address = await stack.enter_async_context(
            serving(practice_of(rooms, live_feed, clients=made.records, data_requests=rights), "127.0.0.1", 0)
        )
        yield made


@asynccontextmanager
async def a_screen(size="tablet", *, touch=False):
    async with chromium() as browser, a_page(browser, size, touch=touch) as page:
        yield page
        assert page.troubles == []


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


async def fill(made):
    """Fill the practice with long names, flags, notes and a session in settle."""
    long = "A-client-with-a-long-pseudonym_000000001"
    for name in (long, *(f"M-{n:03d}" for n in range(1, 13))):
        await made.records.add(name, by="Ada")
    await made.records.set_identity("M-012", Identity(name="Erika Mustermann"), new_key=False, by="Ada")
    opening = Opening(address=made.seen[0].address, client="M-012", consent=True, pain_before=3, posture="Prone")
    room = await made.rooms.open_room(opening, by="Ada")
    for leaving in ("settle", "baseline"):
        await made.rooms.entries.advance(room, leaving, by="Ada")
    await made.rooms.entries.stop(room, by="Ada")
    await made.rooms.entries.advance(room, "recovery", by="Ada")
    async with asyncio.timeout(60):
        while await made.storage.report(1) is None:  # noqa: ASYNC110 the database tells nobody
            await asyncio.sleep(0.1)
    await SessionNotes(made.storage).set_pain_after(1, 8, by="Ada")
    await made.rooms.open_room(Opening(address=made.seen[1].address, client=long, consent=True), by="Ada")


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


async def test_what_was_ticked_before_the_clients_record_arrived_stays(tmp_path, worker):
    async with practice(tmp_path, worker) as made, a_screen() as page:
        await fill(made)
        arrives = asyncio.Event()

        async def late(route):
            await arrives.wait()
            await route.continue_()

        await page.route("**/api/v1/clients/M-011", late)
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
        arrives = asyncio.Event()

        async def late(route):
            await arrives.wait()
            await route.continue_()

        await page.goto(f"{made.address}/start")
        await expect(page.locator('[name="client"][value="M-011"]')).to_be_visible()
        await page.route("**/api/v1/clients?*search=m-011", late)
        await page.locator("#search").focus()
        await page.keyboard.type("m-011")
        await page.keyboard.press("Enter")
        await page.locator('[name="pain_before"][value="6"]').focus()
        arrives.set()
        await expect(page.locator('[name="client"][value="M-011"]')).to_be_checked()
        await expect(page.locator("#last")).to_contain_text("First session")
        await expect(page.locator('[name="pain_before"][value="6"]')).to_be_focused()
