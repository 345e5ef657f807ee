"""Serving, and the garbage collector of its process."""

import gc
import gzip

import aiohttp
from aiohttp import http_parser
import pytest

from restbeat.service.sessions.session_store import SessionStore
from restbeat.service.worker.worker import Worker
from restbeat.web.server import serving

from ..practices import practice_of
from ..service.practice_under_test import PracticeUnderTest


async def test_while_serving_objects_loaded_before_are_not_searched_for_garbage(tmp_path):
    gc.unfreeze()
    async with await SessionStore.open(tmp_path) as storage, Worker() as worker:
        bench = PracticeUnderTest(storage, worker)
        async with bench.rooms as rooms, serving(practice_of(rooms, bench.live_feed), "127.0.0.1", 0):
            assert gc.get_freeze_count() > 10_000
            assert len(gc.get_objects()) < gc.get_freeze_count() / 10
        assert gc.get_freeze_count() == 0


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "GZip"])
async def test_a_packed_request_is_refused_and_never_unpacked(tmp_path, monkeypatch, encoding):
    unpacked = []
    feed = http_parser.DeflateBuffer.feed_data
    monkeypatch.setattr(http_parser.DeflateBuffer, "feed_data", lambda *args: unpacked.append(args) or feed(*args))
    body = gzip.compress(bytes(10_000_000))
    async with await SessionStore.open(tmp_path) as storage, Worker() as worker:
        bench = PracticeUnderTest(storage, worker)
        async with (
            bench.rooms as rooms,
            serving(practice_of(rooms, bench.live_feed), "127.0.0.1", 0) as address,
            aiohttp.ClientSession() as browser,
        ):
            headers = {"Content-Encoding": encoding, "Content-Type": "application/json"}
            async with browser.post(f"{address}/api/v1/rooms", data=body, headers=headers) as answer:
                assert answer.status == 415
                assert await answer.json() == {"error": "Send the request as it is, without Content-Encoding."}
    assert unpacked == []
