"""Movement, and breathing of a client who lies still, from a strap's acceleration.

Breathing tilts and lifts a strap under a lying client by a few mg: a line in the spectrum along the direction of largest motion
(cf. Bates et al. 2010, who follow the tilt). Movement is the faster part of the vector's length.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from ..beats.beat_runs import Array

_WINDOW_S: Final = 10.0
_SLOW_S: Final = 2.0
"""Length of the moving mean that is subtracted from the vector's length: it holds gravity, posture and breathing."""
_STILL_MG: Final = 12.0
"""Movement up to here is the strap's noise and the heartbeat itself."""
_GRID_HZ: Final = 5.0
_SEGMENT_S: Final = 60.0
_SHORTEST_S: Final = 40.0
"""Three breaths of the slowest breathing."""
_HOLE_S: Final = 1.0
_FFT: Final = 4096
_PER_MIN: Final = np.fft.rfftfreq(_FFT, 1 / _GRID_HZ) * 60
_SEARCH: Final = (_PER_MIN >= 3.9) & (_PER_MIN <= 31.0)
_ALL: Final = (_PER_MIN >= 3.0) & (_PER_MIN <= 60.0)
_CLEAR: Final = 0.60
"""Least share of the power at the peak; in 900 windows of noise alone the share reached 0.58."""
_FAINTEST: Final = 0.1
"""Power of a swing of about 0.05 mg over a minute; anything below is rounding."""

MOVING: Final = "The client moved."
TOO_SHORT: Final = "There are less than 40 s of acceleration in one piece."
UNCLEAR: Final = "No breathing stands out."


@dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """Movement of the client, in windows of 10 s."""

    start_s: Array
    index_mg: Array
    """SD of the vector's length without anything slower than 2 s; NaN where less than half of the window was received."""


