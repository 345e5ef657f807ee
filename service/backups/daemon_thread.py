"""Work in a thread that the program's end does not wait for, as a disk or a network folder may hang."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
import threading
from typing import TypeVar

T = TypeVar("T")


async def in_daemon_thread(work: Callable[[], T]) -> T:
    """Run `work` in a thread that the program's exit does not wait for, as a disk or a network folder may hang."""
    outcome: Future[T] = Future()
    outcome.set_running_or_notify_cancel()

    def run_it() -> None:
        try:
            outcome.set_result(work())
        except Exception as error:  # noqa: BLE001 it is raised in the caller
            outcome.set_exception(error)

    threading.Thread(target=run_it, name="check", daemon=True).start()
    return await asyncio.wrap_future(outcome)
