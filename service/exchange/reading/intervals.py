"""Intervals by themselves: their unit, whether they are the times of beats instead, and what a person is told about it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Final

import numpy as np

from ....analysis.intervals.averaged_intervals import mean_of, why_no_beats as why_averaged
from ....sensors.errors import RecordingError
from ....sensors.model import RR_UNIT_MS
from ....sensors.recordings.rr_text import RrText
from .column_names import UNIT_S
from .refusals import FEWEST, LEAST_MS, MOST_MS, check_intervals, never_falls, refuse_alien

_UNITS: Final = ("ms", "s", "us", "ns", "min")
_WORDS: Final = {"us": "µs"}
_LOST_MS, _LOST_RATIO = 3000.0, 2.5
"""Steps between beats that are longer than both, the second in middle steps, hold lost beats."""


_LOOKED_AT: Final = 8192
"""Intervals that are looked at: a sensor does not change what it sends."""
_LOOK, _KEPT_LOOKS = 256, 4
"""Intervals of one look, and how many looks have to agree or nearly all of them."""


@dataclass(frozen=True, slots=True)
class Beats:
    """Intervals in ms in order, as a file gives them."""

    rr_ms: list[float]
    gap_before: list[bool]
    gap_s: list[float | None]
    """Length of the gap before each interval in s; None where there is none, or it is not known."""
    kind: str
    unit: str
    evidence: tuple[str, ...]

    def told(self, *evidence: str) -> "Beats":
        """Return the same with more evidence before what there is."""
        return replace(self, evidence=(*evidence, *self.evidence))


def beats_of(name: str, values: Sequence[float], gap_before: Sequence[bool], gap_s: Sequence[float | None], unit: str, *,
             named: bool) -> Beats:  # fmt: skip
    """Return numbers as intervals, or as the times of beats. Raises `RecordingError` where they are neither.

    `unit`: what the heading says, or empty; `named`: whether a heading calls them intervals.
    """
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.size >= FEWEST and never_falls(numbers) and (times := _times_of_beats(name, values, unit, gap_before)):
        return times
    if not named and numbers.size >= FEWEST:
        refuse_alien(name, values)
    found = _unit_of(values, unit)
    scale = 1000 * UNIT_S[found]
    rr_ms = [scale * value for value in values]
    check_intervals(name, rr_ms)
    said = f"the heading says {_WORDS.get(unit, unit)}" if unit == found else f"the middle one is {median(values):g}"
    other = f", though the heading says {_WORDS.get(unit, unit)}" if unit in UNIT_S and unit != found else ""
    evidence = f"Intervals in {_WORDS.get(found, found)}: {said}{other}, a heart rate of {60_000 / median(rr_ms):.0f}."
    return Beats(rr_ms, list(gap_before), list(gap_s), "RR intervals", _WORDS.get(found, found), (evidence,))


def _unit_of(values: Sequence[float], unit: str) -> str:
    middle = median([one for one in values if one > 0] or [0.0])
    fitting = [each for each in _UNITS if LEAST_MS <= 1000 * UNIT_S[each] * middle <= MOST_MS]
    if unit in fitting or (unit in UNIT_S and not fitting):
        return unit
    if fitting:
        return fitting[0]
    return "s" if middle < 20 else "ms"


def _times_of_beats(name: str, values: Sequence[float], unit: str, gap_before: Sequence[bool]) -> Beats | None:
    """Return the steps between numbers that never fall as intervals; None where all of them may be intervals themselves."""
    steps = [b - a for a, b in pairwise(values)]
    if len(set(steps)) <= 2 and all(step in {0.0, 1.0} for step in steps):
        raise RecordingError(f"{name} seems to hold numbers that count up: an index, not intervals.")
    middle = median(steps)
    fitting = [each for each in _UNITS if LEAST_MS <= 1000 * UNIT_S[each] * middle <= MOST_MS]
    if not fitting:
        own = median(values)
        if any(LEAST_MS <= 1000 * UNIT_S[each] * own <= MOST_MS for each in _UNITS):
            return None  # intervals that happen to rise
        raise RecordingError(
            f"{name} seems to hold the places of beats, for its numbers never fall, but their steps ({middle:g}) are no "
            "intervals in ms or s: sample numbers want their sampling rate."
        )
    found = unit if unit in fitting else fitting[0]
    scale = 1000 * UNIT_S[found]
    lost_ms = max(_LOST_MS, _LOST_RATIO * scale * middle)
    rr_ms, gaps, gap_s = list[float](), list[bool](), list[float | None]()
    gap, lost_s = False, None
    for step, broken in zip(steps, list(gap_before)[1:], strict=True):
        if scale * step > lost_ms or step <= 0 or broken:
            gap, lost_s = bool(rr_ms), (lost_s or 0.0) + scale * step / 1000 if rr_ms else None
            continue
        rr_ms.append(scale * step)
        gaps.append(gap)
        gap_s.append(lost_s)
        gap, lost_s = False, None
    word = _WORDS.get(found, found)
    evidence = f"The numbers never fall: they are the times of beats in {word}, and their steps are the intervals."
    check_intervals(name, rr_ms)
    return Beats(rr_ms, gaps, gap_s, "beat times", word, (evidence,))


def why_no_beats(text: RrText) -> str | None:
    """Return why plain intervals have no HRV, as a sentence: means of several beats, or computed from a heart rate.

    They are looked at as those of a live sensor are. None where they may be those of beats.
    """
    rr_ms = np.asarray(text.rr_ms[:_LOOKED_AT], dtype=np.float64)
    ticks = np.rint(rr_ms / RR_UNIT_MS)
    units = rr_ms if np.all(rr_ms % 1 == 0) else ticks
    gaps = np.flatnonzero(text.gap_before[: rr_ms.size])
    means: list[int] = []
    for start, stop in pairwise([0, *gaps.tolist(), rr_ms.size]):
        for at in range(start, stop - _LOOK + 1, _LOOK // 4):
            means = [*means, mean_of(units[at : at + _LOOK]) or 0][-_KEPT_LOOKS:]
            if why := why_averaged(ticks[at : at + _LOOK], means):
                return f"Heart rate only – no HRV: of this file, {why}."
    return None
