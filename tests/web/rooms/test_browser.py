"""The pages in a real Chromium, with a made-up practice."""

import asyncio
import re

import pytest

from restbeat.analysis.beats.stream_integrity import StreamIntegrity
from restbeat.analysis.hrv.engine_parity import Difference, Parity
from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.rooms.messages import BeatRow
from restbeat.service.rooms.session_start import Opening

from ..fake_practice import FakePractice
from ..made_up import beats, report, room_state
from ..screen import ARTIFACTS, AXE, LOST, SIZES, becomes, broken_rules, serving, text, until

pytestmark = pytest.mark.browser


def a_practice(**changes):
    return FakePractice(LiveFeed(), [room_state(**changes)])


async def test_a_room_updates_live_and_a_double_press_counts_once(page):
    practice = a_practice(phase="settle", change_pct=None)
    async with serving(practice) as address:
        await page.goto(f"{address}/rooms/room-1")
        await until(page, "document.querySelector('#rate').textContent !== '–'")
        rates = {await text(page, "#rate")}
        clocks = {await text(page, "#elapsed")}
        while len(rates) < 3 or len(clocks) < 3:
            await page.wait_for_timeout(200)
            rates.add(await text(page, "#rate"))
            clocks.add(await text(page, "#elapsed"))
        assert await page.title() == "Settling · Room 1 – restbeat"
        await becomes(page, "#next-word", "Begin baseline")
        await page.locator("#next").dblclick()
        await becomes(page, "#phase", "Baseline")
        assert practice.states["room-1"].phase == "baseline"
        await until(page, "document.querySelector('#next').getAttribute('aria-disabled') === 'false'")
        await page.evaluate("document.activeElement.blur()")
        await page.keyboard.press("Space")
        await becomes(page, "#phase", "Massage")
        assert await page.title() == "Massage · Room 1 – restbeat"
        assert [call[2] for call in practice.calls] == ["settle", "baseline"]
        assert await text(page, "#spoken") == "Massage"
        assert page.troubles == []


async def test_a_key_press_with_another_control_in_focus_begins_no_phase(page):
    practice = a_practice(phase="baseline", change_pct=None)
    async with serving(practice) as address:
        await page.goto(f"{address}/rooms/room-1")
        await becomes(page, "#next-word", "Begin massage")
        await page.locator("#as-table").focus()
        await page.keyboard.press("Space")
        await until(page, "document.querySelectorAll('#table tbody tr').length === 12")
        assert practice.calls == []
        assert page.troubles == []


async def test_the_signal_details_show_problems_of_the_stream(page):
    stream = StreamIntegrity(
        packets=700, beats=760, rejected_beats=9, duplicate_packets=44, gaps=1, lost_s=38.4, longest_gap_s=38.4,
        rr_sum_s=820.0, rr_time_s=690.0, two_straps_beats=60, late_batches=2,
    )  # fmt: skip
    practice = a_practice(stream=stream)
    async with serving(practice) as address:
        await page.goto(f"{address}/rooms/room-1")
        await until(page, "document.querySelector('#rate').textContent !== '–'")
        await page.click("#as-stream")
        await until(page, "document.querySelectorAll('#stream div').length === 11")
        details = dict(
            await page.evaluate("[...document.querySelectorAll('#stream div')].map(d => [...d.children].map(c => c.textContent))")
        )
        odd = await page.evaluate("[...document.querySelectorAll('#stream div[data-odd=yes] dt')].map(d => d.textContent)")
        assert details["Last packet"].endswith(" s ago")
        assert details["RR sum against the clock"] == "118.8 %"
        assert details["Gaps"] == "1, 38 s lost, longest 38 s"
        assert details["Doubled, passed over"] == "44"
        assert odd == ["RR sum against the clock", "Gaps", "Doubled, passed over", "Late batches", "Two straps at once"]
        assert await page.locator("#strip").is_hidden()
        apart = Parity(compared=6, differences=[Difference("last 60 s", "rmssd_ms", 40.1, 40.2)])
        for parity, said in (
            (Parity(compared=6), "all 6 figures agree, "),
            (apart, "RMSSD differs: 40.1 here, 40.2 there, "),
        ):
            practice.change("room-1", room_state(stream=stream, checked=parity, checked_s=12.0))
            await until(page, f"[...document.querySelectorAll('#stream dd')].some(d => /^{said}\\d+ s ago$/.test(d.textContent))")
        await page.click("#as-stream")
        assert await page.locator("#strip").is_visible()
        assert page.troubles == []


