"""What a running session has shown of its baseline and its present phase: sums of 5 s, kept up beat by beat in constant time."""

from array import array
from math import ceil, floor, inf, isinf, sqrt
from typing import Final

import msgspec

from ..beats.beat_stream import JudgedBeat

LENGTH_S: Final = 5.0
"""As the segments that the verdict compares."""
SEGMENT_S: Final = 10.0
"""Of the picture of a session."""
_FEWEST: Final = 5
"""Differences for the RMSSD of a segment."""
_BORDER_S: Final = 2.0
"""A difference reaches back over two beats."""
_MOST_BEATS: Final = 255
"""In 5 s: what is more is no heart."""


class SegmentSums(msgspec.Struct, frozen=True, kw_only=True):
    """One phase, in whole stretches of `LENGTH_S` from `start_s` on."""

    start_s: float
    squares: list[float]
    """Sum of squared differences of adjacent accepted beats, in ms²."""
    differences: list[int]
    beats: int
    rejected: int


class RunningComparison(msgspec.Struct, frozen=True, kw_only=True):
    """A phase that can be compared, and the baseline before it."""

    phase: str
    baseline: SegmentSums
    current: SegmentSums


class ProvisionalChange(msgspec.Struct, frozen=True, kw_only=True):
    """RMSSD of the phase so far against the baseline, in percent; None where it cannot be told yet, and why."""

    percent: float | None = None
    low_pct: float | None = None
    """95 % interval."""
    high_pct: float | None = None
    why: str | None = None


class RunningSums:
    """Push judged beats; 12 bytes every 5 s of session, whatever its phases turn out to be."""

    __slots__ = ("_beats", "_differences", "_rejected", "_squares")

    def __init__(self) -> None:
        self._squares, self._differences = array("d"), array("B")
        self._beats, self._rejected = array("B"), array("B")

    def push(self, beat: JudgedBeat) -> None:
        """Take a judged beat; beats come in order of time."""
        at = max(int(beat.end_s // LENGTH_S), 0)
        if (missing := at + 1 - len(self._squares)) > 0:
            self._squares.extend([0.0] * missing)
            for counts in (self._differences, self._beats, self._rejected):
                counts.extend([0] * missing)
        if self._beats[at] == _MOST_BEATS:
            return
        self._beats[at] += 1
        self._rejected[at] += not beat.accepted
        if beat.diff_ms is not None:
            self._squares[at] += beat.diff_ms**2
            self._differences[at] += 1

    def __len__(self) -> int:
        """How many stretches have begun."""
        return len(self._squares)

    def over(self, stop_s: float = inf) -> int:
        """How many stretches are over by `stop_s`, and so change no more."""
        begun = len(self._squares) - 1
        return begun if isinf(stop_s) else min(floor(stop_s / LENGTH_S), begun)

    def segments(self, until_s: float) -> list[tuple[float, float | None]]:
        """Middle (s) and RMSSD (ms) of each whole 10 s until `until_s`; None where too few differences are in it."""
        each = round(SEGMENT_S / LENGTH_S)
        out: list[tuple[float, float | None]] = []
        for n in range(int(until_s // SEGMENT_S)):
            both = slice(n * each, (n + 1) * each)
            differences = sum(self._differences[both])
            rmssd_ms = sqrt(sum(self._squares[both]) / differences) if differences >= _FEWEST else None
            out.append(((n + 0.5) * SEGMENT_S, rmssd_ms))
        return out

    def between(self, start_s: float, stop_s: float = inf) -> SegmentSums:
        """The whole stretches within a phase, but for the one that may hold beats from before it, and the one not yet over."""
        first, last = ceil((start_s + _BORDER_S) / LENGTH_S), self.over(stop_s)
        return SegmentSums(
            start_s=first * LENGTH_S,
            squares=self._squares[first:last].tolist(),
            differences=self._differences[first:last].tolist(),
            beats=sum(self._beats[first:last]),
            rejected=sum(self._rejected[first:last]),
        )
