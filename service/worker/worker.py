"""A process beside the server for heavy computing: only it imports NeuroKit2, SciPy and Matplotlib."""

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
    """Runner of analysis functions in a separate process, which is started early so that its imports delay no request."""

    def __init__(self) -> None:
        self._process = Processes()
        self._closing = False

    async def __aenter__(self) -> Self:
        self._process.start(_import_all)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing = True
        await self._process.end()

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """Return the result of a module-level function run in the process; function, arguments and result must pickle.

        The function imports heavy libraries inside itself, so that the server can import its module cheaply.
        Raises `WorkerError` where the process died twice or took longer than 120 s, or restbeat is ending.
        """
        process = self._process
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                try:
                    return await process.run(function, *args)
                except BrokenProcessPool as error:
                    if self._closing:
                        raise WorkerError("restbeat ends. The session is kept; open its summary at the next start.") from error
                    process = self._replace(process)
                    return await process.run(function, *args)
        except BrokenProcessPool as error:
            raise WorkerError("The analysis process died twice. The session is kept; open its summary again later.") from error
        except TimeoutError as error:
            process.kill()  # otherwise it would block all later work
            raise WorkerError(
                f"The analysis took longer than {_TIMEOUT_S:.0f} s. The session is kept; try again later."
            ) from error

    def _replace(self, broken: Processes) -> Processes:
        """Return the process that replaces a broken one: the same for all callers that were waiting for it."""
        if self._process is broken:
            self._process = Processes()
        return self._process


def _import_all() -> None:
    from ...analysis import session_report  # noqa: F401
    from ...analysis.hrv import neurokit

    neurokit.load()
