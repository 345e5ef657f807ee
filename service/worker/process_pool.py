"""Processes for what is heavy: they follow the server, and are killed where they hang."""

import asyncio
import atexit
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext, SpawnProcess
import os
import signal
import threading
from typing import Any, TypeVar

T = TypeVar("T")

_PATIENCE_S = 3.0
"""For what runs at the end."""


class Processes:
    """So many processes at most, each started when it is needed; `end` is to be called."""

    def __init__(self, most: int = 1, begin: Callable[..., None] | None = None, *given: Any) -> None:
        """`begin`, a function of a module, is called in each process first, with what is given."""
        self._context = _Remembering()
        self._pool = ProcessPoolExecutor(most, mp_context=self._context, initializer=_begin, initargs=(begin, given))

    def run(self, function: Callable[..., T], *given: Any) -> asyncio.Future[T]:
        """Give what a module's function returns. Raises `BrokenProcessPool` where its process dies, then and from then on."""
        return asyncio.get_running_loop().run_in_executor(self._pool, function, *given)

    def start(self, function: Callable[[], None]) -> None:
        """Have a module's function run, and do not wait for it."""
        self._pool.submit(function)

    def kill(self) -> None:
        """End them at once, whatever they are at."""
        for process in self._context.started:
            if process.is_alive():
                process.kill()

    async def end(self) -> None:
        """Drop what waits, and let what runs come to its end: for 3 s, or until this is cancelled; then kill it."""
        ending = asyncio.create_task(asyncio.to_thread(self._pool.shutdown, cancel_futures=True), name="end of processes")
        try:
            await asyncio.wait({ending}, timeout=_PATIENCE_S)
        finally:
            self.kill()
        await ending


class _Remembering(SpawnContext):
    """A pool does not tell which processes it has started."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[SpawnProcess] = []

    def Process(self, *arguments: Any, **options: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: N802
        self.started.append(SpawnProcess(*arguments, **options))
        return self.started[-1]


def _begin(begin: Callable[..., None] | None, given: tuple[Any, ...]) -> None:
    """Leave Ctrl-C to the server, and end with it however it ends: killed, it could not say goodbye."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    atexit.register(os._exit, 0)  # the libraries of the analysis take half a second to be taken apart, and nobody needs it
    threading.Thread(target=_end_with_the_server, name="follow the server", daemon=True).start()
    if begin is not None:
        begin(*given)


def _end_with_the_server() -> None:
    if server := parent_process():
        server.join()
        os._exit(1)
