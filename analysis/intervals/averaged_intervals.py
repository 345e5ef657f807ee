"""Intervals that are no beats: running means of several, or computed from a heart rate.

Means of n beats have a spectrum with holes at the multiples of 1/n; intervals computed from a heart rate lie on the grid of whole
beats a minute.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...sensors.model import RR_UNIT_S

_MEANS: Final = range(5, 17)
_SHALLOW: Final = 1.2
"""Natural logarithm of the power between the holes (their median) over that in them, from which intervals are means."""
_DEEP: Final = 1.25
"""Largest size of the natural logarithm of the power in the holes over that of the rounding to whole units."""
_SLOWER: Final = 1.0
"""Natural logarithm of the power of slow changes over that between the holes: a mean leaves slow changes as they are."""
_LEAST_CHANGE: Final = 4.6
"""Root mean square of the differences, in units, below which rounding hides whether intervals are means."""
_SAME_LOOKS: Final = 3
"""Looks that have to find means of about the same number of beats."""
_ON_RATE_GRID: Final = 0.97
_LEAST_RATES: Final = 3
_FASTEST_BPM: Final = 120
"""Mean rate up to which the intervals of whole beats a minute are far enough apart to tell."""
_COARSE: Final = 0.02
"""Share of intervals off a grid of two units from which the grid is one unit."""


def why_no_beats(rr: NDArray[np.float64], means: Sequence[int]) -> str | None:
    """Return why consecutive intervals, in 1/1024 s, are not those of beats; None where they may be.

    `means`: what `mean_of` found in the last looks, 0 for nothing.
    """
    rates = np.rint(60 / RR_UNIT_S / rr)
    on_grid = np.abs(60 / RR_UNIT_S / rates - rr) < 1
    if rates.mean() < _FASTEST_BPM and on_grid.mean() >= _ON_RATE_GRID and np.unique(rates).size >= _LEAST_RATES:
        return "its intervals are those of whole beats a minute: they are computed from the heart rate"
    for over in filter(None, means):
        if sum(abs(one - over) <= over // 8 for one in means) >= _SAME_LOOKS:
            return f"its intervals are means of about {over} beats"
    return None


def mean_of(rr: NDArray[np.float64]) -> int | None:
    """Return over how many beats consecutive intervals, in whole units, are running means; None where they seem to be none.

    In the spectrum of a mean of n, nothing but the rounding is left at the multiples of 1/n cycles a beat.
    """
    change = np.diff(rr)
    if np.mean(rr % 2 != 0) < _COARSE or np.mean(change**2) < _LEAST_CHANGE**2:
        return None
    plan = _plan(change.size // 2)
    log_power = np.log(_power(change, plan.window) / plan.rounding + 1e-9)
    at_holes, at_lobes = (np.interp(at, plan.frequency, log_power) for at in (plan.holes, plan.lobes))
    hole = np.add.reduceat(at_holes, plan.hole_starts) / plan.hole_counts
    slow = np.cumsum(log_power)[plan.slow - 1]
    slow = (slow - log_power[0]) / (plan.slow - 1)
    possible = (np.abs(hole) < _DEEP) & (slow - np.maximum.reduceat(at_lobes, plan.lobe_starts) > _SLOWER)
    if not possible.any():
        return None
    middle = [float(np.median(part)) for part in np.split(at_lobes, plan.lobe_starts[1:])]
    depths = [(middle[k] - float(hole[k]), n) for k, n in enumerate(_MEANS) if possible[k]]
    depth, n = max(depths)
    return n if depth > _SHALLOW else None


class _Plan(NamedTuple):
    """Precomputed arrays for spectra of one length; holes and lobes of all means, one after the other."""

    window: NDArray[np.float64]
    frequency: NDArray[np.float64]
    rounding: NDArray[np.float64]
    """Power that rounding to whole units leaves in the differences."""
    holes: NDArray[np.float64]
    lobes: NDArray[np.float64]
    hole_starts: NDArray[np.int64]
    lobe_starts: NDArray[np.int64]
    hole_counts: NDArray[np.int64]
    """Where those of each mean begin, and how many holes they are."""
    slow: NDArray[np.int64]
    """Number of frequencies that count as slow changes, with 0, for each mean."""


@cache
def _plan(size: int) -> _Plan:
    frequency = np.fft.rfftfreq(size).astype(np.float64)
    rounding = (2 * np.sin(np.pi * np.maximum(frequency, frequency[1] / 2))) ** 2 / 12
    holes = [np.arange(1, n // 2 + 1) / n for n in _MEANS]
    lobes = [np.minimum((np.arange(1, (n + 1) // 2) + 0.5) / n, 0.5) for n in _MEANS]
    hole_counts, lobe_counts = (np.array([part.size for part in parts]) for parts in (holes, lobes))
    slow = np.array([np.count_nonzero(frequency < 0.7 / n) for n in _MEANS])
    return _Plan(
        window=np.hanning(size),
        frequency=frequency,
        rounding=rounding,
        holes=np.concatenate(holes),
        lobes=np.concatenate(lobes),
        hole_starts=np.cumsum(hole_counts) - hole_counts,
        lobe_starts=np.cumsum(lobe_counts) - lobe_counts,
        hole_counts=hole_counts,
        slow=slow,
    )


def _power(x: NDArray[np.float64], window: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the power at each frequency, averaged over three overlapping halves."""
    size = window.size
    parts = np.stack([x[start : start + size] for start in (0, x.size // 4, x.size - size)])
    parts -= parts.mean(axis=1, keepdims=True)
    power: NDArray[np.float64] = np.mean(np.abs(np.fft.rfft(parts * window)) ** 2, axis=0)
    return power / float(window @ window)
