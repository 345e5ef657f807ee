"""The load of the grid on the computer that shows it; and a stalled screen, which must not affect the others."""

import asyncio
from contextlib import suppress
import json
import signal
import time

import psutil
import pytest

from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.web.rooms.live_socket import Pace

from ..fake_practice import FakePractice
from ..made_up import room_state
from ..screen import ARGUMENTS, ARTIFACTS, CHROMIUM, serving, until

pytestmark = [pytest.mark.browser, pytest.mark.alone]

MEASURED_S = 20.0
ROOMS = "room-1", "room-2"


def numbers_of(received, room):
    updates = [message for message in received if message["type"] == "update" and message["state"]["room"] == room]
    return [number for message in updates for number in range(message["first_seq"], message["seq"] + 1)]


def chromium_of(parent, kind=""):
    found = []
    for process in parent.children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # nor one that waits to be reaped
            if "chrom" in process.name() and kind in " ".join(process.cmdline()):
                found.append(process)
    return found


def seconds_of(processes):
    used = 0.0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            used += times.user + times.system
    return used


async def core_share(page, seconds):
    """Return the share of one core that the page's whole browser uses."""
    await page.wait_for_timeout(2000)
    processes = chromium_of(psutil.Process())
    before, start = seconds_of(processes), time.perf_counter()
    await page.wait_for_timeout(1000 * seconds)
    return (seconds_of(processes) - before) / (time.perf_counter() - start)


async def test_eight_rooms_at_five_hertz_use_at_most_a_tenth_of_one_core(page, speed):
    practice = FakePractice(LiveFeed(), [room_state(f"room-{n}") for n in range(1, 9)])
    async with serving(practice, step_s=0.2) as address:
        await page.goto(address)
        await until(page, "document.querySelectorAll('.tile .rate').length === 8")
        before = speed.slowness()
        share = await core_share(page, MEASURED_S)
        there = share / max((before + speed.slowness()) / 2, 1.0)
        moved = await page.evaluate("[...document.querySelectorAll('.elapsed')].every(e => e.textContent >= '4:3')")
    (ARTIFACTS / "grid-cost.txt").write_text(
        f"8 rooms at 5 Hz: {100 * share:.1f} % of one core, {100 * there:.1f} % at the bounds' speed\n"
    )
    assert moved, "the tiles stood still"
    assert 0.001 < there <= 0.06, "a tenth as measured leaves no room where NeuroKit2 tells more of a computer than the browser"


async def test_a_stalled_second_screen_costs_the_first_no_batch(page):
    """Its renderer is stopped, as on a hanging tablet; the first is sent every batch in order after one snapshot."""
    from playwright.async_api import async_playwright

    practice, received = FakePractice(LiveFeed(), [room_state(room) for room in ROOMS]), []
    enough = asyncio.Event()

    def keep(frame):
        received.append(json.loads(frame))
        if min(len(numbers_of(received, room)) for room in ROOMS) >= 6:
            enough.set()

    page.on("websocket", lambda live: live.on("framereceived", keep))
    async with (
        serving(practice, pace=Pace(frame_s=0.02, send_s=2.0), step_s=0.05) as address,
        async_playwright() as playwright,
    ):
        await page.goto(address)
        known = chromium_of(psutil.Process())
        other = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        second = await other.new_page()
        await second.goto(address)
        await until(second, "document.querySelectorAll('.tile .rate').length === 2")
        renderers = [p for p in chromium_of(psutil.Process(), "--type=renderer") if p not in known]
        assert renderers
        for renderer in renderers:
            renderer.send_signal(signal.SIGSTOP)
        received.clear()
        enough.clear()
        async with asyncio.timeout(60):
            await enough.wait()
        for renderer in renderers:
            renderer.send_signal(signal.SIGCONT)
        assert {message["type"] for message in received} <= {"update", "heartbeat"}, "no second snapshot was wanted"
        for room in ROOMS:
            numbers = numbers_of(received, room)
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), f"{room} has a hole"
        live = "document.querySelector('[data-room=room-1] .elapsed').textContent"
        shown = await page.evaluate(live)
        await until(second, f"{live} > '{shown}'")
        await other.close()
    assert page.troubles == []
