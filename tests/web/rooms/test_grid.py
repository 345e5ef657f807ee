"""The grid of rooms in a real Chromium: order and layout, hidden clients, reassigned sessions."""

import asyncio
import json

import msgspec
import pytest

from restbeat.service.rooms.live_feed import LiveFeed

from ..fake_practice import FakePractice
from ..made_up import room_state, row
from ..screen import ARTIFACTS, AXE, LOST, SIZES, broken_rules, serving, text, until

pytestmark = pytest.mark.browser

PAIN = {"notice": "Pain 7, 3 more than before. Lighten or stop; what was measured is kept.", "pain": 7}
POOR = {
    "signal": "poor", "signal_text": "Signal poor", "hint": "Moisten the strap and pull it a little tighter.",
    "accepted_pct": 81.0, "rmssd_ms": None, "rmssd_why": "too few accepted beats", "change_pct": None,
}  # fmt: skip
WAITING = {
    "signal": "connecting", "signal_text": "Looking for the strap", "hr_bpm": None, "rmssd_ms": None, "change_pct": None,
    "rmssd_why": "looking for the strap", "baseline_rmssd_ms": None, "accepted_pct": None, "age_s": None, "battery_pct": None,
    "phase": "settle", "phase_s": 12.0, "now_s": 12.0, "signal_s": 12.0,
}  # fmt: skip
HEART_RATE_ONLY = {
    "signal": "hr-only", "signal_text": "Heart rate only – no HRV", "rmssd_ms": None, "change_pct": None,
    "hint": "This sensor sends no RR intervals; a chest strap does.",
}  # fmt: skip
ENDED = {
    "phase": "ended",
    "signal": "ended",
    "signal_text": "Session ended",
    "hr_bpm": None,
    "change_pct": None,
    "rmssd_ms": None,
}
BATTERY = {"battery_pct": 9, "hint": "The strap’s battery is at 9 %. Change it before the next session."}
KINDS = [
    {}, {"phase": "baseline", "change_pct": None}, LOST, {"change_pct": -18.0, "phase": "recovery"}, PAIN,
    {"phase": "settle", "client": None, "change_pct": None}, POOR, ENDED, HEART_RATE_ONLY, {"change_pct": 2.0, "kind": "rest"},
    WAITING, BATTERY,
]  # fmt: skip
ORDER = "[...document.querySelectorAll('.tile')].map(t => t.dataset.room + ' ' + t.dataset.standing).join()"


def mixed(count):
    """Return rooms in every state, the second with long names."""
    states = [room_state(f"room-{n + 1}", **{"client": f"M-{14 + n:03d}"} | KINDS[n % len(KINDS)]) for n in range(count)]
    if count > 1:
        name, client = "The room with the green door and a very long name", "A client with a very long pseudonym, indeed"
        states[1] = msgspec.structs.replace(states[1], name=name, client=client)
    return FakePractice(LiveFeed(), states)


def calm(count):
    return FakePractice(LiveFeed(), [room_state(f"room-{n}", client=f"M-{n:03d}") for n in range(1, count + 1)])


def change(practice, room, **changes):
    practice.change(room, msgspec.structs.replace(practice.states[room], **changes))


async def rooms_shown(page, count):
    await until(page, f"document.querySelectorAll('.tile .rate').length === {count}")


async def test_rooms_are_ordered_by_pain_then_trouble_then_quiet_then_ended(page):
    practice = mixed(8)
    async with serving(practice) as address:
        await page.goto(address)
        wanted = "5 pain,3 technical,7 technical,1 quiet,2 quiet,4 quiet,6 quiet,8 ended"
        await until(page, f"{ORDER}.replaceAll('room-', '') === '{wanted}'")
        assert await page.locator("#glance li").all_inner_texts() == ["1 pain notice", "2 need a look", "4 quiet", "1 ended"]
        shapes = await page.evaluate("[...document.querySelectorAll('#glance path')].map(p => p.getAttribute('d'))")
        assert len(set(shapes)) == 4, "each kind has a shape of its own"
        assert await text(page, "[data-room=room-5] .tile-notice") == "Pain 7: lighten or stop"
        assert await text(page, "[data-room=room-3] .tile-notice") == "Come closer; restbeat keeps looking."
        assert await text(page, "[data-room=room-3] .rate") == "–bpm"
        change(practice, "room-4", **PAIN)
        await until(page, f"{ORDER}.startsWith('room-4 pain,room-5 pain,')", timeout_s=1.5)
        assert await text(page, "#spoken") == f"Room 4: {PAIN['notice']}"
        change(practice, "room-5", notice=None)
        change(practice, "room-4", notice=None)
        await until(page, f"{ORDER}.startsWith('room-3 technical,room-7 technical,room-1 quiet')")
        assert page.troubles == []


