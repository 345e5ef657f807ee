"""Lets a dbus-fast connection wait while its socket is full.

dbus-fast 5.2 does not catch EAGAIN in its writer: a burst that fills the socket, from about 50 straps on, ends the connection.
"""

import socket
from typing import Any

from dbus_fast.aio import MessageBus


def wait_on_full_socket(bus: MessageBus) -> None:
    """Make a connected bus wait for a full socket instead of closing the connection."""
    writer: Any = bus._writer  # noqa: SLF001
    writer.sock = _WaitingSocket(writer.sock)


class _WaitingSocket:
    """A socket that reports 0 bytes sent when it is full; the writer then waits until it is writable and sends the rest."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._descriptors: Any = ()

    def send(self, data: memoryview) -> int:
        descriptors, self._descriptors = self._descriptors, ()
        return self.sendmsg([data], descriptors)

    def sendmsg(self, buffers: list[memoryview], descriptors: Any) -> int:
        try:
            return self._socket.sendmsg(buffers, descriptors)
        except BlockingIOError:
            # the writer assumes that the descriptors were sent, so they are kept for the next attempt
            self._descriptors = descriptors
            return 0
