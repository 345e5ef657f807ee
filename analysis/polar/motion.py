"""Movement, and breathing while lying still, from a strap's acceleration.

Breathing tilts and lifts a strap under a lying client by a few mg: a line in the spectrum along the direction that moves most
(cf. Bates et al. 2010, who follow the tilt). Movement is what is quicker, in the vector's length.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from ..beats.beat_runs import Array

_WINDOW_S: Final = 10.0
_SLOW_S: Final = 2.0
"""A moving mean over this long takes gravity, posture and breathing out of the vector's length."""
_STILL_MG: Final = 12.0
"""Movement up to here is the strap's noise and the heart's own knock."""
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
"""Share of the power that the peak must hold; in 900 windows of noise alone it held up to 0.58."""
_FAINTEST: Final = 0.1
"""Power of a swing of about 0.05 mg over a minute: below is rounding."""

MOVING: Final = "The client moved."
TOO_SHORT: Final = "There are less than 40 s of acceleration in one piece."
UNCLEAR: Final = "No breathing stands out."


@dataclass(frozen=True, slots=True, eq=False)
class Movement:
    """How much the client moved, in windows of 10 s."""

    start_s: Array
    index_mg: Array
    """SD of the vector's length without what is slower than 2 s; NaN where less than half of the window was received."""


def movement_of(samples_mg: ArrayLike, time_s: ArrayLike) -> Movement:
    """Movement of samples (n, 3) in mg at ascending times, from the first one on; samples without a time (NaN) are left out.

    Raises ValueError for shapes that do not fit, or times that run backwards.
    """
    samples, time = _checked(samples_mg, time_s)
    if time.size < 2:
        return Movement(np.zeros(0), np.zeros(0))
    step_s = float(np.median(np.diff(time)))
    length = np.linalg.norm(samples, axis=1)
    pieces = np.split(length, np.flatnonzero(np.diff(time) > _HOLE_S) + 1)
    quick = np.concatenate([piece - _smooth(piece, round(_SLOW_S / step_s)) for piece in pieces])
    window = ((time - time[0]) // _WINDOW_S).astype(np.int64)
    count = np.bincount(window)
    power = np.bincount(window, quick**2) / np.maximum(count, 1)
    index = np.where(count * step_s >= _WINDOW_S / 2, np.sqrt(power), np.nan)
    return Movement(time[0] + _WINDOW_S * np.arange(count.size), index)


def breathing_from(samples_mg: ArrayLike, time_s: ArrayLike) -> tuple[float | None, float, str | None]:
    """Breaths a minute (4-30), the share of power 0-1 that speaks for it, and a reason where there is no rate.

    Samples (n, 3) in mg at ascending times, best one minute or a few: the rate is one for all stretches of 40 s or more in
    which the client lay still. Strokes as slow and regular as breathing look like it. Raises ValueError as `movement_of`.
    """
    samples, time = _checked(samples_mg, time_s)
    holes = np.diff(time) > _HOLE_S
    received = _stretches(time, holes)
    if not received:
        return None, 0.0, TOO_SHORT
    movement = movement_of(samples, time)
    window = ((time - time[0]) // _WINDOW_S).astype(np.int64)
    still = ~(movement.index_mg[window] > _STILL_MG)
    quiet = _stretches(time, holes | ~still[1:] | ~still[:-1])
    if not quiet:
        return None, 0.0, MOVING
    power = np.mean([_power(samples[part], time[part]) for whole in quiet for part in _segments(time, whole)], axis=0)
    rate, share = _peak(power)
    return (rate, share, None) if rate is not None and share >= _CLEAR else (None, share, UNCLEAR)


def _checked(samples_mg: ArrayLike, time_s: ArrayLike) -> tuple[Array, Array]:
    samples, time = np.asarray(samples_mg, dtype=np.float64), np.asarray(time_s, dtype=np.float64)
    if samples.shape != (*time.shape, 3) or time.ndim != 1:
        raise ValueError("samples_mg must have three columns and a row for each time")
    told = np.isfinite(time)
    samples, time = samples[told], time[told]
    if np.any(np.diff(time) <= 0):
        raise ValueError("time_s must ascend")
    return samples, time


def _smooth(values: Array, width: int) -> Array:
    """Moving mean over up to `width` values, fewer at the ends."""
    over = np.ones(max(1, min(width, values.size)))
    return np.asarray(np.convolve(values, over, "same") / np.convolve(np.ones(values.size), over, "same"), dtype=np.float64)


def _stretches(time: Array, cut: ArrayLike) -> list[slice]:
    """Samples between cuts (one entry for each step in time), where they last long enough."""
    edges = [0, *(np.flatnonzero(cut) + 1).tolist(), time.size]
    return [slice(a, b) for a, b in pairwise(edges) if b > a and time[b - 1] - time[a] >= _SHORTEST_S - 1 / _GRID_HZ]


def _segments(time: Array, whole: slice) -> list[slice]:
    """Halfway overlapping parts of a minute, the last one flush with the end."""
    start_s, end_s = time[whole.start], time[whole.stop - 1]
    starts = [*np.arange(start_s, end_s - _SEGMENT_S, _SEGMENT_S / 2), max(start_s, end_s - _SEGMENT_S)]
    bounds = [np.searchsorted(time, [start, start + _SEGMENT_S], side="left").tolist() for start in starts]
    return [slice(first, min(last, whole.stop)) for first, last in bounds]


def _power(samples: Array, time: Array) -> Array:
    """Spectrum on a fixed grid of frequencies, along the direction that moves most at the rates of breathing."""
    width = max(1, round(1 / _GRID_HZ / float(np.median(np.diff(time)))))
    grid = np.arange(time[0], time[-1], 1 / _GRID_HZ)
    trend = np.column_stack([np.ones(grid.size), grid - grid.mean()])
    even = np.column_stack([np.interp(grid, time, _smooth(axis, width)) for axis in samples.T])
    even -= trend @ np.linalg.lstsq(trend, even, rcond=None)[0]
    taper = np.hanning(grid.size)
    lines = np.fft.rfft(even * taper[:, None], _FFT, axis=0) / np.sqrt(taper @ taper)
    band = lines[_SEARCH]
    direction = np.linalg.eigh((band.conj().T @ band).real)[1][:, -1]
    return np.asarray(np.abs(lines @ direction) ** 2, dtype=np.float64)


def _peak(power: Array) -> tuple[float | None, float]:
    """Rate of the highest inner peak, and the share of power at it and its double."""
    within = np.flatnonzero(_SEARCH)
    top = int(within[np.argmax(power[within])])
    left, here, right = power[top - 1 : top + 2]
    everything = float(power[_ALL].sum())
    if here <= left or here < right or here < _FAINTEST:
        return None, 0.0
    rate = float(_PER_MIN[top] + 0.5 * (left - right) / (left - 2 * here + right) * _PER_MIN[1])
    reach = max(2.0, 0.15 * rate)
    near = (np.abs(_PER_MIN - rate) <= reach) | (np.abs(_PER_MIN - 2 * rate) <= reach)
    return rate, float(power[near & _ALL].sum()) / everything
