"""The write-ahead log and the file stay bounded while writers and readers never pause."""

import asyncio
from contextlib import closing
import json
import sqlite3
import time

import pytest

from restbeat.service.storage import writer
from restbeat.service.storage.database import DATABASE
from restbeat.service.storage.storage import Storage

LOG = 400_000


@pytest.fixture(autouse=True)
def small_log(monkeypatch):
    """Empty a log of 0.4 MB, so that the test need not write many times 16 MB."""
    monkeypatch.setattr(writer, "_LOG_BYTES", LOG)
    monkeypatch.setattr(writer, "_LOG_EVERY_S", 0.05)
    monkeypatch.setattr(writer, "_LOG_AGAIN_S", 0.05)


def log_bytes(folder):
    return (folder / f"{DATABASE}-wal").stat().st_size


def rewrite(number):
    """Return a job that writes 40 pages and frees as many."""

    def job(db):
        with db.atomic():
            db.execute("INSERT OR REPLACE INTO setting VALUES ('filler', ?)", (json.dumps(f"{number:06}" * 27_000),))

    return job


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what a file's size is has no event
            await asyncio.sleep(0.01)


async def test_the_log_is_emptied_though_readers_never_pause(tmp_path):
    largest, stop = 0, asyncio.Event()
    async with await Storage.open(tmp_path) as storage:

        def look(db):
            db.execute("SELECT count(*) FROM setting").fetchone()
            time.sleep(0.02)

        async def read():
            while not stop.is_set():
                await storage.read(look)

        readers = [asyncio.create_task(read()) for _ in range(6)]
        for number in range(120):
            await storage.run(rewrite(number))
            largest = max(largest, log_bytes(tmp_path))
            await asyncio.sleep(0.005)
        stop.set()
        await asyncio.gather(*readers)
        size = (tmp_path / DATABASE).stat().st_size
    assert largest < 10 * LOG, "it was written forty times that"
    assert size < 2_000_000, "freed pages are used again"


async def test_a_reader_that_holds_one_state_delays_it_and_no_more(tmp_path):
    async with await Storage.open(tmp_path) as storage:
        with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as other:
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM session").fetchone()
            for number in range(20):
                await storage.run(rewrite(number))
            assert log_bytes(tmp_path) > 2 * LOG, "that state must stay readable"
        await until(lambda: log_bytes(tmp_path) <= LOG)
