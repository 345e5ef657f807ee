"""The client's own screen in a real Chromium: off at first, slow, silent until a press, without figures or names."""

import asyncio
import io
import json

import msgspec
import numpy as np
from PIL import Image
import pytest

from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.rooms.messages import ClientView

from ..fake_practice import FakePractice
from ..made_up import room_state
from ..screen import ARTIFACTS, AXE, broken_rules, serving, text, until

pytestmark = pytest.mark.browser

FIELD = ClientView(field=True)
PACER = ClientView(pacer=True, pace_per_min=6.0)
REST = "Rest. There is nothing to do."
LIGHTS = """() => import(document.querySelector("link[href$='/client_field.js']").href).then(({ Field }) => {
  const light = (rgb) => rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, n) => sum + c * [0.2126, 0.7152, 0.0722][n], 0);
  const wanted = (s) => (s < 60 ? 1 : s < 180 ? (s % 2 ? 1 : -1) : s < 240 ? null : [1, null, -1][s % 3]);
  const field = new Field(), low = new Field(), out = { jumps: [] };
  let before = 0;
  for (let s = 0; s < 400; s += 1) {
    let now = 0;
    for (let n = 0; n < 5; n += 1) now = light(field.step(wanted(s), 0.2).inner);
    out.jumps.push(Math.abs(now - before));
    before = now;
    if (s === 59) out.high = now;
  }
  for (let s = 0; s < 300; s += 0.2) out.low = light(low.step(-1, 0.2).inner);
  return out;
})"""
"""Brightness in the middle of the colour field, second by second, while the level jumps and vanishes."""
BREATHS = """(pace) => import(document.querySelector("link[href$='/client_pacer.js']").href).then(({ Pacer }) => {
  const pacer = new Pacer();
  let before = pacer.step(pace, 0), turns = 0, steepest = 0;
  const first = before.inwards;
  for (let n = 0; n < 6000; n += 1) {
    const now = pacer.step(pace, 0.1);
    if (now.inwards && !before.inwards) turns += 1;
    steepest = Math.max(steepest, Math.abs(now.wide - before.wide));
    before = now;
  }
  return [turns, first, steepest];
})"""
"""Ten minutes of the breathing pacer."""
EAR = """
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...more) {
  if (to === this.context.destination) {
    const ear = new AnalyserNode(this.context, { fftSize: 2048 });
    const heard = new Float32Array(2048);
    connect.call(this, ear);
    window.loud = () => { ear.getFloatTimeDomainData(heard); return Math.sqrt(heard.reduce((sum, x) => sum + x * x, 0) / 2048); };
  }
  return connect.call(this, to, ...more);
};
"""
"""Level of the sound that reaches the loudspeaker."""


def a_practice(**changes):
    return FakePractice(LiveFeed(), [room_state(**changes)])


def change(practice, **changes):
    practice.change("room-1", msgspec.structs.replace(practice.states["room-1"], **changes))


def luminance(png):
    """Return the relative luminance (WCAG) of 12 by 8 parts of the screen."""
    rgb = np.asarray(Image.open(io.BytesIO(png)).convert("RGB").resize((240, 160), Image.Resampling.BOX)) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return (linear @ [0.2126, 0.7152, 0.0722]).reshape(8, 20, 12, 20).mean(axis=(1, 3))


async def changes_of_light(page, seconds):
    """Return the largest change of luminance per second, of the whole screen and of the part that changed fastest."""
    loop = asyncio.get_running_loop()
    seen, until_s = [], loop.time() + seconds
    while loop.time() < until_s:
        seen.append((await page.evaluate("performance.now()") / 1000, luminance(await page.screenshot())))
    whole = part = 0.0
    for n, (t, light) in enumerate(seen):
        later = next(((t2, light2) for t2, light2 in seen[n:] if t2 - t >= 0.4), None)
        if later:
            change = np.abs(later[1] - light) / (later[0] - t)
            whole, part = max(whole, abs(later[1].mean() - light.mean()) / (later[0] - t)), max(part, change.max())
    assert len(seen) > 5
    return whole, part


