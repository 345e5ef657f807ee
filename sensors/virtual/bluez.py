"""The object org.bluez on a private D-Bus: as much of BlueZ as a program needs that scans, connects and listens.

It keeps to what BlueZ 5.55 and later do on the bus, its traps included: a client may run one discovery; a link takes a while
to be usable; each subscriber gets a signal of its own, and stays subscribed when the link is lost, so that a client that does
not disconnect after a loss hears everything twice (bleak #2002).
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
import logging
import socket
from types import TracebackType
from typing import Any, Self

from dbus_fast import Message, MessageType, RequestNameReply, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.errors import DBusError

from ..errors import VirtualBusError
from ..recording import HEART_RATE
from .objects import ADAPTER, CHARACTERISTIC, DEVICE, Interfaces, Properties, StrapObjects, adapter_interfaces, adapter_path
from .patience import be_patient
from .strap import VirtualStrap

_LOG = logging.getLogger(__name__)
_NAME = "org.bluez"
_PROPERTIES, _OBJECTS = "org.freedesktop.DBus.Properties", "org.freedesktop.DBus.ObjectManager"
_ADVERTISE_EVERY_S = 0.1
"""Again and again: Bleak misses an advertisement sent right behind the reply to StartDiscovery."""
_MTU = 247
_ABORTED = "le-connection-abort-by-local"

Reply = tuple[str, list[Any]]
"""Signature and body of a method's reply."""


