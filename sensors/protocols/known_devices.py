"""What is known of each strap, from the table `known_devices.toml`; what is not in it is asked of the strap itself."""

from enum import Enum
from functools import cache
from pathlib import Path
import re

import msgspec

from ..model import Device

_TABLE = Path(__file__).with_suffix(".toml")


class Rr(Enum):
    """What RR intervals a sensor sends by 0x2A37."""

    YES = "yes"
    SMOOTHED = "smoothed"
    NO = "no"


class ContactBit(Enum):
    """What the skin contact in 0x2A37 is worth."""

    NOT_REPORTED = "not reported"
    RELIABLE = "reliable"
    UNRELIABLE = "unreliable"


class Kind(Enum):
    """How a sensor hears the heart."""

    CHEST = "chest strap"
    OPTICAL = "optical"


class KnownDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the table; its fields are explained there."""

    model: str
    names: str
    kind: Kind
    rr: Rr
    source: str
    contact: ContactBit | None = None
    slots: int | None = None
    latency_s: float | None = None
    quirk: str | None = None

    @property
    def believes_contact(self) -> bool:
        """Whether its "no skin contact" is to be believed."""
        return self.contact is not ContactBit.UNRELIABLE

    @property
    def believes_rr(self) -> bool:
        """Whether what it sends as RR intervals are beats."""
        return self.rr is Rr.YES


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    strap: tuple[KnownDevice, ...]


@cache
def known_devices() -> tuple[KnownDevice, ...]:
    """Every row, in the order in which they are tried."""
    return msgspec.toml.decode(_TABLE.read_bytes(), type=_Table).strap


def known_device(device: Device) -> KnownDevice | None:
    """What is known of a strap, by its name or its model; None where it is not in the table."""
    texts = [text.strip() for text in (device.name, device.model, f"{device.manufacturer} {device.model}") if text]
    return next((row for row in known_devices() if any(re.match(row.names, text, re.IGNORECASE) for text in texts)), None)


def busy_hint(name: str | None) -> str | None:
    """What to do where a strap of this name does not let us in: another app may hold its only connection."""
    row = known_device(Device(name=name))
    return None if row is None or row.slots is None else row.quirk


def table_markdown() -> str:
    """The table as the documentation shows it."""
    head = ("sensor", "kind", "RR", "contact", "connections", "RR comes after", "to know", "source")
    rows = [
        (
            row.model,
            row.kind.value,
            row.rr.value,
            row.contact.value if row.contact else "–",
            str(row.slots or "–"),
            f"{row.latency_s:g} s" if row.latency_s else "–",
            row.quirk or "",
            row.source,
        )
        for row in known_devices()
    ]
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
