"""Tasks end when cancelled, whatever a library in them does with a cancellation."""

import asyncio
from contextlib import suppress

import pytest

from restbeat.sensors import task_cancellation
from restbeat.sensors.task_cancellation import cancel_and_wait, cancellation_requested


async def swallowing(times):
    """Wait for ever, swallowing the given number of cancellations."""
    for _ in range(times):
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
    await asyncio.sleep(3600)


async def begun(*coroutines):
    tasks = [asyncio.create_task(one) for one in coroutines]
    await asyncio.sleep(0)
    return tasks


async def test_a_task_in_which_a_library_swallowed_the_cancellation_is_cancelled_again(monkeypatch):
    monkeypatch.setattr(task_cancellation, "_AGAIN_S", 0.01)
    tasks = await begun(swallowing(0), swallowing(1), swallowing(3))
    async with asyncio.timeout(20):
        await cancel_and_wait(*tasks)
    assert all(task.cancelled() for task in tasks)


async def test_a_task_that_is_slow_to_end_is_cancelled_once(monkeypatch):
    told = []

    async def orderly():
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            told.append(1)
            for _ in range(20):
                await asyncio.sleep(0)
            raise

    await cancel_and_wait(*await begun(orderly()))
    assert told == [1]


async def test_exceptions_of_tasks_are_discarded_and_finished_tasks_are_left_alone():
    async def broken():
        raise ValueError

    async def done():
        return 7

    tasks = await begun(broken(), done())
    await cancel_and_wait(*tasks)
    with pytest.raises(ValueError):  # noqa: PT011 it has no words
        tasks[0].result()
    assert tasks[1].result() == 7
    await cancel_and_wait()


async def test_a_cancellation_while_waiting_is_passed_on():
    (slow,) = await begun(swallowing(1))
    (waiting,) = await begun(cancel_and_wait(slow))
    await asyncio.sleep(0)
    waiting.cancel()
    async with asyncio.timeout(20):
        await asyncio.wait({waiting, slow})
    assert waiting.cancelled()
    assert slow.cancelled()


async def test_a_task_knows_that_it_was_cancelled_even_where_a_library_swallowed_it():
    knew = []

    async def asks():
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        knew.append(cancellation_requested())

    assert not cancellation_requested()
    (task,) = await begun(asks())
    task.cancel()
    await task
    assert knew == [True]
