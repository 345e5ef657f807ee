"""The step to which a sensor rounds the times of its beats, and what that does to RMSSD."""

from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

_GRIDS_S: Final = (1 / 100, 1 / 125, 1 / 128, 1 / 200, 1 / 250, 1 / 256)
"""Steps of sensors that are coarser than 1/1024 s, coarsest first."""
_ON_STEP: Final = 0.99
_LEAST_DISTINCT: Final = 5
"""Different intervals that it takes to know the step of their grid."""
_MOST_ADDED: Final = 0.08
"""Largest share of the mean square that rounding may have added: what it leaves to chance is then below 1.5 % of the RMSSD of
5 min, and below a third of what chance leaves anyway."""


def step_of(rr: NDArray[np.float64], unit_s: float) -> float:
    """Return the step in s of the grid on which intervals lie, in whole units of `unit_s`; 0 where it is no coarser than they."""
    for step_s in _GRIDS_S:
        if np.unique(np.rint(rr * (unit_s / step_s))).size < _LEAST_DISTINCT:
            continue
        off = np.abs(rr * (unit_s / step_s) - np.rint(rr * (unit_s / step_s))) * (step_s / unit_s)
        if np.mean(off <= 0.5 + 1e-6) >= _ON_STEP:
            return step_s
    return 0.0


def without_rounding(rmssd_ms: float, step_s: float) -> float | None:
    """Return RMSSD in ms without what rounding the times of beats to a step (s) adds to it; None where that is too much of it.

    Rounding errors are uniform and independent, and three beats make a difference: they add step² / 2 to its mean square.
    """
    added = (1000 * step_s) ** 2 / 2
    square = rmssd_ms**2 - added
    return sqrt(square) if added <= _MOST_ADDED * square else None
