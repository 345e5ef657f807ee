"""A private D-Bus, run by dbus-daemon."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
import shutil
import sys

from ..errors import VirtualBusError
from .temporary_folder import end_process, temporary_folder

_DAEMON = "dbus-daemon"
_MISSING = f"Virtual straps need {_DAEMON}, which is not installed (on Debian: apt install dbus)."
_START_S = 5.0
# ends the daemon when our end of the pipe closes, so that it does not outlive a killed restbeat
_GUARD = '"$0" "$@" & exec >&-; read -r _; kill $! && wait $!'
# each BleakClient opens a connection of its own, and the default limit is 256 a user
_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "busconfig.dtd">
<busconfig>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy>
  <limit name="max_connections_per_user">4096</limit>
  <limit name="max_completed_connections">4096</limit>
</busconfig>
"""


@asynccontextmanager
async def private_bus() -> AsyncGenerator[str]:
    """Run a private D-Bus within the block and yield its address.

    Raises `VirtualBusError` where this is not Linux, or dbus-daemon is missing or does not start.
    """
    if sys.platform != "linux":
        raise VirtualBusError("Virtual straps need Linux: only there does Bleak speak to BlueZ over D-Bus.")
    daemon = shutil.which(_DAEMON)
    if daemon is None:
        raise VirtualBusError(_MISSING)
    async with temporary_folder("restbeat-bus-") as folder, _daemon(daemon, folder) as address:
        yield address


@asynccontextmanager
async def _daemon(program: str, folder: Path) -> AsyncGenerator[str]:
    config = folder / "bus.conf"
    config.write_text(_CONFIG.format(socket=folder / "socket"))
    process = await asyncio.create_subprocess_exec(
        "/bin/sh",
        "-c",
        _GUARD,
        program,
        f"--config-file={config}",
        "--nofork",
        "--nopidfile",
        "--print-address",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C in a terminal must reach restbeat only, which then ends the bus last
    )
    try:
        yield await _address_of(process)
    finally:
        await end_process(process)


async def _address_of(process: asyncio.subprocess.Process) -> str:
    if process.stdout is None or process.stderr is None:
        raise VirtualBusError(f"{_DAEMON} was started without its pipes.")
    try:
        async with asyncio.timeout(_START_S):
            line = await process.stdout.readline()
    except TimeoutError as error:
        raise VirtualBusError(f"{_DAEMON} did not answer within {_START_S:g} s.") from error
    if not line:
        reason = (await process.communicate(b""))[1].decode(errors="replace").strip()
        raise VirtualBusError(f"{_DAEMON} could not be started: {reason or 'it ended at once'}.")
    return line.decode().strip().split(",guid=")[0]
