"""Cancellation that works even where a library inside the task swallows it."""

import asyncio
from typing import Any

_AGAIN_S = 10.0
"""Wall time after which a task is cancelled again, in s; releasing a strap in order takes less."""


async def cancel_and_wait(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait for their end; a task that goes on is cancelled again. Their exceptions are discarded."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        try:
            _, pending = await asyncio.wait(pending, timeout=_AGAIN_S)
        except asyncio.CancelledError:
            for task in pending:
                task.cancel()
            raise
    for task in tasks:
        if not task.cancelled():
            task.exception()


def cancellation_requested() -> bool:
    """Return whether the running task was cancelled, even where a library swallowed that.

    Up to Python 3.11 `asyncio.wait_for` swallows it where the awaitable finishes in the same moment (bpo-37658).
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