def movement_of(samples_mg: ArrayLike, time_s: ArrayLike) -> Movement:
    """Return the movement in samples (n, 3) in mg at ascending times in s, in windows from the first sample on.

    Samples without a time (NaN) are ignored. Raises `ValueError` where the shapes do not match or times do not ascend.
    """
    samples, time = _valid_samples(samples_mg, time_s)
    if time.size < 2:
        return Movement(np.zeros(0), np.zeros(0))
    step_s = float(np.median(np.diff(time)))
    length = np.linalg.norm(samples, axis=1)
    pieces = np.split(length, np.flatnonzero(np.diff(time) > _HOLE_S) + 1)
    fast = np.concatenate([piece - _moving_mean(piece, round(_SLOW_S / step_s)) for piece in pieces])
    window = ((time - time[0]) // _WINDOW_S).astype(np.int64)
    count = np.bincount(window)
    power = np.bincount(window, fast**2) / np.maximum(count, 1)
    index = np.where(count * step_s >= _WINDOW_S / 2, np.sqrt(power), np.nan)
    return Movement(time[0] + _WINDOW_S * np.arange(count.size), index)


def breathing_from(samples_mg: ArrayLike, time_s: ArrayLike) -> tuple[float | None, float, str | None]:
    """Return breaths a minute (4-30), the share of power (0-1) at that rate, and the reason where there is no rate.

    Samples (n, 3) in mg at ascending times in s, best of one or a few minutes: there is one rate for all parts of 40 s or more in
    which the client lay still. Strokes as slow and regular as breathing cannot be told from it. Raises `ValueError` as
    `movement_of` does.
    """
    samples, time = _valid_samples(samples_mg, time_s)
    holes = np.diff(time) > _HOLE_S
    if not _long_parts(time, holes):
        return None, 0.0, TOO_SHORT
    movement = movement_of(samples, time)
    window = ((time - time[0]) // _WINDOW_S).astype(np.int64)
    still = ~(movement.index_mg[window] > _STILL_MG)
    quiet = _long_parts(time, holes | ~still[1:] | ~still[:-1])
    if not quiet:
        return None, 0.0, MOVING
    power = np.mean([_power(samples[part], time[part]) for whole in quiet for part in _segments(time, whole)], axis=0)
    rate, share = _peak(power)
    return (rate, share, None) if rate is not None and share >= _CLEAR else (None, share, UNCLEAR)


def _valid_samples(samples_mg: ArrayLike, time_s: ArrayLike) -> tuple[Array, Array]:
    samples, time = np.asarray(samples_mg, dtype=np.float64), np.asarray(time_s, dtype=np.float64)
    if samples.shape != (*time.shape, 3) or time.ndim != 1:
        raise ValueError("samples_mg must have three columns and a row for each time")
    valid = np.isfinite(time)
    samples, time = samples[valid], time[valid]
    if np.any(np.diff(time) <= 0):
        raise ValueError("time_s must ascend")
    return samples, time


def _moving_mean(values: Array, width: int) -> Array:
    """Return the moving mean over up to `width` values, fewer at the ends."""
    kernel = np.ones(max(1, min(width, values.size)))
    return np.asarray(np.convolve(values, kernel, "same") / np.convolve(np.ones(values.size), kernel, "same"), dtype=np.float64)


def _long_parts(time: Array, cut: ArrayLike) -> list[slice]:
    """Return the parts between cuts (`cut` has one entry a time step) that last long enough."""
    edges = [0, *(np.flatnonzero(cut) + 1).tolist(), time.size]
    return [slice(a, b) for a, b in pairwise(edges) if b > a and time[b - 1] - time[a] >= _SHORTEST_S - 1 / _GRID_HZ]


def _segments(time: Array, whole: slice) -> list[slice]:
    """Return segments of a minute that overlap by half, the last one flush with the end."""
    start_s, end_s = time[whole.start], time[whole.stop - 1]
    starts = [*np.arange(start_s, end_s - _SEGMENT_S, _SEGMENT_S / 2), max(start_s, end_s - _SEGMENT_S)]
    bounds = [np.searchsorted(time, [start, start + _SEGMENT_S], side="left").tolist() for start in starts]
    return [slice(first, min(last, whole.stop)) for first, last in bounds]


def _power(samples: Array, time: Array) -> Array:
    """Return the power on a fixed grid of frequencies, along the direction of largest motion at breathing rates."""
    width = max(1, round(1 / _GRID_HZ / float(np.median(np.diff(time)))))
    grid = np.arange(time[0], time[-1], 1 / _GRID_HZ)
    trend = np.column_stack([np.ones(grid.size), grid - grid.mean()])
    even = np.column_stack([np.interp(grid, time, _moving_mean(axis, width)) for axis in samples.T])
    even -= trend @ np.linalg.lstsq(trend, even, rcond=None)[0]
    taper = np.hanning(grid.size)
    lines = np.fft.rfft(even * taper[:, None], _FFT, axis=0) / np.sqrt(taper @ taper)
    band = lines[_SEARCH]
    direction = np.linalg.eigh((band.conj().T @ band).real)[1][:, -1]
    return np.asarray(np.abs(lines @ direction) ** 2, dtype=np.float64)


def _peak(power: Array) -> tuple[float | None, float]:
    """Return the rate of the highest peak inside the search range, and the share of power at it and its double."""
    candidates = np.flatnonzero(_SEARCH)
    peak = int(candidates[np.argmax(power[candidates])])
    left, height, right = power[peak - 1 : peak + 2]
    total = float(power[_ALL].sum())
    if height <= left or height < right or height < _FAINTEST:
        return None, 0.0
    rate = float(_PER_MIN[peak] + 0.5 * (left - right) / (left - 2 * height + right) * _PER_MIN[1])
    reach = max(2.0, 0.15 * rate)
    near = (np.abs(_PER_MIN - rate) <= reach) | (np.abs(_PER_MIN - 2 * rate) <= reach)
    return rate, float(power[near & _ALL].sum()) / total
