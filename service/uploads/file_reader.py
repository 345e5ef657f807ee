"""A process for each file that is read: a hostile file can take its time and memory, and nobody else's."""

import asyncio
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
import logging
from pathlib import Path
from typing import Final

from ..errors import RefusedError
from ..worker.process_pool import Processes
from .file_contents import read_upload
from .models import ReadUpload

_LOG = logging.getLogger(__name__)
_AT_ONCE: Final = 2
_MEMORY_BYTES: Final = 3 << 30


class FileReader:
    """Reads files, at most two at once. `timeout_s`: for one file, once its turn has come; `memory_bytes`: for one process."""

    def __init__(self, *, timeout_s: float = 90.0, memory_bytes: int = _MEMORY_BYTES) -> None:
        self._timeout_s = timeout_s
        self._memory_bytes = memory_bytes
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def read(self, path: Path, kept: Path, name: str) -> ReadUpload:
        """Return what a file holds, which somebody calls `name`, and write it to `kept` as a recording.

        Raises `RefusedError` where it cannot become a session, its reader dies, or takes too long.
        """
        async with self._turns:
            processes = Processes(1, _limit, self._memory_bytes)
            try:
                async with asyncio.timeout(self._timeout_s):
                    return await processes.run(read_upload, path, kept, name)
            except TimeoutError:
                _LOG.warning("A file that was brought to a client's page was not read within %.0f s.", self._timeout_s)
                raise RefusedError(
                    f"{name} took too long to read, and was left: it is no file of heartbeats, or far too large."
                ) from None
            except BrokenProcessPool:
                _LOG.warning("The process that read a file from a client's page died.")
                raise RefusedError(
                    f"{name} could not be read: its reader broke off. Save it in another format, and try again."
                ) from None
            finally:
                processes.kill()
                await processes.end()


def _limit(memory_bytes: int) -> None:
    """Bound this process's memory, and have the system end it before any other where memory runs out; Linux and macOS."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
