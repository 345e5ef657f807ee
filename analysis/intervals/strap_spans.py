"""The straps of a session whose strap was changed: what each sent, from when to when."""

from collections.abc import Iterable
from math import inf
from typing import Final

import msgspec

_UNLIKE_S: Final = 0.002
"""Difference of two straps' steps from which what they add to RMSSD differs too much to be compared."""


class StrapSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A strap, and the time (s) for which it was the session's."""

    from_s: float
    until_s: float = inf
    beats: bool
    """Whether its intervals are those of beats."""
    heard: bool
    """Whether it sent a heart rate."""
    by_light: bool
    """Whether its intervals are those of the pulse, by light."""
    repeats: bool
    """Whether it sent beats again that it had sent before."""
    step_s: float
    """Step of its intervals; 0 where that is no coarser than their unit."""

    def meets(self, start_s: float, stop_s: float) -> bool:
        """Return whether it was the session's strap for some of a time (s)."""
        return self.from_s < stop_s and self.until_s > start_s


def step_within(straps: Iterable[StrapSpan], start_s: float, stop_s: float) -> float:
    """Return the coarsest step (s) of the straps with beats of a time: what they add up to is no finer than that."""
    return max((strap.step_s for strap in straps if strap.beats and strap.meets(start_s, stop_s)), default=0.0)


def why_unlike(straps: Iterable[StrapSpan], from_s: float) -> str | None:
    """Return why phases from `from_s` on are not compared, in words: their straps measure differently; None where they may be."""
    measuring = [strap for strap in straps if strap.beats and strap.until_s > from_s]
    if len({strap.by_light for strap in measuring}) > 1:
        return "one strap of this session measures by light, another does not"
    steps = [strap.step_s for strap in measuring]
    if steps and max(steps) - min(steps) > _UNLIKE_S:
        return "the straps of this session measure in steps that differ"
    return None
