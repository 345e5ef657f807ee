"""Segments of a massage between its marks: technique, region and pressure of each, and RMSSD during it."""

from collections.abc import Sequence
from math import log, sqrt
from statistics import fmean, stdev
from typing import Final

import msgspec

from ...sensors.recordings.recording import Event, Mark
from ..figures import Segment

FACTORS: Final = ("technique", "region", "pressure")
LEAST_S: Final = 60.0
"""Shortest massage segment with an RMSSD."""
_FEWEST_SEGMENTS: Final = 4
_DRIFT_S: Final = 25.0
"""Time constant of drift at rest: the centre of its prior in `drift`."""


class MassageSegment(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a massage with one technique, region and pressure; times in s since the massage began."""

    start_s: float
    stop_s: float
    ln_rmssd: float | None = None
    """Mean over its clean 10 s segments; None where it was shorter than a minute or had too few of them."""
    standard_error: float | None = None
    technique: str | None = None
    region: str | None = None
    pressure: str | None = None

    @property
    def seconds(self) -> float:
        """Duration in s."""
        return self.stop_s - self.start_s


def massage_segments(
    events: Sequence[Event], segments: Sequence[Segment], start_s: float, stop_s: float
) -> tuple[MassageSegment, ...]:
    """Cut the massage from `start_s` to `stop_s` at its marks; a factor that a mark does not name continues unchanged."""
    inside = [(s.mid_s, log(s.rmssd_ms)) for s in segments if start_s <= s.mid_s < stop_s and s.rmssd_ms]
    spread = stdev(value for _, value in inside) if len(inside) > 1 else 0.0
    out: list[MassageSegment] = []
    for begin_s, end_s, factors in _between_marks(events, start_s, stop_s):
        own = [value for mid_s, value in inside if begin_s <= mid_s < end_s]
        known = end_s - begin_s >= LEAST_S and len(own) >= _FEWEST_SEGMENTS
        error = spread * min(1.0, sqrt(2 * _DRIFT_S / (10.0 * len(own)))) if known else None
        mean = fmean(own) if known else None
        out.append(
            MassageSegment(start_s=begin_s - start_s, stop_s=end_s - start_s, ln_rmssd=mean, standard_error=error, **factors)
        )
    return tuple(out)


def _between_marks(events: Sequence[Event], start_s: float, stop_s: float) -> list[tuple[float, float, dict[str, str | None]]]:
    """Return start, end and factors between the marks that change a factor."""
    current: dict[str, str | None] = dict.fromkeys(FACTORS)
    out: list[tuple[float, float, dict[str, str | None]]] = []
    at_s = start_s
    for mark in sorted((event for event in events if isinstance(event, Mark)), key=lambda mark: mark.t):
        named = {factor: value for factor in FACTORS if (value := getattr(mark, factor))}
        if mark.t >= stop_s or all(current[factor] == value for factor, value in named.items()):
            continue
        if mark.t > at_s:
            out.append((at_s, mark.t, current))
            at_s = mark.t
        current = current | named
    return [*out, (at_s, stop_s, current)] if stop_s > at_s else out