async def test_no_tile_moves_for_a_flickering_signal_or_under_a_finger(page):
    practice = calm(3)
    async with serving(practice) as address:
        await page.goto(address)
        await rooms_shown(page, 3)
        await page.evaluate(
            "window.orders = new Set(); new MutationObserver(() => window.orders.add("
            "[...document.querySelectorAll('.tile')].map(t => t.dataset.room).join()))"
            ".observe(document.getElementById('grid'), { childList: true })"
        )
        change(practice, "room-3", **LOST)
        await until(page, "document.querySelector('[data-room=room-3]').dataset.standing === 'technical'")
        change(practice, "room-3", signal="good", signal_text="Signal good", hint=None)
        await until(page, "document.querySelector('[data-room=room-3]').dataset.standing === 'quiet'")
        assert await page.evaluate("window.orders.size") == 0
        await page.locator("[data-room=room-1] .quality").hover(force=True)
        await page.mouse.down()
        change(practice, "room-2", **PAIN)
        await until(page, "document.querySelector('[data-room=room-2]').dataset.standing === 'pain'")
        assert await page.evaluate("window.orders.size") == 0, "no tile moved while it was pressed"
        await page.mouse.move(5, 5)
        await page.mouse.up()
        await until(page, "[...window.orders].join(';') === 'room-2,room-1,room-3'")


async def test_a_focused_button_keeps_its_focus_when_its_tile_moves(page):
    practice = calm(3)
    async with serving(practice) as address:
        await page.goto(address)
        await rooms_shown(page, 3)
        await page.locator("[data-room=room-3] .next").focus()
        change(practice, "room-3", **PAIN)
        await until(page, f"{ORDER}.startsWith('room-3 pain')")
        assert await page.evaluate("document.activeElement.closest('.tile').dataset.room") == "room-3"


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 8, 30])
async def test_the_grid_fits_every_screen(page, count):
    async with serving(mixed(count)) as address:
        for size, (width, height) in SIZES.items():
            await page.set_viewport_size({"width": width, "height": height})
            await page.goto(address)
            await rooms_shown(page, count)
            await until(page, "!document.querySelector('#strap, .strap') || document.querySelectorAll('.strap').length === 2")
            await page.wait_for_timeout(300)  # the strips follow the figures
            await page.screenshot(path=ARTIFACTS / f"grid-{count}-{size}.png", full_page=size != "desk")
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{size} scrolls sideways"
            small = await page.evaluate(
                "[...document.querySelectorAll('button, .button, input, select, nav a, .tile')]"
                ".filter(e => e.offsetParent && (e.offsetHeight < 48 || e.offsetWidth < 48)).map(e => e.outerHTML)"
            )
            assert small == []
            spilt = await page.evaluate(
                "[...document.querySelectorAll('.tile')].filter(t => t.scrollHeight > t.clientHeight + 1"
                " || t.scrollWidth > t.clientWidth + 1).map(t => t.dataset.room)"
            )
            assert spilt == [], f"{size}: a tile is too small for what it says"
            if size == "desk" or (size == "tablet" and count <= 4):
                bottom = await page.evaluate("document.getElementById('grid').getBoundingClientRect().bottom")
                assert bottom <= height, f"{count} rooms are not one glance"
        assert page.troubles == []


async def test_the_extra_dim_grid_is_captured_too(page):
    async with serving(mixed(8)) as address:
        await page.goto(f"{address}/healthz")
        await page.evaluate("localStorage.setItem('restbeat-theme', 'dim')")
        await page.goto(address)
        await until(page, f"{ORDER}.startsWith('room-5 pain')")
        await page.screenshot(path=ARTIFACTS / "grid-8-dim.png")
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(10, 13, 16)"
        await page.set_viewport_size({"width": 718, "height": 1030})
        await page.emulate_media(media="print")
        await page.screenshot(path=ARTIFACTS / "grid-8-print.png", full_page=True)
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


