"""Properties of known sensors, from the table `known_devices.toml`; any other sensor is judged by what it reports."""

from enum import Enum
from functools import cache, lru_cache
from pathlib import Path
import re

import msgspec

from ..model import Device

_TABLE = Path(__file__).with_suffix(".toml")


class Rr(Enum):
    """The kind of RR intervals that a sensor sends by 0x2A37."""

    YES = "yes"
    SMOOTHED = "smoothed"
    NO = "no"


class ContactBit(Enum):
    """The reliability of the skin contact bits in 0x2A37."""

    NOT_REPORTED = "not reported"
    RELIABLE = "reliable"
    UNRELIABLE = "unreliable"


class Kind(Enum):
    """The sensing principle of a sensor."""

    CHEST = "chest strap"
    OPTICAL = "optical"


class KnownDevice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of the table, in which the fields are explained."""

    model: str
    names: str
    kind: Kind
    rr: Rr
    source: str
    contact: ContactBit | None = None
    rr_in_ms: bool = False
    slots: int | None = None
    latency_s: float | None = None
    rr_step_ms: float | None = None
    packet_s: float | None = None
    quirk: str | None = None

    @property
    def believes_contact(self) -> bool:
        """Whether its report of no skin contact can be believed."""
        return self.contact is not ContactBit.UNRELIABLE

    @property
    def believes_rr(self) -> bool:
        """Whether its RR intervals are beat to beat, neither smoothed nor missing."""
        return self.rr is Rr.YES


class KnownName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names of heart-rate sensors of whose intervals nothing is known; the fields are explained in the table."""

    model: str
    names: str
    source: str


class _Table(msgspec.Struct, forbid_unknown_fields=True):
    strap: tuple[KnownDevice, ...]
    name: tuple[KnownName, ...]


@cache
def _table() -> _Table:
    return msgspec.toml.decode(_TABLE.read_bytes(), type=_Table)


def known_devices() -> tuple[KnownDevice, ...]:
    """Return every row, in the order in which they are matched."""
    return _table().strap


def known_names() -> tuple[KnownName, ...]:
    """Return the names by which further heart-rate sensors are found on the air."""
    return _table().name


@cache
def _any_name() -> re.Pattern[str]:
    names = [*(row.names for row in known_devices()), *(row.names for row in known_names())]
    return re.compile("|".join(f"(?:{one})" for one in names), re.IGNORECASE)


@lru_cache(maxsize=1024)
def is_sensor_name(name: str | None) -> bool:
    """Return whether a heart-rate sensor goes by this name on the air; few that do not advertise heart rate can be told else."""
    return name is not None and _any_name().match(name.strip()) is not None


def known_device(device: Device) -> KnownDevice | None:
    """Return the table's row for a strap, by its name or model; None where there is none."""
    texts = [text.strip() for text in (device.name, device.model, f"{device.manufacturer} {device.model}") if text]
    return next((row for row in known_devices() if any(re.match(row.names, text, re.IGNORECASE) for text in texts)), None)


def busy_hint(name: str | None) -> str | None:
    """Return advice for a strap of this name that refuses to connect, since another app may use its only connection.

    None where nothing is known of it.
    """
    row = known_device(Device(name=name))
    return None if row is None or row.slots is None else row.quirk
