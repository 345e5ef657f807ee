"""The strip of a file's beats: a tachogram from few points, in which a gap stays a gap."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple

from ...analysis.beats.beat_stream import JudgedBeat
from .models import Strip

WIDTH: Final = 600
HEIGHT: Final = 80
_COLUMNS: Final = 150
"""Columns into which the time is divided; each is drawn from its least to its greatest value."""
_LEAST_SPAN: Final = {"ms": 100.0, "bpm": 10.0}
"""Least difference between the edges, so that a calm heart is not drawn as a wild one."""
_LONGEST_STEP_S: Final = 10.0


class Point(NamedTuple):
    """A value at a time in s; `gap` where beats are missing before it."""

    t: float
    value: float
    gap: bool = False


def points_of_beats(beats: Iterable[JudgedBeat]) -> list[Point]:
    """Return the intervals of the beats that are used, in ms; a beat that is not used leaves a gap."""
    points: list[Point] = []
    gap = False
    for beat in beats:
        gap = gap or beat.gap_before
        if beat.accepted:
            points.append(Point(beat.end_s, beat.rr_ms, gap))
        gap = not beat.accepted
    return points


def points_of_rates(rates: Sequence[tuple[float, int]]) -> list[Point]:
    """Return heart rates (s, bpm); a step far longer than the others is a gap."""
    steps = [after[0] - before[0] for before, after in pairwise(rates)]
    longest_s = max(_LONGEST_STEP_S, 5 * median(steps)) if steps else _LONGEST_STEP_S
    return [Point(t, float(bpm), n > 0 and t - rates[n - 1][0] > longest_s) for n, (t, bpm) in enumerate(rates)]


def strip_of(points: Sequence[Point], duration_s: float, unit: str) -> Strip:
    """Return the strip of some points in order of time; `unit` is ms or bpm."""
    values = [point.value for point in points]
    low, high = (min(values), max(values)) if values else (0.0, 0.0)
    if (missing := _LEAST_SPAN[unit] - (high - low)) > 0:
        low, high = low - missing / 2, high + missing / 2
    lines: list[list[str]] = []
    for run in _columns(points, duration_s or 1.0):
        drawn = [f"{WIDTH * p.t / (duration_s or 1.0):.1f},{HEIGHT * (high - p.value) / (high - low):.1f}" for p in run]
        if run[0].gap or not lines:
            lines.append([])
        lines[-1] += drawn
    # a line of one point would not be drawn
    texts = tuple(" ".join(line if len(line) > 1 else line * 2) for line in lines)
    return Strip(lines=texts, low=round(low, 1), high=round(high, 1), unit="ms" if unit == "ms" else "bpm")


def _columns(points: Sequence[Point], duration_s: float) -> Iterable[list[Point]]:
    """Yield, column by column, its least and greatest point in order of time; the first tells whether a gap is before it."""
    column: list[Point] = []
    at = -1
    for point in points:
        here = min(int(_COLUMNS * point.t / duration_s), _COLUMNS - 1)
        if column and here != at:
            yield _ends(column)
            column = []
        at = here
        column.append(point)
    if column:
        yield _ends(column)


def _ends(column: list[Point]) -> list[Point]:
    gap = any(point.gap for point in column)
    ends = sorted({min(column, key=lambda p: p.value), max(column, key=lambda p: p.value)})
    return [ends[0]._replace(gap=gap), *ends[1:]]
