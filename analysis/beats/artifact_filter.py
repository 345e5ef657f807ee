"""Causal artifact filter for RR intervals: a fixed-lag decoder with two beats of lookahead whose verdicts are final.

The pending intervals are explained by the cheapest sequence of hypotheses: a normal beat (Student-t around a short prediction
from accepted beats), a missed beat, a split beat, a premature beat or couplet with its pause, or something else. A cost is a
negative log probability; for the family of models see Lipponen & Tarvainen 2019 (kinds of artifact) and Solem et al. 2006
(prediction). Only normal beats are accepted; RMSSD is the root mean square of every `diff_ms` that is not None.
docs/artifacts.md reports its accuracy.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from enum import StrEnum
from math import inf, log
from typing import Final

import msgspec

from .interval_prediction import LONGEST_MS, SHORTEST_MS, RhythmModel, RhythmState


class BeatKind(StrEnum):
    """Classification of an interval."""

    NORMAL = "normal"
    MISSED = "missed"
    """Contains one or more undetected beats."""
    SPLIT = "split"
    """One half of an interval that a false detection cut in two."""
    PREMATURE = "premature"
    """An early beat, or the pause after it."""
    COUPLET = "couplet"
    """One of two consecutive early beats, or the pause after them."""
    OTHER = "other"


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """The final verdict on one received interval."""

    index: int
    """Running number of the interval in order of arrival, from 0."""
    rr_ms: float
    """The interval as received."""
    kind: BeatKind
    diff_ms: float | None
    """`rr_ms` minus that of the adjacent accepted beat before it; None where there is no such beat."""

    @property
    def accepted(self) -> bool:
        """Whether the interval may be used in figures."""
        return self.kind is BeatKind.NORMAL


Explanation = tuple[BeatKind, float, int, RhythmState]
"""A hypothesis about the first pending intervals: kind, cost in nats, number of intervals, and the state after them."""

LOOKAHEAD: Final = 2
_RELOCK_AFTER: Final = 12
"""Consecutive artifacts after which the rhythm is learnt anew."""
_FAST: Final = 1.6
"""Two consecutive beats within this many scales of their prediction are accepted without decoding."""
_LOST_IN_GAP: Final = 2
_MULTIPLES: Final = (2, 3, 4)
_EARLY: Final = 0.9
"""Share of the expected interval below which a beat may be premature."""
_COST_HARDLY_EARLY: Final = 700.0
_SURELY_EARLY: Final = 0.82
"""Share of the expected interval below which prematurity costs nothing extra; between this and `_EARLY` the extra cost is
`_COST_HARDLY_EARLY` times the squared distance from this share."""
_COST_NO_PAUSE: Final = 4.0
"""Added to a premature beat that is hardly early (longer than `_SURELY_DIP` of the usual interval) and has no pause."""
_PAUSE: Final = 1.04
"""Share of the expected interval from which the one after an early beat is a pause."""
_SURELY_DIP: Final = 0.83
_COST_RISE: Final = 10.0
"""Added, up to this, to what makes an artifact of a hardly early beat after which the rhythm is slower than before it: so does a
breath, which quickens the heart at once and slows it over the next beats; the beat after a pause is as long as those before."""
_RISE: Final = (1.02, 1.10)
"""From which multiple of the rhythm ahead the second beat after it counts as slower, and from which in full."""
_RISE_IF_PREMATURE: Final = (0.83, 0.86)
_RISE_IF_OTHER: Final = (0.87, 0.90)
"""From which share of the usual interval that cost applies, and from which in full."""
_WIDE: Final = 2.0
"""Scale of a pause, relative to that of a normal beat."""
_AFTER_FULL_PAUSE: Final = 3
"""Beats since the last accepted one that a full pause counts as: bounds the uncertainty however long a bigeminy lasts."""
_NEAR: Final = 0.15
_FITS: Final = 0.11
_COST_OTHER: Final = 6.7
_COST_NEAR: Final = 1.0
_COST_FITTING: Final = 6.0
"""Added to OTHER where the interval lies within `_NEAR` (`_COST_NEAR`) or `_FITS` (`_COST_FITTING`), as a share of the expected
interval: a random event rarely falls so close to the prediction."""
_COST_PREMATURE: Final = 1.3
_COST_COUPLET: Final = 2.2
_COST_MISSED: Final = 6.0
_COST_SPLIT: Final = 2.8
_SLOWEST_JUMP, _FASTEST_JUMP = 1.5, 0.75
_COST_JUMP: Final = 3.4
"""Extra cost of a change beyond −25 or +50 % from one beat to the next, which is physiologically rare."""
_COST_FARTHER: Final = 30.0
"""Further cost for each e-fold beyond those limits (half of it where the beat before is unknown)."""
_LEAST_PAIR, _LEAST_MISSED = 4.6, 10.0
"""Lower bounds of the cost that `explanations` gives three beats of which the first two, or the first, are not normal, beyond the
logarithms of the interval before and of the scale: a premature beat with its pause and a normal beat; a missed beat and two
normal ones."""
_COST_LONE_LONG: Final = 3.0
"""Added to OTHER for a single long beat, which is vagal rather than an artifact."""
_COST_MILDLY_LONG: Final = 3.0
_MILDLY_LONG: Final = (1.30, 1.45)
"""Added too up to the first multiple of the expected interval, and less and less up to the second."""
_COST_SLOWING: Final = 6.0
_SIGH, _STILL_LONG, _RECOVERED = 1.4, 0.25, 1.06
"""Added too up to the first multiple of the expected interval, where the next beat keeps the second as a share of the lengthening
and the one after is at most the third longer: a sigh slows the heart at once and lets it go over some beats, an artifact is over
with its beat."""


class ArtifactFilter:
    """A causal filter: push intervals as they arrive and get final verdicts in order, at most two beats late."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, float]] = deque()
        self._count = 0
        self._rhythm = RhythmModel()
        self._neighbour_ms: float | None = None
        self._streak = 0  # consecutive accepted (> 0) or lost (< 0) beats

    def push(self, rr_ms: float, *, gap: bool = False) -> list[Verdict]:
        """Add one interval in ms and return the verdicts that became final.

        `gap`: whether beats were lost before it, as arrival times or a reconnect show.
        """
        out: list[Verdict] = []
        if gap:
            out = self.flush()
            last_ms, _, _, since_accepted = self._rhythm.state
            self._lose((last_ms, 0.0, 0.0, since_accepted + _LOST_IN_GAP))
        waiting, rhythm = self._waiting, self._rhythm
        waiting.append((self._count, rr_ms))
        self._count += 1
        if not rhythm.locked and len(waiting) > LOOKAHEAD:
            middle_ms = sorted(x for _, x in waiting)[1]
            if SHORTEST_MS <= middle_ms <= LONGEST_MS:
                rhythm.lock(middle_ms)
            else:
                self._reject(BeatKind.OTHER, 1, out)
        while len(waiting) > 1 and rhythm.locked and rhythm.follow(waiting[0][1], waiting[1][1], _FAST, steady=self._streak > 2):
            self._accept(out)
        while len(waiting) > LOOKAHEAD:
            self._decide(out)
        return out

    def push_all(self, rr_ms: Sequence[float]) -> list[Verdict]:
        """Add intervals between which no beat was lost; the verdicts equal those of `push` for each in turn."""
        out: list[Verdict] = []
        at = 0
        while at < len(rr_ms):
            if len(self._waiting) == 1 and self._rhythm.locked:
                at = self._follow(rr_ms, at, out)
            if at < len(rr_ms):
                out += self.push(rr_ms[at])
                at += 1
        return out

    def _follow(self, rr_ms: Sequence[float], at: int, out: list[Verdict]) -> int:
        """Accept the pending interval and `rr_ms[at:]` while they match the prediction; return the index where that ends."""
        follow, neighbour_ms, streak = self._rhythm.follow, self._neighbour_ms, self._streak
        index, x_ms = self._waiting[0]
        first = index
        for n in range(at, len(rr_ms)):
            next_ms = rr_ms[n]
            if not follow(x_ms, next_ms, _FAST, steady=streak > 2):
                break
            out.append(Verdict(index, x_ms, BeatKind.NORMAL, None if neighbour_ms is None else x_ms - neighbour_ms))
            neighbour_ms, x_ms = x_ms, next_ms
            index += 1
            streak = streak + 1 if streak > 0 else 1
        self._waiting[0] = index, x_ms
        self._count += index - first
        self._neighbour_ms, self._streak = neighbour_ms, streak
        return at + index - first

    def flush(self) -> list[Verdict]:
        """Judge all pending intervals with the context available, as at the end of the stream."""
        out: list[Verdict] = []
        while self._waiting:
            if self._rhythm.locked:
                self._decide(out)
            else:
                self._reject(BeatKind.OTHER, 1, out)
        return out

    def _decide(self, out: list[Verdict]) -> None:
        window = [x for _, x in self._waiting]
        kind, beats, after = BeatKind.NORMAL, 1, self._rhythm.state
        if not self._plain(window):
            kind, _, beats, after = self._cheapest(window, 0, self._rhythm.state, inf)[1]
        if kind is BeatKind.NORMAL:
            self._rhythm.learn(self._waiting[0][1], steady=self._streak > 2)
            self._accept(out)
        else:
            self._reject(kind, beats, out)
            self._lose(after, beats if kind is BeatKind.SPLIT else 1)

    def _plain(self, window: Sequence[float]) -> bool:
        """Return whether three beats are normal at a cost below that of any explanation with a different first part."""
        if len(window) <= LOOKAHEAD:
            return False
        rhythm, cost = self._rhythm, 0.0
        last_ms, d1_ms, d2_ms, since_accepted = rhythm.state
        log_scale = log(rhythm.scale_ms)
        least = min(log(last_ms) + 2 * log_scale + _LEAST_PAIR, 3 * log_scale + _LEAST_MISSED)
        for rr_ms in window:
            cost += _normal(rhythm, rr_ms, rhythm.predict(last_ms, d1_ms, d2_ms), last_ms, since_accepted)
            if cost >= least:
                return False
            last_ms, d1_ms, d2_ms, since_accepted = rr_ms, rr_ms - last_ms, d1_ms, 0
        return True

    def _cheapest(self, window: Sequence[float], at: int, state: RhythmState, limit: float) -> tuple[float, Explanation]:
        """Return the cost of the cheapest explanation of `window[at:]` below `limit`, and its first part."""
        lowest, first = inf, (BeatKind.OTHER, inf, 1, state)
        for part in explanations(self._rhythm, window, at, state):
            _, cost, beats, after = part
            if cost < limit:
                if at + beats < len(window):
                    cost += self._cheapest(window, at + beats, after, limit - cost)[0]
                if cost < limit:
                    limit = lowest = cost
                    first = part
        return lowest, first

    def _accept(self, out: list[Verdict]) -> None:
        """Accept the first pending interval, which the rhythm model has already learnt."""
        index, rr_ms = self._waiting.popleft()
        diff_ms = None if self._neighbour_ms is None else rr_ms - self._neighbour_ms
        out.append(Verdict(index, rr_ms, BeatKind.NORMAL, diff_ms))
        self._neighbour_ms = rr_ms
        self._streak = self._streak + 1 if self._streak > 0 else 1

    def _reject(self, kind: BeatKind, beats: int, out: list[Verdict]) -> None:
        for _ in range(beats):
            index, rr_ms = self._waiting.popleft()
            out.append(Verdict(index, rr_ms, kind, None))

    def _lose(self, after: RhythmState, beats: int = 1) -> None:
        """Continue from the state after lost or rejected beats."""
        self._neighbour_ms = None
        self._streak = min(self._streak, 0) - beats
        self._rhythm.state = after if self._streak > -_RELOCK_AFTER else (0.0, *after[1:])


