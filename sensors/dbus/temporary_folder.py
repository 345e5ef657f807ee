"""What goes with this process, however it ends: a folder, and programs that it has started."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
import os
from pathlib import Path
import signal
import tempfile

_STOP_S = 2.0
# removes the folder when the pipe from us closes: a restbeat that was killed cannot
_SWEEP = 'read -r _; /bin/rm -rf -- "$0"'


@asynccontextmanager
async def temporary_folder(prefix: str) -> AsyncGenerator[Path]:
    """Give a folder for the block. On Linux and macOS it goes even when this process is killed."""
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
    """Close the pipe of a program that ends on that, and kill it and its own where it does not."""
    try:
        async with asyncio.timeout(_STOP_S):
            await process.communicate(b"")
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.communicate(b"")
