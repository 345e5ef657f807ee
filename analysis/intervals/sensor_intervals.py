"""The intervals of a sensor by themselves: their unit and step, whether it sends some again, and whether they are beats at all.

The standard asks for 1/1024 s; some sensors send ms, which are 2.4 % short. The heart rate of the same packets shows it, whatever
is lost.
"""

from array import array
from dataclasses import dataclass, field
from math import sqrt
from typing import Final

import numpy as np

from ...sensors.model import RR_UNIT_S
from .averaged_intervals import mean_of, why_no_beats
from .time_step import step_of

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
_LEAST_STEPS: Final = 24
_LAST_TOLD: Final = 8
"""Looks after which unit and step are no longer asked, as a sensor does not change them, and only every other looks for means."""
_TELLING_BLOCKS: Final = 4
"""Looks after which the unit is known: about a minute at a packet a second."""
_LEAST_INTERVALS: Final = 160
_MOST_INTERVALS: Final = 256
_LOOKS: Final = 4
"""Newest looks for means that are kept."""
_FEWEST_REPEATS: Final = 6
_SURELY: Final = 4.0
"""Square roots of the changes by one step that the surplus of changes by nothing must exceed: chance makes fewer."""
_MOST_SMALL: Final = 0.5
"""Share of packets with such small changes up to which the two are as frequent as each other."""
_REPEATS, _CERTAIN_REPEATS, _MOST_REPEATS = 0.02, 0.04, 0.5
"""Shares of packets that repeat an interval: from the first the sensor may do so, between the others it does, whatever else it
leaves out. Beyond, it is a heart whose changes are smaller than a step."""


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
    _ratios: list[float] = field(default_factory=list)
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

        In a heart's own intervals a change by nothing is about half as frequent as one by a single step up or down.
        """
        least = max(_FEWEST_REPEATS, _REPEATS * self.packets)
        return self.repeated_packets > least and self._surplus > max(least, _SURELY * sqrt(self._nearly_repeated))

    @property
    def often_repeats(self) -> bool:
        """Whether a sensor that repeats does so often enough to be sure without a look at the clock."""
        return _CERTAIN_REPEATS * self.packets < self._surplus < _MOST_REPEATS * self.packets

    @property
    def _surplus(self) -> float:
        """Repeated packets beyond those that the heart itself makes; 0 where its changes are so small that nobody can tell."""
        own = self._nearly_repeated
        if self.repeated_packets > 3 * own:
            return self.repeated_packets
        few = self.repeated_packets + own < _MOST_SMALL * self.packets
        return self.repeated_packets - own / 2 if few else 0.0

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
        if self._hr_packets and self.looks < _LAST_TOLD:
            middle = sorted(block)[len(block) // 2]
            near = [rr for rr in block if _SPLIT * middle < rr < _MISSED * middle]  # without split intervals and missed beats
            ratio = self._hr_sum / self._hr_packets * (sum(near) / len(near)) * RR_UNIT_S / 60
            self._ratios = [*self._ratios, ratio][-_KEPT_BLOCKS:]
            self._decide_unit()
        self._recent = (self._recent + block)[-_MOST_INTERVALS:]
        self.packets += self._in_block
        self.looks += 1
        self._block_packets = _BLOCKS[self.looks] if self.looks < len(_BLOCKS) else _BLOCK
        self._block, self._in_block, self._hr_sum, self._hr_packets = array("H"), 0, 0, 0
        if self.looks > _LAST_TOLD and not self.looks % 2:
            return
        recent = np.array(self._recent, dtype=np.float64)
        if len(self._recent) >= _LEAST_STEPS and self.looks <= _LAST_TOLD:
            self.step_s = step_of(recent, self.unit_s)
            self._step_units = max(1.0, self.step_s / self.unit_s) + 0.5
        if len(self._recent) >= _LEAST_INTERVALS:
            self._means = [*self._means, mean_of(recent) or 0][-_LOOKS:]
            self.no_beats_why = self.no_beats_why or why_no_beats(recent, self._means)

    def _decide_unit(self) -> None:
        if not _FIRST_TOLD <= self.looks + 1 <= _LAST_TOLD:
            return
        known, ratio = self.unit_s == _MS_S, sum(self._ratios) / len(self._ratios)
        each = known or all(abs(one - _MS_RATIO) < _NEAR_EACH for one in self._ratios)
        self.unit_s = _MS_S if each and abs(ratio - _MS_RATIO) < (_STAYS if known else _NEAR) else RR_UNIT_S
