"""Pool of processes for heavy work: they end with the server, and are killed where they hang."""

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

_END_TIMEOUT_S = 3.0
"""How long running work may take to finish when the pool ends, in s."""


class Processes:
    """Pool of at most `max_processes` processes, each started when needed; `end` must be called."""

    def __init__(self, max_processes: int = 1, initializer: Callable[..., None] | None = None, *arguments: Any) -> None:
        """Call `initializer`, a module-level function, first in each process, with `arguments`."""
        self._context = _RecordingContext()
        self._pool = ProcessPoolExecutor(
            max_processes, mp_context=self._context, initializer=_initialize, initargs=(initializer, arguments)
        )

    def run(self, function: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
        """Return the result of a module-level function run in a process.

        Raises `BrokenProcessPool` where its process dies, and on every call after that.
        """
        return asyncio.get_running_loop().run_in_executor(self._pool, function, *arguments)

    def start(self, function: Callable[[], None]) -> None:
        """Run a module-level function in a process without waiting for it."""
        self._pool.submit(function)

    def kill(self) -> None:
        """Kill every process at once."""
        for process in self._context.started:
            if process.is_alive():
                process.kill()

    async def end(self) -> None:
        """Cancel waiting work and let running work finish for 3 s, or until this is cancelled; then kill the processes."""
        ending = asyncio.create_task(asyncio.to_thread(self._pool.shutdown, cancel_futures=True), name="end of processes")
        try:
            await asyncio.wait({ending}, timeout=_END_TIMEOUT_S)
        finally:
            self.kill()
        await ending


class _RecordingContext(SpawnContext):
    """Context that records the processes it starts, as a pool does not expose them."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[SpawnProcess] = []

    def Process(self, *arguments: Any, **options: Any) -> SpawnProcess:  # type: ignore[override]  # noqa: N802
        self.started.append(SpawnProcess(*arguments, **options))
        return self.started[-1]


def _initialize(initializer: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    """Leave Ctrl-C to the server, and watch it, to exit with it even where it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    atexit.register(os._exit, 0)  # skips the teardown of the analysis libraries, which takes half a second
    threading.Thread(target=_exit_with_server, name="follow the server", daemon=True).start()
    if initializer is not None:
        initializer(*arguments)


def _exit_with_server() -> None:
    if server := parent_process():
        server.join()
        os._exit(1)
