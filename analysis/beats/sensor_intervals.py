"""The intervals of a sensor by themselves: their unit, whether it sends some again, and whether they are beats at all.

The standard asks for 1/1024 s; some sensors send ms, which are 2.4 % short. The heart rate of the same packets shows it, whatever
is lost. Means of several beats have a spectrum with holes at the multiples of 1/n; intervals computed from a heart rate lie on
the grid of whole beats a minute.
"""

from array import array
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ...sensors.model import RR_UNIT_S

_MS_S: Final = 0.001
_LEAST_HR_BPM, _MOST_HR_BPM = 30, 240
_BLOCKS: Final = (8, 8, 16, 32)
"""Packets between the first looks; then `_BLOCK`."""
_BLOCK: Final = 64
_KEPT_BLOCKS: Final = 4
_MS_RATIO: Final = RR_UNIT_S / _MS_S
"""Heart rate times mean interval, as a share of a minute, where the unit is ms: 0.977."""
_NEAR, _STAYS = 0.006, 0.009
"""Distance from that share within which the unit is ms, and once it is known to be."""
_FIRST_TOLD: Final = 3
"""Looks after which the unit is decided; until then the heart rate is too coarse and too late to tell."""
_DOUBTFUL: Final = 0.012
"""Distance from that share within which another look is waited for."""
_NEAR_EACH: Final = 0.02
"""The same for each of the last looks, before it is known to be."""
_SPLIT, _MISSED = 0.62, 1.6
"""Limits of the intervals that count, as shares of the middle one of a look: others were cut in two, or hold a missed beat."""
_LAST_TOLD: Final = 8
"""Looks after which unit and step are no longer asked: a sensor does not change them."""
_TELLING_BLOCKS: Final = 4
"""Looks after which the unit is known: about a minute at a packet a second."""
_MEANS: Final = range(5, 17)
_LEAST_INTERVALS: Final = 160
_MOST_INTERVALS: Final = 256
_SHALLOW: Final = 1.2
"""Natural logarithm of the power between the holes (their median) over that in them, from which intervals are means."""
_DEEP: Final = 1.25
"""Largest size of the natural logarithm of the power in the holes over that of the rounding to whole units."""
_SLOWER: Final = 1.0
"""Natural logarithm of the power of slow changes over that between the holes: a mean leaves slow changes as they are."""
_LEAST_CHANGE: Final = 4.6
"""Root mean square of the differences, in units, below which rounding hides whether intervals are means."""
_LOOKS, _SAME_LOOKS = 4, 3
"""Of so many looks, so many have to find means of about the same number of beats."""
_ON_RATE_GRID: Final = 0.97
_LEAST_RATES: Final = 3
_FASTEST_BPM: Final = 120
"""Mean rate up to which the intervals of whole beats a minute are far enough apart to tell."""
_COARSE: Final = 0.02
"""Share of intervals off a grid of two units from which the grid is one unit."""


_GRIDS_S: Final = (1 / 100, 1 / 125, 1 / 128, 1 / 200, 1 / 250, 1 / 256)
"""Steps of sensors that are coarser than 1/1024 s, coarsest first."""
_ON_STEP: Final = 0.99
_LEAST_STEPS: Final = 24
_LEAST_DISTINCT: Final = 5
"""Different intervals that it takes to know the step of their grid."""
_FEWEST_REPEATS: Final = 6
_REPEATS: Final = 0.02
"""Share of packets that repeat an interval from which the sensor does so."""


