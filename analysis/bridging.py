"""Holes that single artifacts left, filled for the spectrum: what an autoregressive model of the beats around expects there.

Only the spectrum reads through such a hole; no figure of the time domain does. A straight line across it took up to 12 % of LF
away, or added as much, where one beat in a hundred was ectopic.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .runs import Array, Run

BRIDGED_BEATS: Final = 3
"""A couplet with its pause."""
BRIDGED_SHARE: Final = 0.05
_ORDER: Final = 16
_ROUNDS: Final = 2
_RIDGE: Final = 1e-6
"""Of the variance: a tone alone would leave nothing to divide by."""


def stretches(runs: Sequence[Run]) -> list[tuple[Array, Array]]:
    """Beat times (s) and RR (ms) of stretches that a spectrum may read through.

    A hole of at most three rejected beats is bridged, if such holes are at most 5 % of all beats; a gap, where beats were lost,
    never is.
    """
    rejected = sum(run.rejected_before for run in runs if run.rejected_before <= BRIDGED_BEATS)
    accepted = sum(run.rr_ms.size for run in runs)
    bridging = rejected <= BRIDGED_SHARE * (accepted + rejected)
    groups: list[list[Run]] = []
    for run in runs:
        if groups and bridging and not run.gap_before and run.rejected_before <= BRIDGED_BEATS:
            groups[-1].append(run)
        else:
            groups.append([run])
    return [(group[0].end_s, group[0].rr_ms) if len(group) == 1 else _bridged(group) for group in groups]


def _bridged(group: Sequence[Run]) -> tuple[Array, Array]:
    """One stretch of runs with holes between: as many beats in each as its time has room for."""
    times, values, missing = [group[0].end_s], [group[0].rr_ms], [np.zeros(group[0].rr_ms.size, dtype=np.bool_)]
    for before, after in pairwise(group):
        hole_s = after.start_s - float(before.end_s[-1])
        left_ms, right_ms = float(before.rr_ms[-1]), float(after.rr_ms[0])
        beats = max(round(2000 * hole_s / (left_ms + right_ms)), 1)
        times += [float(before.end_s[-1]) + hole_s * np.arange(1, beats + 1) / beats, after.end_s]
        values += [np.linspace(left_ms, right_ms, beats + 2)[1:-1], after.rr_ms]
        missing += [np.ones(beats, dtype=np.bool_), np.zeros(after.rr_ms.size, dtype=np.bool_)]
    return np.concatenate(times), interpolated(np.concatenate(values), np.concatenate(missing))


def interpolated(values: Array, missing: Array) -> Array:
    """Put in for the missing values what an autoregressive model, fitted to all of them, is least surprised by.

    Janssen, Veldhuis & Vries 1986: fit, interpolate, fit anew. `values` holds a first guess where `missing`; a model needs eight
    times its order of them, so that short series get a smaller one.
    """
    mean = float(values.mean())
    x, order = values - mean, min(_ORDER, values.size // 8)
    if order < 2 or not x.any():
        return values
    holes = np.flatnonzero(missing)
    clusters = np.split(holes, np.flatnonzero(np.diff(holes) > order) + 1)
    apart = np.abs(np.subtract.outer(np.arange(order), np.arange(order)))
    padded = np.zeros(x.size + order)
    for _ in range(_ROUNDS):
        padded[: x.size] = x
        lags = sliding_window_view(padded, x.size) @ x
        lags[0] *= 1 + _RIDGE
        filter_ = np.concatenate([[1.0], -np.linalg.solve(lags[apart], lags[1:])])
        weights = np.correlate(filter_, filter_, "full")  # of neighbours up to `order` away in the squared surprise
        known = np.convolve(np.where(missing, 0.0, x), weights)
        coupling = np.append(weights[order:], 0.0)
        for near in clusters:
            far = np.minimum(np.abs(np.subtract.outer(near, near)), order + 1)
            x[near] = np.linalg.solve(coupling[far], -known[near + order])
    filled: Array = x + mean
    return filled
