"""RMSSD of 10 s made into lines to draw: joined while it is known and within one phase, smoothed, with its spread."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...analysis.figures import Segment

SEGMENT_S: Final = 10.0
_SMOOTH_S: Final = 30.0
"""SD of the Gaussian kernel that smooths ln RMSSD."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Smooth:
    """An unbroken stretch: times in s, RMSSD in ms, and the range of about two thirds of the values around it."""

    at_s: Array
    middle_ms: Array
    low_ms: Array
    high_ms: Array


def smoothed(segments: Iterable[Segment]) -> list[Smooth]:
    """Every stretch in order of time."""
    return [_smooth(stretch) for stretch in _stretches(segments)]


def _stretches(segments: Iterable[Segment]) -> list[list[Segment]]:
    """Runs of known segments within one phase; a missing one opens the line."""
    stretches: list[list[Segment]] = []
    before: Segment | None = None
    for segment in segments:
        if segment.rmssd_ms is None:
            continue
        joined = before is not None and before.phase == segment.phase and segment.mid_s - before.mid_s < 1.5 * SEGMENT_S
        if not joined:
            stretches.append([])
        stretches[-1].append(segment)
        before = segment
    return stretches


def _smooth(stretch: list[Segment]) -> Smooth:
    at = np.array([segment.mid_s for segment in stretch])
    y = np.log([max(segment.rmssd_ms or 0.0, 0.5) for segment in stretch])
    weight = np.exp(-0.5 * ((at[:, None] - at[None, :]) / _SMOOTH_S) ** 2)
    weight /= weight.sum(axis=1, keepdims=True)
    middle = weight @ y
    spread = np.sqrt(weight @ (y - middle) ** 2)
    return Smooth(at, np.exp(middle), np.exp(middle - spread), np.exp(middle + spread))
