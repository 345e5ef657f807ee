"""The most that one strap may send: what comes beyond it is left out before anything stores or reads it.

A strap with every stream that is asked of it sends about 4 packets and 600 bytes a second. What is allowed is several times
that, and half a minute of it at once, as after a stall of the radio or of this computer.
"""

from dataclasses import dataclass
from typing import Final

from ..recordings.recording import HEART_RATE

LONGEST_PAYLOAD: Final = 512
"""Longest value of a GATT attribute, in bytes."""
_HEART_RATES: Final = (8.0, 160.0)
_OTHERS: Final = (12.0, 3000.0)
"""Packets and bytes a second of session time: of heart rates, and of all else together, so that neither can crowd out the other.
Two straps on one signal that send a packet with each beat, at 240 bpm, are 8 packets and 32 bytes."""
_SAVED_S, _SAVED_WALL_S = 30.0, 2.0
"""Time whose packets may come at once, in session time and, at high speed, in wall time."""
_CALM_S: Final = 10.0
"""Session time without a packet left out after which a strap counts as calm again."""


@dataclass(slots=True)
class TokenBucket:
    """Tokens that come in at `rate` a second, and are saved up to `most`."""

    rate: float
    most: float
    _tokens: float = 0.0
    _at_s: float = float("-inf")

    def holds(self, t: float, cost: float) -> bool:
        """Return whether there are `cost` tokens at `t` (s)."""
        self._tokens = min(self.most, self._tokens + max(t - self._at_s, 0.0) * self.rate)
        self._at_s = max(t, self._at_s)
        return self._tokens >= cost

    def take(self, cost: float) -> None:
        """Take `cost` tokens."""
        self._tokens -= cost


@dataclass(slots=True)
class LeftOut:
    """Packets that were left out in a row: from and until when (s of session time), and how many bytes they had."""

    from_s: float
    until_s: float
    packets: int = 0
    payload_bytes: int = 0


class PacketLimit:
    """The limit of one strap's packets over session time, and what it left out."""

    def __init__(self, speed: float = 1.0) -> None:
        """`speed`: session seconds per wall second, where a stall of this computer brings that much more at once."""
        saved_s = max(_SAVED_S, _SAVED_WALL_S * speed)
        self._heart_rates, self._others = (
            tuple(TokenBucket(rate, rate * saved_s) for rate in rates) for rates in (_HEART_RATES, _OTHERS)
        )
        self._left_out: LeftOut | None = None
        self._last_s = float("-inf")

    def admits(self, t: float, uuid: str, size: int) -> bool:
        """Return whether a packet of `size` bytes may come in at `t` (s), and count it either way."""
        packets, payload_bytes = self._heart_rates if uuid == HEART_RATE else self._others
        room = packets.holds(t, 1), payload_bytes.holds(t, size)
        if all(room) and size <= LONGEST_PAYLOAD:
            packets.take(1)
            payload_bytes.take(size)
            return True
        if self._left_out is None:
            self._left_out = LeftOut(t, t)
        self._last_s = self._left_out.until_s = t
        self._left_out.packets += 1
        self._left_out.payload_bytes += size
        return False

    def calm(self, t: float) -> bool:
        """Return whether nothing was left out for a while before `t` (s)."""
        return self._last_s < t - _CALM_S

    def told(self, t: float, *, after_s: float) -> LeftOut | None:
        """Return what was left out, and begin anew; None where nothing was, or its telling is not due yet.

        It is due `after_s` after its first packet, or as soon as the strap is calm.
        """
        left_out = self._left_out
        if left_out is None or (t - left_out.from_s < after_s and not self.calm(t)):
            return None
        self._left_out = None
        return left_out