@pytest.mark.alone
async def test_everything_is_off_at_first_and_the_therapist_switches_it_from_another_screen(page, browser):
    practice, frames = a_practice(phase="recovery"), []
    client = await browser.new_page(viewport={"width": 820, "height": 1180})

    def keep(frame):
        frames.append(frame)

    client.on("websocket", lambda live: live.on("framereceived", keep))
    async with serving(practice) as address:
        await page.goto(f"{address}/rooms/room-1")
        await page.get_by_role("button", name="Client view").click()
        async with page.context.expect_page() as opened:
            await page.get_by_role("link", name="Open on a second screen").click()
        second = await opened.value
        assert second.url == f"{address}/rooms/room-1/client"
        await second.close()
        await client.goto(f"{address}/rooms/room-1/client")
        assert await text(client, "#words") == REST
        assert await client.title() == "Rest"
        clock = asyncio.get_running_loop().time
        for name, shown in (("Colour field", "field"), ("Breathing pacer", "pacer")):
            start = clock()
            await page.get_by_role("switch", name=name).click()
            await until(client, f"document.body.dataset.shows === {shown!r}")
            assert clock() - start < 1.0
        assert await page.get_by_role("switch", name="Breathing pacer").get_attribute("aria-checked") == "true"
        await page.get_by_role("button", name="Slower").click()
        await until(page, "document.querySelector('.pace').textContent === '5.5 breaths a minute'")
        assert practice.states["room-1"].client_view == ClientView(field=True, pacer=True, pace_per_min=5.5)
        await page.get_by_role("button", name="All off").click()
        await until(client, "document.body.dataset.shows === 'words'")
        assert await text(client, "#words") == REST
        assert not any(character.isdigit() for character in await client.locator("body").inner_text())
        allowed = {"type", "field", "tone", "level", "pace_per_min", "pacer_sound", "adapter"}
        assert all(set(json.loads(frame)) <= allowed for frame in frames)
        assert "M-014" not in "".join(frames) + await client.content()
        assert page.troubles == []


async def test_brightness_changes_slowly_whatever_happens(page):
    practice = a_practice(change_pct=-60.0, client_view=FIELD)
    await page.set_viewport_size({"width": 640, "height": 400})
    async with serving(practice) as address:
        await page.goto(f"{address}/rooms/room-1/client")
        await page.click("#begin")
        await page.locator("#begin").wait_for(state="hidden")
        await page.wait_for_timeout(500)
        rows = [("comes", *await changes_of_light(page, 5))]
        change(practice, change_pct=150.0, phase="recovery", client_view=ClientView(field=True, pacer=True, pace_per_min=7.0))
        rows.append(("jumps, and the pacer begins", *await changes_of_light(page, 7)))
        change(practice, notice="Pain 7.")
        rows.append(("goes", *await changes_of_light(page, 5)))
    (ARTIFACTS / "client-light.txt").write_text(
        "".join(
            f"{name}: {100 * whole:.2f} % a second, {100 * part:.2f} % in a part of the screen\n" for name, whole, part in rows
        )
    )
    assert max(whole for _, whole, _ in rows) < 0.02
    assert max(part for _, _, part in rows) < 0.04
    assert max(part for _, _, part in rows) > 0.001, "nothing was shown at all"


async def test_the_colour_field_is_slow_and_equally_bright_at_both_ends(page):
    async with serving(a_practice()) as address:
        await page.goto(f"{address}/rooms/room-1/client")
        lights = await page.evaluate(LIGHTS)
        assert max(lights["jumps"]) < 0.02
        assert lights["high"] > 0.03
        assert lights["low"] == pytest.approx(lights["high"], rel=0.2), "neither end may look like the better one"


async def test_the_pacer_keeps_its_pace_and_begins_with_breathing_in(page):
    async with serving(a_practice()) as address:
        await page.goto(f"{address}/rooms/room-1/client")
        for pace in (4, 6, 7):
            turns, first, steepest = await page.evaluate(BREATHS, pace)
            assert turns == 10 * pace, "breaths in ten minutes"
            assert first is True
            assert steepest < 0.06, "of the circle in a tenth of a second"


