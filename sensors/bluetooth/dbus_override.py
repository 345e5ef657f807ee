"""Bleak on another D-Bus than the system's: for virtual straps within one process. Behind the door that is `ble`."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import os
import sys

_BUS = "DBUS_SYSTEM_BUS_ADDRESS"
_DISCONNECT_S = 5.0


@asynccontextmanager
async def on_bus(address: str) -> AsyncGenerator[None]:
    """Let Bleak in this event loop speak to the D-Bus at `address`, for the block; leaves no connection behind."""
    before = os.environ.get(_BUS)
    await _forget_bus()
    os.environ[_BUS] = address
    _spare_version_check()
    try:
        yield
    finally:
        await _forget_bus()
        os.environ.pop(_BUS)
        if before is not None:
            os.environ[_BUS] = before


async def _forget_bus() -> None:
    """Bleak keeps one connection an event loop and has no way to close it."""
    if sys.platform != "linux":
        return
    from bleak.backends.bluezdbus import manager as bluez  # noqa: PLC0415 there is no D-Bus elsewhere

    manager = bluez._global_instances.pop(asyncio.get_running_loop(), None)  # noqa: SLF001
    if manager is None or manager._bus is None:  # noqa: SLF001
        return
    bluez.logger.disabled = True  # it would warn of the loss of a bus that is closed on purpose
    try:
        manager._bus.disconnect()  # noqa: SLF001
        if manager._bus_watcher_task is not None:  # noqa: SLF001
            await asyncio.wait({manager._bus_watcher_task}, timeout=_DISCONNECT_S)  # noqa: SLF001
    finally:
        bluez.logger.disabled = False


def _spare_version_check() -> None:
    """Bleak would run bluetoothctl to ask how old BlueZ is, and warn where there is none."""
    if sys.platform == "linux":
        from bleak.backends.bluezdbus.version import BlueZFeatures  # noqa: PLC0415 there is no D-Bus elsewhere

        BlueZFeatures.checked_bluez_version = True