async def test_a_missing_batch_makes_the_page_request_a_snapshot(page):
    practice = a_practice()
    async with serving(practice) as address:
        sent = []

        def keep(frame):
            sent.append(frame)

        page.on("websocket", lambda live: live.on("framesent", keep))
        await page.goto(f"{address}/rooms/room-1")
        await until(page, "document.querySelector('#rate').textContent !== '–'")
        record = practice.live_feed.records["room-1"]
        record.seq += 1  # a batch that no browser ever gets
        record.beats.append(BeatRow(record.state.now_s, 900.0, True, False))
        for _ in range(100):
            if sent:
                break
            await page.wait_for_timeout(50)
        assert sent == ['{"type":"ask","room":"room-1"}']


async def test_heart_rate_only_and_lost_signals_are_shown_and_old_numbers_removed(page):
    practice = FakePractice(
        LiveFeed(),
        [
            room_state(
                signal="hr-only",
                signal_text="Heart rate only – no HRV",
                rmssd_ms=None,
                rmssd_why="heart rate only",
                change_pct=None,
            ),
            room_state("room-2", **LOST),
        ],
    )
    async with serving(practice) as address:
        await page.goto(f"{address}/rooms/room-1")
        await becomes(page, "#word", "Heart rate only – no HRV")
        await page.goto(f"{address}/rooms/room-2")
        await until(page, "/Strap lost · \\d+ s/.test(document.querySelector('#signal-text').textContent)")
        assert await text(page, "#rate") == "–"
        assert await text(page, "#news") == "Come closer; restbeat keeps looking."
        assert page.troubles == []


async def test_the_grid_links_to_the_start_page_and_shows_the_session_once_it_runs(page):
    practice = a_practice()
    practice.ready = False
    async with serving(practice) as address:
        await page.goto(address)
        await until(page, "document.querySelectorAll('.tile .rate').length === 1")
        assert "No Bluetooth adapter." in await text(page, "#adapter")
        links = await page.evaluate(
            "[...document.querySelectorAll('.strap a')].map(a => [a.textContent, a.getAttribute('href')])"
        )
        assert links == [["In Room 1", "/rooms/room-1"], ["Start a session", "/start?strap=C3%3AD4"]]
        await practice.open_room(Opening(address="C3:D4", client="M-015"), by="demo")
        await until(page, "document.querySelectorAll('.tile .rate').length === 2")
        practice.states.pop("room-2")
        practice.live_feed.remove("room-2")
        await until(page, "document.querySelectorAll('.tile').length === 1")
        assert page.troubles == []


async def test_the_extra_dim_theme_is_remembered(page):
    async with serving(a_practice()) as address:
        await page.goto(f"{address}/sessions")
        await page.get_by_role("button", name="Extra dim").click()
        await page.goto(f"{address}/rooms/room-1")
        assert await page.evaluate("document.documentElement.dataset.theme") == "dim"
        await until(page, "document.querySelector('#rate').textContent !== '–'")
        await page.screenshot(path=ARTIFACTS / "room-dim.png")


@pytest.mark.parametrize("session", ["usual", "full"])
async def test_the_summary_prints_on_exactly_one_a4(page, session):
    practice = a_practice()
    if session == "full":
        practice.reports[7] = crowded()
    async with serving(practice) as address:
        await page.goto(f"{address}/sessions/7")
        assert await page.evaluate("document.querySelector('.picture').decode().then(() => true)")
        assert "2026" in await text(page, "h1")
        pdf = await page.pdf(path=ARTIFACTS / f"summary-{session}.pdf", prefer_css_page_size=True)
        await page.emulate_media(media="print")
        await page.set_viewport_size({"width": 665, "height": 1030})
        await page.screenshot(path=ARTIFACTS / f"summary-{session}-print.png", full_page=True)
        assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
        assert re.search(rb"/MediaBox \[0 0 59[456][.\d]* 84[12]", pdf)
        assert page.troubles == []


