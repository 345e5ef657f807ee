"""Intervals that are no beats: running means of several, or computed from a heart rate.

Means of n beats have a spectrum with holes at the multiples of 1/n; intervals computed from a heart rate lie on the grid of whole
beats a minute.
"""

from collections.abc import Sequence
from typing import Final

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
    if np.mean(rr % 2 != 0) < _COARSE or np.mean(np.diff(rr) ** 2) < _LEAST_CHANGE**2:
        return None
    frequency, power = _spectrum(np.diff(rr))
    rounding = (2 * np.sin(np.pi * np.maximum(frequency, frequency[1] / 2))) ** 2 / 12
    log_power = np.log(power / rounding + 1e-9)
    depths = [(-1.0, 0)]
    for n in _MEANS:
        holes = np.arange(1, n // 2 + 1) / n
        between = np.minimum((np.arange(1, max((n + 1) // 2, 2)) + 0.5) / n, 0.5)
        hole, lobe = np.interp(holes, frequency, log_power), np.interp(between, frequency, log_power)
        slow = log_power[(frequency > 0) & (frequency < 0.7 / n)].mean()
        if -_DEEP < hole.mean() < _DEEP and slow - lobe.max() > _SLOWER:
            depths.append((float(np.median(lobe) - hole.mean()), n))
    depth, n = max(depths)
    return n if depth > _SHALLOW else None


def _spectrum(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return frequencies in cycles a beat and the power there, averaged over three overlapping halves."""
    size = x.size // 2
    window = np.hanning(size)
    parts = [x[start : start + size] for start in (0, x.size // 4, x.size - size)]
    power: NDArray[np.float64] = np.mean([np.abs(np.fft.rfft((part - part.mean()) * window)) ** 2 for part in parts], axis=0)
    return np.fft.rfftfreq(size).astype(np.float64), power / float(window @ window)
