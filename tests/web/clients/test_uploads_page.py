"""Files on a client's page in a real Chromium: dropped, chosen, by keys alone; with the real reader and SQLite."""

import asyncio
import base64
from contextlib import AsyncExitStack, asynccontextmanager
import gzip
from pathlib import Path

from playwright.async_api import expect
import pytest
import pytest_asyncio

from restbeat.sensors.recordings.recording import read
from restbeat.service.sessions.report_cache import SessionReports
from restbeat.service.sessions.session_store import SessionStore
from restbeat.service.uploads.uploads import Uploads
from restbeat.service.worker.worker import Worker
from restbeat.web.server import serving

from ...practices import practice_of
from ...service.practice_under_test import PracticeUnderTest
from ...service.uploads.waiting import SAMPLES, heart_rates, records_of, rr_list
from ..screen import ARTIFACTS, a_page, broken_rules

FIXTURES = Path(__file__).parents[3] / "fixtures"
RECORDING = (FIXTURES / "polar-h10_simulated_clear.jsonl.gz").read_bytes()
GAPS = b"\n".join([*rr_list(150).split(), b"# gap 40 s", *rr_list(150, 900).split()])
FILES = {
    "morning.txt": rr_list(),
    "pulse wave.txt": SAMPLES,
    "watch.csv": heart_rates(),
    "strap.jsonl.gz": RECORDING,
    "with a gap.txt": GAPS,
}
WAITING = '#waiting > [data-state="waiting"]'
DROP = """async (files) => {
  const carried = new DataTransfer();
  for (const [name, text] of Object.entries(files)) {
    carried.items.add(new File([Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))], name));
  }
  const box = document.getElementById("drop");
  for (const kind of ["dragenter", "dragover", "drop"]) {
    const event = new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: carried });
    box.dispatchEvent(event);
    if (!event.defaultPrevented) throw new Error(`the browser would open the file (${kind})`);
  }
}"""


@asynccontextmanager
async def a_practice(folder):
    """Serve a practice with one client who agrees to be recorded; yield it with its address."""
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(await SessionStore.open(folder / "data"))
        worker = await stack.enter_async_context(Worker())
        made = PracticeUnderTest(storage, worker)
        await stack.enter_async_context(made.rooms)
        records = records_of(made, folder)
        await records.add("M-014", by="Ada")
        await records.agree("M-014", "record", by="Ada")
        uploads = await stack.enter_async_context(Uploads(storage, SessionReports(storage, worker)))
        practice = practice_of(made.rooms, made.live_feed, clients=records, uploads=uploads)
        made.address = await stack.enter_async_context(serving(practice, "127.0.0.1", 0))
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def practice(tmp_path):
    async with a_practice(tmp_path) as made:
        yield made


def as_payloads(files):
    return [{"name": name, "mimeType": "", "buffer": content} for name, content in files.items()]


def card(page, name):
    return page.locator("#waiting > li").filter(has=page.get_by_role("heading", name=name, exact=True))


async def fits(page):
    """Return whether the page needs no scrolling sideways, and each target is large enough to press."""
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    small = await page.evaluate(
        "[...document.querySelectorAll('#files button, #files input:not([hidden]), #files .chip')]"
        ".filter((one) => one.offsetParent && one.getBoundingClientRect().height < 48).map((one) => one.outerHTML)"
    )
    return (wide, small)


@pytest.mark.parametrize("size", ["tablet", "phone", "desk"])
async def test_several_files_are_dropped_and_each_says_what_it_is(browser, practice, size):
    async with a_page(browser, size, touch=size != "desk") as page:
        await page.goto(f"{practice.address}/clients/M-014")
        await page.evaluate(DROP, {name: base64.b64encode(content).decode() for name, content in FILES.items()})
        await expect(page.locator(WAITING)).to_have_count(4, timeout=60_000)
        refused = card(page, "pulse wave.txt")
        await expect(refused).to_have_attribute("data-state", "refused")
        await expect(refused).to_contain_text("pulse wave.txt seems to hold the samples of a pulse or an ECG")
        good = card(page, "morning.txt")
        for said in ("RR text", "5.7 min", "400", "100 %", "71 bpm", "Read as RR intervals in ms", "the file does not say"):
            await expect(good).to_contain_text(said)
        await expect(good.locator("polyline")).to_have_count(1)
        rates = card(page, "watch.csv")
        await expect(rates).to_contain_text("none: heart rate only")
        await expect(rates).to_contain_text("When it was, as the file says")
        strap = card(page, "strap.jsonl.gz")
        await expect(strap).to_contain_text("Phases, as in the file: Baseline 5.0 min, Massage 10 min, Recovery 5.0 min")
        await expect(card(page, "with a gap.txt").locator("polyline")).to_have_count(2)
        assert (await practice.storage.sessions()).rows == []
        assert await fits(page) == (0, [])
        assert await broken_rules(page) == []
        await good.locator('[value="parts"]').click()
        await page.locator("#files").screenshot(path=ARTIFACTS / f"uploads_{size}.png")
        assert await fits(page) == (0, [])
        assert page.troubles == [one for one in page.troubles if "409" in one]