def explanations(rhythm: RhythmModel, window: Sequence[float], at: int, state: RhythmState) -> Iterator[Explanation]:
    """Yield every hypothesis about the first interval, or the first few, of `window[at:]` after `state`; costs in nats."""
    last_ms, d1_ms, d2_ms, since_accepted = state
    x, left, free = window[at], len(window) - at, log(last_ms)
    expected = rhythm.predict(last_ms, d1_ms, d2_ms)
    ratio = x / expected
    early = ratio < _EARLY
    hardly = _COST_HARDLY_EARLY * (ratio - _SURELY_EARLY) ** 2 if early and ratio > _SURELY_EARLY else 0.0
    share = x / min(expected, last_ms - (2 * d1_ms + d2_ms) / 3)  # of the mean of the last three, if that is shorter
    rise = 0.0
    if early and left > 2 and share > _RISE_IF_PREMATURE[0]:
        rise = _COST_RISE * _between(window[at + 2] / _ahead(rhythm, state, expected), *_RISE)
    yield BeatKind.NORMAL, _normal(rhythm, x, expected, last_ms, since_accepted), 1, (x, x - last_ms, d1_ms, 0)
    if left > 1:
        y = window[at + 1]
        both = x + y
        if both < 1.5 * expected:
            cost = _COST_SPLIT + free + _normal(rhythm, both, expected, last_ms, since_accepted)
            yield BeatKind.SPLIT, cost, 2, (both, both - last_ms, d1_ms, 1)
        if early and both < 2.5 * expected:
            cost = _COST_PREMATURE + free + hardly + rise * _between(share, *_RISE_IF_PREMATURE)
            # a full pause compensates the early beat, so that the two show where the rhythm is; a shorter one does not
            two = expected + rhythm.predict(expected, expected - last_ms, d1_ms)
            after = (max(both / 2, expected), 0.0, 0.0, _AFTER_FULL_PAUSE)
            yield BeatKind.PREMATURE, cost + _full_pause(rhythm, y, two - x), 2, after
            cost += _any_pause(rhythm, y, expected, expected - x, dip=share > _SURELY_DIP)
            yield BeatKind.PREMATURE, cost, 2, (expected, 0.0, 0.0, since_accepted + 2)
            if left > 2 and y < _EARLY * expected < expected < window[at + 2]:
                cost, third, debt = _COST_COUPLET + 2 * free, window[at + 2], 2 * expected - both
                cost += min(_full_pause(rhythm, third, expected + debt), _any_pause(rhythm, third, expected, debt))
                yield BeatKind.COUPLET, cost, 3, (expected, 0.0, 0.0, since_accepted + 2)
    elif early and at:
        yield BeatKind.PREMATURE, _COST_PREMATURE + free + hardly, 1, (expected, 0.0, 0.0, since_accepted + 2)
    if x > 1.4 * expected:
        for m in _MULTIPLES:
            one = x / m
            if 0.7 * expected < one < 1.4 * expected:
                cost = _COST_MISSED + 0.7 * (m - 2) + log(m) + _normal(rhythm, one, expected, last_ms, since_accepted + 1)
                yield BeatKind.MISSED, cost, 1, (one, 0.0, 0.0, since_accepted + 1)
    cost = _COST_OTHER + free + rise * _between(share, *_RISE_IF_OTHER)
    if not since_accepted and expected < x < 1.6 * expected:
        cost += _lone_long(window[at : at + 3], expected)
    if abs(ratio - 1) < _NEAR:
        cost += _COST_NEAR if abs(ratio - 1) > _FITS else _COST_FITTING
    yield BeatKind.OTHER, cost, 1, (expected, 0.0, 0.0, since_accepted + 1)


