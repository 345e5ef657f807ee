"""End times of an optical sensor's pulses, whose intervals arrive in batches every few seconds, complete or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ...sensors.protocols.polar_frames import Ppi

_LATE_S = 4.0
"""Intervals that end longer than this before they arrive follow a loss: a sensor delays them by only a second or two."""
_BATCH_S = 1.0
"""Frames closer together than this belong to one late batch."""


class TimedPulse(NamedTuple):
    """A pulse with its end on the session's clock, and whether pulses were lost before it."""

    pulse: Ppi
    end_s: float
    gap_before: bool


@dataclass(slots=True)
class PulseClock:
    """A clock for pulses: push frames in order of arrival and get their pulses with end times.

    A frame that looks late is kept until the next one shows whether pulses were lost or a batch was delayed.
    """

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
        """Add the pulses of a frame that arrived at `t` (s), oldest first; return those whose end time is now certain."""
        if self._end_s is None:
            self._end_s = self._first_s = t - _sum_s(pulses)
        since_s = t - self._pending[-1][0] if self._pending else 0.0
        self._pending.append((t, pulses))
        if self._broken:
            return self._release(gap=True)
        if self._late_s <= _LATE_S:
            return self._release(gap=False)
        # lost pulses leave the lag unchanged; a delayed batch reduces it once it is complete
        return self._release(gap=True) if since_s >= _BATCH_S else []

    def connection_lost(self) -> list[TimedPulse]:
        """Note that the connection was lost, so that the next pulses do not continue these; return the pending ones."""
        timed = self.flush()
        self._broken = self._end_s is not None
        return timed

    def flush(self) -> list[TimedPulse]:
        """Return all pending pulses, as at the end of the stream."""
        return self._release(gap=True) if self._pending else []

    @property
    def rr_time_s(self) -> float:
        """The time in s that the intervals should fill, without the gaps."""
        return 0.0 if self._end_s is None else max(self._end_s - self._first_s - self.lost_s, 0.0)

    @property
    def _late_s(self) -> float:
        """Delay in s between the end of the newest pulse and its arrival."""
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
        timed: list[TimedPulse] = []
        for _, pulses in pending:
            for pulse in pulses:
                end_s += pulse.pp_ms / 1000
                timed.append(TimedPulse(pulse, end_s, gap))
                gap = False
            self.rr_sum_s += _sum_s(pulses)
        self._end_s = end_s
        self.beats += len(timed)
        return timed

    def _lose(self, seconds: float) -> None:
        self.gaps += 1
        self.lost_s += seconds
        self.longest_gap_s = max(self.longest_gap_s, seconds)


def _sum_s(pulses: Sequence[Ppi]) -> float:
    return sum(pulse.pp_ms for pulse in pulses) / 1000
