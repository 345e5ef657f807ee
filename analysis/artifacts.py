"""Causal artifact filter for RR intervals: a fixed-lag decoder that looks two beats ahead and never changes its mind.

The waiting intervals are explained by the cheapest sequence of parts: a normal beat (Student-t around a short prediction from
accepted beats), a missed beat, a split one, a premature beat or couplet with its pause, or something else. A cost is a negative
log probability; for the family of models see Lipponen & Tarvainen 2019 (kinds of artifact), Solem et al. 2006 (prediction).
Only normal beats are accepted; RMSSD is the root mean square of every `diff_ms` that is not None.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from enum import StrEnum
from math import inf, log
from typing import Final

import msgspec

from .rhythm import LONGEST_MS, SHORTEST_MS, Past, Rhythm


class Kind(StrEnum):
    """What an interval is taken for."""

    NORMAL = "normal"
    MISSED = "missed"
    """One or more beats within it were not seen."""
    SPLIT = "split"
    """Half of an interval that a false beat cut in two."""
    PREMATURE = "premature"
    """An early beat, or the pause after it."""
    COUPLET = "couplet"
    """One of two early beats in a row, or the pause after them."""
    OTHER = "other"


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """The final word on one received interval."""

    index: int
    """Running number of the interval as pushed, from 0."""
    rr_ms: float
    """As received."""
    kind: Kind
    diff_ms: float | None
    """`rr_ms` minus that of its accepted neighbour before; None where there is no such neighbour."""

    @property
    def accepted(self) -> bool:
        """Whether the interval may enter a figure."""
        return self.kind is Kind.NORMAL


_Part = tuple[Kind, float, int, Past]
"""One way to explain the first waiting intervals: kind, cost, how many intervals, and the state that it leaves."""

_LOOKAHEAD: Final = 2
_RELOCK_AFTER: Final = 12
"""Artifacts in a row after which the rhythm is learnt anew."""
_FAST: Final = 1.6
"""Two beats in a row within this many scales of their prediction are normal without decoding."""
_LOST_IN_GAP: Final = 2
_MULTIPLES: Final = (2, 3, 4)
_COST_OTHER: Final = 5.7
_COST_PREMATURE: Final = 3.7 - 0.92
_COST_COUPLET: Final = 4.0 - 1.83
_COST_MISSED: Final = 7.0
_COST_SPLIT: Final = 3.5
_COST_JUMP: Final = 3.4
"""Hearts rarely change by more than −22 or +55 % from one beat to the next."""
_COST_LONE_LONG: Final = 3.0
"""A lone long beat is the vagus rather than an artifact."""


class ArtifactFilter:
    """Push intervals as they come; get the verdicts that became final, in order, none later than two beats on."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, float]] = deque()
        self._count = 0
        self._rhythm = Rhythm()
        self._neighbour_ms: float | None = None
        self._streak = 0  # accepted (> 0) or lost (< 0) in a row

    def push(self, rr_ms: float, *, gap: bool = False) -> list[Verdict]:
        """Take one interval in ms; `gap` tells that beats were lost before it (arrival times or a reconnect know)."""
        out: list[Verdict] = []
        if gap:
            out = self.flush()
            self._lose(self._rhythm.past[0], _LOST_IN_GAP)
        waiting, rhythm = self._waiting, self._rhythm
        waiting.append((self._count, rr_ms))
        self._count += 1
        if not rhythm.locked and len(waiting) > _LOOKAHEAD:
            middle_ms = sorted(x for _, x in waiting)[1]
            if SHORTEST_MS <= middle_ms <= LONGEST_MS:
                rhythm.lock(middle_ms)
            else:
                self._reject(Kind.OTHER, 1, out)
        while len(waiting) > 1 and rhythm.locked and rhythm.expects(waiting[0][1], waiting[1][1], _FAST):
            self._accept(out)
        while len(waiting) > _LOOKAHEAD:
            self._decide(out)
        return out

    def push_all(self, rr_ms: Sequence[float]) -> list[Verdict]:
        """Take intervals between which nothing was lost: the verdicts that `push` gives for them one by one."""
        out: list[Verdict] = []
        waiting, rhythm = self._waiting, self._rhythm
        for x in rr_ms:
            if len(waiting) == 1 and rhythm.locked and rhythm.expects(waiting[0][1], x, _FAST):
                waiting.append((self._count, x))
                self._count += 1
                self._accept(out)
            else:
                out += self.push(x)
        return out

    def flush(self) -> list[Verdict]:
        """End of the stream: judge what is waiting with the context there is."""
        out: list[Verdict] = []
        while self._waiting:
            if self._rhythm.locked:
                self._decide(out)
            else:
                self._reject(Kind.OTHER, 1, out)
        return out

    def _decide(self, out: list[Verdict]) -> None:
        window = [x for _, x in self._waiting]
        kind, beats = self._cheapest(window, 0, self._rhythm.past, inf)[1:]
        if kind is Kind.NORMAL:
            self._accept(out)
            return
        self._reject(kind, beats, out)
        last_ms, d1_ms, d2_ms, _ = self._rhythm.past
        lost, imputed_ms = min(beats, 2), self._rhythm.predict(last_ms, d1_ms, d2_ms)
        if kind is Kind.SPLIT:
            lost, imputed_ms = 0, window[0] + window[1]
        elif kind is Kind.MISSED:
            imputed_ms = min((window[0] / m for m in _MULTIPLES), key=lambda x: abs(x - imputed_ms))
        self._lose(imputed_ms, lost)

    def _cheapest(self, window: list[float], at: int, past: Past, limit: float) -> tuple[float, Kind, int]:
        """Cost of the cheapest explanation of `window[at:]` below `limit`; kind and length of its first part."""
        if at == len(window):
            return 0.0, Kind.NORMAL, 0
        lowest, first, length = inf, Kind.OTHER, 1
        for kind, cost, beats, after in self._parts(window, at, past):
            if cost < limit:
                cost += self._cheapest(window, at + beats, after, limit - cost)[0]
                if cost < limit:
                    limit = lowest = cost
                    first, length = kind, beats
        return lowest, first, length

    def _parts(self, window: list[float], at: int, past: Past) -> Iterator[_Part]:
        rhythm, (last_ms, d1_ms, d2_ms, away) = self._rhythm, past
        x, left, free = window[at], len(window) - at, log(last_ms)
        expected = rhythm.predict(last_ms, d1_ms, d2_ms)
        yield (Kind.NORMAL, _normal(rhythm, x, expected, last_ms, away), 1, (x, x - last_ms, d1_ms, 0))
        if left > 1:
            y = window[at + 1]
            both = x + y
            if both < 1.5 * expected:
                cost = _COST_SPLIT + free + _normal(rhythm, both, expected, last_ms, away)
                yield (Kind.SPLIT, cost, 2, (both, both - last_ms, d1_ms, 0))
            if x < 0.9 * expected and both < 2.5 * expected:
                after = (expected, 0.0, 0.0, away + 2)
                cost = _COST_PREMATURE + free + _pause(rhythm, y, expected, expected - x)
                yield (Kind.PREMATURE, cost, 2, after)
                if left > 2 and y < 0.9 * expected < expected < window[at + 2]:
                    cost = _COST_COUPLET + 2 * free + _pause(rhythm, window[at + 2], expected, 2 * expected - both)
                    yield (Kind.COUPLET, cost, 3, after)
        if x > 1.4 * expected:
            for m in _MULTIPLES:
                one = x / m
                if 0.7 * expected < one < 1.4 * expected:
                    cost = _COST_MISSED + 0.7 * (m - 2) + log(m) + _normal(rhythm, one, expected, last_ms, away + 1)
                    yield (Kind.MISSED, cost, 1, (one, 0.0, 0.0, away + 1))
        lone = _COST_LONE_LONG if not away and expected < x < 1.6 * expected else 0.0
        yield (Kind.OTHER, _COST_OTHER + free + lone, 1, (expected, 0.0, 0.0, away + 1))

    def _accept(self, out: list[Verdict]) -> None:
        index, rr_ms = self._waiting.popleft()
        diff_ms = None if self._neighbour_ms is None else rr_ms - self._neighbour_ms
        out.append(Verdict(index, rr_ms, Kind.NORMAL, diff_ms))
        self._rhythm.learn(rr_ms, steady=self._streak > 2)
        self._neighbour_ms = rr_ms
        self._streak = max(self._streak, 0) + 1

    def _reject(self, kind: Kind, beats: int, out: list[Verdict]) -> None:
        for _ in range(beats):
            index, rr_ms = self._waiting.popleft()
            out.append(Verdict(index, rr_ms, kind, None))

    def _lose(self, imputed_ms: float, beats: int) -> None:
        self._neighbour_ms = None
        self._streak = min(self._streak, 0) - 1
        self._rhythm.skip(imputed_ms if self._streak > -_RELOCK_AFTER else 0.0, beats)


def _normal(rhythm: Rhythm, rr_ms: float, expected_ms: float, last_ms: float, away: int) -> float:
    """Cost of a normal beat."""
    if not SHORTEST_MS <= rr_ms <= LONGEST_MS:
        return inf
    jump = 0.0 if 0.78 * last_ms <= rr_ms <= 1.55 * last_ms else _COST_JUMP
    return rhythm.surprise(rr_ms - expected_ms, away) + jump


def _pause(rhythm: Rhythm, rr_ms: float, expected_ms: float, early_ms: float) -> float:
    """Cost of the interval after beats that came `early_ms` early: a full pause, or anything from none to full."""
    wide = 1.5 * rhythm.scale_ms
    full = rhythm.surprise(rr_ms - expected_ms - early_ms, 0, 1.5) + 0.7
    if expected_ms - 2 * wide < rr_ms < expected_ms + early_ms + 2 * wide:
        return min(full, log(early_ms + 4 * wide) + 1.4)
    return full
