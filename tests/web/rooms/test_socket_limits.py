"""A thousand live sockets from one address, and two hundred pages that come back at once."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
import time

import aiohttp
from aiohttp import WSServerHandshakeError
import msgspec
import pytest

from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.rooms.messages import ServerMessage
from restbeat.web.rooms.socket_limits import SocketLimits
from restbeat.web.server import raise_file_limit, serving

from ...practices import practice_of
from ..fake_practice import FakePractice
from ..made_up import room_state

PAGES = 200


@pytest.fixture
def practice():
    feed = LiveFeed()
    raise_file_limit()
    return FakePractice(feed, [room_state()]), feed


@asynccontextmanager
async def serving_browser(practice):
    async with (
        serving(practice_of(*practice), "127.0.0.1", 0) as address,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as browser,
        AsyncExitStack() as stack,
    ):
        yield address, browser, stack


async def snapshot(socket):
    while True:
        if type(msgspec.json.decode(await socket.receive_str(timeout=20), type=ServerMessage)).__name__ == "Snapshot":
            return


async def test_of_a_thousand_sockets_some_are_served_and_the_others_told_to_wait_and_pages_answer(practice):
    async with serving_browser(practice) as (address, browser, stack):
        results = await asyncio.gather(*(browser.ws_connect(f"{address}/live") for _ in range(1000)), return_exceptions=True)
        served = [result for result in results if isinstance(result, aiohttp.ClientWebSocketResponse)]
        refused = [result for result in results if isinstance(result, WSServerHandshakeError)]
        for socket in served:
            stack.push_async_callback(socket.close)
        assert (len(served), len(refused)) == (SocketLimits().each, 1000 - SocketLimits().each)
        assert {(error.status, error.headers["Retry-After"]) for error in refused} == {(429, "5")}
        async with browser.get(f"{address}/healthz") as answer:
            assert answer.status == 200
        await served.pop().close()
        async with asyncio.timeout(10):
            while True:
                try:
                    stack.push_async_callback((await browser.ws_connect(f"{address}/live")).close)
                    break
                except WSServerHandshakeError:
                    await asyncio.sleep(0.01)


async def test_another_address_is_served_while_one_has_its_fill(practice):
    limits, (_, feed) = SocketLimits(each=2, total=3), practice

    class Request(dict):
        def __init__(self, remote):
            self.remote = remote

    with limits.held(Request("192.0.2.1")), limits.held(Request("192.0.2.1")):
        with pytest.raises(aiohttp.web.HTTPTooManyRequests):
            limits.held(Request("192.0.2.1")).__enter__()
        with limits.held(Request("192.0.2.2")), pytest.raises(aiohttp.web.HTTPServiceUnavailable):
            limits.held(Request("192.0.2.3")).__enter__()
        with limits.held(Request("192.0.2.2")):
            pass
    assert feed.rooms()


async def test_two_hundred_pages_that_come_back_at_once_after_a_restart_are_served_within_five_seconds(practice):
    async with serving(practice_of(*practice), "127.0.0.1", 0):
        pass
    async with serving_browser(practice) as (address, browser, stack):
        began = time.monotonic()

        async def page():
            socket = await browser.ws_connect(f"{address}/live")
            stack.push_async_callback(socket.close)
            await snapshot(socket)
            async with browser.get(f"{address}/healthz") as answer:
                assert answer.status == 200

        await asyncio.gather(*(page() for _ in range(PAGES)))
        assert time.monotonic() - began < 5.0
