"""A well-known name on a D-Bus, with the signals sent and the method calls answered under it."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from dbus_fast import Message, MessageType, RequestNameReply, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.errors import DBusFastError

from ..errors import VirtualBusError
from .blocking_writes import wait_on_full_socket

Properties = dict[str, Variant]
"""The properties of one interface, by name."""
Interfaces = dict[str, Properties]
"""The interfaces of one object, by name, each with its properties."""

_PROPERTIES, _OBJECTS = "org.freedesktop.DBus.Properties", "org.freedesktop.DBus.ObjectManager"
_BUS, _BUS_PATH = "org.freedesktop.DBus", "/org/freedesktop/DBus"


class BusService:
    """The owner of a name on a bus, from `join` to `leave`."""

    def __init__(self, address: str, name: str) -> None:
        self._address = address
        self._name = name
        self._bus: MessageBus | None = None

    async def join(self, on_call: Callable[[Message], Message | None], on_departure: Callable[[str], None]) -> None:
        """Connect to the bus and take the name.

        `on_call` gives the reply to a method call, or None if it is sent later by `send`; `on_departure` gets the name of
        each program that leaves the bus. Raises `VirtualBusError` where the bus refuses us or the name has an owner.
        """

        def on_message(message: Message) -> Message | bool | None:
            if message.message_type is MessageType.SIGNAL and message.member == "NameOwnerChanged":
                on_departure(message.body[0])
            elif message.message_type is MessageType.METHOD_CALL and message.interface != f"{_BUS}.Peer":
                return on_call(message) or True
            return None

        try:
            bus = self._bus = MessageBus(bus_address=self._address, negotiate_unix_fd=True)
            await bus.connect()
            wait_on_full_socket(bus)
            bus.add_message_handler(on_message)
            rule = f"type='signal',sender='{_BUS}',member='NameOwnerChanged',arg2=''"
            await bus.call(Message(_BUS, _BUS_PATH, _BUS, "AddMatch", signature="s", body=[rule]))
            owner = await bus.request_name(self._name)
        except (OSError, EOFError, DBusFastError) as error:
            await self.leave()
            raise VirtualBusError(f"The D-Bus at {self._address!r} does not let virtual straps in: {error}.") from error
        if owner is not RequestNameReply.PRIMARY_OWNER:
            await self.leave()
            raise VirtualBusError(
                f"There is a BlueZ on the D-Bus at {self._address!r} already. Give the straps a bus of their own."
            )

    async def leave(self) -> None:
        """Disconnect from the bus; the name is free again."""
        if self._bus is not None:
            self._bus.disconnect()
            if self._bus.unique_name:
                with suppress(Exception):
                    await self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]

    def send(self, message: Message, *, then: Callable[[], None] = lambda: None) -> None:
        """Send a message and call `then` once it is out, or at once where the bus is gone and nothing can be sent."""
        if self._bus is None or not self._bus.connected:
            then()
            return

        def sent(outcome: Any) -> None:
            then()
            if not outcome.cancelled():
                outcome.exception()

        self._bus.send(message).add_done_callback(sent)

    def emit_added(self, path: str, interfaces: Interfaces) -> None:
        """Emit InterfacesAdded for an object."""
        self._signal("/", _OBJECTS, "InterfacesAdded", "oa{sa{sv}}", [path, interfaces])

    def emit_removed(self, path: str, interfaces: list[str]) -> None:
        """Emit InterfacesRemoved for an object."""
        self._signal("/", _OBJECTS, "InterfacesRemoved", "oas", [path, interfaces])

    def emit_changed(self, path: str, interface: str, **changed: Variant) -> None:
        """Emit PropertiesChanged with new values of an object's properties."""
        self._signal(path, _PROPERTIES, "PropertiesChanged", "sa{sv}as", [interface, changed, []])

    def _signal(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> None:
        self.send(Message.new_signal(path, interface, member, signature, body))
