"""When each pulse of an optical sensor ended: its intervals come every few seconds, in one piece or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ...sensors.protocols.polar_frames import Ppi

_LATE_S = 4.0
"""Intervals that end so long before they arrive have lost others before them: a sensor keeps them back for a second or two."""
_BATCH_S = 1.0
"""Frames closer together than this belong to one late batch."""


class TimedPulse(NamedTuple):
    """A pulse, when it ended on the session's clock, and whether pulses were lost before it."""

    pulse: Ppi
    end_s: float
    gap_before: bool


@dataclass(slots=True)
class PulseClock:
    """Push frames in order of arrival, get their pulses placed; one that looks late waits for the next, which tells why."""

    gaps: int = 0
    lost_s: float = 0.0
    longest_gap_s: float = 0.0
    late_batches: int = 0
    beats: int = 0
    rr_sum_s: float = 0.0
    _end_s: float | None = None
    _first_s: float = 0.0
    _broken: bool = False
    _pending: list[tuple[float, Sequence[Ppi]]] = field(default_factory=list)

    def push(self, t: float, pulses: Sequence[Ppi]) -> list[TimedPulse]:
        """Take the pulses of a frame that arrived at `t` (s), oldest first; gives those whose place is now certain."""
        if self._end_s is None:
            self._end_s = self._first_s = t - _sum_s(pulses)
        since_s = t - self._pending[-1][0] if self._pending else 0.0
        self._pending.append((t, pulses))
        if self._broken:
            return self._release(gap=True)
        if self._late_s <= _LATE_S:
            return self._release(gap=False)
        # lost pulses leave the lag where it is; a delayed batch brings it down when it is all there
        return self._release(gap=True) if since_s >= _BATCH_S else []

    def connection_lost(self) -> list[TimedPulse]:
        """The connection was lost: what comes next does not continue what came before."""
        placed = self.flush()
        self._broken = self._end_s is not None
        return placed

    def flush(self) -> list[TimedPulse]:
        """Nothing comes any more: decide what is pending."""
        return self._release(gap=True) if self._pending else []

    @property
    def rr_time_s(self) -> float:
        """The time that the intervals should fill."""
        return 0.0 if self._end_s is None else max(self._end_s - self._first_s - self.lost_s, 0.0)

    @property
    def _late_s(self) -> float:
        """From the end of all that came to the arrival of the last of it."""
        return self._pending[-1][0] - (self._end_s or 0.0) - sum(_sum_s(pulses) for _, pulses in self._pending)

    def _release(self, *, gap: bool) -> list[TimedPulse]:
        late_s, end_s = self._late_s, self._end_s or 0.0
        if gap:
            self._lose(max(late_s, 0.0))
        elif len(self._pending) > 1:
            self.late_batches += 1
        if gap or late_s < 0:
            end_s += late_s
        pending, self._pending, self._broken = self._pending, [], False
        placed: list[TimedPulse] = []
        for _, pulses in pending:
            for pulse in pulses:
                end_s += pulse.pp_ms / 1000
                placed.append(TimedPulse(pulse, end_s, gap))
                gap = False
            self.rr_sum_s += _sum_s(pulses)
        self._end_s = end_s
        self.beats += len(placed)
        return placed

    def _lose(self, seconds: float) -> None:
        self.gaps += 1
        self.lost_s += seconds
        self.longest_gap_s = max(self.longest_gap_s, seconds)


def _sum_s(pulses: Sequence[Ppi]) -> float:
    return sum(pulse.pp_ms for pulse in pulses) / 1000
