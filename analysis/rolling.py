"""Time-domain HRV of the last seconds, kept up beat by beat in constant time.

Sums are integers in units of 2⁻⁴⁰ ms: adding and taking away again leaves no trace, however long the session.
"""

from array import array
from collections.abc import Iterator
from math import isnan, nan, sqrt
from typing import Final

_UNIT: Final = float(1 << 40)
_NN50_MS: Final = 50.0
_COMPACT_AFTER: Final = 64


class RollingHrv:
    """Window over the last `window_s` seconds, both beats of a difference inside it; figures as NeuroKit2 defines them.

    A figure is None where the window holds too little for it. Times must not run backwards.
    """

    __slots__ = (
        "_diff_ms",
        "_diff_squares",
        "_diff_sum",
        "_end_s",
        "_head",
        "_nn50",
        "_pair_squares",
        "_pair_sum",
        "_rr_ms",
        "_squares",
        "_sum",
        "_window_s",
        "accepted",
        "differences",
    )

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self.clear()

    def clear(self) -> None:
        """Forget every beat."""
        self._end_s, self._rr_ms, self._diff_ms = array("d"), array("d"), array("d")  # NaN: rejected, no difference
        self._head = self.accepted = self.differences = self._nn50 = 0
        self._sum = self._squares = self._diff_sum = self._diff_squares = self._pair_sum = self._pair_squares = 0

    def push(self, end_s: float, rr_ms: float, accepted: bool, diff_ms: float | None) -> None:
        """Take a judged beat; `diff_ms` as in `artifacts.Verdict`."""
        self._end_s.append(end_s)
        self._rr_ms.append(rr_ms if accepted else nan)
        self._diff_ms.append(nan if diff_ms is None or not accepted else diff_ms)
        if accepted:
            self._count_beat(rr_ms, 1)
            if diff_ms is not None:
                self._count_difference(rr_ms, diff_ms, 1)
        self.advance(end_s)

    def advance(self, now_s: float) -> None:
        """Drop the beats that ended `window_s` or longer before `now_s`."""
        ends, head, oldest_s = self._end_s, self._head, now_s - self._window_s
        while head < len(ends) and ends[head] <= oldest_s:
            self._drop_difference(head)
            if not isnan(rr_ms := self._rr_ms[head]):
                self._count_beat(rr_ms, -1)
            head += 1
            self._drop_difference(head)
        if head > _COMPACT_AFTER and 2 * head > len(ends):
            del self._end_s[:head], self._rr_ms[:head], self._diff_ms[:head]
            head = 0
        self._head = head

    def intervals(self) -> Iterator[tuple[float, float]]:
        """Give RR and difference to the beat before, in ms, of each beat in the window; NaN where there is none to count."""
        return zip(self._rr_ms[self._head :], self._diff_ms[self._head :], strict=True)

    @property
    def beats(self) -> int:
        """Beats in the window, rejected ones among them."""
        return len(self._end_s) - self._head

    @property
    def accepted_pct(self) -> float | None:
        """Share of accepted beats in the window."""
        return 100 * self.accepted / self.beats if self.beats else None

    @property
    def mean_rr_ms(self) -> float | None:
        """Mean of the accepted intervals."""
        return self._sum / self.accepted / _UNIT if self.accepted else None

    @property
    def mean_hr_bpm(self) -> float | None:
        """Heart rate that belongs to the mean interval."""
        mean_rr_ms = self.mean_rr_ms
        return 60_000 / mean_rr_ms if mean_rr_ms else None

    @property
    def sdnn_ms(self) -> float | None:
        """Standard deviation of the accepted intervals (n − 1)."""
        return _deviation(self.accepted, self._sum, self._squares)

    @property
    def rmssd_ms(self) -> float | None:
        """Root mean square of the differences of adjacent accepted intervals."""
        return sqrt(self._diff_squares / self.differences) / _UNIT if self.differences else None

    @property
    def pnn50_pct(self) -> float | None:
        """Share of differences over 50 ms; NeuroKit2 divides by one more than there are."""
        return 100 * self._nn50 / (self.differences + 1) if self.differences else None

    @property
    def sd1_ms(self) -> float | None:
        """Spread of the Poincaré plot across its diagonal (Brennan 2001; n − 1)."""
        deviation = _deviation(self.differences, self._diff_sum, self._diff_squares)
        return None if deviation is None else deviation / sqrt(2)

    @property
    def sd2_ms(self) -> float | None:
        """Spread of the Poincaré plot along its diagonal (Brennan 2001; n − 1)."""
        deviation = _deviation(self.differences, self._pair_sum, self._pair_squares)
        return None if deviation is None else deviation / sqrt(2)

    def _count_beat(self, rr_ms: float, sign: int) -> None:
        x = int(rr_ms * _UNIT)
        self.accepted += sign
        self._sum += sign * x
        self._squares += sign * x * x

    def _count_difference(self, rr_ms: float, diff_ms: float, sign: int) -> None:
        d = int(diff_ms * _UNIT)
        pair = 2 * int(rr_ms * _UNIT) - d
        self.differences += sign
        self._diff_sum += sign * d
        self._diff_squares += sign * d * d
        self._pair_sum += sign * pair
        self._pair_squares += sign * pair * pair
        if abs(diff_ms) > _NN50_MS:
            self._nn50 += sign

    def _drop_difference(self, at: int) -> None:
        if at < len(self._diff_ms) and not isnan(diff_ms := self._diff_ms[at]):
            self._count_difference(self._rr_ms[at], diff_ms, -1)
            self._diff_ms[at] = nan


def _deviation(count: int, total: int, squares: int) -> float | None:
    """Standard deviation (n − 1) in ms, from exact sums."""
    if count < 2:
        return None
    return sqrt((count * squares - total * total) / (count * (count - 1))) / _UNIT