def crowded():
    """Return a report with as much text as a summary can have."""
    import msgspec

    full = report(notes=40)
    long = "The longest unbroken stretch is 104 s: LF needs 120 s. No clear peak of breathing in RR."
    why = (
        "A change that the way of breathing may have made; it lies between −30 and −2 %. "
        "Mind: breathing below 9/min; breathing shifted by more than 2/min."
    )
    responses = [msgspec.structs.replace(full.figures.responses[0], phase=phase, why=why) for phase in ("massage", "recovery")]
    phases = [msgspec.structs.replace(figures, lf_ms2=None, resp_per_min=None) for figures in full.figures.phases]
    return msgspec.structs.replace(
        full,
        figures=msgspec.structs.replace(full.figures, responses=responses, phases=phases),
        reasons={figures.phase: [f"{figures.phase.capitalize()}: {long}"] for figures in phases},
        pain=[(60.0 * n, n % 10) for n in range(12)],
    )


@pytest.mark.parametrize("size", SIZES)
async def test_every_page_fits_every_screen(page, size):
    width, height = SIZES[size]
    practice = FakePractice(
        LiveFeed(),
        [
            room_state(),
            room_state(
                "room-2", session=9, phase="baseline", client="A client with a very long pseudonym, indeed", change_pct=None
            ),
            room_state("room-3", **LOST),
        ],
    )
    await page.set_viewport_size({"width": width, "height": height})
    async with serving(practice) as address:
        for name, path in {
            "grid": "/",
            "summary": "/sessions/7",
            "sessions": "/sessions",
        }.items():
            await page.goto(address + path)
            if name == "grid":
                await until(page, "document.querySelectorAll('.tile .rate').length === 3")
            await page.screenshot(path=ARTIFACTS / f"{name}-{size}.png", full_page=True)
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} scrolls sideways"
            small = await page.evaluate(
                "[...document.querySelectorAll('button, .button, input, select, nav a')]"
                ".filter(e => e.offsetParent && (e.offsetHeight < 48 || e.offsetWidth < 44)).map(e => e.outerHTML)"
            )
            assert small == []
        assert page.troubles == []


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed; make test brings it where there is npm")
@pytest.mark.parametrize("theme", ["dark", "dim"])
async def test_every_page_meets_wcag_2_2_aa(page, theme):
    practice = FakePractice(LiveFeed(), [room_state(), room_state("room-2", **LOST)])
    async with serving(practice) as address:
        await page.goto(f"{address}/healthz")
        await page.evaluate(f"localStorage.setItem('restbeat-theme', {theme!r})")
        for path in ("/", "/sessions", "/sessions/7", "/sessions/8", "/nothing"):
            await page.goto(address + path)
            await until(
                page, "!document.querySelector('#elapsed, .elapsed') || document.querySelector('.elapsed').textContent !== '–'"
            )
            assert await broken_rules(page) == [], f"{path} in {theme}"


async def test_slow_and_fast_clocks_keep_running_between_messages(page):
    practice = a_practice(speed=10.0)
    async with serving(practice) as address:
        await page.goto(f"{address}/rooms/room-1")
        await until(page, "document.querySelector('#elapsed').textContent !== '–'")
        assert len(beats(0, 10)) > 5
        before, began = await text(page, "#elapsed"), asyncio.get_running_loop().time()
        await page.wait_for_timeout(1500)
        after, took = await text(page, "#elapsed"), asyncio.get_running_loop().time() - began
        seconds = [int(clock.split(":")[0]) * 60 + int(clock.split(":")[1]) for clock in (before, after)]
        assert abs((seconds[1] - seconds[0]) - 10 * took) < 8
