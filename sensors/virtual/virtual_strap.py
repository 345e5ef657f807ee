"""A strap that exists only in memory: its advertisement, its GATT table, and the faults that it is given."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..bluetooth.gatt import SERVICE_OF, values_of
from ..model import Device
from ..protocols.heart_rate import HEART_RATE_SERVICE
from ..recordings.recording import BATTERY, HEART_RATE, PMD_CONTROL, PMD_DATA, Packet, Recording
from .virtual_polar import PMD_SERVICE, PolarFault, VirtualPolar, virtual_polar_of

_POLAR = "A0:9E:1A"
"""The manufacturer prefix of Polar's addresses, so that a virtual strap looks real in a scan."""


@dataclass(frozen=True, slots=True)
class Characteristic:
    """One characteristic in a strap's GATT table; UUIDs as four hex digits, or in full."""

    service: str
    uuid: str
    flags: tuple[str, ...]
    value: bytes = b""


@dataclass(slots=True, eq=False)
class VirtualStrap:
    """A strap for a `VirtualBlueZ`; the fields from `advertising` to `discovery_s` are faults that may change at any time."""

    address: str
    name: str
    characteristics: tuple[Characteristic, ...]
    adapter: str = "hci0"
    rssi_dbm: int = -60

    advertising: bool = True
    """Whether it is on the air."""
    names_services: bool = True
    """Whether its advertisement names its services, as most do; they can be read in any case once it is connected."""
    silent: bool = False
    """Whether it sends no notifications though it is connected."""
    connect_error: str | None = None
    """BlueZ's error text for a refused connection, such as "le-connection-abort-by-local"; None: it connects."""
    connect_hangs: bool = False
    """Whether connection requests stay unanswered."""
    reads_hang: bool = False
    """Whether reads stay unanswered."""
    discovery_s: float = 0.05
    """Time from the connection to the end of service discovery, in s.

    At 0 Bleak fails at random, because it learns of the two over two D-Bus connections.
    """

    polar: VirtualPolar | None = None
    """Its Polar service, with faults of its own; None where it has none."""

    listening: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while a client is subscribed to the heart rate."""

    def sends(self, uuid: str, payload: bytes) -> bool:
        """Return whether it would send this notification at present."""
        return not self.silent and (uuid != PMD_DATA or (self.polar is not None and self.polar.sends(payload)))

    def answer(self, uuid: str, command: bytes) -> bytes | None:
        """Take a write to a characteristic; return the indication that answers it, or None.

        Raises `PermissionError` where the characteristic cannot be written to.
        """
        if uuid != PMD_CONTROL or self.polar is None or self.polar.fault is PolarFault.FORBIDS:
            raise PermissionError("Write not permitted")
        return self.polar.answer(command)


def virtual_straps_of(recordings: Sequence[Recording], *, adapter: str = "hci0") -> list[VirtualStrap]:
    """Return straps that describe themselves like the recordings' devices, each with a unique address and name."""
    straps: list[VirtualStrap] = []
    for number, recording in enumerate(recordings, 1):
        device = recording.header.device
        address = _unused_address((device.address or "").upper(), {strap.address for strap in straps}, number)
        name = _unused_name(device.name or "Virtual strap", {strap.name for strap in straps})
        rssi_dbm = -52 - 7 * (number - 1) % 40
        polar = virtual_polar_of(recording.events)
        table = (*_table(device, recording), *_polar_table(polar))
        straps.append(VirtualStrap(address, name, table, adapter, rssi_dbm, polar=polar))
    return straps


def _table(device: Device, recording: Recording) -> Iterator[Characteristic]:
    yield Characteristic(f"{HEART_RATE_SERVICE:04x}", HEART_RATE, ("notify",))
    values = values_of(device)
    battery = (event.payload for event in recording.events if isinstance(event, Packet) and event.char == BATTERY)
    if BATTERY not in values and (first := next(battery, None)):
        values[BATTERY] = first
    for uuid, value in values.items():
        flags = ("read", "notify") if uuid == BATTERY else ("read",)
        yield Characteristic(SERVICE_OF[uuid], uuid, flags, value)


def _polar_table(polar: VirtualPolar | None) -> Iterator[Characteristic]:
    if polar is not None:
        yield Characteristic(PMD_SERVICE, PMD_CONTROL, ("read", "write", "indicate"), polar.features)
        yield Characteristic(PMD_SERVICE, PMD_DATA, ("notify",))


def _unused_address(address: str, used: set[str], number: int) -> str:
    octets = address.split(":")
    valid = len(octets) == 6 and all(len(octet) == 2 and set(octet) <= set("0123456789ABCDEF") for octet in octets)
    if valid and address not in used:
        return address
    while (address := f"{_POLAR}:{number >> 16 & 255:02X}:{number >> 8 & 255:02X}:{number & 255:02X}") in used:
        number += 1
    return address


def _unused_name(name: str, used: set[str]) -> str:
    unused, number = name, 2
    while unused in used:
        unused, number = f"{name} {number}", number + 1
    return unused
