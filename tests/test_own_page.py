"""The client's own page in a real Chromium, from the link's creation to the answer two days later."""

from contextlib import asynccontextmanager
from datetime import timedelta
import re

from argon2 import PasswordHasher
from playwright.async_api import expect
import pytest

from restbeat.service.accounts.accounts import Accounts
from restbeat.service.accounts.passwords import Passwords
from restbeat.service.worker.worker import Worker
from restbeat.web.http.person import COOKIE
from restbeat.web.server import serving

from .chromium import SIZES
from .practices import practice_of
from .service.own_pages import own_pages, token_of
from .web.screen import ARTIFACTS, AXE, broken_rules, chromium

pytestmark = pytest.mark.browser

DAY = timedelta(hours=24)
VIEWPORTS = {name: {"width": width, "height": height} for name, (width, height) in SIZES.items()}
PHONE = {"viewport": VIEWPORTS["phone"], "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
DESK = {"viewport": VIEWPORTS["desk"]}
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def worker():
    return Worker()


@asynccontextmanager
async def practice(folder, worker, *, login=False):
    async with own_pages(folder, worker) as made:
        accounts = None
        if login:
            quick = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
            accounts = await Accounts.open(made.storage, passwords=quick, now_utc=lambda: made.now)
            await accounts.set_up(accounts.setup_code, "Ada", PASSWORD, peer="here")
        async with serving(
            practice_of(
                made.rooms, made.live_feed, accounts=accounts, clients=made.records, client_pages=made.links, courses=made.courses
            ),
            "127.0.0.1",
            0,
        ) as address:
            made.address = address
            await made.client()
            yield made


async def a_page(browser, device, **more):
    ARTIFACTS.mkdir(exist_ok=True)
    page = await (await browser.new_context(**device, **more)).new_page()
    page.troubles = []
    page.on("console", lambda message: page.troubles.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.set_default_timeout(15_000)
    return page


async def follow_up(made, **wanted):
    session = await made.session(ended_ago=DAY)
    return session, await made.link("M-014", session, **wanted)


async def test_a_link_is_created_answered_by_the_client_and_shown_to_the_therapist(tmp_path, worker):
    async with practice(tmp_path, worker) as made, chromium() as browser:
        session = await made.session(ended_ago=DAY, pain_before=2)
        desk = await a_page(browser, DESK)
        await desk.goto(f"{made.address}/sessions/{session}/notes")
        states = [re.compile("not answered yet, open until"), re.compile("opens")]
        await expect(desk.locator("#told-later li")).to_have_text(states)
        await desk.get_by_text("Make a link").click()
        await desk.locator('[name="language"][value="de"]').check(force=True)
        await desk.get_by_role("button", name="Make the link").click()
        await expect(desk.locator(".own-link")).to_have_count(1)
        address = await desk.locator(".own-link .address").input_value()
        assert re.fullmatch(rf"{made.address}/c/[\w.-]{{73}}", address)

        phone = await a_page(browser, PHONE)
        await phone.goto(address)
        await expect(phone.locator("h1")).to_have_text(re.compile("^Ihre Sitzung vom 22"))
        await phone.get_by_role("button", name="English").tap()
        await expect(phone.locator("h1")).to_have_text(re.compile("^Your session on"))
        assert re.search(r"\+22\W*%", await phone.locator("main").inner_text())
        picture = phone.locator(".take-home .narrow svg")
        await picture.scroll_into_view_if_needed()
        await expect(picture).to_be_visible()
        form = phone.locator("#after-24 form")
        for text in ("4", "better than usual", "some hours", "Heat", "Mindfulness"):
            await form.locator(".chip", has_text=re.compile(rf"^\s*{text}\s*$")).tap()
        await form.get_by_label("Anything else?").fill("The left shoulder feels light.")
        await form.get_by_role("button", name="Send my answers").tap()
        await expect(phone.get_by_role("status")).to_contain_text("Thank you. Your answers are kept.")
        assert phone.url == f"{address}/{session}#after-24"
        await phone.get_by_text("Correct them within ten minutes").tap()
        await form.locator(".chip", has_text=re.compile(r"^\s*5\s*$")).tap()
        await form.get_by_role("button", name="Send the correction").tap()
        await expect(phone.get_by_role("status")).to_be_visible()
        assert await made.sql("SELECT pain, sleep, relief_h, done, note FROM follow_up") == [
            (5, "better", 3.0, '["heat","mindfulness"]', "The left shoulder feels light.")
        ]
        assert phone.troubles == []

        await desk.reload()
        answers = desk.locator("#told-later li").first
        await expect(answers).to_contain_text("pain 5 · slept better than usual · relief for some hours · heat, mindfulness")
        await desk.goto(f"{made.address}/clients/M-014")
        await expect(desk.locator(".panel.ask")).to_contain_text("Pain 5 after 24 h, 2 before the session.")
        await expect(desk.locator("#told-later")).to_contain_text("The left shoulder feels light.")
        await expect(desk.locator(".own-link")).to_contain_text(re.compile(r"opened \d times, last on"))
        await desk.goto(f"{made.address}/sessions/{session}")
        await expect(desk.locator("#told-later")).to_contain_text("pain 5")
        assert desk.troubles == []

        made.now += timedelta(minutes=11)
        await phone.goto(address)
        await expect(phone.get_by_text("you said: pain 5")).to_be_visible()
        assert await phone.locator("form[action$='/24']").count() == 0
        made.now += timedelta(hours=18)  # 42 h and some after the end
        await phone.goto(address)
        await expect(phone.locator("#after-48 h2")).to_have_text("How are you, two days after?")


async def test_expired_revoked_altered_and_foreign_links_are_refused_alike(tmp_path, worker):
    async with practice(tmp_path, worker) as made, chromium() as browser:
        session, link = await follow_up(made)
        await made.client("M-015")
        foreign = await made.session("M-015")
        revoked, old = await made.link("M-014", session), await made.link("M-014", session)
        await made.links.revoke(revoked.link, by="Ada")
        await made.sql("UPDATE client_link SET expires_utc = made_utc WHERE id = ?", old.link)
        token = token_of(link)
        phone = await a_page(browser, PHONE)
        pages = set()
        for path in (token_of(old), token_of(revoked), token[:-1] + "_", f"{token}/{foreign}", "nothing"):
            answer = await phone.goto(f"{made.address}/c/{path}")
            assert answer.status == 404
            pages.add(await phone.content())
        assert len(pages) == 1
        await expect(phone.locator("h1")).to_have_text("This link opens nothing")
        await expect(phone.locator("main")).to_contain_text("ask your practice for a new one")
        await phone.screenshot(path=ARTIFACTS / "own-refused-phone.png")


async def test_without_scripts_the_page_can_be_read_and_answered(tmp_path, worker):
    async with practice(tmp_path, worker) as made, chromium() as browser:
        session, link = await follow_up(made)
        phone = await a_page(browser, PHONE, java_script_enabled=False)
        sent = []
        phone.on("request", lambda request: sent.append(request))  # noqa: PLW0108 Playwright wants a function
        await phone.goto(f"{made.address}{link.address}")
        await phone.locator('[name="pain"][value="3"]').check(force=True)
        await phone.get_by_role("button", name="Send my answers").tap()
        await expect(phone.get_by_role("status")).to_contain_text("Thank you")
        assert await made.sql("SELECT session, slot, pain FROM follow_up") == [(session, 24, 3)]
        (post,) = [request for request in sent if request.method == "POST"]
        assert (await post.all_headers()).get("origin") == "null"  # what a page without referrer sends
        referers = {request.url: (await request.all_headers()).get("referer") for request in sent}
        assert not any(referers.values()), referers


async def test_in_a_logged_in_browser_the_page_is_still_the_clients_and_sets_no_cookie(tmp_path, worker):
    async with practice(tmp_path, worker, login=True) as made, chromium() as browser:
        _, link = await follow_up(made)
        page = await a_page(browser, DESK)
        await page.goto(f"{made.address}/login")
        await page.get_by_label("Name").fill("Ada")
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Log in").click()
        await page.wait_for_url(f"{made.address}/")
        before = await page.context.cookies()
        made.now += timedelta(hours=2)  # so old that any other page would renew the login
        answer = await page.goto(f"{made.address}{link.address}")
        assert "set-cookie" not in await answer.all_headers()
        assert await page.locator("nav a[href='/clients']").count() == 0
        assert await page.locator('meta[name="csrf"]').count() == 0
        await page.locator("#after-24 .chip", has_text=re.compile(r"^\s*2\s*$")).click()
        await page.get_by_role("button", name="Send my answers").click()
        await expect(page.get_by_role("status")).to_contain_text("Thank you")
        assert await page.context.cookies() == before
        stranger = await a_page(browser, PHONE)
        await stranger.goto(f"{made.address}{link.address}")
        assert await stranger.context.cookies() == []
        await stranger.goto(f"{made.address}/clients")
        assert "/login" in stranger.url
        await page.goto(f"{made.address}/clients")  # the login is still valid
        await expect(page.locator("h1")).to_have_text("Clients")
        assert (await page.context.cookies())[0]["name"] == COOKIE


async def test_the_therapist_changes_revokes_and_sees_who_has_not_answered(tmp_path, worker):
    async with practice(tmp_path, worker) as made, chromium() as browser:
        older = await made.session(ended_ago=timedelta(days=8))
        session = await made.session(ended_ago=DAY)
        await made.client("M-020", agrees=False)
        lonely = await made.session("M-020", ended_ago=DAY)
        page = await a_page(browser, DESK)
        await page.goto(f"{made.address}/sessions/{lonely}/notes")
        await expect(page.locator("#client-link .wording").first).to_contain_text("Whoever has its link can open it")
        await page.get_by_role("button", name="M-020 agrees").click()
        await expect(page.get_by_text("Make a link")).to_be_visible()
        link = await made.link("M-014", session)
        await page.goto(f"{made.address}/clients")
        await expect(page.locator("#waiting")).to_have_text("Follow-ups: 1 open, 0 not answered in the last two weeks.")
        await expect(page.locator('[data-client="M-014"] .waits')).to_have_text("1 to answer")
        await page.goto(f"{made.address}/clients/M-014")
        own = page.locator(".own-link")
        await own.get_by_text("What it shows").click()
        await own.locator(f'[name="session"][value="{older}"]').check(force=True)
        await own.get_by_role("button", name="Keep this choice").click()
        await expect(own.locator("b").first).to_have_text(re.compile(r"\d{4}, .*\d{4}"))  # drawn anew, with both days
        assert (await made.sql("SELECT count(*) FROM client_link_session WHERE shown"))[0] == (2,)
        await page.get_by_role("button", name="Revoke").click()
        await page.get_by_role("button", name="Yes, revoke").click()
        await expect(page.get_by_text("Links that are over (1)")).to_be_visible()
        assert await made.sql("SELECT revoked_by FROM client_link WHERE id = ?", link.link) == [("demo",)]
        assert page.troubles == []


async def test_an_admin_sets_the_public_address_and_sends_a_test_mail(tmp_path, worker):
    from .service.follow_up.mail_server import Inbox, mail_server

    inbox = Inbox()
    async with practice(tmp_path, worker) as made, chromium() as browser, mail_server(inbox) as port:
        page = await a_page(browser, DESK)
        await page.goto(f"{made.address}/settings")
        await page.get_by_label("Public address").fill("https://practice.example")
        await page.get_by_label("Server (SMTP)").fill("127.0.0.1")
        await page.get_by_label("Port").fill(str(port))
        await page.get_by_label("Encryption").select_option("none")
        await page.get_by_label("Sender’s address").fill("blue@practice.example")
        await page.locator("#mail").get_by_role("button", name="Save").click()
        await expect(page.locator("#mail-said")).to_have_text("Saved.")
        await page.get_by_label("Send a test mail to").fill("ada@practice.example")
        await page.get_by_role("button", name="Send a test mail").click()
        await expect(page.locator("#mail-said")).to_have_text("The mail server has taken it.")
        assert [to for to, _ in inbox.mails] == ["ada@practice.example"]
        assert page.troubles == []
        inbox.refuse["RCPT"] = "550 5.7.1 no"
        await page.get_by_role("button", name="Send a test mail").click()
        await expect(page.locator("#news")).to_contain_text("The test mail did not go.")


SMALL = """
[...document.querySelectorAll('button, .button, input, select, textarea, summary, nav a')]
  .filter(e => e.offsetParent && (e.offsetHeight < 48 || e.offsetWidth < 44)).map(e => e.outerHTML)
"""


async def check_page(page, name):
    await page.screenshot(path=ARTIFACTS / f"own-{name}.png", full_page=True)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} scrolls sideways"
    assert await page.evaluate(SMALL) == [], name
    assert await broken_rules(page) == [], name


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed; make test brings it where there is npm")
async def test_every_state_of_the_page_fits_a_phone_and_paper_and_meets_wcag_2_2_aa(tmp_path, worker):
    async with practice(tmp_path, worker) as made, chromium() as browser:
        await made.set_mail()
        older = await made.session(ended_ago=timedelta(days=8))
        session = await made.session(ended_ago=DAY)
        link = await made.link("M-014", older, session, language="de")
        page = await a_page(browser, PHONE)
        address = f"{made.address}/c/{token_of(link)}"
        for theme in ("light", "dark", "dim"):
            await page.emulate_media(color_scheme="light" if theme == "light" else "dark")
            await page.goto(address)
            await page.evaluate(f"localStorage.setItem('restbeat-theme', {'dim' if theme == 'dim' else 'dark'!r})")
            await page.goto(address)
            await page.locator("#choose summary").tap()
            await check_page(page, f"asked-phone-{theme}")
        await page.goto(f"{address}/{older}")
        await check_page(page, "older-phone")
        await made.links.answer(token_of(link), session, 24, _some_answers(), peer="x")
        await page.goto(f"{address}/{session}")
        await check_page(page, "answered-phone")
        await page.goto(f"{made.address}/c/nothing")
        await check_page(page, "refused-phone")
        desk = await a_page(browser, DESK)
        for name, path in (
            ("notes-desk", f"/sessions/{session}/notes"),
            ("client-desk", "/clients/M-014"),
            ("print-desk", f"/links/{link.link}/print?session={session}"),
            ("clients-desk", "/clients"),
            ("settings-desk", "/settings"),
        ):
            await desk.goto(made.address + path)
            if name in {"notes-desk", "client-desk"}:
                await desk.get_by_text("What it shows").click()
                await desk.get_by_text("Make another link").click()
            await check_page(desk, name)
        assert page.troubles == ["Failed to load resource: the server responded with a status of 404 (Not Found)"]
        assert desk.troubles == []
        await desk.goto(f"{made.address}/links/{link.link}/print?session={session}")
        pdf = await desk.pdf(path=ARTIFACTS / "own-page.pdf", prefer_css_page_size=True)
        assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
        await desk.emulate_media(media="print")
        await desk.set_viewport_size({"width": 665, "height": 1030})
        await desk.screenshot(path=ARTIFACTS / "own-print.png", full_page=True)


def _some_answers():
    from restbeat.service.follow_up.models import Answers

    return Answers(pain=3, sleep="better", relief="lasts", done=["heat"], note="Light.")
