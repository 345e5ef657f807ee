"""A dbus-daemon for the tests, at a known address and with a limit of connections."""

import asyncio
from contextlib import asynccontextmanager

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
<limit name="max_connections_per_user">{max_connections}</limit></busconfig>"""


@asynccontextmanager
async def dbus_daemon(folder, max_connections=256):
    """Run a dbus-daemon at `folder`/socket with a limit of connections per user; yield its address."""
    config, socket = folder / "bus.conf", folder / "socket"
    config.write_text(CONFIG.format(socket=socket, max_connections=max_connections))
    daemon = await asyncio.create_subprocess_exec(
        "dbus-daemon", f"--config-file={config}", "--nofork", "--print-address", stdout=asyncio.subprocess.PIPE
    )
    try:
        yield (await asyncio.wait_for(daemon.stdout.readline(), 10)).decode().strip()
    finally:
        daemon.terminate()
        await daemon.wait()
