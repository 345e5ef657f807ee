"""Therapist and client see the same times of day: those of the practice, wherever computer and browser are."""
# ruff: noqa: F811 what fixtures are is imported

import pytest

from restbeat.service.settings import Settings
from restbeat.web.server import serving

from ...practices import practice_of
from ...service.courses.courses_made import a_course, audited, bench  # noqa: F401 fixtures
from ..screen import chromium

pytestmark = pytest.mark.browser


async def test_a_session_has_one_time_on_every_page_in_a_browser_on_the_other_side_of_the_world(bench):
    (session,) = await a_course(bench, days=(0,))
    practice = practice_of(bench.rooms, bench.live_feed, clients=bench.records, courses=bench.courses)
    await practice.settings.write(Settings(time_zone="Asia/Kolkata"), by="Ada")
    rows = (await bench.reports.sessions()).rows
    hour, minute = (int(part) for part in rows[0].started_utc[11:16].split(":"))
    said = f"{(hour + 5 + (minute + 30) // 60) % 24:02d}:{(minute + 30) % 60:02d}"
    async with serving(practice, "127.0.0.1", 0) as address, chromium() as browser:
        context = await browser.new_context(timezone_id="Pacific/Auckland", locale="en-GB")
        page = await context.new_page()
        for path in (f"/sessions/{session}", f"/sessions/{session}/notes", "/sessions", f"/sessions/{session}/summary?lang=en"):
            await page.goto(f"{address}{path}")
            await page.wait_for_function(f"document.body.innerText.includes({said!r})")
            assert "UTC" not in await page.inner_text("main, .take-home")
        await page.goto(f"{address}/settings")
        assert await page.locator("#time-zone").input_value() == "Asia/Kolkata"
        await page.locator("#time-zone").select_option("Europe/Berlin")
        await page.get_by_role("button", name="Save").click()
        await page.wait_for_function("document.querySelector('#said').textContent === 'Saved.'")
        assert (await practice.settings.read()).time_zone == "Europe/Berlin"
        answer = await page.request.put(f"{address}/api/v1/settings", data={"time_zone": "Mars/Olympus"})
        assert (answer.status, (await answer.json())["error"][:31]) == (409, "There is no time zone Mars/Olym")
