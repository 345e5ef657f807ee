"""Settling: RMSSD that rises by itself after lying down, and how much of that falls between a baseline and a later phase.

Model: ln RMSSD = μ − a·e^(−t/10 min), t from the beginning of the session. Settling phase and baseline tell a little of a;
the rest is what people do. docs/response.md shows the effect.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, sqrt
from typing import Final

import numpy as np

from ..beats.phase_segments import Segments

_TAU_S: Final = 600.0
_DEPTH, _DEPTH_SD = 0.12, 0.15
"""Depth a in people, and its SD."""
_BLOCK_S: Final = 150.0
_OF_SPREAD: Final = 0.12
"""Variance of the mean of a block over that of its 5 s segments: drift makes neighbours alike."""
_LENGTH_S: Final = 5.0
_SHOWN: Final = 1.5
"""Depth over its standard error from which a session counts as still settling."""


@dataclass(frozen=True, slots=True)
class Settling:
    """How deep below its level ln RMSSD began, from the session alone."""

    depth: float
    standard_error: float

    @property
    def shows(self) -> bool:
        """Whether the session itself shows a rise."""
        return self.depth > _SHOWN * self.standard_error

    def between(self, baseline_s: tuple[float, float], phase_s: tuple[float, float]) -> tuple[float, float]:
        """Return the rise of ln RMSSD between two spans (s since lying down) that settling makes in people, and its SD."""
        information = 1 / self.standard_error**2
        weight = information + 1 / _DEPTH_SD**2
        depth = (information * self.depth + _DEPTH / _DEPTH_SD**2) / weight
        left = _mean_left(*baseline_s) - _mean_left(*phase_s)
        return max(depth, 0.0) * left, left / sqrt(weight)


def settling_of(parts: Sequence[Segments], lay_down_s: float) -> Settling:
    """Return how the segments of the settling phase and the baseline rise; `lay_down_s` is the beginning of the session."""
    t_s = np.concatenate([part.mid_s for part in parts]) - lay_down_s
    y = np.concatenate([part.ln_rmssd for part in parts])
    left = np.exp(-t_s / _TAU_S)
    left -= left.mean()
    squares = float(left @ left)
    if t_s.size < 2 or squares <= 0:
        return Settling(0.0, np.inf)
    depth = -float(left @ y) / squares
    spread = float(np.var(y + depth * left))
    noise = max(_OF_SPREAD * spread * _BLOCK_S / _LENGTH_S, 1e-9)
    return Settling(depth, sqrt(noise / squares))


def _mean_left(start_s: float, stop_s: float) -> float:
    """Return the mean of e^(−t/τ) over a span."""
    return _TAU_S / (stop_s - start_s) * (exp(-start_s / _TAU_S) - exp(-stop_s / _TAU_S))
