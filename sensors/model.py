"""The types of the sensor layer: measurements, beats, devices, phases."""

from enum import Enum

import msgspec

RR_UNIT_S = 1 / 1024
"""One unit of a raw RR interval, in s."""
RR_UNIT_MS = 1000 / 1024
_NOT_MEASURABLE = 255


class Contact(Enum):
    """Skin contact as the strap reports it; "not reported" does not mean "no contact"."""

    NOT_REPORTED = "not reported"
    NO = "no"
    YES = "yes"


class Measurement(msgspec.Struct, frozen=True, gc=False):
    """One Heart Rate Measurement notification (0x2A37), complete and unchanged."""

    hr_bpm: int
    contact: Contact
    energy_kj: int | None
    rr_1024: tuple[int, ...]
    """RR intervals in 1/1024 s, oldest first."""
    rr_flag: bool
    """Whether the flags announce RR intervals."""

    @property
    def rate_bpm(self) -> int | None:
        """The heart rate; None where it is 0 or 255, with which sensors say that they hear no heartbeat."""
        return None if self.hr_bpm in {0, _NOT_MEASURABLE} else self.hr_bpm


class Beat(msgspec.Struct, frozen=True, gc=False):
    """One heart beat: the RR interval that it ends, and its time on the session's clock."""

    index: int
    """Running number within the session, from 0."""
    end_s: float
    """Session time at which the interval ended, in s."""
    rr_1024: int
    """The interval in 1/1024 s."""
    gap_before: bool
    """Whether beats were lost between this beat and the one before it."""

    @property
    def rr_ms(self) -> float:
        """The RR interval in ms."""
        return self.rr_1024 * RR_UNIT_MS


class Device(msgspec.Struct, frozen=True, omit_defaults=True):
    """A strap as it describes itself; None: not known."""

    name: str | None = None
    address: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    firmware: str | None = None
    battery_pct: int | None = None
    location: str | None = None


def canonical_address(address: str) -> str:
    """Return an address in the form in which addresses compare; some systems write them in lower case."""
    return address.upper()


def same_address(one: str | None, other: str | None) -> bool:
    """Return whether two addresses are those of one device, or both unknown."""
    return canonical_address(one or "") == canonical_address(other or "")


class Phase(Enum):
    """The phases of a session, in order."""

    SETTLE = "settle"
    BASELINE = "baseline"
    MASSAGE = "massage"
    RECOVERY = "recovery"
    ENDED = "ended"

    @property
    def following(self) -> "Phase":
        """The phase after this one, to which the therapist's button leads; that of `ended` is `ended`."""
        order = list(Phase)
        return order[min(order.index(self) + 1, len(order) - 1)]

    def comes_after(self, other: "Phase") -> bool:
        """Return whether a session in `other` may move to this phase: forward only, though phases may be skipped."""
        order = list(Phase)
        return order.index(self) > order.index(other)
