"""A D-Bus in Python, for machines without dbus-daemon: as much of a message bus as Bleak and the virtual BlueZ ask for.

It reads and writes messages with dbus-fast's own (private) marshalling,
hence the pin of dbus-fast's minor version.
"""

from array import array
import asyncio
from collections import deque
from contextlib import suppress
import itertools
import logging
import os
from pathlib import Path
import re
import socket
from typing import Any, Self

from dbus_fast import Message, MessageType
from dbus_fast._private.unmarshaller import Unmarshaller

from ..errors import VirtualBusError
from .message_encoding import to_wire

_LOG = logging.getLogger(__name__)
_BUS, _BUS_PATH = "org.freedesktop.DBus", "/org/freedesktop/DBus"
_GUID = b"0" * 31 + b"1"
_BACKLOG = 512
_LONGEST_AUTH = 4096
_PRIMARY_OWNER, _EXISTS = 1, 3


class MiniBus:
    """Routes messages between the programs connected to a Unix socket; a context manager within a running event loop.

    Raises `VirtualBusError` where the socket cannot be had.
    """

    def __init__(self, socket_path: Path) -> None:
        self._path = socket_path
        self._loop = asyncio.get_running_loop()
        self._connections: dict[str, _Connection] = {}
        self._owners: dict[str, _Connection] = {}
        self._numbers = itertools.count(1)
        self._serials = itertools.count(1)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    @property
    def address(self) -> str:
        """The address that clients connect to."""
        return f"unix:path={self._path}"

    def __enter__(self) -> Self:
        try:
            self._listener.setblocking(False)
            self._listener.bind(str(self._path))
            self._listener.listen(_BACKLOG)
        except OSError as error:
            self._listener.close()
            raise VirtualBusError(f"The small D-Bus in Python could not be started: {error.strerror}.") from error
        self._loop.add_reader(self._listener, self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.remove_reader(self._listener)
        self._listener.close()
        for connection in list(self._connections.values()):
            connection.close()
        self._path.unlink(missing_ok=True)

    def _accept(self) -> None:
        with suppress(BlockingIOError):
            while True:
                client, _ = self._listener.accept()
                name = f":1.{next(self._numbers)}"
                self._connections[name] = _Connection(self, client, name)

    def route(self, sender: "_Connection", message: Message) -> None:
        """Pass a message on to whom it is meant for."""
        message.sender = sender.name
        if message.destination == _BUS:
            self._answer(sender, message)
        elif message.destination:
            receiver = self._owners.get(message.destination) or self._connections.get(message.destination)
            if receiver:
                receiver.send(message)
            elif message.message_type is MessageType.METHOD_CALL:
                error = Message.new_error(message, f"{_BUS}.Error.ServiceUnknown", f"{message.destination} is not on this bus")
                self._reply(sender, error)
        else:
            self._broadcast(message)

    def gone(self, connection: "_Connection") -> None:
        """Forget a connection and tell those who asked."""
        self._connections.pop(connection.name, None)
        names = [name for name, owner in self._owners.items() if owner is connection]
        for name in names:
            del self._owners[name]
        for name in (*names, connection.name):
            self._owner_changed(name, connection.name, "")

    def _answer(self, sender: "_Connection", message: Message) -> None:
        signature = ""
        body: list[Any] = []
        argument = message.body[0] if message.body else ""
        match message.member:
            case "Hello":
                signature, body = "s", [sender.name]
            case "RequestName":
                owner = self._owners.setdefault(argument, sender)
                signature, body = "u", [_PRIMARY_OWNER if owner is sender else _EXISTS]
                if owner is sender:
                    self._owner_changed(argument, "", sender.name)
            case "ReleaseName":
                self._owners.pop(argument, None)
                signature, body = "u", [1]
            case "AddMatch":
                sender.rules.append(_rule(argument))
            case "RemoveMatch":
                with suppress(ValueError):
                    sender.rules.remove(_rule(argument))
            case "NameHasOwner":
                signature, body = "b", [argument in self._owners or argument in self._connections]
            case _:
                error = Message.new_error(message, f"{_BUS}.Error.UnknownMethod", f"This small bus has no {message.member}")
                self._reply(sender, error)
                return
        self._reply(sender, Message.new_method_return(message, signature, body))

    def _owner_changed(self, name: str, old: str, new: str) -> None:
        signal = Message.new_signal(_BUS_PATH, _BUS, "NameOwnerChanged", "sss", [name, old, new])
        signal.serial, signal.sender = next(self._serials), _BUS
        self._broadcast(signal)

    def _reply(self, receiver: "_Connection", message: Message) -> None:
        message.serial, message.sender = next(self._serials), _BUS
        receiver.send(message)

    def _broadcast(self, message: Message) -> None:
        for connection in list(self._connections.values()):
            if any(_matches(rule, message) for rule in connection.rules):
                connection.send(message)


class _Connection:
    """One program on the bus."""

    def __init__(self, bus: MiniBus, client: socket.socket, name: str) -> None:
        self.name = name
        self.rules: list[dict[str, str]] = []
        self._bus = bus
        self._socket = client
        self._loop = asyncio.get_running_loop()
        self._line = b""
        self._authenticated = False
        self._closed = False
        self._outgoing: deque[tuple[memoryview, list[int]]] = deque()
        client.setblocking(False)
        self._unmarshaller = Unmarshaller(None, client, True)
        self._loop.add_reader(client, self._read)

    def send(self, message: Message) -> None:
        """Queue a message; it goes at once if the socket takes it."""
        if self._closed:
            return
        # the sender's copies close with its message, so a queued message needs descriptors of its own
        self._outgoing.append((memoryview(to_wire(message)), [os.dup(fd) for fd in message.unix_fds or ()]))
        if len(self._outgoing) == 1:
            self._write()

    def close(self) -> None:
        """Hang up."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._socket.close()
        for _, fds in self._outgoing:
            _close_all(fds)
        self._outgoing.clear()
        self._bus.gone(self)

    def _read(self) -> None:
        try:
            if not self._authenticated:
                self._authenticate()
            while self._authenticated and not self._closed and (message := self._unmarshaller.unmarshall()) is not None:
                try:
                    self._bus.route(self, message)
                finally:
                    _close_all(message.unix_fds)
        except BlockingIOError:
            pass
        except (EOFError, OSError):
            self.close()
        except Exception:  # noqa: BLE001 whatever a client sends, the others stay connected
            _LOG.exception("%s sent what is no D-Bus message; it is cut off", self.name)
            self.close()

    def _authenticate(self) -> None:
        while not self._authenticated:
            # byte by byte, so that no byte of the first message is taken along
            byte = self._socket.recv(1)
            if not byte or len(self._line) > _LONGEST_AUTH:
                raise EOFError
            self._line += byte.lstrip(b"\0")
            if not self._line.endswith(b"\r\n"):
                continue
            command, self._line = self._line.strip(), b""
            if command.startswith(b"AUTH EXTERNAL"):
                self._socket.send(b"OK " + _GUID + b"\r\n")
            elif command == b"NEGOTIATE_UNIX_FD":
                self._socket.send(b"AGREE_UNIX_FD\r\n")
            elif command == b"BEGIN":
                self._authenticated = True
            else:
                self._socket.send(b"REJECTED EXTERNAL\r\n")

    def _write(self) -> None:
        try:
            while self._outgoing:
                data, fds = self._outgoing[0]
                passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", fds))] if fds else []
                sent = self._socket.sendmsg([data], passed)
                _close_all(fds)
                if sent == len(data):
                    self._outgoing.popleft()
                else:
                    self._outgoing[0] = (data[sent:], [])
            self._loop.remove_writer(self._socket)
        except BlockingIOError:
            self._loop.add_writer(self._socket, self._write)
        except OSError:
            # not from within another connection's broadcast
            self._loop.call_soon(self.close)


def _rule(text: str) -> dict[str, str]:
    """A match rule as `type='signal',member='X'` or without quotes, as the D-Bus specification 0.43 has it."""
    return {key: value.strip("'") for key, value in re.findall(r"(\w+)=('[^']*'|[^,]*)", text)}


def _matches(rule: dict[str, str], message: Message) -> bool:
    return all(_meets(key, wanted, message) for key, wanted in rule.items())


def _meets(key: str, wanted: str, message: Message) -> bool:
    path = message.path or ""
    match key:
        case "type":
            return message.message_type.name.lower() == wanted
        case "interface" | "member" | "path":
            return bool(getattr(message, key) == wanted)
        case "path_namespace":
            return path == wanted or path.startswith(wanted + "/")
    if found := re.fullmatch(r"arg(\d+)(path)?", key):
        number = int(found[1])
        if number >= len(message.body) or not isinstance(message.body[number], str):
            return False
        argument = message.body[number]
        if found[2]:
            return argument == wanted or (wanted.endswith("/") and argument.startswith(wanted))
        return bool(argument == wanted)
    return True


def _close_all(fds: list[int] | None) -> None:
    for fd in fds or ():
        with suppress(OSError):
            os.close(fd)
    if fds:
        fds.clear()
