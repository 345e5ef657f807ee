"""Slow wander of ln RMSSD at rest: how far two quiet phases differ by it, given their lengths and the time between them.

Model: a random walk beside the drift of `drift`. The means of two phases of b and m minutes, g minutes apart, then differ with a
variance of rate·(b/3 + g + m/3), and of two minutes more that do not wait for time to pass. The rate is that of the session
itself: hearts that vary much within a phase also wander much between phases. It was fitted to what heart rate and breathing leave
unexplained in quiet hours of real people (docs/response.md).
"""

from collections.abc import Sequence
from math import sqrt
from typing import Final

import numpy as np

from ..beats.beat_runs import Array
from ..beats.phase_segments import Segments

USUAL_RATE: Final = 0.037**2
"""Variance of ln RMSSD a minute that is allowed for people in general."""
_OF_SPREAD: Final = 0.075**2
"""Rate per unit variance of the segments within the phases."""
_OF_BLOCKS: Final = 0.19**2
"""Rate per mean squared difference of adjacent blocks of one phase, beyond what drift puts into it."""
_DRIFT_IN_BLOCKS: Final = 0.25
"""Share of the drift's variance that is taken off: the drift as fitted holds some of the wander."""
_AT_ONCE_MIN: Final = 2.0
"""Minutes of wander between any two phases, however close."""
_BLOCK_S: Final = 150.0
_FEWEST: Final = 15
"""Segments of 5 s that a block needs, half of all."""
_APPROACH_S: Final = 150.0
_LONG_S: Final = 590.0
"""Length from which a phase is long enough to tell its approach to a new level, as in `drift`."""
_HALF_S: Final = 2.5
"""Half of a segment's length."""


def minutes_of_wander(before: Segments, after: Segments) -> float:
    """Return the minutes of wander that the difference of two phases' means holds: b/3 + g + m/3, and two."""
    apart_s = float(after.mid_s[0] - before.mid_s[-1]) - 2 * _HALF_S
    return minutes_between(_length_s(before), _length_s(after), apart_s)


def minutes_between(base_s: float, phase_s: float, apart_s: float) -> float:
    """Return the same from the phases' lengths and the time between them, in s."""
    return _AT_ONCE_MIN + (base_s / 3 + max(apart_s, 0.0) + phase_s / 3) / 60


def rate_of_wander(phases: Sequence[Segments], drift_sd: float) -> float:
    """Return the variance of ln RMSSD a minute by which this session wanders, from the limited segments of its phases.

    `phases`: the baseline, the phase compared with it last, and those between. `drift_sd`: SD of the change between the two that
    drift alone makes.
    """
    phases = [phases[0], *map(_without_approach, phases[1:])]
    count = sum(part.ln_rmssd.size for part in phases)
    spread = sum(float(part.ln_rmssd.var()) * part.ln_rmssd.size for part in phases) / count
    steps = np.concatenate([_block_steps(part) for part in phases])
    if not steps.size:
        return USUAL_RATE
    of_drift = 2 * drift_sd**2 / sum(_BLOCK_S / _length_s(part) for part in (phases[0], phases[-1]))
    return _OF_SPREAD * spread + _OF_BLOCKS * max(float(np.mean(steps**2)) - _DRIFT_IN_BLOCKS * of_drift, 0.0)


def wander_sd(phases: Sequence[Segments], drift_sd: float, scale: float = 1.0) -> float:
    """Return the SD by which the last of the phases differs from the first through slow wander; see `rate_of_wander`.

    `scale`: the client's own variance over that of people in general (`resting_response.wander_scale`).
    """
    return sqrt(scale * rate_of_wander(phases, drift_sd) * minutes_of_wander(phases[0], phases[-1]))


def _length_s(phase: Segments) -> float:
    return float(phase.mid_s[-1] - phase.mid_s[0]) + 2 * _HALF_S


def _without_approach(phase: Segments) -> Segments:
    """Return a long phase without its approach to a new level, which is no wander but what the phase did."""
    if _length_s(phase) < _LONG_S:
        return phase
    approach = np.exp(-(phase.mid_s - phase.mid_s[0]) / _APPROACH_S)
    approach -= approach.mean()
    height = float(approach @ phase.ln_rmssd) / float(approach @ approach)
    return phase._replace(ln_rmssd=phase.ln_rmssd - height * approach)


def _block_steps(phase: Segments) -> Array:
    """Return the differences between the means of adjacent blocks of a phase."""
    at = ((phase.mid_s - phase.mid_s[0]) // _BLOCK_S).astype(np.int64)
    counts = np.bincount(at)
    means = np.bincount(at, phase.ln_rmssd)[counts >= _FEWEST] / counts[counts >= _FEWEST]
    steps: Array = np.diff(means)
    return steps
