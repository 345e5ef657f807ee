"""A strap that exists only in memory: what it advertises, what it offers to read, and the faults it is told to have."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..bluetooth.gatt import SERVICE_OF, values_of
from ..model import Device
from ..protocols.heart_rate import HEART_RATE_SERVICE
from ..recordings.recording import BATTERY, HEART_RATE, PMD_CONTROL, PMD_DATA, Packet, Recording
from .virtual_polar import PMD_SERVICE, PolarFault, VirtualPolar, virtual_polar_of

_POLAR = "A0:9E:1A"
"""The manufacturer part of Polar's addresses, so that a virtual strap looks like one in a scan."""


@dataclass(frozen=True, slots=True)
class Characteristic:
    """One line of a strap's GATT table; UUIDs as four hex digits, or whole."""

    service: str
    uuid: str
    flags: tuple[str, ...]
    value: bytes = b""


@dataclass(slots=True, eq=False)
class VirtualStrap:
    """A strap for a `VirtualBlueZ`; the fields below the table are faults, to be changed at any time."""

    address: str
    name: str
    characteristics: tuple[Characteristic, ...]
    adapter: str = "hci0"
    rssi_dbm: int = -60

    advertising: bool = True
    """Whether it is on the air at all."""
    silent: bool = False
    """Connected, but no notification leaves it."""
    connect_error: str | None = None
    """Refuse to connect, in BlueZ's words, such as "le-connection-abort-by-local"."""
    connect_hangs: bool = False
    """Take a connection request and never answer."""
    reads_hang: bool = False
    """Be asked what it is, and never answer."""
    discovery_s: float = 0.05
    """From the connection to the end of service discovery; at 0 Bleak fails at random, as it reads the two on two connections."""

    polar: VirtualPolar | None = None
    """Its Polar service, which has faults of its own."""

    listening: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while a client is subscribed to the heart rate."""

    def sends(self, uuid: str, payload: bytes) -> bool:
        """Whether a notification leaves it at present."""
        return not self.silent and (uuid != PMD_DATA or (self.polar is not None and self.polar.sends(payload)))

    def answer(self, uuid: str, command: bytes) -> bytes | None:
        """What is written to one of its characteristics; gives the indication that answers it, or None.

        Raises `PermissionError` where it cannot be written to.
        """
        if uuid != PMD_CONTROL or self.polar is None or self.polar.fault is PolarFault.FORBIDS:
            raise PermissionError("Write not permitted")
        return self.polar.answer(command)


def virtual_straps_of(recordings: Sequence[Recording], *, adapter: str = "hci0") -> list[VirtualStrap]:
    """Straps that describe themselves as the recordings' devices do, each with an address and a name of its own."""
    straps: list[VirtualStrap] = []
    for number, recording in enumerate(recordings, 1):
        device = recording.header.device
        address = _free((device.address or "").upper(), {strap.address for strap in straps}, number)
        name = _unlike(device.name or "Virtual strap", {strap.name for strap in straps})
        rssi_dbm = -52 - 7 * (number - 1) % 40
        polar = virtual_polar_of(recording.events)
        table = (*_table(device, recording), *_polar_table(polar))
        straps.append(VirtualStrap(address, name, table, adapter, rssi_dbm, polar=polar))
    return straps


def _table(device: Device, recording: Recording) -> Iterator[Characteristic]:
    yield Characteristic(f"{HEART_RATE_SERVICE:04x}", HEART_RATE, ("notify",))
    values = values_of(device)
    sent = (event.payload for event in recording.events if isinstance(event, Packet) and event.char == BATTERY)
    if BATTERY not in values and (first := next(sent, None)):
        values[BATTERY] = first
    for uuid, value in values.items():
        flags = ("read", "notify") if uuid == BATTERY else ("read",)
        yield Characteristic(SERVICE_OF[uuid], uuid, flags, value)


def _polar_table(polar: VirtualPolar | None) -> Iterator[Characteristic]:
    if polar is not None:
        yield Characteristic(PMD_SERVICE, PMD_CONTROL, ("read", "write", "indicate"), polar.features)
        yield Characteristic(PMD_SERVICE, PMD_DATA, ("notify",))


def _free(address: str, taken: set[str], number: int) -> str:
    octets = address.split(":")
    whole = len(octets) == 6 and all(len(octet) == 2 and set(octet) <= set("0123456789ABCDEF") for octet in octets)
    if whole and address not in taken:
        return address
    while (address := f"{_POLAR}:{number >> 16 & 255:02X}:{number >> 8 & 255:02X}:{number & 255:02X}") in taken:
        number += 1
    return address


def _unlike(name: str, taken: set[str]) -> str:
    unlike, number = name, 2
    while unlike in taken:
        unlike, number = f"{name} {number}", number + 1
    return unlike
