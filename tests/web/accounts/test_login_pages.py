"""Login and logout in a real Chromium: login, first account, accounts, one's own password."""

from argon2 import PasswordHasher
import pytest

from restbeat.service.accounts.accounts import Accounts
from restbeat.service.accounts.passwords import Passwords
from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.sessions.session_store import SessionStore

from ..fake_practice import FakePractice
from ..made_up import room_state
from ..screen import ARTIFACTS, AXE, SIZES, broken_rules, serving, text, until

pytestmark = pytest.mark.browser

PASSWORD, OTHER = "correct horse battery", "staple stable stapler"
LONG = "Maximiliane Freifrau von Hohenstein-Oberkirchen zu Wartburg"


class Practice:
    """Made-up rooms with a login."""

    def __init__(self, accounts):
        self.accounts = accounts
        self.rooms = FakePractice(LiveFeed(), [room_state()])


@pytest.fixture
async def practice(tmp_path):
    async with await SessionStore.open(tmp_path) as storage:
        quick = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield Practice(await Accounts.open(storage, passwords=quick))


async def log_in(page, address, name="Ada", password=PASSWORD, wanted="/"):
    await page.goto(f"{address}{wanted}")
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Password").fill(password)
    await page.keyboard.press("Enter")
    await until(page, "location.pathname !== '/login'")


async def test_an_open_room_page_redirects_to_the_login_once_the_login_ends(practice, page):
    login = await practice.accounts.set_up(practice.accounts.setup_code, "Ada", PASSWORD, peer="here")
    async with serving(practice.rooms, accounts=practice.accounts) as address:
        await log_in(page, address, wanted="/rooms/room-1")
        await until(page, "document.querySelector('#rate').textContent !== '–'")
        row = await practice.accounts.add("Bo", PASSWORD, "admin", by=login.person)
        by = (await practice.accounts.log_in("Bo", PASSWORD, peer="here")).person
        assert by.account == row.account
        await practice.accounts.set_disabled(login.person.account, disabled=True, by=by)
        await until(page, "location.pathname + location.search === '/login?next=%2Frooms%2Froom-1'")


async def test_a_therapist_changes_their_own_password_in_the_settings(practice, page):
    await practice.accounts.set_up(practice.accounts.setup_code, "Ada", PASSWORD, peer="here")
    async with serving(practice.rooms, accounts=practice.accounts) as address:
        await log_in(page, address, wanted="/settings")
        await page.get_by_label("Password until now").fill("not my password")
        await page.get_by_label("New password").fill(OTHER)
        await page.get_by_role("button", name="Change my password").click()
        await until(page, "document.querySelector('#own-said').textContent === 'The old password is not right.'")
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await until(page, "location.pathname === '/login'")
        await log_in(page, address, password=OTHER, wanted="/settings")
        assert await page.locator("h1").inner_text() == "Settings"


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed; make test brings it where there is npm")
@pytest.mark.parametrize("theme", ["dark", "dim"])
async def test_login_setup_and_account_pages_fit_every_screen_and_meet_wcag_2_2_aa(practice, page, theme):
    async with serving(practice.rooms, accounts=practice.accounts) as address:
        await page.goto(f"{address}/healthz")
        await page.evaluate(f"localStorage.setItem('restbeat-theme', {theme!r})")
        await check_pages(page, address, theme, "/login", "/setup")
        login = await practice.accounts.set_up(practice.accounts.setup_code, "Ada", PASSWORD, peer="here")
        await practice.accounts.add(LONG, PASSWORD, "therapist", by=login.person)
        await log_in(page, address)
        assert await text(page, "nav a:last-child") == "Accounts"
        await check_pages(page, address, theme, "/accounts", "/settings", "/nowhere")
        await page.goto(f"{address}/accounts")
        own = await page.locator(".accounts li", has_text="Ada").inner_text()
        assert "Change your password" in own
        assert "Switch off" not in own


async def check_pages(page, address, theme, *paths):
    for path in paths:
        await page.goto(address + path)
        for size, (width, height) in SIZES.items():
            await page.set_viewport_size({"width": width, "height": height})
            await page.screenshot(path=ARTIFACTS / f"way-in{path.replace('/', '-')}-{size}-{theme}.png", full_page=True)
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} at {size} scrolls sideways"
            small = await page.evaluate(
                "[...document.querySelectorAll('button, .button, input, select, textarea, nav a')]"
                ".filter(e => e.offsetParent && (e.offsetHeight < 48 || e.offsetWidth < 44)).map(e => e.outerHTML)"
            )
            assert small == [], f"{path} at {size}"
            assert await broken_rules(page) == [], f"{path} at {size}"
