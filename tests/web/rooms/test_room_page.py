"""The room page in a real Chromium, with a made-up practice: its texts and charts."""

import re

import pytest

from restbeat.web import app as web_app

from ..made_up import room_state
from ..room import NOTICE, SURE, a_practice, open_room
from ..screen import ARTIFACTS, becomes, serving, text, until

pytestmark = pytest.mark.browser

CHARTS = (web_app.VENDOR / "uplot.js").is_file()
needs_charts = pytest.mark.skipif(not CHARTS, reason="uPlot is not there: npm was missing when restbeat was installed")


async def test_a_pain_notice_is_above_everything_and_nothing_contradicts_it(page):
    practice = a_practice(**SURE)
    async with serving(practice) as address:
        await open_room(page, address)
        await becomes(page, "#word", "Higher")
        practice.change("room-1", room_state(**SURE, **NOTICE))
        await until(page, "!document.querySelector('#notice').hidden")
        await becomes(page, "#word", "44 ms")
        assert await text(page, "#notice") == NOTICE["notice"]
        assert await text(page, "#spoken") == NOTICE["notice"]
        top = await page.evaluate("document.querySelector('#notice').getBoundingClientRect().top")
        others = await page.evaluate(
            "Math.min(...[...document.querySelectorAll('header, main, .now')].map((e) => e.getBoundingClientRect().top))"
        )
        assert top < others
        assert await page.evaluate("document.querySelector('#change').dataset.empty") == "yes"
        said = await page.evaluate("document.body.innerText")
        assert not re.search("rising|higher|good|better", said.replace("Signal good", ""), re.IGNORECASE)
        assert page.troubles == []


async def test_the_change_so_far_has_its_interval_and_says_perhaps_where_that_includes_no_change(page):
    practice = a_practice(**SURE)
    async with serving(practice) as address:
        await open_room(page, address)
        interval = (
            "(r => [Number(r.getAttribute('x')), Number(r.getAttribute('width'))])(document.querySelector('#change .interval'))"
        )
        start, width = await until(page, interval)
        assert 320 < start < 340
        assert start + width > 450
        assert await text(page, "#change .range") == "+3 to +62"
        assert await text(page, "#change .percent") == "+27 %"
        dot, ring = [await page.locator(f"#change .{name}").get_attribute("cx") for name in ("dot", "ring")]
        assert start < float(dot) < float(ring) < start + width
        assert await text(page, "#detail") == "RMSSD 44 ms, 31 % above baseline (34 ms)"
        assert await page.locator("#change").get_attribute("aria-label") == (
            "Change of this phase so far: +27 %, between +3 and +62 %; last 60 s: +31 %; provisional"
        )
        assert await text(page, "#quality") == "99 % of beats used · breathing 13 a minute"
        practice.change("room-1", room_state(change_low_pct=-12.0, change_high_pct=62.0))
        await becomes(page, "#word", "Perhaps higher")
        practice.change("room-1", room_state(**SURE))
        await becomes(page, "#word", "Higher")
        practice.change("room-1", room_state(change_why="the baseline was short"))
        await becomes(page, "#word", "Perhaps higher")
        assert await page.evaluate("document.querySelector('#change').dataset.interval") == "no"
        assert await text(page, "#between") == "The baseline was short"
        assert page.troubles == []


async def test_in_its_first_minute_a_phase_shows_no_figures_of_the_phase_before(page):
    practice = a_practice(phase_s=20.0, change_pct=31.2)
    async with serving(practice) as address:
        await open_room(page, address)
        await becomes(page, "#word", "First minute")
        assert await text(page, "#detail") == "RMSSD 44 ms · compared once it is over"
        assert await page.locator("#change").get_attribute("data-empty") == "yes"
        assert await page.locator(".response .label").inner_text() == "RMSSD of the last 60 s, provisional"
        practice.change("room-1", room_state(phase_s=61.0, change_pct=31.2))
        await becomes(page, "#word", "Perhaps higher")
        assert (await page.locator(".response .label").inner_text()).startswith("RMSSD against today’s baseline")


