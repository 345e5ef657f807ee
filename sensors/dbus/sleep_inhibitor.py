"""Holding off the computer's sleep by logind, on a Linux desktop or server that has it."""

import asyncio
from contextlib import suppress
import os
from typing import Final

_LOGIND: Final = "org.freedesktop.login1"
_ANSWER_S: Final = 3.0


class SleepInhibitor:
    """A lock on the computer's sleep, held between `hold` and `release`."""

    def __init__(self, address: str | None = None) -> None:
        """`address`: of the D-Bus that has logind; None: the system's."""
        self._address = address
        self._lock: int | None = None

    @property
    def held(self) -> bool:
        """Whether the computer stays awake for us."""
        return self._lock is not None

    async def hold(self, why: str) -> bool:
        """Hold off sleep, and return whether the system agreed; `why` is shown by it."""
        if self._lock is None:
            with suppress(ImportError, OSError, EOFError, TimeoutError):
                async with asyncio.timeout(_ANSWER_S):
                    self._lock = await _inhibit(self._address, why)
        return self.held

    def release(self) -> None:
        """Let the computer sleep again."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


async def _inhibit(address: str | None, why: str) -> int | None:
    """Return the file descriptor that holds the lock; None where logind is missing or refuses.

    Raises `ImportError` on a system without D-Bus.
    """
    from dbus_fast import BusType, Message, MessageType
    from dbus_fast.aio import MessageBus
    from dbus_fast.errors import DBusFastError

    body = ["sleep:idle", "restbeat", why, "block"]
    call = Message(_LOGIND, "/org/freedesktop/login1", f"{_LOGIND}.Manager", "Inhibit", signature="ssss", body=body)
    try:
        bus = MessageBus(bus_address=address, bus_type=BusType.SYSTEM, negotiate_unix_fd=True)
        try:
            await bus.connect()
            reply = await bus.call(call)
        finally:
            bus.disconnect()
    except DBusFastError:
        return None
    if reply is None or reply.message_type is MessageType.ERROR or not reply.unix_fds:
        return None
    return int(reply.unix_fds[0])
