"""The rhythm of a running stream, beat by beat: one judge for live sessions, replay, record and archive."""

from array import array
from collections.abc import Iterable
from enum import StrEnum
from math import inf
from typing import Final

import numpy as np

from ..beats.artifact_filter import BeatKind
from ..beats.beat_stream import JudgedBeat
from .irregularity import FEWEST, MOST, irregularity


class Rhythm(StrEnum):
    """Rhythms by the look of the received beats; no diagnosis."""

    UNKNOWN = "unknown"
    """Too few beats yet."""
    SINUS_LIKE = "sinus-like"
    IRREGULAR = "irregular"
    ECTOPIC = "ectopic"
    """More than a tenth of the beats are ectopic."""
    PACED = "paced"
    """Intervals constant to the strap's resolution."""
    CHANGING = "changing"
    """Of a phase: not sinus-like in a part of it."""


WITHOUT_HRV: Final = frozenset({Rhythm.IRREGULAR, Rhythm.ECTOPIC, Rhythm.PACED})
"""Rhythms in which no HRV figure means anything."""

_EVERY: Final = 16
"""Beats from one look at the rhythm to the next; of a sinus-like one, with none of them rejected, three times as many."""
_ENOUGH: Final = 64
"""Intervals from which a rhythm may be called anything but irregular."""
_ENTER: Final = ((112, 0.6), (64, 0.9), (48, 1.6), (32, 2.2))
"""Number of intervals, and the score above which they are irregular: the fewer there are, the surer it must be."""
_SURELY: Final = 0.5
"""Excess over that limit from which one look suffices; otherwise it takes two in a row."""
_LEAVE: Final = -1.5
"""Score down to which a rhythm that was irregular still is."""
_MOST_ECTOPIC: Final = 0.10
_SIXTHS: Final = {BeatKind.PREMATURE.value: 3, BeatKind.COUPLET.value: 4}
"""Sixths of an ectopic beat for each interval of these kinds: a premature beat comes with its pause, a couplet spoils three."""
_EARLY_SIXTHS, _TURNED = 12, 3.0
"""Ectopic sixths among the newest `_ENOUGH` intervals from which these are looked at alone, and the score above which they are
irregular, whatever those before them were."""
_EVEN_MS: Final = 2.0
"""Range of constant intervals: one step of 1/1024 s to either side."""
_COARSE_MS: Final = 8.0
"""Step of the coarsest strap: two values so near each other, and no third in 128 intervals, are one constant interval too."""
_NORMAL: Final = BeatKind.NORMAL.value
_JUDGED: Final = frozenset(kind.value for kind in BeatKind)
_LOST_S: Final = 120.0
"""Length of a loss after which the beats before it tell nothing of the rhythm now."""


class RhythmWatch:
    """A judge of the rhythm: push judged beats, rejected ones too; `rhythm` is what the last 128 of them look like.

    Beats that the stream distrusts (no contact, two straps, movement) are left out, and nothing is compared across a gap.
    """

    __slots__ = ("_broken", "_ectopic", "_end_s", "_linked", "_odd", "_rr_ms", "_since", "_suspected", "rhythm")

    def __init__(self) -> None:
        self._since, self._suspected, self._odd = 0, False, False
        self._end_s, self._broken = 0.0, True
        self._forget()

    def push(self, beat: JudgedBeat) -> Rhythm:
        """Add a beat, in order of time; return the rhythm as it now looks."""
        kind, sixths = beat.kind, 0
        if kind != _NORMAL:
            if kind not in _JUDGED:
                self._broken = True
                return self.rhythm
            sixths = _SIXTHS.get(kind, 0)
        if beat.gap_before:
            self._broken = True
            if beat.end_s - self._end_s > _LOST_S:
                self._forget()
        self._end_s = beat.end_s
        self._rr_ms.append(beat.rr_ms)
        self._linked.append(not self._broken)
        self._ectopic.append(sixths)
        self._broken = False
        self._odd = self._odd or not beat.accepted
        self._since += 1
        if self._since >= _EVERY and (self._odd or self.rhythm is not Rhythm.SINUS_LIKE or self._since == 3 * _EVERY):
            self._since, self._odd = 0, False
            self._look()
        return self.rhythm

    def _forget(self) -> None:
        self.rhythm = Rhythm.UNKNOWN
        self._rr_ms, self._linked, self._ectopic = array("f"), bytearray(), bytearray()
        self._since, self._suspected = 0, False

    def _look(self) -> None:
        del self._rr_ms[:-MOST], self._linked[:-MOST], self._ectopic[:-MOST]
        seen = len(self._rr_ms)
        if seen < FEWEST:
            return
        score = self._score(seen)
        if score is not None and (self._is_irregular(score, seen) or self._turns_irregular(seen)):
            self.rhythm = Rhythm.IRREGULAR
        elif seen < _ENOUGH:
            return
        elif all(sum(self._ectopic[-last:]) > 6 * _MOST_ECTOPIC * last for last in (_ENOUGH, seen)):
            self.rhythm = Rhythm.ECTOPIC
        elif self._is_even(seen):
            self.rhythm = Rhythm.PACED
        elif score is not None:
            self.rhythm = Rhythm.SINUS_LIKE

    def _score(self, last: int) -> float | None:
        rr_ms = np.array(self._rr_ms[-last:], dtype=np.float64)
        return irregularity(rr_ms, np.frombuffer(bytes(self._linked[-last:]), np.bool_))

    def _turns_irregular(self, seen: int) -> bool:
        """Return whether the newer beats alone are irregular, which those before them still hide."""
        if seen < MOST or sum(self._ectopic[-_ENOUGH:]) < _EARLY_SIXTHS:
            return False
        score = self._score(_ENOUGH)
        return score is not None and score > _TURNED

    def _is_even(self, seen: int) -> bool:
        range_ms = max(self._rr_ms) - min(self._rr_ms)
        return range_ms <= _EVEN_MS or (range_ms <= _COARSE_MS and seen == MOST and len(set(self._rr_ms)) <= 2)

    def _is_irregular(self, score: float, seen: int) -> bool:
        if self.rhythm is Rhythm.IRREGULAR:
            return score > _LEAVE
        limit = next((limit for fewest, limit in _ENTER if seen >= fewest), inf)
        suspected, self._suspected = self._suspected, score > limit
        return score > limit + _SURELY or (suspected and self._suspected)


def rhythms_of(beats: Iterable[JudgedBeat]) -> list[Rhythm]:
    """Return the rhythm at each beat of a whole stream; beats before the first judgement get that one."""
    watch = RhythmWatch()
    seen = [watch.push(beat) for beat in beats]
    first = next((n for n, rhythm in enumerate(seen) if rhythm is not Rhythm.UNKNOWN), 0)
    return seen[first : first + 1] * first + seen[first:]
