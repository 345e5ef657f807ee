"""Runs: sequences of accepted beats that truly followed each other. No difference crosses from one run to the next."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

_LOST_S: Final = 0.5
"""Where clock and RR sum differ by more than this over rejected beats, beats were lost among them."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Consecutive accepted beats."""

    end_s: Array
    """End of each interval: the first on the session's clock, the others by the sum of RR."""
    rr_ms: Array
    rejected_before: int
    """Number of rejected beats between the run before and this one; 0 after a gap or at the start."""
    gap_before: bool
    """Whether beats were lost before this run, or it is the first: nothing may be interpolated before it."""

    @property
    def start_s(self) -> float:
        """Start of the first interval."""
        return float(self.end_s[0] - self.rr_ms[0] / 1000)


def runs_of(end_s: ArrayLike, rr_ms: ArrayLike, accepted: ArrayLike, gap_before: ArrayLike) -> list[Run]:
    """Split judged beats (arrays of equal length, in order) into runs.

    Rejected beats advance the time by their RR: an ectopic or split beat preserves the sum. Raises `ValueError` for arrays of
    unequal lengths.
    """
    end, rr = np.asarray(end_s, dtype=np.float64), np.asarray(rr_ms, dtype=np.float64)
    good, gap = np.asarray(accepted, dtype=np.bool_), np.asarray(gap_before, dtype=np.bool_)
    if not end.shape == rr.shape == good.shape == gap.shape or end.ndim != 1:
        raise ValueError("end_s, rr_ms, accepted and gap_before must be arrays of one length")
    normal = np.count_nonzero(good)
    if not normal:
        return []
    elapsed = np.add.accumulate(rr)
    elapsed /= 1000
    if normal == good.size and not np.count_nonzero(gap[1:]):
        elapsed += float(end[0]) - float(elapsed[0])
        return [Run(elapsed, rr, 0, gap_before=True)]
    (kept,) = good.nonzero()
    gaps = np.cumsum(gap)
    gaps_kept = gaps[kept]
    (breaks,) = ((kept[1:] - kept[:-1] > 1) | (gaps_kept[1:] > gaps_kept[:-1])).nonzero()
    firsts, lasts = kept[np.concatenate([[0], breaks + 1])], kept[np.concatenate([breaks, [-1]])]
    runs: list[Run] = []
    offset, before, gaps_before = 0.0, 0, 0
    borders = (firsts, lasts, gaps[firsts], gaps[lasts], elapsed[firsts], end[firsts])
    for first, last, gaps_first, gaps_last, at_s, first_s in zip(*(values.tolist() for values in borders), strict=True):
        lost = not runs or gaps_first > gaps_before or abs(offset + at_s - first_s) > _LOST_S
        if lost:
            offset = first_s - at_s
        beats = slice(first, last + 1)
        runs.append(Run(offset + elapsed[beats], rr[beats], 0 if lost else first - before - 1, lost))
        before, gaps_before = last, gaps_last
    return runs
