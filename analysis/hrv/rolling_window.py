"""Time-domain HRV over a sliding window, updated beat by beat in constant time; pNN50, SD1 and SD2 are computed when read.

Sums are integers in units of 2⁻⁴⁰ ms: adding and subtracting a beat leaves no rounding error, however long the session.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterator
from math import nan, sqrt
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..beats.beat_runs import Array, Bools
from ..beats.interval_prediction import LONGEST_MS

_UNIT: Final = float(1 << 40)
_NN50: Final = 50 << 40
"""50 ms."""
_ACCEPTED, _LINKED, _GAP = 1, 2, 4
"""Flags of a beat, `_GAP` being the largest; linked: the difference to the beat before counts."""
_COMPACT_AFTER: Final = 64


class WindowBeats(NamedTuple):
    """Judged beats as arrays of one length."""

    end_s: Array
    rr_ms: Array
    accepted: Bools
    gap_before: Bools


class RollingHrv:
    """A window over the last `window_s` seconds, with figures as NeuroKit2 defines them.

    Both beats of a difference lie inside the window. A figure is None where the window has too few beats for it. Times must not
    run backwards. Beats that left the window less than `keep_s` ago are still stored.
    """

    __slots__ = (
        "_began_s",
        "_diff_squares",
        "_end_s",
        "_filled_rejected",
        "_head",
        "_keep_s",
        "_marks",
        "_rr_ms",
        "_squares",
        "_sum",
        "_window_s",
        "accepted",
        "beats",
        "differences",
    )

    def __init__(self, window_s: float, keep_s: float = 0.0) -> None:
        self._window_s, self._keep_s = window_s, keep_s
        self.clear()

    def clear(self) -> None:
        """Remove all beats."""
        self._end_s, self._rr_ms, self._marks = array("d"), array("d"), array("B")
        self._began_s: float | None = None
        self.beats = 0
        """Number of beats in the window, including rejected ones."""
        self._head = self.accepted = self.differences = 0
        self._sum = self._squares = self._diff_squares = self._filled_rejected = 0

    def push(self, end_s: float, rr_ms: float, accepted: bool, diff_ms: float | None, *, gap_before: bool = False) -> None:
        """Add a judged beat; `diff_ms` is its difference to the beat pushed before, None where that does not count."""
        ends, values, marks = self._end_s, self._rr_ms, _GAP if gap_before else 0
        x = int(rr_ms * _UNIT)
        if self._began_s is None:
            self._began_s = end_s - rr_ms / 1000
        if accepted:
            self.accepted += 1
            self._sum += x
            self._squares += x * x
            marks |= _ACCEPTED
            if diff_ms is not None:
                marks |= _LINKED
                if self.beats:
                    d = x - int(values[-1] * _UNIT)
                    self.differences += 1
                    self._diff_squares += d * d
        elif rr_ms <= LONGEST_MS:
            self._filled_rejected += x
        self.beats += 1
        ends.append(end_s)
        values.append(rr_ms)
        self._marks.append(marks)
        if ends[self._head] <= end_s - self._window_s:
            self.advance(end_s)

    def advance(self, now_s: float) -> None:
        """Drop the beats that ended `window_s` or longer before `now_s`."""
        ends, head, oldest_s = self._end_s, self._head, now_s - self._window_s
        rr_ms, marks, stored = self._rr_ms, self._marks, len(ends)
        while head < stored and ends[head] <= oldest_s:
            x = int(rr_ms[head] * _UNIT)
            if marks[head] & _ACCEPTED:
                self.accepted -= 1
                self._sum -= x
                self._squares -= x * x
            elif rr_ms[head] <= LONGEST_MS:
                self._filled_rejected -= x
            head += 1
            if head < stored and marks[head] & _LINKED:
                d = int(rr_ms[head] * _UNIT) - x
                self.differences -= 1
                self._diff_squares -= d * d
        self.beats -= head - self._head
        if head > _COMPACT_AFTER:
            left = bisect_right(ends, oldest_s - self._keep_s)
            del ends[:left], rr_ms[:left], marks[:left]
            head -= left
        self._head = head

    def intervals(self) -> Iterator[tuple[float, float]]:
        """Yield RR and the difference to the beat before, in ms, of each beat in the window; NaN where they do not count."""
        before_ms = nan
        for n in range(self._head, len(self._end_s)):
            marks, rr_ms = self._marks[n], self._rr_ms[n]
            yield rr_ms if marks & _ACCEPTED else nan, rr_ms - before_ms if marks & _LINKED else nan
            before_ms = rr_ms

    def beats_between(self, after_s: float, until_s: float) -> WindowBeats:
        """Return the stored beats that ended after `after_s` and not after `until_s`."""
        inside = slice(bisect_right(self._end_s, after_s), bisect_right(self._end_s, until_s))
        end_s, rr_ms, marks = (
            np.frombuffer(self._end_s[inside]),
            np.frombuffer(self._rr_ms[inside]),
            np.frombuffer(self._marks[inside], np.uint8),
        )
        return WindowBeats(end_s, rr_ms, (marks & _ACCEPTED).view(np.bool_), marks >= _GAP)

    @property
    def span_s(self) -> float:
        """Time in s from the start of the oldest interval in the window to the end of the newest."""
        return self._end_s[-1] - self._end_s[self._head] + self._rr_ms[self._head] / 1000 if self.beats else 0.0

    @property
    def newest_s(self) -> float:
        """End of the newest beat in s; 0 without one."""
        return self._end_s[-1] if self.beats else 0.0

    @property
    def filled_s(self) -> float:
        """Sum in s of all intervals that end in the window and can be one beat."""
        return (self._sum + self._filled_rejected) / _UNIT / 1000

    @property
    def time_s(self) -> float:
        """Time in s that they should fill: the window up to the newest beat, or less where the first beat lies within it."""
        return min(self._window_s, self._end_s[-1] - (self._began_s or 0.0)) if self.beats else 0.0

    @property
    def accepted_pct(self) -> float | None:
        """Percentage of accepted beats in the window."""
        return 100 * self.accepted / self.beats if self.beats else None

    @property
    def mean_rr_ms(self) -> float | None:
        """Mean of the accepted intervals."""
        return self._sum / self.accepted / _UNIT if self.accepted else None

    @property
    def mean_hr_bpm(self) -> float | None:
        """Heart rate corresponding to the mean interval."""
        mean_rr_ms = self.mean_rr_ms
        return 60_000 / mean_rr_ms if mean_rr_ms else None

    @property
    def sdnn_ms(self) -> float | None:
        """Standard deviation of the accepted intervals (n − 1)."""
        if self.accepted < 2:
            return None
        exact = self.accepted * self._squares - self._sum * self._sum
        return sqrt(exact / (self.accepted * (self.accepted - 1))) / _UNIT

    @property
    def rmssd_ms(self) -> float | None:
        """Root mean square of the differences of adjacent accepted intervals."""
        return sqrt(self._diff_squares / self.differences) / _UNIT if self.differences else None

    @property
    def pnn50_pct(self) -> float | None:
        """Percentage of differences over 50 ms; like NeuroKit2, divided by one more than their number."""
        before, after = self._pairs()
        over = int(np.count_nonzero(np.abs(after - before) > _NN50))
        return 100 * over / (after.size + 1) if after.size else None

    @property
    def sd1_ms(self) -> float | None:
        """Spread of the Poincaré plot across its diagonal (Brennan 2001; n − 1)."""
        before, after = self._pairs()
        return float(np.std(after - before, ddof=1)) / sqrt(2) / _UNIT if after.size > 1 else None

    @property
    def sd2_ms(self) -> float | None:
        """Spread of the Poincaré plot along its diagonal (Brennan 2001; n − 1)."""
        before, after = self._pairs()
        return float(np.std(after + before, ddof=1)) / sqrt(2) / _UNIT if after.size > 1 else None

    def _pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the intervals of every two beats whose difference counts, in units: the earlier ones, and the later ones."""
        rr = (np.frombuffer(self._rr_ms[self._head :]) * _UNIT).astype(np.int64)
        linked = np.frombuffer(self._marks[self._head + 1 :], np.uint8) & _LINKED > 0
        return rr[:-1][linked], rr[1:][linked]
