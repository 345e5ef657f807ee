"""A folder, and child processes, that do not outlive this process, however it ends."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
import os
from pathlib import Path
import signal
import tempfile

_STOP_S = 2.0
# removes the folder when our end of the pipe closes: a killed restbeat cannot do so itself
_SWEEP = 'read -r _; /bin/rm -rf -- "$0"'


@asynccontextmanager
async def temporary_folder(prefix: str) -> AsyncGenerator[Path]:
    """Create a folder and remove it when the block ends; on Linux and macOS also when this process is killed."""
    with tempfile.TemporaryDirectory(prefix=prefix) as folder:
        if os.name != "posix":
            yield Path(folder)
            return
        sweeper = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", _SWEEP, folder, stdin=asyncio.subprocess.PIPE, start_new_session=True
        )
        try:
            yield Path(folder)
        finally:
            await end_process(sweeper)


async def end_process(process: asyncio.subprocess.Process) -> None:
    """Close the stdin of a process that then should end by itself; kill its process group if it has not within 2 s."""
    try:
        async with asyncio.timeout(_STOP_S):
            await process.communicate(b"")
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate(b"")
