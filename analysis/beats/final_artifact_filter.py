"""Offline artifact filter for a whole session: re-judges the beats around those that the live filter rejected.

It is not causal and therefore never used live. Around each rejected beat the hypotheses of `artifact_filter` are compared over
the whole stretch, with scales and prediction learnt on both sides of it (a beam search, which for so few beats is as good as
Viterbi's algorithm); then an interval that fits between its neighbours on both sides is accepted. Elsewhere the live verdicts
stand. docs/artifacts.md reports its accuracy.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import inf
from typing import Final, NamedTuple

from .artifact_filter import LOOKAHEAD, BeatKind, explanations
from .interval_prediction import RhythmModel, RhythmState

_PAD: Final = 3
_JOIN: Final = 8
_CONTEXT: Final = 40
"""Beats on either side of a stretch from which its rhythm is learnt."""
_FEWEST: Final = 7
"""Normal beats needed to learn a rhythm or a scale."""
_BEAM: Final = 16
_CHEAPER: Final = 12.0
"""Nats by which another explanation must be cheaper than the live filter's to replace it."""
_FITS: Final = 2.0
"""Largest deviation of a fitting interval from the value its neighbours predict, in scales of normal beats' deviations."""
_FITS_WITHIN: Final = (0.038, 0.08)
"""Lower and upper bound of that largest deviation, as shares of the interval."""


class _Path(NamedTuple):
    """A sequence of hypotheses that explains all intervals up to a point."""

    cost: float
    after: RhythmState
    before: "_Path | None"
    kind: BeatKind
    beats: int


def final_kinds(rr_ms: Sequence[float], kinds: Sequence[BeatKind], lost_before: Sequence[bool]) -> list[BeatKind]:
    """Return the final kinds of intervals (ms, in order) that the live filter classified as `kinds`.

    `lost_before`: whether beats were lost before each interval, as given to the live filter. Where nothing was rejected, nothing
    changes. Raises `ValueError` where the sequences are not of one length.
    """
    if not len(rr_ms) == len(kinds) == len(lost_before):
        raise ValueError("rr_ms, kinds and lost_before must be of one length")
    judged = list(kinds)
    starts = [0, *(n for n in range(1, len(rr_ms)) if lost_before[n]), len(rr_ms)]
    for first, end in pairwise(starts):
        for start, stop in list(_doubtful(kinds, first, end)):
            before = _learn(rr_ms, judged, range(max(first, start - _CONTEXT), start))
            after = _learn(rr_ms, judged, range(min(end, stop + _CONTEXT) - 1, stop - 1, -1))
            rhythm = RhythmModel.between(before, after)
            if rhythm is None:
                continue
            if before is None:
                known = (rr_ms[n] for n in range(start, stop) if judged[n] is BeatKind.NORMAL)
                rhythm.state = (next(known, rhythm.state[0]), 0.0, 0.0, _PAD)
            best_kinds, best_cost = _explained(rr_ms[start:stop], rhythm)
            if best_cost < _explained(rr_ms[start:stop], rhythm, judged[start:stop])[1] - _CHEAPER:
                judged[start:stop] = best_kinds
            _accept_fitting(rr_ms, judged, (start, stop), (first, end), rhythm)
    return judged


