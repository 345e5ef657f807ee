"""Serving, and the garbage collector of its process."""

import gc

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
