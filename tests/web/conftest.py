import pytest

from .screen import a_page, chromium


@pytest.fixture
async def browser():
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def page(browser):
    async with a_page(browser) as page:
        yield page
