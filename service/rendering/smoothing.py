"""RMSSD of 10 s as smoothed lines with their spread, unbroken within a phase while values are known."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...analysis.figures import Segment

SEGMENT_S: Final = 10.0
_SMOOTH_S: Final = 30.0
"""SD of the Gaussian kernel that smooths ln RMSSD, in s."""

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SmoothedRun:
    """An unbroken line: times in s, smoothed RMSSD in ms, and the range of about two thirds of the values around it."""

    at_s: Array
    middle_ms: Array
    low_ms: Array
    high_ms: Array


def smoothed(segments: Iterable[Segment]) -> list[SmoothedRun]:
    """Return every unbroken line, in order of time."""
    return [_smooth(run) for run in _runs(segments)]


def _runs(segments: Iterable[Segment]) -> list[list[Segment]]:
    """Return runs of known segments within one phase; a missing one breaks the line."""
    runs: list[list[Segment]] = []
    before: Segment | None = None
    for segment in segments:
        if segment.rmssd_ms is None:
            continue
        joined = before is not None and before.phase == segment.phase and segment.mid_s - before.mid_s < 1.5 * SEGMENT_S
        if not joined:
            runs.append([])
        runs[-1].append(segment)
        before = segment
    return runs


def _smooth(run: list[Segment]) -> SmoothedRun:
    at = np.array([segment.mid_s for segment in run])
    y = np.log([max(segment.rmssd_ms or 0.0, 0.5) for segment in run])
    weight = np.exp(-0.5 * ((at[:, None] - at[None, :]) / _SMOOTH_S) ** 2)
    weight /= weight.sum(axis=1, keepdims=True)
    middle = weight @ y
    spread = np.sqrt(weight @ (y - middle) ** 2)
    return SmoothedRun(at, np.exp(middle), np.exp(middle - spread), np.exp(middle + spread))
