"""Sums of RR differences over 5 s segments of a running session, updated beat by beat in constant time."""

from array import array
from collections.abc import Sequence
from math import ceil, floor, inf, isinf, sqrt
from typing import Final

import msgspec
import numpy as np

from ..beats.beat_stream import JudgedBeat
from ..beats.interval_prediction import LONGEST_MS
from ..beats.phase_segments import Segments, ln_rmssd, mid_times

LENGTH_S: Final = 5.0
"""Length of a segment of the sums, the same as that of the segments behind the verdict."""
SEGMENT_S: Final = 10.0
"""Length of a segment of the live chart."""
_FEWEST: Final = 5
"""Differences that a chart segment needs for an RMSSD."""
_FEWEST_USABLE: Final = 3
"""Differences that a segment of the sums needs to be usable, as in the comparison behind the verdict."""
_BORDER_S: Final = 2.0
"""Time left out after a phase border, because a difference reaches back over two beats."""
_MOST_BEATS, _MOST_FILLED_MS = 255, 65_535
"""Most beats and most of their time that are counted in 5 s; no heart has more."""


class SegmentSums(msgspec.Struct, frozen=True, kw_only=True):
    """Sums of one phase, in whole segments of `LENGTH_S` from `start_s` on."""

    start_s: float
    squares: list[float]
    """Sum of squared differences between adjacent accepted beats in each segment, in ms²."""
    differences: list[int]
    """Number of those differences in each segment."""
    beats: int
    rejected: int
    filled_s: float
    """Sum of the intervals of all beats, in s."""

    @property
    def time_s(self) -> float:
        """Time of the segments in s."""
        return LENGTH_S * len(self.squares)


class RunningComparison(msgspec.Struct, frozen=True, kw_only=True):
    """The sums of the current phase, of the baseline before it, and of the phases between them."""

    phase: str
    baseline: SegmentSums
    current: SegmentSums
    between: list[SegmentSums] = []


class ProvisionalChange(msgspec.Struct, frozen=True, kw_only=True):
    """Change of RMSSD of the current phase against the baseline, in percent; None with a reason where it is not yet known."""

    percent: float | None = None
    low_pct: float | None = None
    """Lower end of the 95 % interval."""
    high_pct: float | None = None
    """Upper end of the 95 % interval."""
    why: str | None = None


class RunningSums:
    """Sums of a whole session, whatever its phases turn out to be; 13 bytes for every 5 s."""

    __slots__ = ("_beats", "_differences", "_filled_ms", "_rejected", "_squares", "_usable")

    def __init__(self) -> None:
        self._usable = (-1, 0, 0)
        """First segment of the span asked for last, the one up to which it was counted, and how many were usable."""
        self._squares, self._filled_ms, self._differences = array("d"), array("H"), array("B")
        self._beats, self._rejected = array("B"), array("B")

    def push(self, beat: JudgedBeat) -> None:
        """Add a judged beat; beats are in order of time."""
        at, rr_ms, diff_ms = max(int(beat.end_s // LENGTH_S), 0), beat.rr_ms, beat.diff_ms
        if (missing := at + 1 - len(self._squares)) > 0:
            self._squares.extend([0.0] * missing)
            for counts in (self._filled_ms, self._differences, self._beats, self._rejected):
                counts.extend([0] * missing)
        if self._beats[at] == _MOST_BEATS:
            return
        self._beats[at] += 1
        if not beat.accepted:
            self._rejected[at] += 1
        if rr_ms <= LONGEST_MS:
            filled_ms = self._filled_ms[at] + round(rr_ms)
            self._filled_ms[at] = min(_MOST_FILLED_MS, filled_ms)
        if diff_ms is not None:
            self._squares[at] += diff_ms * diff_ms
            self._differences[at] += 1

    def __len__(self) -> int:
        """Return the number of segments that have begun."""
        return len(self._squares)

    def finished(self, stop_s: float = inf) -> int:
        """Return the number of segments that are over by `stop_s` and no longer change."""
        begun = len(self._squares) - 1
        return begun if isinf(stop_s) else min(floor(stop_s / LENGTH_S), begun)

    def is_final(self, stop_s: float) -> bool:
        """Return whether nothing that happens can change the sums up to `stop_s`."""
        return stop_s < LENGTH_S * (len(self._squares) - 1)

    def segments(self, until_s: float) -> list[tuple[float, float | None]]:
        """Return middle (s) and RMSSD (ms) of each whole 10 s segment up to `until_s`; None with too few differences."""
        each = round(SEGMENT_S / LENGTH_S)
        out: list[tuple[float, float | None]] = []
        for n in range(int(until_s // SEGMENT_S)):
            both = slice(n * each, (n + 1) * each)
            differences = sum(self._differences[both])
            rmssd_ms = sqrt(sum(self._squares[both]) / differences) if differences >= _FEWEST else None
            out.append(((n + 0.5) * SEGMENT_S, rmssd_ms))
        return out

    def usable_s(self, start_s: float, stop_s: float, *, fresh: bool) -> float:
        """Return how many seconds of a span are usable: those of segments with enough differences between accepted beats.

        `fresh`: whether beats are arriving, so that the segment which is not over counts as usable so far.
        """
        running, first, last = len(self._squares) - 1, int(start_s // LENGTH_S), int(stop_s // LENGTH_S)
        over = max(min(last, running), first + 1)  # segments after the first one and before this are final, and counted once
        if self._usable[0] != first or self._usable[1] > over:
            self._usable = first, first + 1, 0
        usable = self._usable[2] + sum(self._differences[n] >= _FEWEST_USABLE for n in range(self._usable[1], over))
        self._usable = first, over, usable
        total = usable * LENGTH_S
        for n in (first, *range(over, (last if fresh else min(last, running)) + 1)):
            enough = n <= running and self._differences[n] >= _FEWEST_USABLE
            if enough or (n >= running and fresh):
                total += min(stop_s, (n + 1) * LENGTH_S) - max(start_s, n * LENGTH_S)
        return max(total, 0.0)

    def between(self, start_s: float, stop_s: float = inf, without: Sequence[tuple[float, float]] = ()) -> SegmentSums:
        """Return the sums of the whole segments within a phase.

        The segment that may contain beats from before the phase is left out, and so is the one that is not yet over. Segments
        that touch the spans `without` count as empty.
        """
        first, last = ceil((start_s + _BORDER_S) / LENGTH_S), self.finished(stop_s)
        squares, differences = self._squares[first:last].tolist(), self._differences[first:last].tolist()
        beats, rejected = sum(self._beats[first:last]), sum(self._rejected[first:last])
        touched = {
            n
            for from_s, until_s in without
            for n in range(max(floor(from_s / LENGTH_S), first), min(ceil(until_s / LENGTH_S), last))
        }
        for n in touched:
            squares[n - first], differences[n - first] = 0.0, 0
            beats, rejected = beats - self._beats[n], rejected - self._rejected[n]
        return SegmentSums(
            start_s=first * LENGTH_S,
            squares=squares,
            differences=differences,
            beats=beats,
            rejected=rejected,
            filled_s=sum(self._filled_ms[first:last]) / 1000,
        )


def segments_of(sums: SegmentSums) -> Segments:
    """Return the usable segments of the sums of a phase, as the comparison behind the verdict takes them."""
    differences = np.array(sums.differences, dtype=np.int64)
    clean = np.flatnonzero(differences >= _FEWEST_USABLE).astype(np.int64)
    squares = np.array(sums.squares, dtype=np.float64)
    return Segments(mid_times(sums.start_s, clean, LENGTH_S), ln_rmssd(squares[clean], differences[clean]))
