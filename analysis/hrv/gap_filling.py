"""Filling of holes left by single artifacts, for the spectrum only, by an autoregressive model of the surrounding beats.

No time-domain figure uses the filled values. With one ectopic beat in a hundred, linear interpolation across the holes changed
LF by up to 12 %.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from ..beats.beat_runs import Array, Bools, Run

BRIDGED_BEATS: Final = 3
"""Rejected beats that a bridged hole may have: a couplet with its pause."""
BRIDGED_SHARE: Final = 0.05
"""Share of all beats up to which holes are bridged."""
_ORDER: Final = 16
"""Largest order of the autoregressive model."""
_TOGETHER: Final = 32
"""Number of missing values up to which all are solved for in one system."""
_RIDGE: Final = 1e-6
"""Regularisation, as a share of the variance: without it a pure tone would make the system singular."""


def bridged_runs(runs: Sequence[Run]) -> list[tuple[Array, Array]]:
    """Return beat times (s) and RR (ms) of the unbroken stretches that a spectrum may use, with short holes bridged.

    A hole of at most three rejected beats is bridged, provided such holes are at most 5 % of all beats; a gap, where beats were
    lost, never is.
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
    """Return runs joined across the holes between them, each hole filled with as many beats as fit into its time."""
    holes: list[tuple[float, float, int]] = []  # start and length in s, beats
    for before, after in pairwise(group):
        start_s = float(before.end_s[-1])
        hole_s = after.start_s - start_s
        around_ms = float(before.rr_ms[-1] + after.rr_ms[0])
        holes.append((start_s, hole_s, max(round(2000 * hole_s / around_ms), 1)))
    size = sum(run.rr_ms.size for run in group) + sum(beats for _, _, beats in holes)
    time_s, rr_ms, missing = np.empty(size), np.empty(size), np.ones(size, dtype=np.bool_)
    at = 0
    for run, (start_s, hole_s, beats) in zip(group, [*holes, (0.0, 0.0, 0)], strict=True):
        until = at + run.rr_ms.size
        time_s[at:until], rr_ms[at:until], missing[at:until] = run.end_s, run.rr_ms, False
        for n in range(beats):
            time_s[until + n] = start_s + hole_s * (n + 1) / beats
        at = until + beats
    places = np.flatnonzero(~missing)
    rr_ms[missing] = np.interp(np.flatnonzero(missing), places, rr_ms[places])
    return time_s, interpolated(rr_ms, missing)


def interpolated(values: Array, missing: Bools) -> Array:
    """Return the series with missing values replaced by those most likely under an autoregressive model of all others.

    Method of Janssen, Veldhuis & Vries 1986; a second fit to the filled series changed no power by 1 %. A model needs eight
    times as many values as its order: a series too short for the smallest is returned unchanged.
    """
    order = min(_ORDER, values.size // 8)
    mean = float(values[~missing].mean())
    known = np.where(missing, 0.0, values - mean)
    if order < 2 or not known.any():
        return values
    lags = np.correlate(np.concatenate([known, np.zeros(order)]), known, "valid")
    lags[0] *= 1 + _RIDGE
    steps = np.arange(order)
    filter_ = np.ones(order + 1)
    filter_[1:] = -np.linalg.solve(lags[np.abs(steps[:, None] - steps)], lags[1:])
    weights = np.zeros(order + 2)  # weight of a neighbour at each distance in the squared prediction error; the last is 0
    weights[:-1] = np.correlate(filter_, filter_, "full")[order:]
    pull = np.convolve(known, np.concatenate([weights[order:0:-1], weights[:-1]]))
    holes = np.flatnonzero(missing)
    filled = values.copy()
    for near in [holes] if holes.size <= _TOGETHER else np.split(holes, np.flatnonzero(np.diff(holes) > order) + 1):
        apart = np.minimum(np.abs(near[:, None] - near), order + 1)
        filled[near] = mean - np.linalg.solve(weights[apart], pull[near + order])
    return filled