@pytest.mark.parametrize(
    ("changes", "time", "beside", "asked"),
    [
        ({"phase": "settle", "phase_s": 20.0, "target_s": 180.0}, r"2:3\d|2:40", "to go", "Let the client settle"),
        ({"phase": "baseline", "phase_s": 60.0, "target_s": 300.0}, r"3:5\d|4:00", "to go", "Lie still, no talking"),
        (
            {"phase": "baseline", "phase_s": 310.0, "target_s": 300.0},
            r"5:1\d",
            "of 5 min",
            "Baseline complete: the massage can begin",
        ),
        (
            {"phase": "baseline", "phase_s": 310.0, "target_s": 300.0, "still_settling": True},
            r"5:1\d",
            "of 5 min",
            "Still settling: two more minutes would help",
        ),
        ({"phase": "massage", "phase_s": 250.0, "target_s": 1200.0}, r"4:1\d", "of 20 min", ""),
        ({"phase": "recovery", "phase_s": 0.0, "target_s": 300.0}, r"4:5\d|5:00", "to go", "No talking, please"),
        ({"phase": "massage", "phase_s": 250.0}, r"4:1\d", "", ""),
    ],
)
async def test_a_phase_counts_down_where_the_client_waits_and_up_where_the_therapist_works(page, changes, time, beside, asked):
    async with serving(a_practice(**changes)) as address:
        await open_room(page, address)
        await until(page, f"/^(?:{time})$/.test(document.querySelector('#elapsed').textContent)")
        assert (await text(page, "#beside"), await text(page, "#asked")) == (beside, asked)


@needs_charts
async def test_the_session_chart_can_be_read_zoomed_and_shown_as_a_table(page):
    async with serving(a_practice(**SURE)) as address:
        await open_room(page, address)
        await page.locator("#plot").focus()
        await page.keyboard.press("Home")
        await until(
            page, "document.querySelector('#plot-read').textContent.startsWith('0:05 · RMSSD 33 ms (26–42) · breathing 14')"
        )
        await page.keyboard.press("End")
        await page.keyboard.press("ArrowLeft")
        assert re.match(r"11:\d\d · RMSSD \d\d ms", await page.locator("#plot").get_attribute("aria-valuetext"))
        await page.keyboard.press("+")
        assert await page.evaluate("document.querySelector('#plot').dataset.zoomed") == "yes"
        await page.keyboard.press("0")
        assert await page.evaluate("document.querySelector('#plot').dataset.zoomed") == "no"
        box = await page.locator("#plot .u-over").bounding_box()
        await page.mouse.move(box["x"] + 100, box["y"] + 30)
        await page.mouse.down()
        await page.mouse.move(box["x"] + 220, box["y"] + 30, steps=4)
        await page.mouse.up()
        await until(page, "document.querySelector('#plot').dataset.zoomed === 'yes'")
        await page.get_by_role("button", name="All", exact=True).click()
        await until(page, "document.querySelector('#plot').dataset.zoomed === 'no'")
        await page.keyboard.press("v")
        await until(page, "document.querySelectorAll('#whole-table tbody tr').length >= 11")
        rows = await page.evaluate("[...document.querySelectorAll('#whole-table tbody tr')].map((r) => r.innerText)")
        assert rows[0].split("\t")[0] == "11:00"
        assert next(row for row in rows if row.startswith("10:00")).endswith("Turned over")
        assert any("–\t–\t–" in row for row in rows), "the minute without beats has no figure"
        assert await page.locator("#strip").is_hidden()
        assert page.troubles == []


async def test_without_uplot_the_session_is_shown_as_a_table(page, monkeypatch, tmp_path):
    monkeypatch.setattr(web_app, "VENDOR", tmp_path / "nothing")
    async with serving(a_practice(**SURE)) as address:
        await open_room(page, address)
        await until(page, "document.querySelectorAll('#whole-table tbody tr').length >= 11")
        assert await page.locator("#plot").is_hidden()
        assert await page.locator("#strip").is_visible()
        assert page.troubles == []


