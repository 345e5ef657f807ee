"""Times of a strap's samples on the session's clock: intervals come from the strap's timestamps, the offset from arrival times.

Radio and buffers delay frames and never advance them. So the highest straight line below all delays relates the two clocks: late
batches lie above it and do not bend it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..beats.beat_runs import Array, Bools

_DRIFT: Final = 1e-4
"""Largest difference in rate between two quartz clocks that is followed, in s per s."""
_CLOCK_SET_S: Final = 60.0
"""Gain of a strap's clock on the session's from one frame to the next, above which the strap's clock was set."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One notification of ECG or acceleration."""

    arrival_s: float
    """Arrival on the session's clock."""
    timestamp_ns: int
    """Time of the last sample on the strap's clock."""
    samples: int
    """Number of samples in the frame."""


def sample_times(frames: Sequence[Frame], *, rate_hz: float = 130.0) -> Array:
    """Return the session time in s of every sample, for frames in order of arrival.

    Missing frames leave a hole in the times. Samples of a duplicate frame, and samples that would lie before earlier ones, have
    NaN. Where the strap's clock was set, the two clocks are related anew. True times are earlier by the shortest delay of the
    radio, which cannot be observed; intervals do not depend on it. Raises `ValueError` for a rate that is not positive.
    """
    if not rate_hz > 0:
        raise ValueError("rate_hz must be positive")
    samples = [frame.samples for frame in frames]
    new = _not_duplicate(frames)
    kept = [frame for frame, is_new in zip(frames, new, strict=True) if is_new]
    time_s = np.full(sum(samples), np.nan)
    if kept:
        kept_s = np.concatenate([_era_times(era, rate_hz) for era in _eras(kept)])
        backwards = kept_s[1:] <= np.maximum.accumulate(kept_s)[:-1]
        kept_s[1:][backwards] = np.nan
        time_s[np.repeat(new, samples)] = kept_s
    return time_s


def _not_duplicate(frames: Sequence[Frame]) -> Bools:
    """Return which frames have samples, and a timestamp that no earlier frame had."""
    seen: set[int] = set()
    new = np.zeros(len(frames), dtype=np.bool_)
    for number, frame in enumerate(frames):
        new[number] = frame.samples > 0 and frame.timestamp_ns not in seen
        seen.add(frame.timestamp_ns)
    return new


def _eras(frames: list[Frame]) -> list[list[Frame]]:
    """Split the frames where the strap's clock was set."""
    eras = [[frames[0]]]
    for frame in frames[1:]:
        before = eras[-1][-1]
        step_s = (frame.timestamp_ns - before.timestamp_ns) / 1e9
        if step_s < 0 or step_s - (frame.arrival_s - before.arrival_s) > _CLOCK_SET_S:
            eras.append([])
        eras[-1].append(frame)
    return eras


def _era_times(frames: list[Frame], rate_hz: float) -> Array:
    """Return the session times of all samples between two settings of the strap's clock."""
    origin_ns = frames[0].timestamp_ns
    strap_s = np.array([(frame.timestamp_ns - origin_ns) / 1e9 for frame in frames])
    arrival_s = np.array([frame.arrival_s for frame in frames])
    samples = np.array([frame.samples for frame in frames])
    slope, height = _line_below(strap_s, arrival_s - strap_s)
    last_s = height + (1 + slope) * strap_s
    step_s = np.diff(last_s, prepend=np.nan) / samples
    interval_s = _sample_interval_s(step_s, rate_hz)
    follows = np.abs(step_s - interval_s) * samples < interval_s
    step_s = np.where(follows, step_s, interval_s)
    from_end = np.arange(samples.sum()) - np.repeat(np.cumsum(samples) - 1, samples)
    times: Array = np.repeat(last_s, samples) + from_end * np.repeat(step_s, samples)
    return times


def _sample_interval_s(step_s: Array, rate_hz: float) -> float:
    """Return the true sample interval in s: the median of those within 3 % of the nominal one, which a strap only comes near."""
    likely = step_s[np.abs(step_s * rate_hz - 1) < 0.03]
    return float(np.median(likely)) if likely.size else 1 / rate_hz


def _line_below(x: Array, y: Array) -> tuple[float, float]:
    """Return slope and height of the line below all points that is nearest to them on average, with its slope within `_DRIFT`."""
    hull: list[tuple[float, float]] = []
    for point in zip(x.tolist(), y.tolist(), strict=True):
        while len(hull) > 1 and _cross_product(hull[-2], hull[-1], point) <= 0:
            hull.pop()
        hull.append(point)
    corners = np.array(hull)
    slope = 0.0
    if len(hull) > 1:
        edge = int(np.clip(np.searchsorted(corners[:, 0], x.mean()), 1, len(hull) - 1))
        run, rise = corners[edge] - corners[edge - 1]
        slope = float(np.clip(rise / run, -_DRIFT, _DRIFT))
    return slope, float(np.min(y - slope * x))


def _cross_product(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