async def test_a_file_is_added_with_its_date_and_parts_and_the_same_one_asks_again(browser, practice):
    async with a_page(browser, "tablet", touch=True) as page:
        await page.goto(f"{practice.address}/clients/M-014")
        chosen = page.locator("#chosen")
        await chosen.set_input_files(as_payloads({"morning.txt": rr_list()}))
        good = card(page, "morning.txt")
        add = good.get_by_role("button", name="Add without a date")
        await expect(add).to_be_visible(timeout=30_000)
        await good.locator('[name="began"]').fill("2026-05-03T08:12")
        await good.locator('[value="parts"]').tap()
        for name, minutes in (("before", "2"), ("middle", "2"), ("after", "1")):
            await good.locator(f'[name="{name}"]').fill(minutes)
        await good.get_by_role("button", name="Add as session").tap()
        await expect(good).to_contain_text("Added as session 1. It is stored.")
        await expect(good.get_by_role("link", name="Open the session")).to_be_focused()
        (row,) = (await practice.storage.sessions()).rows
        assert (row.started_utc[:10], row.duration_s, row.imported) == ("2026-05-03", 300.0, "RR text")
        await chosen.set_input_files(as_payloads({"once more.txt": rr_list()}))
        again = card(page, "once more.txt")
        await expect(again).to_contain_text("These beats are stored already: session 1.", timeout=30_000)
        await again.get_by_role("button", name="Add without a date").tap()
        await expect(again.get_by_role("alert")).to_contain_text("once more.txt holds the beats of session 1")
        assert len((await practice.storage.sessions()).rows) == 1
        await page.locator("#files").screenshot(path=ARTIFACTS / "uploads_twin.png")
        await again.get_by_role("button", name="Yes, add it once more").tap()
        await expect(again).to_contain_text("Added as session 2")
        await again.get_by_role("link", name="Open the session").tap()
        await expect(page.locator("h1")).to_have_text("Session of an unknown date")
        await expect(page.locator("#imported")).to_contain_text("Nobody knows when it was")
        await page.screenshot(path=ARTIFACTS / "uploads_session.png")
        await page.goto(f"{practice.address}/clients/M-014")
        await expect(page.locator(".sessions")).to_contain_text("Date not known")
        await expect(page.locator(".sessions")).to_contain_text("Imported · Massage")


async def test_what_waits_is_there_after_a_reload_and_discarded_for_good(browser, practice):
    async with a_page(browser) as page:
        await page.goto(f"{practice.address}/clients/M-014")
        await page.locator("#chosen").set_input_files(as_payloads({"morning.txt": rr_list(), "noon.txt": rr_list(300)}))
        await expect(page.locator(WAITING)).to_have_count(2, timeout=30_000)
        await page.reload()
        await expect(page.locator(WAITING)).to_have_count(2)
        await card(page, "morning.txt").get_by_role("button", name="Discard").click()
        await expect(page.locator(WAITING)).to_have_count(1)
        await expect(card(page, "noon.txt").get_by_role("button").first).to_be_focused()
        await page.reload()
        await expect(page.locator(WAITING)).to_have_count(1)
        await page.set_viewport_size({"width": 390, "height": 844})
        assert await fits(page) == (0, [])
        assert page.troubles == []


async def test_keys_alone_choose_date_and_add_a_file(browser, practice):
    async with a_page(browser) as page:
        choosers = asyncio.Queue()
        page.on("filechooser", choosers.put_nowait)
        await page.goto(f"{practice.address}/clients/M-014")

        async def reach(target):
            for _ in range(80):
                if await target.evaluate("element => element === document.activeElement"):
                    return
                await page.keyboard.press("Tab")
            pytest.fail(f"no Tab leads to {target}")

        await reach(page.locator("#choose"))
        await page.keyboard.press("Enter")
        async with asyncio.timeout(20):
            chooser = await choosers.get()
        await chooser.set_files(as_payloads({"morning.txt": rr_list()}))
        good = card(page, "morning.txt")
        await expect(good).to_have_attribute("data-state", "waiting", timeout=30_000)
        await expect(page.locator("#files-said")).to_have_text("morning.txt is read. It waits for your decision.")
        await reach(good.locator('[name="began"]'))
        await page.keyboard.type("050320260812AM")
        await reach(good.locator('[value="massage"]'))
        await page.keyboard.press("ArrowRight")
        await reach(good.get_by_role("button", name="Add as session"))
        await page.keyboard.press("Enter")
        await expect(good).to_contain_text("Added as session 1")
        (row,) = (await practice.storage.sessions()).rows
        assert (row.kind, row.dated) == ("rest", True)


async def test_a_clients_recording_keeps_its_phases(browser, practice, tmp_path):
    async with a_page(browser) as page:
        await page.goto(f"{practice.address}/clients/M-014")
        await page.locator("#chosen").set_input_files(as_payloads({"strap.jsonl.gz": RECORDING}))
        await card(page, "strap.jsonl.gz").get_by_role("button", name="Add without a date").click(timeout=30_000)
        await expect(card(page, "strap.jsonl.gz")).to_contain_text("Added as session 1")
        (tmp_path / "own.jsonl").write_bytes(gzip.decompress(RECORDING))
        _, events = await practice.storage.events(1)
        assert events == [*read(tmp_path / "own.jsonl").events]
