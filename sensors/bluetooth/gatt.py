"""UUIDs, and the characteristics in which a strap describes itself.

Source: GATT Specification Supplement and Assigned Numbers of the Bluetooth SIG.
"""

from collections.abc import Mapping

from ..device_text import clean_text
from ..model import Device
from ..recordings.recording import BATTERY

MANUFACTURER, MODEL, FIRMWARE, LOCATION = "2a29", "2a24", "2a26", "2a38"
SERVICE_OF = {LOCATION: "180d", BATTERY: "180f", MANUFACTURER: "180a", MODEL: "180a", FIRMWARE: "180a"}
"""The characteristics in which a strap may describe itself, and their services."""

_BASE = "-0000-1000-8000-00805f9b34fb"
_LOCATIONS = ("other", "chest", "wrist", "finger", "hand", "ear lobe", "foot")


def full_uuid(uuid: str) -> str:
    """Return a UUID in its 128-bit form, in lower case."""
    return f"0000{uuid}{_BASE}".lower() if len(uuid) == 4 else uuid.lower()


def short_uuid(uuid: str) -> str:
    """Return a UUID as recordings have it: four hex digits where it is one of the Bluetooth SIG, else all of it."""
    low = uuid.lower()
    return low[4:8] if len(low) == 36 and low.startswith("0000") and low.endswith(_BASE) else low


def device_of(values: Mapping[str, bytes], *, name: str | None, address: str) -> Device:
    """Return a strap's description from the values read, by short UUID; invalid values are left out."""
    battery = values.get(BATTERY, b"")
    location = values.get(LOCATION, b"")
    return Device(
        name=clean_text(name),
        address=address,
        manufacturer=_text(values.get(MANUFACTURER)),
        model=_text(values.get(MODEL)),
        firmware=_text(values.get(FIRMWARE)),
        battery_pct=battery[0] if battery and battery[0] <= 100 else None,
        location=_LOCATIONS[location[0]] if location and location[0] < len(_LOCATIONS) else None,
    )


def values_of(device: Device) -> dict[str, bytes]:
    """Return the values that such a strap would give to read, by short UUID.

    A location that the Bluetooth SIG does not list, such as the arm, becomes "other".
    """
    values: dict[str, bytes] = {}
    if device.location:
        known = device.location.lower() in _LOCATIONS
        values[LOCATION] = bytes([_LOCATIONS.index(device.location.lower()) if known else 0])
    if device.battery_pct is not None:
        values[BATTERY] = bytes([device.battery_pct])
    for uuid, text in ((MANUFACTURER, device.manufacturer), (MODEL, device.model), (FIRMWARE, device.firmware)):
        if text:
            values[uuid] = text.encode()
    return values


def _text(raw: bytes | None) -> str | None:
    return clean_text((raw or b"").decode(errors="replace"))
