"""The process of the analysis, where it hangs or dies."""

import asyncio
import os
from pathlib import Path
import time

import pytest

from restbeat.service.errors import WorkerError
from restbeat.service.worker import process_pool, worker
from restbeat.service.worker.worker import Worker


@pytest.fixture(autouse=True)
def _hasty(monkeypatch):
    monkeypatch.setattr(process_pool, "_END_TIMEOUT_S", 0.3)
    monkeypatch.setattr(worker, "_import_all", os.getpid)


def _for(seconds: float, begun: Path) -> int:
    """Runs in the process: tells that it has begun, and of which process."""
    begun.touch()
    time.sleep(seconds)
    return os.getpid()


async def _running(analysis, seconds, begun):
    """An analysis that takes so long, and is being done."""
    task = asyncio.create_task(analysis.run(_for, seconds, begun))
    while not begun.exists():  # noqa: ASYNC110 another process tells by a file alone
        await asyncio.sleep(0.01)
    return task


async def _gone(pid):
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        await asyncio.sleep(0.01)


async def test_leaving_does_not_wait_for_an_analysis_that_hangs(tmp_path):
    async with Worker() as analysis:
        pid = await analysis.run(os.getpid)
        hanging = await _running(analysis, 3600.0, tmp_path / "begun")
    with pytest.raises(WorkerError, match="restbeat ends"):
        await hanging
    await _gone(pid)


async def test_leaving_lets_a_short_analysis_finish(tmp_path, monkeypatch):
    monkeypatch.setattr(process_pool, "_END_TIMEOUT_S", 3600.0)
    async with Worker() as analysis:
        pid = await analysis.run(os.getpid)
        short = await _running(analysis, 0.1, tmp_path / "begun")
    assert await short == pid


async def test_leaving_that_is_cancelled_leaves_no_process(tmp_path, monkeypatch):
    monkeypatch.setattr(process_pool, "_END_TIMEOUT_S", 3600.0)
    analysis = Worker()
    pid = await analysis.run(os.getpid)
    hanging = await _running(analysis, 3600.0, tmp_path / "begun")
    leaving = asyncio.create_task(analysis.__aexit__(None, None, None))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(leaving, hanging, return_exceptions=True)
    assert leaving.cancelled()
    await _gone(pid)


async def test_a_hanging_analysis_does_not_block_later_ones(monkeypatch):
    async with Worker() as analysis:
        pid = await analysis.run(os.getpid)
        monkeypatch.setattr(worker, "_TIMEOUT_S", 0.2)
        with pytest.raises(WorkerError, match="took longer"):
            await analysis.run(time.sleep, 3600.0)
        monkeypatch.setattr(worker, "_TIMEOUT_S", 60.0)
        assert await analysis.run(os.getpid) != pid
        await _gone(pid)


async def test_waiting_work_of_a_dead_process_is_done_by_a_single_new_one(tmp_path):
    async with Worker() as analysis:
        pid = await analysis.run(os.getpid)
        waiting = [await _running(analysis, 0.3, tmp_path / "begun") for _ in range(3)]
        os.kill(pid, 9)
        others = set(await asyncio.gather(*waiting))
        assert len(others - {pid}) == len(others) == 1


async def test_work_that_kills_its_process_twice_is_an_error_and_later_work_is_done():
    async with Worker() as analysis:
        with pytest.raises(WorkerError, match="died twice"):
            await analysis.run(os._exit, 3)
        assert await analysis.run(sum, [1, 2]) == 3
