"""One process beside the server for heavy computing: NeuroKit2, SciPy and Matplotlib are imported there and nowhere else."""

import asyncio
from collections.abc import Callable
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Any, Self, TypeVar

from ..errors import WorkerError
from .process_pool import Processes

T = TypeVar("T")

_TIMEOUT_S = 120.0


class Worker:
    """Runs analysis in a process of its own, started early, so that its imports happen while nobody waits."""

    def __init__(self) -> None:
        self._process = Processes()
        self._leaving = False

    async def __aenter__(self) -> Self:
        self._process.start(_import_all)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._leaving = True
        await self._process.end()

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Run a function of a module, and its arguments, in the process; both must pickle.

        The function imports what is heavy within itself, so that its module stays light for the server.

        Raises `WorkerError` where the process died twice or took too long.
        """
        process = self._process
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                try:
                    return await process.run(function, *args)
                except BrokenProcessPool as error:
                    if self._leaving:
                        raise WorkerError("restbeat ends. The session is kept; open its summary at the next start.") from error
                    process = self._instead_of(process)
                    return await process.run(function, *args)
        except BrokenProcessPool as error:
            raise WorkerError("The analysis process died twice. The session is kept; open its summary again later.") from error
        except TimeoutError as error:
            process.kill()  # or it would keep all that comes after it waiting, too
            raise WorkerError(
                f"The analysis took longer than {_TIMEOUT_S:.0f} s. The session is kept; try again later."
            ) from error

    def _instead_of(self, dead: Processes) -> Processes:
        """Give a new process; one alone, however many were waiting for the one that died."""
        if self._process is dead:
            self._process = Processes()
        return self._process


def _import_all() -> None:
    from ...analysis import session_report  # noqa: F401
    from ...analysis.hrv import neurokit

    neurokit.load()
