import pytest

from .screen import ARGUMENTS, ARTIFACTS, CHROMIUM


@pytest.fixture
async def browser():
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser):
    page = await browser.new_page(viewport={"width": 1280, "height": 800})
    page.troubles = []
    page.on("console", lambda message: page.troubles.append(message.text) if message.type in {"error", "warning"} else None)
    page.on("pageerror", lambda error: page.troubles.append(str(error)))
    page.set_default_timeout(15_000)
    ARTIFACTS.mkdir(exist_ok=True)
    return page
