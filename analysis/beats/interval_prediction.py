"""Prediction of the next RR interval: a second-order autoregression on accepted differences, with robust scales.

Everything is updated beat by beat in constant time and memory; residuals are Student-t with 6 degrees of freedom, so that a
single jump affects neither the scale nor the prediction for long.
"""

from math import log, sqrt
from typing import Final

SHORTEST_MS: Final = 250.0
LONGEST_MS: Final = 2500.0
"""Limits of a normal interval."""

_DF: Final = 6
_LEAST_SCALE: Final = 0.019
_GREATEST_SCALE: Final = 0.12
"""Limits of the scales, as fractions of the interval."""
_FIRST_SCALE: Final = 0.05
_CLIP: Final = 2.0
"""Largest difference used in the prediction, in scales of the differences."""
_INFLATE: Final = 0.6
_FARTHEST: Final = 6
"""The scale grows by `_INFLATE` for each beat since the last accepted one, up to `_FARTHEST` beats."""
_FORGET: Final = 0.96
_RIDGE: Final = 3
_MEMORY: Final = 60
"""Beats after which the scales stop adapting faster."""


RhythmState = tuple[float, float, float, int]
"""Last accepted or imputed interval and last two differences, newest first (ms); number of beats since the last accepted one."""


class RhythmModel:
    """A predictor of the next interval and its spread, learnt from accepted intervals."""

    __slots__ = ("_c11", "_c12", "_c22", "_g1", "_g2", "_seen", "a1", "a2", "diff_scale_ms", "scale_ms", "state")

    def __init__(self) -> None:
        self.state: RhythmState = (0.0, 0.0, 0.0, 0)
        self.scale_ms = self.diff_scale_ms = 0.0  # of the residuals of the prediction; of the differences
        self._seen = 0
        self.a1 = self.a2 = 0.0  # coefficients of the autoregression, and its weighted normal equations
        self._c11 = self._c12 = self._c22 = self._g1 = self._g2 = 0.0

    @property
    def locked(self) -> bool:
        """Whether the model has a starting interval."""
        return self.state[0] > 0

    @classmethod
    def between(cls, before: "RhythmModel | None", after: "RhythmModel | None") -> "RhythmModel | None":
        """Return the average of the models learnt on both sides, or the only one; its state is that of `before`."""
        one, other = before or after, after or before
        if one is None or other is None:
            return None
        average = cls()
        average.state = one.state
        average.scale_ms = sqrt(one.scale_ms * other.scale_ms)
        average.diff_scale_ms = sqrt(one.diff_scale_ms * other.diff_scale_ms)
        average.a1, average.a2 = (one.a1 + other.a1) / 2, (one.a2 + other.a2) / 2
        return average

    def lock(self, rr_ms: float) -> None:
        """Start from an interval in ms that is likely to be normal."""
        self.state = (rr_ms, *self.state[1:3], 1)
        self.scale_ms = self.diff_scale_ms = _FIRST_SCALE * rr_ms

    def predict(self, rr_ms: float, d1_ms: float, d2_ms: float) -> float:
        """Return the expected interval in ms after `rr_ms` and the last two differences, newest first."""
        t = _CLIP * self.diff_scale_ms
        if not -t <= d1_ms <= t:
            d1_ms = t if d1_ms > 0 else -t
        if not -t <= d2_ms <= t:
            d2_ms = t if d2_ms > 0 else -t
        expected = rr_ms + self.a1 * d1_ms + self.a2 * d2_ms
        low, high = 0.75 * rr_ms, 1.33 * rr_ms
        if low <= expected <= high:
            return expected
        return low if expected < low else high

    def follow(self, rr_ms: float, next_ms: float, scales: float, *, steady: bool) -> bool:
        """Learn an interval if it and the next both lie within `scales` scales of their predictions; return whether it did."""
        last_ms, d1_ms, d2_ms, since_accepted = self.state
        if since_accepted or not SHORTEST_MS <= rr_ms <= LONGEST_MS:
            return False
        reach, diff_ms = scales * self.scale_ms, rr_ms - last_ms
        residual_ms = rr_ms - self.predict(last_ms, d1_ms, d2_ms)
        if not -reach < residual_ms < reach or not -reach < next_ms - self.predict(rr_ms, diff_ms, d1_ms) < reach:
            return False
        self._adapt(rr_ms, residual_ms, diff_ms, steady=steady)
        return True

    def negative_log_density(self, residual_ms: float, since_accepted: int, widen: float = 1.0) -> float:
        """Return the negative log density of a residual, `since_accepted` beats after the last accepted one."""
        s = widen * self.scale_ms
        if since_accepted:
            s *= 1 + _INFLATE * (min(_FARTHEST, since_accepted))
        return 0.96 + log(s) + (_DF + 1) / 2 * log(1 + residual_ms * residual_ms / (_DF * s * s))

    def learn(self, rr_ms: float, *, steady: bool) -> None:
        """Learn an accepted interval; the autoregression itself is updated only where the rhythm is `steady`."""
        last_ms, d1_ms, d2_ms, since_accepted = self.state
        if since_accepted:
            self.state = (rr_ms, 0.0, 0.0, 0)
        else:
            self._adapt(rr_ms, rr_ms - self.predict(last_ms, d1_ms, d2_ms), rr_ms - last_ms, steady=steady)

    def _adapt(self, rr_ms: float, residual_ms: float, diff_ms: float, *, steady: bool) -> None:
        """Learn an accepted interval that follows an accepted one."""
        _, d1_ms, d2_ms, _ = self.state
        seen = self._seen
        if seen < _MEMORY:
            self._seen = seen = seen + 1
        rate, s2, v2 = 1 / (seen + 4), self.scale_ms * self.scale_ms, self.diff_scale_ms * self.diff_scale_ms
        weight = (_DF + 1) / (_DF + residual_ms * residual_ms / s2)
        diff_weight = (_DF + 1) / (_DF + diff_ms * diff_ms / v2)
        least_ms, most_ms = _LEAST_SCALE * rr_ms, _GREATEST_SCALE * rr_ms
        scale_ms = sqrt(s2 + rate * (weight * residual_ms * residual_ms - s2))
        self.scale_ms = least_ms if scale_ms < least_ms else min(scale_ms, most_ms)
        diff_scale_ms = sqrt(v2 + rate * (diff_weight * diff_ms * diff_ms - v2))
        self.diff_scale_ms = max(diff_scale_ms, least_ms)
        if steady:
            # least squares of the difference on the two before it, with exponential forgetting and a ridge towards no change
            c11 = self._c11 = _FORGET * self._c11 + weight * d1_ms * d1_ms
            c12 = self._c12 = _FORGET * self._c12 + weight * d1_ms * d2_ms
            c22 = self._c22 = _FORGET * self._c22 + weight * d2_ms * d2_ms
            g1 = self._g1 = _FORGET * self._g1 + weight * diff_ms * d1_ms
            g2 = self._g2 = _FORGET * self._g2 + weight * diff_ms * d2_ms
            ridge = _RIDGE * self.diff_scale_ms * self.diff_scale_ms
            a, c = c11 + ridge, c22 + ridge
            determinant = a * c - c12 * c12
            self.a1 = (g1 * c - g2 * c12) / determinant
            self.a2 = (g2 * a - g1 * c12) / determinant
        self.state = (rr_ms, diff_ms, d1_ms if diff_ms else 0.0, 0)
