"""Keeps a dbus-fast connection alive through bursts.

dbus-fast 5.2 does not catch EAGAIN in its writer: a burst that fills the socket, from about 50 straps on, ends the connection.
"""

import socket
from typing import Any

from dbus_fast.aio import MessageBus


def wait_on_full_socket(bus: MessageBus) -> None:
    """Let a connected bus wait for a full socket instead of breaking off."""
    writer: Any = bus._writer  # noqa: SLF001
    writer.sock = _PatientSocket(writer.sock)


class _PatientSocket:
    """Sends nothing where the socket is full; the writer then waits until it is writable, and sends the rest."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._passed: Any = ()

    def send(self, data: memoryview) -> int:
        passed, self._passed = self._passed, ()
        return self.sendmsg([data], passed)

    def sendmsg(self, buffers: list[memoryview], passed: Any) -> int:
        try:
            return self._socket.sendmsg(buffers, passed)
        except BlockingIOError:
            # the writer believes the descriptors gone, so they are kept for the next try
            self._passed = passed
            return 0
