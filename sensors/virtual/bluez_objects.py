"""The D-Bus objects of a virtual strap: one Device1 and, while connected, its GATT services and characteristics."""

from collections.abc import Iterator
from dataclasses import dataclass, field
import logging
import socket
from typing import Any

from dbus_fast import Variant

from ..bluetooth.gatt import full_uuid
from ..dbus.service_connection import Interfaces, Properties
from ..recordings.recording import HEART_RATE
from .virtual_strap import VirtualStrap

_LOG = logging.getLogger(__name__)
ADAPTER, DEVICE = "org.bluez.Adapter1", "org.bluez.Device1"
SERVICE, CHARACTERISTIC = "org.bluez.GattService1", "org.bluez.GattCharacteristic1"

_MTU = 247
_FIRST_HANDLE = 0x10


class RefusedError(Exception):
    """A call is refused with a D-Bus error, given by its name in BlueZ (`org.bluez.Error.` may be left out)."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name if "." in name else f"org.bluez.Error.{name}"


def adapter_path(name: str) -> str:
    """Return the D-Bus path of an adapter such as hci0."""
    return f"/org/bluez/{name}"


def adapter_interfaces(name: str, address: str, *, powered: bool) -> Interfaces:
    """Return the interfaces and properties that BlueZ publishes for an adapter."""
    return {
        ADAPTER: {
            "Address": Variant("s", address),
            "AddressType": Variant("s", "public"),
            "Name": Variant("s", name),
            "Alias": Variant("s", name),
            "Powered": Variant("b", powered),
            "Discovering": Variant("b", False),
            "Roles": Variant("as", ["central"]),
            "UUIDs": Variant("as", []),
        }
    }


@dataclass(slots=True, eq=False)
class StrapObjects:
    """The D-Bus objects of one strap, its subscribers, and its connection state."""

    strap: VirtualStrap
    known: bool = False
    """Whether BlueZ has heard it at least once."""
    path: str = ""
    device: Properties = field(default_factory=dict)
    gatt: dict[str, Interfaces] = field(default_factory=dict)
    """Services and characteristics by path; each characteristic follows its service."""
    subscribers: dict[str, set[str]] = field(default_factory=dict)
    """Characteristic path → bus names of the subscribers (StartNotify); they outlive a lost connection, as in BlueZ."""
    notify_sockets: dict[str, socket.socket] = field(default_factory=dict)
    """Characteristic path → our end of the socket that AcquireNotify returned."""
    values: dict[str, bytes] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    """Characteristic UUID, in the strap's spelling → path."""

    def __post_init__(self) -> None:
        strap = self.strap
        self.path = f"{adapter_path(strap.adapter)}/dev_{strap.address.replace(':', '_')}"
        services = dict.fromkeys(characteristic.service for characteristic in strap.characteristics)
        self.device = {
            "Adapter": Variant("o", adapter_path(strap.adapter)),
            "Address": Variant("s", strap.address),
            "AddressType": Variant("s", "random"),
            "Name": Variant("s", strap.name),
            "Alias": Variant("s", strap.name),
            **{flag: Variant("b", False) for flag in ("Paired", "Bonded", "Trusted", "Blocked", "LegacyPairing")},
            "Connected": Variant("b", False),
            "ServicesResolved": Variant("b", False),
            "UUIDs": Variant("as", []),
            "RSSI": Variant("n", strap.rssi_dbm),
        }
        handle = _FIRST_HANDLE
        for service in services:
            service_path = f"{self.path}/service{handle:04x}"
            self.gatt[service_path] = {SERVICE: self._service(service)}
            handle += 1
            for characteristic in strap.characteristics:
                if characteristic.service != service:
                    continue
                path = f"{service_path}/char{handle:04x}"
                self.gatt[path] = {CHARACTERISTIC: _characteristic(characteristic.uuid, service_path, characteristic.flags)}
                self.values[path] = characteristic.value
                self.paths[characteristic.uuid] = path
                handle += 2

    def name_services(self, *, resolved: bool) -> Properties:
        """Set the services that BlueZ knows of: those advertised, or all once they are `resolved`; return the change."""
        return self.change(UUIDs=Variant("as", sorted(self.services) if resolved or self.strap.names_services else []))

    @property
    def services(self) -> set[str]:
        """Return the UUIDs of its services, in full."""
        return {full_uuid(one.service) for one in self.strap.characteristics}

    @property
    def connected(self) -> bool:
        """Return whether the connection is up."""
        return bool(self.device["Connected"].value)

    @property
    def resolved(self) -> bool:
        """Return whether service discovery is over, so that characteristics can be read and subscribed to."""
        return bool(self.device["ServicesResolved"].value)

    @property
    def interfaces(self) -> Iterator[tuple[str, Interfaces]]:
        """Yield path and interfaces of each object that BlueZ publishes at present."""
        if self.known:
            yield self.path, {DEVICE: self.device}
            if self.resolved:
                yield from self.gatt.items()

    def change(self, **changed: Variant) -> Properties:
        """Change properties of the device and return them, for the signal."""
        self.device |= changed
        return changed

    def flags(self, path: str) -> set[str]:
        """Return the flags of a characteristic, such as read and notify."""
        return set(self.gatt[path][CHARACTERISTIC]["Flags"].value)

    def uuid(self, path: str) -> str:
        """Return the UUID of a characteristic, in the strap's spelling."""
        return next(uuid for uuid, own_path in self.paths.items() if own_path == path)

    def drop_program(self, program: str) -> None:
        """End the subscriptions of a program that left the bus."""
        for subscribers in self.subscribers.values():
            subscribers.discard(program)
        self.update_listening()

    def write(self, path: str, payload: bytes) -> bool:
        """Write a notification to the AcquireNotify socket; return whether the client still has it open."""
        try:
            self.notify_sockets[path].send(payload)
        except BlockingIOError:
            _LOG.debug("%s: a client does not read its socket; a notification is lost", self.strap.name)
        except OSError:
            self.notify_sockets.pop(path).close()
            self.update_listening()
            return False
        return True

    def update_listening(self) -> None:
        """Set the strap's `listening` event from the heart-rate subscriptions."""
        path = self.paths.get(HEART_RATE, "")
        if self.subscribers.get(path) or path in self.notify_sockets:
            self.strap.listening.set()
        else:
            self.strap.listening.clear()

    def close_notify_sockets(self) -> None:
        """Close all sockets that AcquireNotify returned."""
        for notify_socket in self.notify_sockets.values():
            notify_socket.close()
        self.notify_sockets.clear()
        self.update_listening()

    def _service(self, uuid: str) -> Properties:
        return {
            "UUID": Variant("s", full_uuid(uuid)),
            "Device": Variant("o", self.path),
            "Primary": Variant("b", True),
            "Includes": Variant("ao", []),
        }


def _characteristic(uuid: str, service_path: str, flags: tuple[str, ...]) -> Properties:
    properties: dict[str, Any] = {
        "UUID": Variant("s", full_uuid(uuid)),
        "Service": Variant("o", service_path),
        "Flags": Variant("as", list(flags)),
        "Value": Variant("ay", b""),
        "MTU": Variant("q", _MTU),
    }
    if {"notify", "indicate"} & set(flags):
        properties |= {"Notifying": Variant("b", False), "NotifyAcquired": Variant("b", False)}
    return properties
