"""Running RMSSD level with a 95 % interval that allows for quiet drift: for the live chart, not of record.

ln RMSSD of 10 s segments drifts with a correlation time of about 25 s, even at rest. The mean of a minute is therefore less
certain than six independent segments would make it: its variance is s² times the mean of their correlations. s² is estimated
from the scatter of segments within their minutes, corrected for the same drift, which reduces that scatter. The model is that of
`response.drift`, at the centre of its prior.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import exp, log, sqrt
from typing import Final, NamedTuple

_TAU_S: Final = 25.0
_WHITE: Final = 0.3
"""Share of the variance that is white noise."""
_AROUND_S: Final = 30.0
_FEWEST: Final = 4
"""Segments that a minute needs for a level."""
_PRIOR_VARIANCE: Final = 0.25**2
_PRIOR_WEIGHT: Final = 6.0
"""Weight of the prior variance, in segments: a session that has just begun is assumed to scatter as others do."""
_LEAST_MS: Final = 0.5
_Z95: Final = 1.96


class RmssdLevel(NamedTuple):
    """RMSSD over one minute with its 95 % interval, in ms."""

    rmssd_ms: float
    low_ms: float
    high_ms: float


def rmssd_levels(segments: Sequence[tuple[float, float | None]], borders_s: Sequence[float] = ()) -> list[RmssdLevel | None]:
    """Return the level of the minute around each segment (middle in s, RMSSD in ms); no minute crosses a phase border.

    None where the segment has no RMSSD, or too few segments of its minute have one.
    """
    known = [(mid, log(max(rmssd, _LEAST_MS)), sum(border <= mid for border in borders_s)) for mid, rmssd in segments if rmssd]
    minutes = [_minute(known, at) for at in range(len(known))]
    scatter, weight = _PRIOR_WEIGHT * _PRIOR_VARIANCE, _PRIOR_WEIGHT
    for minute in minutes:
        if minute:
            share = 1 / minute.segments  # each segment is in about as many minutes as a minute has segments
            scatter += share * minute.squares
            weight += share * minute.segments * (1 - minute.correlation)
    variance = scatter / weight
    by_mid = {mid: minute for (mid, _, _), minute in zip(known, minutes, strict=True)}
    return [_level(by_mid.get(mid), variance) for mid, _ in segments]


class _Minute(NamedTuple):
    segments: int
    mean: float
    squares: float
    """Sum of squared deviations from the mean."""
    correlation: float
    """Mean correlation over all pairs of segments, including each with itself."""


def _minute(known: Sequence[tuple[float, float, int]], at: int) -> _Minute | None:
    mid, _, phase = known[at]
    first = last = at
    while first and known[first - 1][0] >= mid - _AROUND_S and known[first - 1][2] == phase:
        first -= 1
    while last + 1 < len(known) and known[last + 1][0] <= mid + _AROUND_S and known[last + 1][2] == phase:
        last += 1
    inside = known[first : last + 1]
    if len(inside) < _FEWEST:
        return None
    mean = sum(y for _, y, _ in inside) / len(inside)
    squares = sum((y - mean) ** 2 for _, y, _ in inside)
    return _Minute(len(inside), mean, squares, _correlation(tuple(round(t - inside[0][0]) for t, _, _ in inside)))


@lru_cache(maxsize=256)
def _correlation(times_s: tuple[int, ...]) -> float:
    pairs = ((1 - _WHITE) * exp(-abs(a - b) / _TAU_S) + _WHITE * (a == b) for a in times_s for b in times_s)
    return sum(pairs) / len(times_s) ** 2


def _level(minute: _Minute | None, variance: float) -> RmssdLevel | None:
    if minute is None:
        return None
    half = _Z95 * sqrt(variance * minute.correlation)
    return RmssdLevel(exp(minute.mean), exp(minute.mean - half), exp(minute.mean + half))