async def test_one_press_hides_all_clients_from_this_browser_and_its_messages(browser):
    practice, frames = calm(2), []
    context = await browser.new_context()
    page, other = await context.new_page(), await context.new_page()

    def keep(frame):
        frames.append(frame)

    page.on("websocket", lambda live: live.on("framereceived", keep))
    async with serving(practice) as address:
        await page.goto(address)
        await rooms_shown(page, 2)
        assert await page.locator(".who").all_inner_texts() == ["M-001", "M-002"]
        await other.goto(address)
        await rooms_shown(other, 2)
        await page.bring_to_front()
        frames.clear()
        await page.get_by_role("button", name="Hide clients").click()
        for screen in (page, other):
            await until(screen, "[...document.querySelectorAll('.who')].every(e => e.textContent === 'Client hidden')")
        await page.reload()
        await rooms_shown(page, 2)
        assert await page.get_by_role("button", name="Hide clients").get_attribute("aria-pressed") == "true"
        assert await page.locator(".who").all_inner_texts() == ["Client hidden", "Client hidden"]
        told = [json.loads(frame) for frame in frames[-6:]]
        assert {message["state"]["client"] for message in told if "state" in message} == {None}
        assert "M-001" not in await page.content()
        await page.goto(f"{address}/rooms/room-1")
        await until(page, "document.querySelector('#who').textContent.includes('M-001')")
        assert "M-002" not in await page.content(), "a room's page names its own client alone"
        practice.rows = [row(4, client="M-001")]
        await page.goto(f"{address}/sessions")
        assert "Client hidden" in await page.inner_text(".session")
        assert "M-001" not in await page.content()
        await page.get_by_role("button", name="Hide clients").click()
        await until(page, "document.querySelector('.session').textContent.includes('M-001')")
        await page.get_by_role("button", name="Hide clients").click()
        await until(page, "document.querySelector('.session').textContent.includes('Client hidden')")
        await page.goto(address)
        await page.get_by_role("button", name="Hide clients").click()
        await until(page, "document.querySelector('.who')?.textContent === 'M-001'")


async def test_a_session_moves_to_another_client_on_every_screen_within_a_second(page, browser):
    practice = calm(2)
    practice.rows = [row(9 - n, client=client) for n, client in enumerate(["M-001", "M-020", "M-020", None, "M-021"])]
    async with serving(practice) as address:
        second = await (await browser.new_context()).new_page()
        await second.goto(f"{address}/rooms/room-1")
        await until(second, "document.querySelector('#who').textContent.includes('M-001')")
        await page.goto(address)
        await rooms_shown(page, 2)
        await page.get_by_role("button", name="Change client, Room 1").click()
        assert await text(page, ".dialog form > .sub:first-child") == "Room 1, now under M-001"
        await until(page, "document.querySelectorAll('.choices button').length === 2")
        assert await page.locator(".choices button").all_inner_texts() == ["M-020", "M-021"]
        await page.screenshot(path=ARTIFACTS / "grid-reassign.png")
        await page.get_by_role("button", name="M-020", exact=True).click()
        put = page.get_by_role("button", name="Put it under M-020")
        clock = asyncio.get_running_loop().time
        start = clock()
        await put.click()
        await until(second, "document.querySelector('#who').textContent.includes('M-020')")
        await until(page, "document.querySelector('[data-room=room-1] .who').textContent === 'M-020'")
        assert clock() - start < 1.0
        (ARTIFACTS / "second-screen.txt").write_text(f"{1000 * (clock() - start):.0f} ms\n")
        assert practice.calls == [("reassign", "room-1", "M-020", "demo")]
        assert await page.locator(".dialog").is_hidden()
        await page.get_by_role("button", name="Change client, Room 1").click()
        await page.get_by_role("button", name="Nobody’s").click()
        await until(page, "document.querySelector('[data-room=room-1] .who').textContent === 'No client named'")
        assert page.troubles == []


async def test_a_client_with_a_session_elsewhere_must_be_confirmed(page):
    practice = calm(2)
    async with serving(practice) as address:
        await page.goto(f"{address}/rooms/room-1")
        await page.get_by_role("button", name="Change client").click()
        await page.get_by_label("Pseudonym of the client").fill("M-002")
        await page.keyboard.press("Enter")
        await until(page, "document.querySelector('.dialog .notice').textContent === 'M-002 has a session in Room 2 too.'")
        assert practice.states["room-1"].client == "M-001"
        await page.get_by_role("button", name="Put it there all the same").click()
        await until(page, "document.querySelector('#who').textContent.includes('M-002')")