def _doubtful(kinds: Sequence[BeatKind], first: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches around rejected beats, with nearby ones joined."""
    span: tuple[int, int] | None = None
    for n in range(first, end):
        if kinds[n] is BeatKind.NORMAL:
            continue
        start, stop = max(first, n - _PAD), min(end, n + 1 + _PAD)
        if span and start > span[1] + _JOIN:
            yield span
            span = None
        span = (span[0] if span else start, stop)
    if span:
        yield span


def _learn(rr_ms: Sequence[float], kinds: Sequence[BeatKind], beats: range) -> RhythmModel | None:
    """Return the rhythm model after these beats, in the given order; None where too few are normal."""
    good = [rr_ms[n] for n in beats if kinds[n] is BeatKind.NORMAL]
    if len(good) < _FEWEST:
        return None
    rhythm, streak = RhythmModel(), 0
    rhythm.lock(sorted(good[:_FEWEST])[_FEWEST // 2])
    for n in beats:
        if kinds[n] is BeatKind.NORMAL:
            rhythm.learn(rr_ms[n], steady=streak > 2)
            streak += 1
        else:
            rhythm.state = (rhythm.state[0], 0.0, 0.0, rhythm.state[3] + 1)
            streak = 0
    return rhythm


def _explained(window: Sequence[float], rhythm: RhythmModel, only: Sequence[BeatKind] = ()) -> tuple[list[BeatKind], float]:
    """Return the cheapest explanation of a whole stretch and its cost in nats (inf where there is none).

    `only`: the kinds that the explanation must have; any where it is empty.
    """
    start = _Path(0.0, rhythm.state, None, BeatKind.NORMAL, 0)
    reached: list[list[_Path]] = [[start], *([] for _ in window)]
    for at in range(len(window)):
        ahead = window[at : at + LOOKAHEAD + 1]
        for path in sorted(reached[at], key=lambda one: one.cost)[:_BEAM]:
            for kind, cost, beats, after in explanations(rhythm, ahead, 0, path.after):
                if cost < inf and all(one is kind for one in only[at : at + beats]):
                    reached[at + beats].append(_Path(path.cost + cost, after, path, kind, beats))
    if not reached[-1]:
        return [], inf
    path = best = min(reached[-1], key=lambda one: one.cost)
    kinds: list[BeatKind] = []
    while path.before is not None:
        kinds = [path.kind] * path.beats + kinds
        path = path.before
    return kinds, best.cost


def _accept_fitting(
    rr_ms: Sequence[float], kinds: list[BeatKind], stretch: tuple[int, int], limits: tuple[int, int], rhythm: RhythmModel
) -> None:
    """Accept, in place, intervals close to the value predicted from both sides, by the scale of the surrounding beats."""
    (start, stop), (first, end) = stretch, limits
    around = range(max(first, start - _CONTEXT), min(end, stop + _CONTEXT))
    filled = _filled(rr_ms, kinds, around)
    inner = range(around.start + 3, around.stop - 3)
    deviations = {n: abs(rr_ms[n] - _between(filled, n - around.start, rhythm)) for n in inner}
    normal_deviations = sorted(deviations[n] for n in inner if kinds[n] is BeatKind.NORMAL)
    if len(normal_deviations) < _FEWEST:
        return
    scale_ms = 1.48 * normal_deviations[len(normal_deviations) // 2]
    for n in range(max(start, inner.start), min(stop, inner.stop)):
        if kinds[n] is BeatKind.NORMAL:
            continue
        least_ms, most_ms = (x * filled[n - around.start] for x in _FITS_WITHIN)
        if abs(rr_ms[n] - _between(filled, n - around.start, rhythm)) < min(max(_FITS * scale_ms, least_ms), most_ms):
            kinds[n] = BeatKind.NORMAL
            filled[n - around.start] = rr_ms[n]


def _filled(rr_ms: Sequence[float], kinds: Sequence[BeatKind], beats: range) -> list[float]:
    """Return the intervals with rejected ones interpolated linearly."""
    out = [rr_ms[n] if kinds[n] is BeatKind.NORMAL else 0.0 for n in beats]
    good = [n for n, x in enumerate(out) if x]
    if not good:
        return [rr_ms[n] for n in beats]
    out[: good[0]] = [out[good[0]]] * good[0]
    out[good[-1] :] = [out[good[-1]]] * (len(out) - good[-1])
    for a, b in pairwise(good):
        for n in range(a + 1, b):
            out[n] = out[a] + (out[b] - out[a]) * (n - a) / (b - a)
    return out


def _between(filled: Sequence[float], n: int, rhythm: RhythmModel) -> float:
    """Return the mean of the predictions from three neighbours on either side."""
    a, b, c = filled[n - 1], filled[n - 2], filled[n - 3]
    x, y, z = filled[n + 1], filled[n + 2], filled[n + 3]
    return (rhythm.predict(a, a - b, b - c) + rhythm.predict(x, x - y, y - z)) / 2
