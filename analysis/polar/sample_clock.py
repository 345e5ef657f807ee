"""When each sample of a strap was taken, on the session's clock: the strap counts its own time, arrival only anchors it.

Radio and buffers delay frames and never hasten them. So the straight line under all delays, as high as it can lie, joins the two
clocks: late batches stand above it and do not bend it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..beats.beat_runs import Array, Bools

_DRIFT: Final = 1e-4
"""Largest difference in rate between two quartz clocks that is followed, s a s."""
_CLOCK_SET_S: Final = 60.0
"""A strap's clock that gains so much on ours from one frame to the next was set."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One notification of ECG or acceleration."""

    arrival_s: float
    """On the session's clock."""
    timestamp_ns: int
    """The strap's time of the last sample."""
    samples: int


def sample_times(frames: Sequence[Frame], *, rate_hz: float = 130.0) -> Array:
    """Session time in s of every sample of frames in order of arrival, one after the other.

    Missing frames leave a hole in the times. A frame that came twice, or is empty, adds nothing new: its samples have NaN, and so
    have samples that would lie before earlier ones. Where the strap's clock was set anew the anchoring begins anew. True times
    are earlier by the shortest delay of the radio, which nobody can see; intervals do not depend on it. Raises ValueError for a
    rate that is not positive.
    """
    if not rate_hz > 0:
        raise ValueError("rate_hz must be positive")
    samples = [frame.samples for frame in frames]
    new = _new(frames)
    kept = [frame for frame, is_new in zip(frames, new, strict=True) if is_new]
    time_s = np.full(sum(samples), np.nan)
    if kept:
        told_s = np.concatenate([_era(era, rate_hz) for era in _eras(kept)])
        back = told_s[1:] <= np.maximum.accumulate(told_s)[:-1]
        told_s[1:][back] = np.nan
        time_s[np.repeat(new, samples)] = told_s
    return time_s


def _new(frames: Sequence[Frame]) -> Bools:
    seen: set[int] = set()
    new = np.zeros(len(frames), dtype=np.bool_)
    for number, frame in enumerate(frames):
        new[number] = frame.samples > 0 and frame.timestamp_ns not in seen
        seen.add(frame.timestamp_ns)
    return new


def _eras(frames: list[Frame]) -> list[list[Frame]]:
    """Frames between two settings of the strap's clock."""
    eras = [[frames[0]]]
    for frame in frames[1:]:
        before = eras[-1][-1]
        step_s = (frame.timestamp_ns - before.timestamp_ns) / 1e9
        if step_s < 0 or step_s - (frame.arrival_s - before.arrival_s) > _CLOCK_SET_S:
            eras.append([])
        eras[-1].append(frame)
    return eras


def _era(frames: list[Frame], rate_hz: float) -> Array:
    """Session times of all samples of one era."""
    origin_ns = frames[0].timestamp_ns
    strap_s = np.array([(frame.timestamp_ns - origin_ns) / 1e9 for frame in frames])
    arrival_s = np.array([frame.arrival_s for frame in frames])
    samples = np.array([frame.samples for frame in frames])
    slope, height = _floor(strap_s, arrival_s - strap_s)
    last_s = height + (1 + slope) * strap_s
    step_s = np.diff(last_s, prepend=np.nan) / samples
    usual_s = _usual(step_s, rate_hz)
    follows = np.abs(step_s - usual_s) * samples < usual_s
    step_s = np.where(follows, step_s, usual_s)
    from_end = np.arange(samples.sum()) - np.repeat(np.cumsum(samples) - 1, samples)
    times: Array = np.repeat(last_s, samples) + from_end * np.repeat(step_s, samples)
    return times


def _usual(step_s: Array, rate_hz: float) -> float:
    """The true sample interval in s: the median of those within 3 % of the rate, for a strap's rate is not quite the nominal."""
    likely = step_s[np.abs(step_s * rate_hz - 1) < 0.03]
    return float(np.median(likely)) if likely.size else 1 / rate_hz


def _floor(x: Array, y: Array) -> tuple[float, float]:
    """Slope and height of the line below all points that is nearest to them on average, its slope within the drift allowed."""
    hull: list[tuple[float, float]] = []
    for point in zip(x.tolist(), y.tolist(), strict=True):
        while len(hull) > 1 and _turn(hull[-2], hull[-1], point) <= 0:
            hull.pop()
        hull.append(point)
    corners = np.array(hull)
    slope = 0.0
    if len(hull) > 1:
        edge = int(np.clip(np.searchsorted(corners[:, 0], x.mean()), 1, len(hull) - 1))
        run, rise = corners[edge] - corners[edge - 1]
        slope = float(np.clip(rise / run, -_DRIFT, _DRIFT))
    return slope, float(np.min(y - slope * x))


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
