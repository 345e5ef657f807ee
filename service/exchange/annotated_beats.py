"""Intervals between annotated beats: one beside a beat that is not normal is no heartbeat, and a long one holds lost beats."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from .packet_reconstruction import Interval

_LOST_S, _LOST_RATIO = 3.0, 2.5
"""Steps between beats that are longer than both, the second in middle steps, hold lost beats."""


class AnnotatedBeat(NamedTuple):
    """A beat as somebody has annotated it."""

    t: float
    """Time in s."""
    normal: bool
    disturbed: bool = False
    """Whether something between the beat before and this one says that beats cannot be told there."""


def between_beats(beats: Sequence[AnnotatedBeat]) -> list[Interval]:
    """Return the intervals between beats, which are in order of time."""
    steps = [after.t - before.t for before, after in pairwise(beats) if after.t > before.t]
    lost_s = max(_LOST_S, _LOST_RATIO * median(steps)) if steps else 0.0
    intervals: list[Interval] = []
    gap = False
    for before, after in pairwise(beats):
        step_s = after.t - before.t
        if step_s <= 0:
            continue
        if step_s > lost_s:
            gap = bool(intervals)
            continue
        doubted = after.disturbed or not (before.normal and after.normal)
        intervals.append(Interval(after.t, 1000 * step_s, gap, doubted))
        gap = False
    return intervals