async def test_the_live_region_announces_only_changed_states(page):
    practice = a_practice(**SURE)
    async with serving(practice) as address:
        await open_room(page, address)
        await page.evaluate(
            "window.said = []; new MutationObserver(() => said.push(document.querySelector('#spoken').textContent))"
            ".observe(document.querySelector('#spoken'), { childList: true, characterData: true, subtree: true })"
        )
        await page.wait_for_timeout(1000)
        assert await page.evaluate("said") == []
        practice.change("room-1", room_state(**SURE, signal="poor", signal_text="Signal poor"))
        await until(page, "said.length === 1")
        await page.keyboard.press("1")
        await until(page, "said.length === 2")
        await page.wait_for_timeout(1000)
        assert await page.evaluate("said") == ["Signal poor", "Long strokes, entered"]
        assert await page.evaluate("document.querySelectorAll('[aria-live], [role=alert]:not(#disk-notice)').length") == 1


async def test_the_page_redraws_only_what_moves(page):
    await page.add_init_script(
        "const clear = CanvasRenderingContext2D.prototype.clearRect; window.cleared = {};"
        "CanvasRenderingContext2D.prototype.clearRect = function (...box) {"
        " const name = this.canvas.id || 'plot'; cleared[name] = (cleared[name] ?? 0) + 1; return clear.apply(this, box); }"
    )
    async with serving(a_practice(**SURE)) as address:
        await open_room(page, address)
        await page.wait_for_timeout(500)
        before = await page.evaluate("({ ...cleared, at: performance.now() })")
        await page.wait_for_timeout(2000)
        after = await page.evaluate("({ ...cleared, at: performance.now() })")
        seconds = (after["at"] - before["at"]) / 1000
        assert 3 < (after["strip"] - before["strip"]) / seconds < 12
        assert after.get("plot", 0) == before.get("plot", 0)


@pytest.mark.alone
async def test_the_first_live_frame_appears_within_half_a_second_and_the_page_has_at_most_120_kb(page, speed):
    async with serving(a_practice(**SURE)) as address:
        wire = await page.context.new_cdp_session(page)
        await wire.send("Network.enable")
        carried = {"files": 0, "frames": 0}
        wire.on(
            "Network.loadingFinished", lambda event: carried.__setitem__("files", carried["files"] + event["encodedDataLength"])
        )
        wire.on(
            "Network.webSocketFrameReceived",
            lambda event: carried.__setitem__("frames", carried["frames"] + len(event["response"]["payloadData"].encode())),
        )
        await page.add_init_script(
            "new MutationObserver(() => { const r = document.querySelector('#rate'); "
            "if (r && r.textContent !== '–') window.first ??= performance.now(); })"
            ".observe(document, { childList: true, subtree: true, characterData: true });"
        )
        before = speed.slowness()
        await open_room(page, address)
        first_ms = await until(page, "window.first")
        there_ms = first_ms / max((before + speed.slowness()) / 2, 1.0)
        total_kb = sum(carried.values()) / 1024
        told = (
            f"{first_ms:.0f} ms to the first live frame, {there_ms:.0f} ms at the bounds' speed; {total_kb:.0f} KB in all, "
            f"{carried['frames'] / 1024:.0f} KB of it live\n"
        )
        (ARTIFACTS / "room-first-frame.txt").write_text(told)
        assert there_ms < 500, told
        assert 20 < total_kb < 120


async def test_after_the_end_the_verdict_and_the_next_step_are_shown_and_no_dash(page):
    ended = {"phase": "ended", "signal": "ended", "signal_text": "Session ended", "hr_bpm": None, "rmssd_ms": None}
    practice = a_practice(**ended, change_pct=None, now_s=1930.0)
    async with serving(practice) as address:
        await open_room(page, address)
        await becomes(page, "#word", "Session ended")
        assert "Its figures are being computed. Next: ask for the pain after" in await text(page, "#detail")
        why = "It was higher."
        practice.change("room-1", room_state(**ended, change_pct=None, now_s=1930.0, verdict="Clear rise", verdict_why=why))
        await becomes(page, "#word", "Clear rise")
        assert await text(page, "#detail") == "It was higher. Next: ask for the pain after, and write the notes."
        assert [await text(page, f"#rate{part}") for part in ("-label", "", "-unit")] == ["The session lasted", "32:10", ""]
        assert await text(page, "#next-word") == "Pain after, notes"
