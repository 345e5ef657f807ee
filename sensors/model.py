"""The words of the sensor layer: what a strap sent, and the beats in it."""

from enum import Enum

import msgspec

RR_UNIT_S = 1 / 1024
RR_UNIT_MS = 1000 / 1024


class Contact(Enum):
    """Skin contact as the strap tells it; a strap that cannot tell is not a strap without contact."""

    NOT_REPORTED = "not reported"
    NO = "no"
    YES = "yes"


class Measurement(msgspec.Struct, frozen=True, gc=False):
    """One Heart Rate Measurement notification (0x2A37), nothing added and nothing dropped."""

    hr_bpm: int
    contact: Contact
    energy_kj: int | None
    rr_1024: tuple[int, ...]
    """RR intervals in 1/1024 s, oldest first."""
    rr_flag: bool
    """Whether the strap announced RR intervals at all."""


class Beat(msgspec.Struct, frozen=True, gc=False):
    """One heart beat: the interval that it ends, and when it ended on the session's clock."""

    index: int
    """Running number within the session, from 0."""
    end_s: float
    rr_1024: int
    gap_before: bool
    """Beats were lost between this beat and the one before it."""

    @property
    def rr_ms(self) -> float:
        """The interval in ms."""
        return self.rr_1024 * RR_UNIT_MS


class Device(msgspec.Struct, frozen=True, omit_defaults=True):
    """A strap as it describes itself; every field may be missing."""

    name: str | None = None
    address: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    firmware: str | None = None
    battery_pct: int | None = None
    location: str | None = None


class Phase(Enum):
    """The phases of a session, in their order."""

    SETTLE = "settle"
    BASELINE = "baseline"
    MASSAGE = "massage"
    RECOVERY = "recovery"
    ENDED = "ended"

    @property
    def following(self) -> "Phase":
        """The phase that the therapist's button leads to; `ended` stays `ended`."""
        order = list(Phase)
        return order[min(order.index(self) + 1, len(order) - 1)]

    def comes_after(self, other: "Phase") -> bool:
        """Whether a session in `other` may move to this phase: forward only, though it may leave one out."""
        order = list(Phase)
        return order.index(self) > order.index(other)