async def test_breathing_is_paced_only_in_recovery_by_a_circle_that_grows_and_shrinks(page):
    practice = a_practice(client_view=PACER)
    async with serving(practice) as address:
        await page.goto(f"{address}/rooms/room-1/client")
        await page.click("#begin")
        await page.wait_for_timeout(700)
        assert await page.locator("#circle").is_hidden()
        change(practice, phase="recovery", phase_s=0.0)
        await until(page, "document.getElementById('breath').textContent === 'Breathe in'")
        width = "document.getElementById('circle').getBoundingClientRect().width"
        small = await until(page, width)
        await page.wait_for_timeout(2500)
        await page.screenshot(path=ARTIFACTS / "client-pacer.png")
        await until(page, "document.getElementById('breath').textContent === 'Breathe out'")
        assert await page.evaluate(width) > small
        change(practice, notice="Pain 7.")
        await until(page, "document.body.dataset.shows === 'words' && document.getElementById('circle').hidden")
        assert await text(page, "#breath") == ""
        assert page.troubles == []


async def test_words_replace_motion_where_reduced_motion_is_preferred(page):
    practice = a_practice(client_view=FIELD)
    await page.emulate_media(reduced_motion="reduce")
    async with serving(practice) as address:
        await page.goto(f"{address}/rooms/room-1/client")
        await until(page, "document.getElementById('words').textContent.startsWith('Your heart’s rhythm swings')")
        change(practice, change_pct=-30.0)
        await until(page, f"document.getElementById('words').textContent === {REST!r}")
        change(practice, phase="recovery", client_view=ClientView(field=True, pacer=True, pace_per_min=7.0))
        await until(page, "document.getElementById('breath').textContent === 'Breathe in'")
        await until(page, "document.getElementById('breath').textContent === 'Breathe out'")
        assert await page.locator("#circle").is_hidden()
        assert await page.evaluate("document.getElementById('field').style.getPropertyValue('--inner')") in {"", "rgb(0 0 0)"}
        await page.screenshot(path=ARTIFACTS / "client-words.png")


async def test_there_is_no_sound_before_a_press_and_pain_silences_the_tone(page):
    await page.add_init_script(EAR)
    practice = a_practice(client_view=ClientView(tone=True))
    async with serving(practice) as address:
        await page.goto(f"{address}/rooms/room-1/client")
        await page.wait_for_timeout(800)
        assert await page.evaluate("!window.loud && document.body.dataset.sound === 'off'")
        assert await page.locator("button:visible").first.inner_text() == "Begin"
        await page.click("#begin")
        await until(page, "document.body.dataset.sound === 'on' && window.loud() > 0.002")
        loudest = await page.evaluate("window.loud()")
        assert loudest < 0.1
        change(practice, notice="Pain 7.")
        await until(page, "window.loud() < 0.001")
        change(practice, notice=None, phase="recovery", client_view=ClientView(pacer=True, pacer_sound=True))
        await until(page, "window.loud() > 0.001")
        assert page.troubles == []


async def test_a_screen_without_messages_goes_blank(page):
    practice = a_practice(phase="recovery", client_view=PACER)
    async with serving(practice) as address:
        await page.goto(f"{address}/rooms/room-1/client")
        await until(page, "document.body.dataset.shows === 'pacer'")
    await until(page, "document.body.dataset.shows === 'words'")


async def test_a_room_that_is_not_open_has_no_client_view(page):
    async with serving(a_practice()) as address:
        answer = await page.goto(f"{address}/rooms/cellar/client")
        assert answer.status == 404


@pytest.mark.parametrize("theme", ["dark", "dim"])
async def test_the_clients_screen_meets_wcag_2_2_aa(page, theme):
    practice = a_practice()
    async with serving(practice) as address:
        await page.goto(f"{address}/healthz")
        await page.evaluate(f"localStorage.setItem('restbeat-theme', {theme!r})")
        sizes = {"phone": (390, 844), "desk": (1280, 800), "tv": (1920, 1080)}
        for name, (width, height) in sizes.items():
            await page.set_viewport_size({"width": width, "height": height})
            await page.goto(f"{address}/rooms/room-1/client")
            await page.screenshot(path=ARTIFACTS / f"client-off-{theme}-{name}.png")
            small = "[...document.querySelectorAll('button')].filter(e => e.offsetParent && e.offsetHeight < 48).length"
            assert await page.evaluate(small) == 0
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        await page.click("#begin")
        change(practice, change_pct=80.0, client_view=FIELD)
        await page.wait_for_timeout(6000)
        await page.screenshot(path=ARTIFACTS / f"client-field-{theme}.png")
        if AXE.exists():
            assert await broken_rules(page) == []
            await page.goto(f"{address}/rooms/room-1")
            await page.get_by_role("button", name="Client view").click()
            assert await broken_rules(page) == []
