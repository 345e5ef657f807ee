"""Squared differences of RR by second of the session: small, and enough for the RMSSD of any stretch of it."""

from array import array
from math import ceil, floor, isinf, log, sqrt
from typing import Final, NamedTuple

SEGMENT_S: Final = 10
FEWEST_DIFFERENCES: Final = 5
"""For the RMSSD of a segment."""


class Sum(NamedTuple):
    """What a stretch holds."""

    differences: int
    squares_ms2: float

    @property
    def rmssd_ms(self) -> float | None:
        """RMSSD of the stretch; None without a difference."""
        return sqrt(self.squares_ms2 / self.differences) if self.differences else None

    @property
    def ln_rmssd(self) -> float | None:
        """Its logarithm; None where RMSSD is 0 or unknown."""
        rmssd_ms = self.rmssd_ms
        return log(rmssd_ms) if rmssd_ms else None


class SecondSums:
    """Kept up beat by beat; 10 bytes a second of session."""

    __slots__ = ("_counts", "_squares")

    def __init__(self) -> None:
        self._squares, self._counts = array("d"), array("H")

    def push(self, end_s: float, diff_ms: float) -> None:
        """Count the difference of the interval that ended at `end_s` to the one before."""
        at = max(floor(end_s), 0)
        missing = at + 1 - len(self._counts)
        if missing > 0:
            self._squares.extend([0.0] * missing)
            self._counts.extend([0] * missing)
        self._squares[at] += diff_ms * diff_ms
        self._counts[at] += 1

    def between(self, start_s: float, stop_s: float) -> Sum:
        """The sum over the whole seconds that begin in [start_s, stop_s)."""
        first, last = max(ceil(start_s), 0), len(self._counts) if isinf(stop_s) else max(ceil(stop_s), 0)
        return Sum(sum(self._counts[first:last]), sum(self._squares[first:last]))

    @property
    def end_s(self) -> int:
        """The end of the last second that holds a difference."""
        return len(self._counts)

    def segments(self, until_s: float) -> list[tuple[float, float | None]]:
        """Middle (s) and RMSSD (ms) of each whole 10 s until `until_s`; None where too few differences are in it."""
        out: list[tuple[float, float | None]] = []
        for start in range(0, int(until_s) - SEGMENT_S + 1, SEGMENT_S):
            stretch = self.between(start, start + SEGMENT_S)
            out.append((start + SEGMENT_S / 2, stretch.rmssd_ms if stretch.differences >= FEWEST_DIFFERENCES else None))
        return out