@dataclass(slots=True)
class SensorIntervals:
    """The intervals that a sensor has sent, looked at every 64 packets."""

    unit_s: float = RR_UNIT_S
    """Unit of the intervals in s, as far as is known."""
    looks: int = 0
    repeated_packets: int = 0
    """Packets whose first interval is the last one of the packet before, to the unit."""
    packets: int = 0
    """Packets with intervals that were looked at."""
    step_s: float = 0.0
    """Step in s to which the sensor rounds the times of its beats, where it is coarser than 1/1024 s; else 0."""
    no_beats_why: str | None = None
    """Why the intervals are no beats; None where they may be."""
    _hr_sum: int = 0
    _hr_packets: int = 0
    _in_block: int = 0
    _block_packets: int = _BLOCKS[0]
    _block: "array[int]" = field(default_factory=lambda: array("H"))
    _ratios: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT_BLOCKS))
    _recent: "array[int]" = field(default_factory=lambda: array("H"))
    _means: list[int] = field(default_factory=list)
    _last: int = 0
    _step_units: float = 1.5
    _nearly_repeated: int = 0
    """Packets whose first interval is one step off the last one of the packet before."""

    @property
    def in_ms(self) -> bool:
        """Whether the sensor is known to send ms."""
        return self.unit_s == _MS_S and self.looks >= _TELLING_BLOCKS

    @property
    def unit_decided(self) -> bool:
        """Whether the unit was decided, for the time being."""
        ratio = sum(self._ratios) / len(self._ratios) if self._ratios else 1.0
        return self.looks >= _FIRST_TOLD and (
            self.unit_s == _MS_S or self.looks >= _LAST_TOLD or abs(ratio - _MS_RATIO) > _DOUBTFUL
        )

    @property
    def repeats(self) -> bool:
        """Whether the sensor sends its last interval again where there was no beat.

        In a heart's own intervals a change by nothing is about as frequent as one by a single step.
        """
        return self.repeated_packets > max(_FEWEST_REPEATS, _REPEATS * self.packets, 3 * self._nearly_repeated)

    @property
    def left(self) -> int:
        """Packets with intervals until the next look."""
        return self._block_packets - self._in_block

    def push(self, hr_bpm: int, rr: tuple[int, ...]) -> bool:
        """Add a packet with intervals; return whether it was time to look."""
        if _LEAST_HR_BPM <= hr_bpm <= _MOST_HR_BPM:
            self._hr_sum += hr_bpm
            self._hr_packets += 1
        change = abs(rr[0] - self._last)
        if change <= self._step_units:
            self.repeated_packets += change == 0
            self._nearly_repeated += change > 0
        self._last = rr[-1]
        self._block.extend(rr)
        self._in_block += 1
        if self._in_block < self._block_packets:
            return False
        self._look()
        return True

    def interrupted(self) -> None:
        """Note that the next interval does not follow the last."""
        self._recent = array("H")

    def _look(self) -> None:
        block = self._block
        if self._hr_packets:
            middle = sorted(block)[len(block) // 2]
            near = [rr for rr in block if _SPLIT * middle < rr < _MISSED * middle]  # without split intervals and missed beats
            self._ratios.append(self._hr_sum / self._hr_packets * (sum(near) / len(near)) * RR_UNIT_S / 60)
            self._decide_unit()
        self._recent = (self._recent + block)[-_MOST_INTERVALS:]
        self.packets += self._in_block
        self.looks += 1
        self._block_packets = _BLOCKS[self.looks] if self.looks < len(_BLOCKS) else _BLOCK
        self._block, self._in_block, self._hr_sum, self._hr_packets = array("H"), 0, 0, 0
        recent = np.array(self._recent, dtype=np.float64)
        if len(self._recent) >= _LEAST_STEPS and self.looks <= _LAST_TOLD:
            self.step_s = step_of(recent, self.unit_s)
            self._step_units = max(1.0, self.step_s / self.unit_s) + 0.5
        if len(self._recent) >= _LEAST_INTERVALS and (self.looks <= _LAST_TOLD or self.looks % 2):
            self._means = [*self._means, mean_of(recent) or 0][-_LOOKS:]
            self.no_beats_why = self.no_beats_why or why_no_beats(recent, self._means)

    def _decide_unit(self) -> None:
        if not _FIRST_TOLD <= self.looks + 1 <= _LAST_TOLD:
            return
        known, ratio = self.unit_s == _MS_S, sum(self._ratios) / len(self._ratios)
        each = known or all(abs(one - _MS_RATIO) < _NEAR_EACH for one in self._ratios)
        self.unit_s = _MS_S if each and abs(ratio - _MS_RATIO) < (_STAYS if known else _NEAR) else RR_UNIT_S


def step_of(rr: NDArray[np.float64], unit_s: float) -> float:
    """Return the step in s of the grid on which intervals lie, in whole units of `unit_s`; 0 where it is no coarser than they."""
    for step_s in _GRIDS_S:
        if np.unique(np.rint(rr * (unit_s / step_s))).size < _LEAST_DISTINCT:
            continue
        off = np.abs(rr * (unit_s / step_s) - np.rint(rr * (unit_s / step_s))) * (step_s / unit_s)
        if np.mean(off <= 0.5 + 1e-6) >= _ON_STEP:
            return step_s
    return 0.0


def without_rounding(rmssd_ms: float, step_s: float) -> float | None:
    """Return RMSSD in ms without what rounding the times of beats to a step (s) adds to it; None where that is most of it.

    Rounding errors are uniform and independent, and three beats make a difference: they add step² / 2 to its mean square.
    """
    added = (1000 * step_s) ** 2 / 2
    return (rmssd_ms**2 - added) ** 0.5 if rmssd_ms**2 > 2 * added else None


def why_no_beats(rr: NDArray[np.float64], means: Sequence[int]) -> str | None:
    """Return why consecutive intervals, in 1/1024 s, are not those of beats; None where they may be.

    `means`: what `mean_of` found in the last looks, 0 for nothing.
    """
    rates = np.rint(60 / RR_UNIT_S / rr)
    on_grid = np.abs(60 / RR_UNIT_S / rates - rr) < 1
    if rates.mean() < _FASTEST_BPM and on_grid.mean() >= _ON_RATE_GRID and np.unique(rates).size >= _LEAST_RATES:
        return "its intervals are those of whole beats a minute: they are computed from the heart rate"
    over = sorted(means)[-(_SAME_LOOKS // 2 + 1)] if len(means) >= _SAME_LOOKS else 0
    same = sum(abs(one - over) <= over // 8 for one in means)
    return f"its intervals are means of about {over} beats" if over and same >= _SAME_LOOKS else None


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