class _Refused(Exception):  # noqa: N818
    """A method call is answered with an error of BlueZ."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = f"{_NAME}.Error.{name}"


class VirtualBlueZ:
    """Answers as org.bluez on the bus at `bus_address`, within the block; raises `VirtualBusError` where it cannot."""

    def __init__(self, bus_address: str) -> None:
        self._address = bus_address
        self._adapters: dict[str, Interfaces] = {}
        self._straps: dict[str, StrapObjects] = {}
        self._of: dict[VirtualStrap, StrapObjects] = {}
        self._discovering: dict[str, set[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._connecting: dict[StrapObjects, asyncio.Task[None]] = {}
        self._bus: MessageBus

    async def __aenter__(self) -> Self:
        self._bus = MessageBus(bus_address=self._address, negotiate_unix_fd=True)
        try:
            await self._bus.connect()
            be_patient(self._bus)
            self._bus.add_message_handler(self._on_message)
            await self._hear_of_leavers()
            owner = await self._bus.request_name(_NAME)
        except (OSError, EOFError, DBusError) as error:
            self._bus.disconnect()
            raise VirtualBusError(f"The D-Bus at {self._address} does not let virtual straps in: {error}.") from error
        if owner is not RequestNameReply.PRIMARY_OWNER:
            self._bus.disconnect()
            raise VirtualBusError(
                f"A BlueZ is on the D-Bus at {self._address} already. Leave --bus-address out for a bus of your own."
            )
        self._start(self._advertise())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for objects in self._straps.values():
            objects.close_pipes()
        self._bus.disconnect()
        with suppress(Exception):
            await self._bus.wait_for_disconnect()  # type: ignore[no-untyped-call]

    def add_adapter(self, name: str = "hci0", *, powered: bool = True) -> None:
        """Plug an adapter in."""
        address = f"00:1A:7D:DA:71:{len(self._adapters) + 1:02X}"
        path = adapter_path(name)
        self._adapters[path] = adapter_interfaces(name, address, powered=powered)
        self._discovering[path] = set()
        self._added(path, self._adapters[path])

    def remove_adapter(self, name: str = "hci0") -> None:
        """Pull an adapter out; its straps go with it."""
        path = adapter_path(name)
        for objects in self._straps.values():
            if objects.strap.adapter == name and objects.known:
                self.drop(objects.strap)
                objects.known = False
                self._removed(objects.path, [DEVICE])
        self._discovering.pop(path)
        self._removed(path, list(self._adapters.pop(path)))

    def power(self, name: str, *, on: bool) -> None:
        """Switch an adapter on or off."""
        path = adapter_path(name)
        self._adapters[path][ADAPTER]["Powered"] = Variant("b", on)
        if not on:
            self._discovering[path].clear()
            for objects in self._straps.values():
                if objects.strap.adapter == name:
                    self.drop(objects.strap)
        self._changed(path, ADAPTER, Powered=Variant("b", on))

    def add(self, strap: VirtualStrap) -> None:
        """Bring a strap near its adapter."""
        objects = StrapObjects(strap)
        self._straps[objects.path] = self._of[strap] = objects

    def drop(self, strap: VirtualStrap) -> None:
        """The link goes down: out of range, strap off, or the client's wish."""
        objects = self._of[strap]
        objects.close_pipes()
        if objects.device["ServicesResolved"].value:
            for path in reversed(objects.gatt):
                self._removed(path, list(objects.gatt[path]))
        if objects.connected:
            self._changed(
                objects.path, DEVICE, **objects.change(ServicesResolved=Variant("b", False), Connected=Variant("b", False))
            )

    def notify(self, strap: VirtualStrap, uuid: str, payload: bytes) -> bool:
        """Send a notification to whoever is subscribed; gives whether anybody was."""
        objects = self._of[strap]
        path = objects.paths.get(uuid)
        if path is None or strap.silent or not objects.device["ServicesResolved"].value:
            return False
        objects.values[path] = payload
        heard = False
        if pipe := objects.pipes.get(path):
            try:
                pipe.send(payload)
                heard = True
            except BlockingIOError:
                _LOG.debug("%s: a client does not read, a notification is lost", strap.name)
            except OSError:
                objects.pipes.pop(path).close()
                self._note_listeners(objects)
        for _ in objects.subscribers.get(path, ()):
            self._changed(path, CHARACTERISTIC, Value=Variant("ay", payload))
            heard = True
        return heard

    # signals

    def _signal(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> None:
        self._send(Message.new_signal(path, interface, member, signature, body))

    def _added(self, path: str, interfaces: Interfaces) -> None:
        self._signal("/", _OBJECTS, "InterfacesAdded", "oa{sa{sv}}", [path, interfaces])

    def _removed(self, path: str, interfaces: list[str]) -> None:
        self._signal("/", _OBJECTS, "InterfacesRemoved", "oas", [path, interfaces])

    def _changed(self, path: str, interface: str, **changed: Variant) -> None:
        self._signal(path, _PROPERTIES, "PropertiesChanged", "sa{sv}as", [interface, changed, []])

    def _send(self, message: Message) -> None:
        if self._bus.connected:
            # a bus that went away is noticed where it is waited for, not once a signal
            self._bus.send(message).add_done_callback(lambda sent: sent.cancelled() or sent.exception())

    # behaviour in time

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name="virtual BlueZ")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _advertise(self) -> None:
        while True:
            for objects in self._straps.values():
                strap = objects.strap
                if not strap.advertising or objects.connected or not self._discovering.get(adapter_path(strap.adapter)):
                    continue
                if objects.known:
                    self._changed(objects.path, DEVICE, **objects.change(RSSI=Variant("n", strap.rssi_dbm)))
                else:
                    objects.known = True
                    self._added(objects.path, {DEVICE: objects.device})
            await asyncio.sleep(_ADVERTISE_EVERY_S)

    async def _connect(self, objects: StrapObjects, call: Message) -> None:
        try:
            await self._bring_up(objects)
        except _Refused as refused:
            self._send(Message.new_error(call, refused.name, str(refused)))
        except asyncio.CancelledError:
            self._send(Message.new_error(call, f"{_NAME}.Error.Failed", _ABORTED))
            raise
        else:
            self._send(Message.new_method_return(call))
        finally:
            self._connecting.pop(objects, None)

    async def _bring_up(self, objects: StrapObjects) -> None:
        strap = objects.strap
        while strap.connect_hangs or not strap.advertising:  # noqa: ASYNC110 faults are plain fields, set at any time
            await asyncio.sleep(_ADVERTISE_EVERY_S)
        if strap.connect_error and strap.connect_error != _ABORTED:
            raise _Refused("Failed", strap.connect_error)
        self._changed(objects.path, DEVICE, **objects.change(Connected=Variant("b", True)))
        await asyncio.sleep(strap.discovery_s)
        if strap.connect_error:
            # BlueZ was connected for a moment, and Bleak waits to see that end before it tries again
            self.drop(strap)
        if not objects.connected:
            raise _Refused("Failed", _ABORTED)
        for path, interfaces in objects.gatt.items():
            self._added(path, interfaces)
        self._changed(objects.path, DEVICE, **objects.change(ServicesResolved=Variant("b", True)))

    # method calls

    async def _hear_of_leavers(self) -> None:
        rule = "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg2=''"
        await self._bus.call(
            Message(
                "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "AddMatch", signature="s", body=[rule]
            )
        )

    def _on_message(self, message: Message) -> Message | bool | None:
        if message.message_type is MessageType.SIGNAL and message.member == "NameOwnerChanged":
            self._left(message.body[0])
            return None
        if message.message_type is not MessageType.METHOD_CALL or message.interface == "org.freedesktop.DBus.Peer":
            return None
        try:
            reply = self._call(message)
        except _Refused as refused:
            return Message.new_error(message, refused.name, str(refused))
        return True if reply is None else Message.new_method_return(message, reply[0], reply[1])

    def _left(self, connection: str) -> None:
        for discovering in self._discovering.values():
            discovering.discard(connection)
        for objects in self._straps.values():
            objects.hung_up(connection)
            self._note_listeners(objects)

    def _call(self, call: Message) -> Reply | None:
        path, member = call.path or "", call.member or ""
        if member == "GetManagedObjects":
            shown = {path: interfaces for objects in self._straps.values() for path, interfaces in objects.interfaces}
            return "a{oa{sa{sv}}}", [self._adapters | shown]
        if call.interface == _PROPERTIES:
            return self._property(path, member, call.body)
        if path in self._adapters:
            return self._adapter_call(path, member, call.sender or "")
        if path in self._straps and self._straps[path].known:
            return self._device_call(self._straps[path], member, call)
        objects = self._straps.get(path.rsplit("/", 2)[0])
        if objects and path in objects.values and objects.connected:
            return self._characteristic_call(objects, path, call)
        raise _unknown(path, member)

    def _property(self, path: str, member: str, body: list[Any]) -> Reply:
        shown = dict(self._adapters) | {p: i for objects in self._straps.values() for p, i in objects.interfaces}
        properties: Properties = shown.get(path, {}).get(body[0], {})
        match member:
            case "GetAll":
                return "a{sv}", [properties]
            case "Get" if body[1] in properties:
                return "v", [properties[body[1]]]
            case "Set" if body[1:2] == ["Powered"] and path in self._adapters:
                self.power(path.rsplit("/", 1)[1], on=bool(body[2].value))
                return "", []
            case "Set":
                return "", []
        raise _unknown(path, member)

    def _adapter_call(self, path: str, member: str, sender: str) -> Reply:
        discovering = self._discovering[path]
        match member:
            case "StartDiscovery" if not self._adapters[path][ADAPTER]["Powered"].value:
                raise _Refused("NotReady", "Resource Not Ready")
            case "StartDiscovery" if sender in discovering:
                raise _Refused("InProgress", "Operation already in progress")
            case "StartDiscovery":
                discovering.add(sender)
            case "StopDiscovery" if sender not in discovering:
                raise _Refused("Failed", "No discovery started")
            case "StopDiscovery":
                discovering.discard(sender)
            case "SetDiscoveryFilter" | "RemoveDevice":
                pass
            case _:
                raise _unknown(path, member)
        return "", []

    def _device_call(self, objects: StrapObjects, member: str, call: Message) -> Reply | None:
        match member:
            case "Connect" if objects in self._connecting:
                raise _Refused("InProgress", "Operation already in progress")
            case "Connect" if not objects.connected:
                self._connecting[objects] = self._start(self._connect(objects, call))
                return None
            case "Disconnect":
                if attempt := self._connecting.get(objects):
                    attempt.cancel()
                self.drop(objects.strap)
            case "Connect" | "Pair" | "CancelPairing":
                pass
            case _:
                raise _unknown(objects.path, member)
        return "", []

    def _characteristic_call(self, objects: StrapObjects, path: str, call: Message) -> Reply | None:
        flags = objects.flags(path)
        match call.member:
            case "ReadValue" if "read" in flags:
                return "ay", [objects.values[path]]
            case "ReadValue":
                raise _Refused("NotPermitted", "Read not permitted")
            case "StartNotify" | "AcquireNotify" if "notify" not in flags:
                raise _Refused("NotSupported", "Operation is not supported")
            case "StartNotify":
                objects.subscribers.setdefault(path, set()).add(call.sender or "")
                self._after_reply(self._note_listeners, objects)
            case "StopNotify":
                objects.subscribers.get(path, set()).discard(call.sender or "")
                self._note_listeners(objects)
            case "AcquireNotify":
                self._hand_out_pipe(objects, path, call)
                return None
            case _:
                raise _unknown(path, call.member or "")
        return "", []

    def _hand_out_pipe(self, objects: StrapObjects, path: str, call: Message) -> None:
        mine, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        mine.setblocking(False)
        if old := objects.pipes.get(path):
            old.close()
        objects.pipes[path] = mine
        reply = Message.new_method_return(call, "hq", [0, _MTU], unix_fds=[theirs.fileno()])
        self._bus.send(reply).add_done_callback(lambda _: theirs.close())
        self._after_reply(self._note_listeners, objects)

    def _after_reply(self, act: Callable[[StrapObjects], None], objects: StrapObjects) -> None:
        asyncio.get_running_loop().call_soon(act, objects)

    def _note_listeners(self, objects: StrapObjects) -> None:
        path = objects.paths.get(HEART_RATE, "")
        if objects.subscribers.get(path) or path in objects.pipes:
            objects.strap.listening.set()
        else:
            objects.strap.listening.clear()


def _unknown(path: str, member: str) -> _Refused:
    refused = _Refused("", f"{member} at {path} is not known")
    refused.name = "org.freedesktop.DBus.Error.UnknownObject"
    return refused
