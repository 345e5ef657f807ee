"""A strap that exists only in memory: what it advertises, what it offers to read, and the faults it is told to have."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..model import Device
from ..recording import BATTERY, HEART_RATE, Packet, Recording

BODY_SENSOR_LOCATIONS = ("other", "chest", "wrist", "finger", "hand", "ear lobe", "foot")
"""Body Sensor Location 0x2A38, by its value; "arm", which it does not know, is sent as "other"."""

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
    discovery_s: float = 0.05
    """From the link to the end of service discovery; at 0 Bleak fails at random, as it reads the two on two connections."""

    listening: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while a client is subscribed to the heart rate."""


def virtual_straps_of(recordings: Sequence[Recording], *, adapter: str = "hci0") -> list[VirtualStrap]:
    """Straps that describe themselves as the recordings' devices do, each with an address and a name of its own."""
    straps: list[VirtualStrap] = []
    for number, recording in enumerate(recordings, 1):
        device = recording.header.device
        address = _free((device.address or "").upper(), {strap.address for strap in straps}, number)
        name = _unlike(device.name or "Virtual strap", {strap.name for strap in straps})
        rssi_dbm = -52 - 7 * (number - 1) % 40
        straps.append(VirtualStrap(address, name, tuple(_table(device, recording)), adapter, rssi_dbm))
    return straps


def _table(device: Device, recording: Recording) -> Iterator[Characteristic]:
    yield Characteristic("180d", HEART_RATE, ("notify",))
    if device.location:
        known = device.location.lower() in BODY_SENSOR_LOCATIONS
        value = BODY_SENSOR_LOCATIONS.index(device.location.lower()) if known else 0
        yield Characteristic("180d", "2a38", ("read",), bytes([value]))
    battery = next((event.payload for event in recording.events if isinstance(event, Packet) and event.char == BATTERY), b"")
    if device.battery_pct is not None:
        battery = bytes([device.battery_pct])
    if battery:
        yield Characteristic("180f", BATTERY, ("read", "notify"), battery)
    for uuid, text in (("2a29", device.manufacturer), ("2a24", device.model), ("2a26", device.firmware)):
        if text:
            yield Characteristic("180a", uuid, ("read",), text.encode())


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
