"""The judged beats of one phase, and ln RMSSD of short segments of them."""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .beat_runs import Array, Bools

Counts = NDArray[np.int64]

SEGMENT_S: Final = 10.0
FEWEST_DIFFERENCES: Final = 5
"""Differences between adjacent accepted beats that a segment of `SEGMENT_S` needs to be clean."""
_LEAST_RMSSD_MS: Final = 0.5
"""Lower limit of RMSSD, below the resolution of a strap."""


@dataclass(frozen=True, slots=True, eq=False)
class PhaseBeats:
    """The judged beats that end within a phase: arrays of one length, in order."""

    end_s: Array
    rr_ms: Array
    accepted: Bools
    adjacent: Bools
    """Whether the difference to the beat before counts: both accepted, both in this phase, no gap between them."""
    span_s: tuple[float, float] | None = None
    """Start and end of the phase in s; None for the span of the beats."""

    @property
    def bounds_s(self) -> tuple[float, float]:
        """Start and end of the phase in s."""
        if self.span_s is not None or not self.end_s.size:
            return self.span_s or (0.0, 0.0)
        return float(self.end_s[0] - self.rr_ms[0] / 1000), float(self.end_s[-1])

    @property
    def rejected(self) -> float:
        """Share of rejected beats, 0 to 1; 1 where there are no beats."""
        return 1 - float(self.accepted.mean()) if self.accepted.size else 1.0

    @property
    def mean_rr_ms(self) -> float:
        """Mean of the accepted intervals in ms."""
        return float(self.rr_ms[self.accepted].mean())


class Segments(NamedTuple):
    """Mid-times in s and ln RMSSD (of ms) of the clean segments of a phase."""

    mid_s: Array
    ln_rmssd: Array


def segments(phase: PhaseBeats, length_s: float = SEGMENT_S, fewest: int = FEWEST_DIFFERENCES) -> Segments:
    """Return the whole segments of a phase that contain at least `fewest` differences between adjacent accepted beats."""
    start_s, stop_s = phase.bounds_s
    count = max(int((stop_s - start_s) // length_s), 0)
    at = ((phase.end_s - start_s) // length_s).astype(np.int64)
    use = phase.adjacent & (at >= 0) & (at < count)
    use[:1] = False
    use[1:] &= phase.end_s[:-1] - phase.rr_ms[:-1] / 1000 >= start_s  # a beat across the border belongs to neither phase
    squares: Array = np.bincount(at[use], np.diff(phase.rr_ms, prepend=0.0)[use] ** 2, count).astype(np.float64)
    differences: Counts = np.bincount(at[use], minlength=count).astype(np.int64)
    clean: Counts = np.flatnonzero(differences >= fewest).astype(np.int64)
    return Segments(mid_times(start_s, clean, length_s), ln_rmssd(squares[clean], differences[clean]))


def mid_times(start_s: float, numbers: Counts, length_s: float) -> Array:
    """Return the mid-times in s of segments numbered from 0 at `start_s`."""
    mid_s: Array = (start_s + length_s * (numbers + 0.5)).astype(np.float64)
    return mid_s


def ln_rmssd(squares: Array, differences: Counts) -> Array:
    """Return ln RMSSD (of ms) from sums of squared differences and their counts; not below the resolution of a strap."""
    logs: Array = (0.5 * np.log(np.maximum(squares / differences, _LEAST_RMSSD_MS**2))).astype(np.float64)
    return logs


def limited(clean: Segments) -> Segments:
    """Return segments with ln RMSSD limited to 2.5 robust SD around the median of the phase."""
    if not clean.mid_s.size:
        return clean
    mid = np.median(clean.ln_rmssd)
    reach = 2.5 * 1.4826 * np.median(np.abs(clean.ln_rmssd - mid))
    return clean._replace(ln_rmssd=np.clip(clean.ln_rmssd, mid - reach, mid + reach))