async def test_a_client_without_consent_must_be_confirmed(page):
    practice, sent = calm(1), []
    sentence = "M-020 has not agreed to be recorded. Ask them first."

    async def refuse(route):
        sent.append(route.request.post_data_json)
        status, answer = (200, {}) if sent[-1].get("consent") else (409, {"error": sentence})
        await route.fulfill(status=status, json=answer)

    await page.route("**/api/v1/rooms/room-1/client", refuse)
    async with serving(practice) as address:
        await page.goto(address)
        await page.get_by_role("button", name="Change client, Room 1").click()
        await page.get_by_label("Pseudonym of the client").fill("M-020")
        await page.get_by_role("button", name="Put it under M-020").click()
        await until(page, f"document.querySelector('.dialog .notice').textContent === {sentence!r}")
        await page.get_by_role("button", name="They were asked and agree").click()
        await page.locator(".dialog").wait_for(state="hidden")
    assert sent == [{"client": "M-020"}, {"client": "M-020", "consent": True}]


async def test_the_live_region_announces_only_changes_of_state(page):
    practice = calm(3)
    async with serving(practice) as address:
        await page.goto(address)
        await rooms_shown(page, 3)
        await page.evaluate(
            "window.said = []; new MutationObserver(() => window.said.push(document.getElementById('spoken').textContent))"
            ".observe(document.getElementById('spoken'), { childList: true, characterData: true, subtree: true })"
        )
        clocks = {await text(page, "[data-room=room-1] .elapsed")}
        while len(clocks) < 4:
            await page.wait_for_timeout(200)
            clocks.add(await text(page, "[data-room=room-1] .elapsed"))
        assert await page.evaluate("window.said") == []
        change(practice, "room-2", phase="recovery", phase_s=0.0)
        await until(page, "window.said.join() === 'Room 2: Recovery'")


async def test_strips_are_drawn_a_few_times_a_second_and_only_where_visible(page):
    await page.add_init_script(
        "window.drawn = new Map(); const clear = CanvasRenderingContext2D.prototype.clearRect;"
        "CanvasRenderingContext2D.prototype.clearRect = function (...a) { const id = this.canvas.closest('.tile').dataset.room;"
        "window.drawn.set(id, (window.drawn.get(id) ?? 0) + 1); return clear.apply(this, a); }"
    )
    async with serving(calm(6), step_s=0.2) as address:
        await page.set_viewport_size({"width": 390, "height": 844})
        await page.goto(address)
        await rooms_shown(page, 6)
        await until(page, "window.drawn.size")
        await page.wait_for_timeout(1000)
        counts = "[...window.drawn].map(([id, n]) => [id, n])"
        before, start = dict(await page.evaluate(counts)), await page.evaluate("performance.now()")
        await page.wait_for_timeout(3000)
        after, stop = dict(await page.evaluate(counts)), await page.evaluate("performance.now()")
        assert 0.5 < (after["room-1"] - before["room-1"]) / (stop - start) * 1000 <= 5.5
        assert "room-6" not in after, "it is below the fold"
        await page.locator("[data-room=room-6]").scroll_into_view_if_needed()
        await until(page, "window.drawn.get('room-6')")


async def test_a_press_meant_for_the_previous_phase_does_not_end_one_begun_on_another_screen(page):
    practice = calm(1)
    async with serving(practice) as address:
        await page.goto(address)
        await rooms_shown(page, 1)
        await until(page, "document.querySelector('.next').getAttribute('aria-disabled') === 'false'")
        change(practice, "room-1", phase="recovery", phase_s=0.0)
        await until(page, "document.querySelector('.next').textContent === 'End session'")
        await page.evaluate("document.querySelector('.next').click()")
        await until(page, "document.querySelector('.next').getAttribute('aria-disabled') === 'false'")
        assert practice.calls == []
        await page.locator(".next").click()
        await until(page, "document.querySelector('.phase-word').textContent === 'Ended'")


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed; make test brings it where there is npm")
@pytest.mark.parametrize("theme", ["dark", "dim"])
async def test_the_grid_and_its_dialogs_meet_wcag_2_2_aa(page, theme):
    for count in (8, 12):
        practice = mixed(count)
        practice.rows = [row(9, client="M-099")]
        async with serving(practice) as address:
            await page.goto(f"{address}/healthz")
            await page.evaluate(f"localStorage.setItem('restbeat-theme', {theme!r})")
            await page.goto(address)
            await until(page, f"{ORDER}.startsWith('room-5 pain,room-3 technical')")
            assert await broken_rules(page) == [], f"{count} rooms in {theme}"
            if count == 8:
                await page.get_by_role("button", name="Change client, Room 1").click()
                await until(page, "document.querySelectorAll('.choices button').length")
                assert await broken_rules(page) == [], f"the dialog in {theme}"
