"""Tasks that end when they are told to, whatever a library in them does with a cancellation."""

import asyncio
from typing import Any

_AGAIN_S = 10.0
"""A strap that is let go of in order takes less."""


async def cancel_and_wait(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait for their end; one in which a library swallowed that is told again. What they raise is theirs."""
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
    """Whether the running task was cancelled, even where a library swallowed that.

    Up to Python 3.11 `asyncio.wait_for` does so where what it waits for is done in the same moment (bpo-37658).
    """
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
