"""How irregular a stretch of received RR intervals is: a score above 0 where no sinus rhythm is likely to have made it.

A sinus rhythm can swing widely, but its next interval follows from those before: breathing and slow waves are smooth. In atrial
fibrillation the intervals are nearly independent. Four quantities tell the two apart: what an autoregression cannot predict, how
large that is beside the whole spread, the share of turning points (Dash et al. 2009), and RMSSD; each in shares of the median
interval, with single outliers limited, so that an ectopic or missed beat is not an irregular rhythm. Sample entropy
(Lake & Moorman 2011), tried beside them, told no more. docs/artifacts.md reports how often the score is right.
"""

from math import log, sqrt
from typing import Any, Final, NamedTuple

import numpy as np

from ..beats.beat_runs import Array, Bools

ORDER: Final = 6
"""Order of the autoregression."""
FEWEST: Final = 24
"""Fewest intervals that can be judged."""
MOST: Final = 128
"""Number of intervals from which the score is most certain."""
_REACH: Final = 2.0
"""Largest deviation from the median that counts in full, in robust SD."""
_LEAST_SD: Final = 0.01
_FAR: Final = 2.5
"""Deviation, in multiples of that, from which an interval is an ectopic or missed beat: nothing is compared across it."""
_RIDGE: Final = 1e-4
_CALM: Final = 0.035
"""RMSSD as a share of the median interval, with outliers limited, below which nothing else need be looked at."""
SURELY_CALM: Final = -20.0
_TINY: Final = 0.002
_WEIGHTS: Final = (-6.2, 13.0, 19.4, 13.4, -7.0)
"""Log odds, from a logistic regression: docs/artifacts.md tells on what."""


class Features(NamedTuple):
    """The quantities that make the score; sizes are shares of the median interval."""

    unpredicted: float
    """RMS of what the autoregression leaves."""
    share: float
    """The same as a share of the SD."""
    turning: float
    """Share of intervals that are longer or shorter than both neighbours."""
    rmssd: float


def features(rr_ms: Array, linked: Bools) -> Features | None:
    """Return the features of intervals in order; None where too few of them truly followed each other.

    `linked`: whether each interval directly follows the one before; nothing is compared across a gap.
    """
    ordered = np.sort(rr_ms)
    middle = float(ordered[rr_ms.size // 2])
    x = (rr_ms - middle) / middle
    away = np.abs(x)
    reach = _REACH * max(1.4826 * float(np.sort(away)[x.size // 2]), _LEAST_SD)
    follows = linked[1:]
    if float(ordered[-1]) / middle - 1 > _FAR * reach or 1 - float(ordered[0]) / middle > _FAR * reach:
        near = away <= _FAR * reach
        follows = follows & near[1:] & near[:-1]
    x = np.minimum(np.maximum(x, -reach), reach)
    step, raw = x[1:] - x[:-1], rr_ms[1:] - rr_ms[:-1]
    turns = raw[1:] * raw[:-1] < 0
    whole = bool(follows.all())
    if not whole:
        step, turns = step[follows], turns[follows[1:] & follows[:-1]]
    if step.size < FEWEST - 1:
        return None
    rmssd = sqrt(float(step @ step) / step.size)
    if rmssd < _CALM:
        return Features(0.0, 0.0, 0.0, rmssd)
    x -= x.sum() / x.size
    lags = _lags(x, ORDER + 1)
    if not whole:
        lags = lags[:, _lags(follows, ORDER).all(axis=0)]
    rows = lags.shape[1]
    if rows < FEWEST - ORDER or turns.size < FEWEST - 2 * ORDER:
        return None
    moments = lags @ lags.T
    known, wanted, square = moments[:-1, :-1], moments[:-1, -1], float(moments[-1, -1])
    weights = np.linalg.solve(known + _RIDGE * _EYE, wanted)
    left = max(square - 2 * float(weights @ wanted) + float(weights @ known @ weights), 0.0)
    unpredicted = sqrt(left / (rows - ORDER))
    return Features(unpredicted, unpredicted / sqrt(float(x @ x) / x.size), np.count_nonzero(turns) / turns.size, rmssd)


def irregularity(rr_ms: Array, linked: Bools) -> float | None:
    """Return the score of intervals (ms, in order): above 0 where no sinus rhythm is likely; None where too few can be judged."""
    found = features(rr_ms, linked)
    if found is None:
        return None
    return score_of(found)


def score_of(found: Features) -> float:
    """Return the score for features, a log odds."""
    if found.rmssd < _CALM:
        return SURELY_CALM
    at, unpredicted, share, turning, rmssd = _WEIGHTS
    return (
        at
        + unpredicted * log(found.unpredicted + _TINY)
        + share * found.share
        + turning * found.turning
        + rmssd * log(found.rmssd + _TINY)
    )


def _lags(values: Any, width: int) -> Any:
    """Return the values as `width` rows, each one later than the row above."""
    return np.array([values[n : values.size - width + 1 + n] for n in range(width)])


_EYE: Final = np.eye(ORDER)
