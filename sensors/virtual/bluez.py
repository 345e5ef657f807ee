"""The object org.bluez on a private D-Bus: as much of BlueZ as a program needs that scans, connects and listens.

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
"""Again and again: Bleak misses an advertisement sent right behind the reply to StartDiscovery."""
_ABORTED = "le-connection-abort-by-local"


class VirtualBlueZ:
    """Answers as org.bluez on the bus at `bus_address`, within the block; raises `VirtualBusError` where it cannot."""

    def __init__(self, bus_address: str, answer: Callable[["VirtualBlueZ", Message], Message | None]) -> None:
        """`answer` gives the reply to a method call, or None where it follows later: `bluez_methods.answer`."""
        self.seat = BusService(bus_address, "org.bluez")
        self.adapters: dict[str, Interfaces] = {}
        self.straps: dict[str, StrapObjects] = {}
        """By D-Bus path."""
        self.discovering: dict[str, set[str]] = {}
        """Adapter path → the programs that run a discovery."""
        self.hangs = False
        """Takes calls and answers none, as a bluetoothd that was stopped."""
        self.refuses: str | None = None
        """Answers each call with this D-Bus error, as the bus does to a user without the right."""
        self._answer_call = answer
        self._of: dict[VirtualStrap, StrapObjects] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._connecting: dict[StrapObjects, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        await self.seat.take(self._answer, self._left)
        self._start(self._advertise())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await cancel_and_wait(*self._tasks)
        for objects in self.straps.values():
            objects.close_pipes()
        await self.seat.leave()

    def add_adapter(self, name: str = "hci0", *, powered: bool = True) -> None:
        """Plug an adapter in."""
        path = adapter_path(name)
        self.adapters[path] = adapter_interfaces(name, f"00:1A:7D:DA:71:{len(self.adapters) + 1:02X}", powered=powered)
        self.discovering[path] = set()
        self.seat.added(path, self.adapters[path])

    def remove_adapter(self, name: str = "hci0") -> None:
        """Pull an adapter out; its straps go with it."""
        for objects in self._near(name):
            self.drop(objects.strap)
            if objects.known:
                objects.known = False
                self.seat.removed(objects.path, [DEVICE])
        path = adapter_path(name)
        self.discovering.pop(path)
        self.seat.removed(path, list(self.adapters.pop(path)))

    def power(self, name: str, *, on: bool) -> None:
        """Switch an adapter on or off."""
        path = adapter_path(name)
        powered = self.adapters[path][ADAPTER]["Powered"] = Variant("b", on)
        if not on:
            self.discovering[path].clear()
            for objects in self._near(name):
                self.drop(objects.strap)
        self.seat.changed(path, ADAPTER, Powered=powered)

    def add(self, strap: VirtualStrap) -> None:
        """Bring a strap near its adapter."""
        objects = StrapObjects(strap)
        self.straps[objects.path] = self._of[strap] = objects

    def drop(self, strap: VirtualStrap) -> None:
        """The connection goes down: out of range, strap off, or the client's wish."""
        objects = self._of[strap]
        objects.close_pipes()
        if objects.resolved:
            for path in reversed(objects.gatt):
                self.seat.removed(path, list(objects.gatt[path]))
        if objects.connected:
            down = objects.change(ServicesResolved=Variant("b", False), Connected=Variant("b", False))
            self.seat.changed(objects.path, DEVICE, **down)

    def notify(self, strap: VirtualStrap, uuid: str, payload: bytes) -> bool:
        """Send a notification to whoever is subscribed; gives whether anybody was."""
        return self._tell(strap, uuid, payload)

    def indicate(self, strap: VirtualStrap, uuid: str, payload: bytes) -> None:
        """Send the answer to what was written."""
        self._tell(strap, uuid, payload)

    def _tell(self, strap: VirtualStrap, uuid: str, payload: bytes) -> bool:
        objects = self._of[strap]
        path = objects.paths.get(uuid)
        if path is None or not objects.resolved or not strap.sends(uuid, payload):
            return False
        if "indicate" not in objects.flags(path):
            # a control point is read as what it always tells, not as its last answer
            objects.values[path] = payload
        heard = path in objects.pipes and objects.write(path, payload)
        for _ in objects.subscribers.get(path, ()):
            self.seat.changed(path, CHARACTERISTIC, Value=Variant("ay", payload))
            heard = True
        return heard

    def is_connecting(self, objects: StrapObjects) -> bool:
        """Whether a Connect call waits for its reply."""
        return objects in self._connecting

    def connect(self, objects: StrapObjects, call: Message) -> None:
        """Take a Connect call, to be answered when the connection is up or has failed."""
        self._connecting[objects] = self._start(self._connect(objects, call))

    def disconnect(self, objects: StrapObjects) -> None:
        """Take a Disconnect call: the connection goes down, and an attempt at one ends."""
        if attempt := self._connecting.get(objects):
            attempt.cancel()
        self.drop(objects.strap)

    def _near(self, adapter: str) -> list[StrapObjects]:
        return [objects for objects in self.straps.values() if objects.strap.adapter == adapter]

    def _answer(self, call: Message) -> Message | None:
        if self.refuses:
            return Message.new_error(call, self.refuses, "refused")
        return None if self.hangs else self._answer_call(self, call)

    def _left(self, program: str) -> None:
        for discovering in self.discovering.values():
            discovering.discard(program)
        for objects in self.straps.values():
            objects.hung_up(program)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name="virtual BlueZ")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _advertise(self) -> None:
        while True:
            for objects in self.straps.values():
                strap = objects.strap
                if not strap.advertising or objects.connected or not self.discovering.get(adapter_path(strap.adapter)):
                    continue
                if objects.known:
                    self.seat.changed(objects.path, DEVICE, **objects.change(RSSI=Variant("n", strap.rssi_dbm)))
                else:
                    objects.known = True
                    self.seat.added(objects.path, {DEVICE: objects.device})
            await asyncio.sleep(_ADVERTISE_EVERY_S)

    async def _connect(self, objects: StrapObjects, call: Message) -> None:
        try:
            await self._bring_up(objects)
        except RefusedError as refused:
            self.seat.send(Message.new_error(call, refused.name, str(refused)))
        except asyncio.CancelledError:
            self.seat.send(Message.new_error(call, "org.bluez.Error.Failed", _ABORTED))
            raise
        else:
            self.seat.send(Message.new_method_return(call))
        finally:
            self._connecting.pop(objects, None)

    async def _bring_up(self, objects: StrapObjects) -> None:
        strap = objects.strap
        while strap.connect_hangs or not strap.advertising:  # noqa: ASYNC110 faults are plain fields, set at any time
            await asyncio.sleep(_ADVERTISE_EVERY_S)
        if strap.connect_error and strap.connect_error != _ABORTED:
            raise RefusedError("Failed", strap.connect_error)
        self.seat.changed(objects.path, DEVICE, **objects.change(Connected=Variant("b", True)))
        await asyncio.sleep(strap.discovery_s)
        if strap.connect_error:
            # BlueZ was connected for a moment, and Bleak waits to see that end before it tries again
            self.drop(strap)
        if not objects.connected:
            raise RefusedError("Failed", _ABORTED)
        for path, interfaces in objects.gatt.items():
            self.seat.added(path, interfaces)
        self.seat.changed(objects.path, DEVICE, **objects.change(ServicesResolved=Variant("b", True)))
