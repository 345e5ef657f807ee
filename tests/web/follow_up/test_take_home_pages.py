"""The pages that clients take home, the course and the due list in a real Chromium: on each screen, in each theme, in print."""

from functools import partial
import re

import pytest

from restbeat.service.documents.client_course import client_course
from restbeat.service.documents.client_summary import client_summary
from restbeat.service.documents.page_templates import STATIC, Frame
from restbeat.service.rendering.page_files import PageFiles
from restbeat.service.rooms.live_feed import LiveFeed

from ...chromium import SIZES
from ..fake_practice import FakePractice
from ..made_up import room_state
from ..screen import ARTIFACTS, AXE, broken_rules, serving, until
from ..take_home import FakeCourses, a_course, a_session, german

pytestmark = pytest.mark.browser

SUMMARY, COURSE = "/sessions/7/summary", "/clients/M-014/course"
PAGES = {
    "summary-en": f"{SUMMARY}?lang=en",
    "summary-de": f"{SUMMARY}?lang=de",
    "summary-crowded": "/sessions/9/summary?lang=de",
    "summary-too-little": "/sessions/10/summary?lang=en",
    "course": COURSE,
    "course-long": "/clients/M-many/course",
    "course-client": f"{COURSE}/client?lang=de",
    "practice": "/practice",
}


def a_practice():
    return FakePractice(LiveFeed(), [room_state()])


async def settled(page):
    await until(page, "document.fonts.status === 'loaded' && document.readyState === 'complete'")


async def test_each_page_fits_each_screen(page):
    async with serving(a_practice(), courses=FakeCourses()) as address:
        for name, path in PAGES.items():
            await page.goto(address + path)
            await settled(page)
            for size, (width, height) in SIZES.items():
                await page.set_viewport_size({"width": width, "height": height})
                await page.screenshot(path=ARTIFACTS / f"{name}-{size}.png", full_page=True)
                assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} scrolls sideways"
                small = await page.evaluate(
                    "[...document.querySelectorAll('button, .button, nav a, summary, select, input:not([type=checkbox])')]"
                    ".filter(e => e.offsetParent && (e.offsetHeight < 48 || e.offsetWidth < 44)).map(e => e.outerHTML)"
                )
                assert small == [], f"{name} on a {size}"
        assert page.troubles == []


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed; make test brings it where there is npm")
async def test_every_page_meets_wcag_2_2_aa(page):
    async with serving(a_practice(), courses=FakeCourses()) as address:
        await page.goto(f"{address}/healthz")
        for theme in ("dark", "dim"):
            await page.evaluate(f"localStorage.setItem('restbeat-theme', {theme!r})")
            for path in PAGES.values():
                await page.goto(address + path)
                await settled(page)
                assert await broken_rules(page) == [], f"{path} in {theme}"


async def test_the_summary_prints_on_one_a4_page(page):
    async with serving(a_practice(), courses=FakeCourses()) as address:
        for number in (7, 9, 10):
            for language in ("en", "de"):
                await page.goto(f"{address}/sessions/{number}/summary?lang={language}")
                pdf = await page.pdf(prefer_css_page_size=True)
                assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1, f"{number} in {language}"
                (ARTIFACTS / f"printed-{number}-{language}.pdf").write_bytes(pdf)


async def test_the_course_prints_on_two_pages(page):
    async with serving(a_practice(), courses=FakeCourses()) as address:
        for language in ("en", "de"):
            await page.goto(f"{address}{COURSE}/client?lang={language}")
            pdf = await page.pdf(prefer_css_page_size=True)
            (ARTIFACTS / f"printed-course-{language}.pdf").write_bytes(pdf)
            assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 2


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed; make test brings it where there is npm")
@pytest.mark.parametrize(
    ("what", "part"), [(partial(client_summary, a_session()), ".three"), (partial(client_course, a_course()), ".chart .wide")]
)
async def test_an_exported_page_needs_nothing_but_its_file(page, tmp_path, what, part):
    """As it is in an export: opened from a folder it has its style, its print button, and the device's colour scheme."""
    file = tmp_path / "page.html"
    file.write_text(what(german(), Frame(static=PageFiles(STATIC).inline, own=True)))
    requested = []
    page.on("request", lambda request: requested.append(request.url.partition(",")[0]))
    for scheme, ground in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(22, 28, 34)")):
        await page.emulate_media(color_scheme=scheme)
        await page.goto(file.as_uri())
        await until(page, "!document.querySelector('#print').hidden")
        assert await page.evaluate("getComputedStyle(document.body).backgroundColor") == ground
        display = await page.evaluate(f"getComputedStyle(document.querySelector('{part}')).display")
        assert display == ("grid" if part == ".three" else "block")
        assert await broken_rules(page) == [], scheme
        await page.screenshot(path=ARTIFACTS / f"exported-{what.func.__name__}-{scheme}.png", full_page=True)
    assert set(requested) <= {file.as_uri()} | {
        f"data:{kind};base64" for kind in ("text/css", "text/javascript", "image/svg+xml")
    }
    assert page.troubles == []
