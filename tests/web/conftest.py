from pathlib import Path

import pytest
import pytest_asyncio

from bench.peers import speed_here

from .screen import a_page, chromium

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()) and item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_browser():
    """A Chromium for the whole module, because each start takes most of a second."""
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def browser(one_browser):
    yield one_browser
    for context in one_browser.contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser):
    async with a_page(browser) as page:
        yield page


@pytest.fixture(scope="session")
def speed():
    """How slow this computer is against the one for which bounds in s were set, measured by NeuroKit2 as in the benchmarks."""
    return speed_here()
