"""Bleak on another D-Bus than the system bus, for virtual straps within one process; used through `scanner`."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import os
import sys

_BUS = "DBUS_SYSTEM_BUS_ADDRESS"
_DISCONNECT_S = 5.0


@asynccontextmanager
async def on_bus(address: str) -> AsyncGenerator[None]:
    """Make Bleak in this event loop use the D-Bus at `address` within the block; its connection is closed afterwards."""
    before = os.environ.get(_BUS)
    await _close_bus()
    os.environ[_BUS] = address
    _skip_version_check()
    try:
        yield
    finally:
        await _close_bus()
        os.environ.pop(_BUS)
        if before is not None:
            os.environ[_BUS] = before


async def _close_bus() -> None:
    """Close the connection that Bleak keeps for this event loop; Bleak has no way to do so."""
    if sys.platform != "linux":
        return
    from bleak.backends.bluezdbus import manager as bluez  # noqa: PLC0415 there is no D-Bus elsewhere

    manager = bluez._global_instances.pop(asyncio.get_running_loop(), None)  # noqa: SLF001
    if manager is None or manager._bus is None:  # noqa: SLF001
        return
    bluez.logger.disabled = True  # it would warn that the bus, closed on purpose, was lost
    try:
        manager._bus.disconnect()  # noqa: SLF001
        if manager._bus_watcher_task is not None:  # noqa: SLF001
            await asyncio.wait({manager._bus_watcher_task}, timeout=_DISCONNECT_S)  # noqa: SLF001
    finally:
        bluez.logger.disabled = False


def _skip_version_check() -> None:
    """Stop Bleak from running bluetoothctl for the version of BlueZ, and from warning where there is none."""
    if sys.platform == "linux":
        from bleak.backends.bluezdbus.version import BlueZFeatures  # noqa: PLC0415 there is no D-Bus elsewhere

        BlueZFeatures.checked_bluez_version = True
