"""The object org.bluez on a private D-Bus: the part of BlueZ that scanning, connecting and listening need.

It behaves on the bus as BlueZ 5.55 and later do, pitfalls included: a client may run one discovery at a time; a connection
takes a while to become usable; each subscriber gets a signal of its own and stays subscribed when the connection is lost, so
a client that does not disconnect after a loss receives everything twice (bleak #2002).
"""

import asyncio
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

from dbus_fast import Message, Variant

from ..dbus.service_connection import BusService, Interfaces
from ..task_cancellation import cancel_and_wait
from .bluez_objects import ADAPTER, CHARACTERISTIC, DEVICE, RefusedError, StrapObjects, adapter_interfaces, adapter_path
from .virtual_strap import VirtualStrap

_ADVERTISE_EVERY_S = 0.1
"""Repeatedly, because Bleak misses an advertisement sent right after the reply to StartDiscovery."""
_ABORTED = "le-connection-abort-by-local"


class VirtualBlueZ:
    """A stand-in for bluetoothd on the bus at `bus_address`, within the block.

    Entering raises `VirtualBusError` where the bus refuses us or has a BlueZ already.
    """

    def __init__(self, bus_address: str, answer: Callable[["VirtualBlueZ", Message], Message | None]) -> None:
        """`answer` gives the reply to a method call, or None where it follows later: `bluez_methods.answer`."""
        self.service = BusService(bus_address, "org.bluez")
        self.adapters: dict[str, Interfaces] = {}
        self.straps: dict[str, StrapObjects] = {}
        """Straps by D-Bus path."""
        self.discovering: dict[str, set[str]] = {}
        """Adapter path → bus names of the programs that run a discovery."""
        self.wanted_services: dict[str, set[str]] = {}
        """Adapter path → services that the last discovery filter asks for; empty: whatever advertises is reported."""
        self.hangs = False
        """Whether calls stay unanswered, as from a stopped bluetoothd."""
        self.refuses: str | None = None
        """The D-Bus error that answers every call, as from a bus on which the user has no permission; None: none does."""
        self._answer_call = answer
        self._objects: dict[VirtualStrap, StrapObjects] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._connecting: dict[StrapObjects, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        await self.service.join(self._answer, self._program_left)
        self._start(self._advertise())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await cancel_and_wait(*self._tasks)
        for objects in self.straps.values():
            objects.close_notify_sockets()
        await self.service.leave()

    def add_adapter(self, name: str = "hci0", *, powered: bool = True) -> None:
        """Add an adapter, as if it were plugged in."""
        path = adapter_path(name)
        self.adapters[path] = adapter_interfaces(name, f"00:1A:7D:DA:71:{len(self.adapters) + 1:02X}", powered=powered)
        self.discovering[path] = set()
        self.service.emit_added(path, self.adapters[path])

    def remove_adapter(self, name: str = "hci0") -> None:
        """Remove an adapter, as if it were unplugged, and the straps near it."""
        for objects in self._straps_of(name):
            self.drop(objects.strap)
            if objects.known:
                objects.known = False
                self.service.emit_removed(objects.path, [DEVICE])
        path = adapter_path(name)
        self.discovering.pop(path)
        self.service.emit_removed(path, list(self.adapters.pop(path)))

    def power(self, name: str, *, on: bool) -> None:
        """Switch an adapter on or off; off ends its discoveries and connections."""
        path = adapter_path(name)
        powered = self.adapters[path][ADAPTER]["Powered"] = Variant("b", on)
        if not on:
            self.discovering[path].clear()
            for objects in self._straps_of(name):
                self.drop(objects.strap)
        self.service.emit_changed(path, ADAPTER, Powered=powered)

    def add(self, strap: VirtualStrap) -> None:
        """Add a strap, in range of its adapter."""
        objects = StrapObjects(strap)
        self.straps[objects.path] = self._objects[strap] = objects

    def drop(self, strap: VirtualStrap) -> None:
        """End the connection to a strap: out of range, switched off, or at the client's request."""
        objects = self._objects[strap]
        objects.close_notify_sockets()
        if objects.resolved:
            for path in reversed(objects.gatt):
                self.service.emit_removed(path, list(objects.gatt[path]))
        if objects.connected:
            down = objects.change(ServicesResolved=Variant("b", False), Connected=Variant("b", False))
            self.service.emit_changed(objects.path, DEVICE, **down)

    def notify(self, strap: VirtualStrap, uuid: str, payload: bytes) -> bool:
        """Send a notification to the subscribers; return whether there was one."""
        return self._send_value(strap, uuid, payload)

    def indicate(self, strap: VirtualStrap, uuid: str, payload: bytes) -> None:
        """Send the indication that answers a write."""
        self._send_value(strap, uuid, payload)

    def _send_value(self, strap: VirtualStrap, uuid: str, payload: bytes) -> bool:
        objects = self._objects[strap]
        path = objects.paths.get(uuid)
        if path is None or not objects.resolved or not strap.sends(uuid, payload):
            return False
        if "indicate" not in objects.flags(path):
            # reading a control point gives its features, not its last answer
            objects.values[path] = payload
        received = path in objects.notify_sockets and objects.write(path, payload)
        for _ in objects.subscribers.get(path, ()):
            self.service.emit_changed(path, CHARACTERISTIC, Value=Variant("ay", payload))
            received = True
        return received

    def is_connecting(self, objects: StrapObjects) -> bool:
        """Return whether a Connect call is waiting for its reply."""
        return objects in self._connecting

    def connect(self, objects: StrapObjects, call: Message) -> None:
        """Start connecting; the call is answered once the connection is up or has failed."""
        self._connecting[objects] = self._start(self._connect(objects, call))

    def disconnect(self, objects: StrapObjects) -> None:
        """End the connection to a strap, and a connection attempt that is under way."""
        if attempt := self._connecting.get(objects):
            attempt.cancel()
        self.drop(objects.strap)

    def _straps_of(self, adapter: str) -> list[StrapObjects]:
        return [objects for objects in self.straps.values() if objects.strap.adapter == adapter]

    def _answer(self, call: Message) -> Message | None:
        if self.refuses:
            return Message.new_error(call, self.refuses, "refused")
        return None if self.hangs else self._answer_call(self, call)

    def _program_left(self, program: str) -> None:
        for discovering in self.discovering.values():
            discovering.discard(program)
        for objects in self.straps.values():
            objects.drop_program(program)

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine, name="virtual BlueZ")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _advertise(self) -> None:
        while True:
            for objects in self.straps.values():
                strap = objects.strap
                if not strap.advertising or objects.connected or not self.discovering.get(adapter_path(strap.adapter)):
                    continue
                wanted = self.wanted_services.get(adapter_path(strap.adapter))
                if wanted and not (strap.names_services and wanted & objects.services):
                    continue
                if objects.known:
                    self.service.emit_changed(objects.path, DEVICE, **objects.change(RSSI=Variant("n", strap.rssi_dbm)))
                else:
                    objects.known = True
                    objects.name_services(resolved=False)
                    self.service.emit_added(objects.path, {DEVICE: objects.device})
            await asyncio.sleep(_ADVERTISE_EVERY_S)

    async def _connect(self, objects: StrapObjects, call: Message) -> None:
        try:
            await self._establish(objects)
        except RefusedError as error:
            self.service.send(Message.new_error(call, error.name, str(error)))
        except asyncio.CancelledError:
            self.service.send(Message.new_error(call, "org.bluez.Error.Failed", _ABORTED))
            raise
        else:
            self.service.send(Message.new_method_return(call))
        finally:
            self._connecting.pop(objects, None)

    async def _establish(self, objects: StrapObjects) -> None:
        strap = objects.strap
        while strap.connect_hangs or not strap.advertising:  # noqa: ASYNC110 faults are plain fields that may change at any time
            await asyncio.sleep(_ADVERTISE_EVERY_S)
        if strap.connect_error and strap.connect_error != _ABORTED:
            raise RefusedError("Failed", strap.connect_error)
        self.service.emit_changed(objects.path, DEVICE, **objects.change(Connected=Variant("b", True)))
        await asyncio.sleep(strap.discovery_s)
        if strap.connect_error:
            # BlueZ was connected for a moment, and Bleak waits for the disconnection before it tries again
            self.drop(strap)
        if not objects.connected:
            raise RefusedError("Failed", _ABORTED)
        for path, interfaces in objects.gatt.items():
            self.service.emit_added(path, interfaces)
        resolved = objects.name_services(resolved=True) | objects.change(ServicesResolved=Variant("b", True))
        self.service.emit_changed(objects.path, DEVICE, **resolved)