def _lone_long(ahead: Sequence[float], expected_ms: float) -> float:
    """Return what is added to OTHER for the first of up to three intervals, which is long."""
    x = ahead[0]
    cost = _COST_LONE_LONG + _COST_MILDLY_LONG * (1 - _between(x / expected_ms, *_MILDLY_LONG))
    if len(ahead) == 3 and x < _SIGH * expected_ms:
        _, y, z = ahead
        if x >= y > expected_ms + _STILL_LONG * (x - expected_ms) and expected_ms < z < _RECOVERED * y:
            cost += _COST_SLOWING
    return cost


def _between(value: float, low: float, high: float) -> float:
    """Return where a value lies between two limits, from 0 to 1."""
    return min(max((value - low) / (high - low), 0.0), 1.0)


def _ahead(rhythm: RhythmModel, state: RhythmState, expected_ms: float) -> float:
    """Return the interval expected two beats after `expected_ms`, or the last one if that is longer."""
    last_ms, d1_ms, _, _ = state
    second_ms = rhythm.predict(expected_ms, expected_ms - last_ms, d1_ms)
    return max(last_ms, rhythm.predict(second_ms, second_ms - expected_ms, expected_ms - last_ms))


def _normal(rhythm: RhythmModel, rr_ms: float, expected_ms: float, last_ms: float, since_accepted: int) -> float:
    """Return the cost of a normal beat; inf outside the physiological limits."""
    if not SHORTEST_MS <= rr_ms <= LONGEST_MS:
        return inf
    cost = rhythm.negative_log_density(rr_ms - expected_ms, since_accepted)
    low, high = (expected_ms, last_ms) if expected_ms < last_ms else (last_ms, expected_ms)
    shortest_ms, longest_ms = _FASTEST_JUMP * low, _SLOWEST_JUMP * high
    if shortest_ms <= rr_ms <= longest_ms:
        return cost
    beyond = shortest_ms / rr_ms if rr_ms < shortest_ms else rr_ms / longest_ms
    return cost + _COST_JUMP + (_COST_FARTHER / 2 if since_accepted else _COST_FARTHER) * log(beyond)


def _full_pause(rhythm: RhythmModel, rr_ms: float, expected_ms: float) -> float:
    """Return the cost of a fully compensatory pause."""
    return rhythm.negative_log_density(rr_ms - expected_ms, 0, _WIDE) + 0.7


def _any_pause(rhythm: RhythmModel, rr_ms: float, expected_ms: float, early_ms: float, *, dip: bool = False) -> float:
    """Return the cost of a pause anywhere between none and a fully compensatory one; inf outside.

    `dip`: whether the beat before it was so little early that without a pause it was hardly an artifact.
    """
    wide = 1.5 * rhythm.scale_ms
    if expected_ms - 2 * wide < rr_ms < expected_ms + early_ms + 2 * wide:
        return log(early_ms + 4 * wide) + 1.4 + (_COST_NO_PAUSE if dip and rr_ms < _PAUSE * expected_ms else 0.0)
    return inf
