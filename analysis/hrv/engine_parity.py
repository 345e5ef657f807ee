"""Comparison of the live engine with NeuroKit2: the same accepted beats must give the same figures."""

from collections.abc import Iterable
from math import inf
from typing import Annotated, Any, Final

import msgspec

from .rolling_window import RollingHrv

FIGURES: Final = ("mean_rr_ms", "sdnn_ms", "rmssd_ms", "pnn50_pct", "sd1_ms", "sd2_ms")
EQUAL: Final = 1e-9
"""Relative difference up to which two figures count as equal."""
_RESOLUTION: Final = 0.1
"""Least denominator of a relative difference, in ms or percent: the resolution of a strap."""


class Difference(msgspec.Struct, frozen=True):
    """A figure on which the two engines disagree."""

    phase: str
    figure: str
    ours: float | None
    neurokit2: float | None


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """Agreement of the live engine and NeuroKit2 over a session."""

    compared: Annotated[int, msgspec.Meta(description="Number of figures that both engines returned.")] = 0
    largest: Annotated[float, msgspec.Meta(description="Largest relative difference among those figures.")] = 0.0
    differences: Annotated[
        list[Difference], msgspec.Meta(description="Figures that differ by more than `EQUAL`, or that only one engine returned.")
    ] = []

    def with_phase(self, phase: str, ours: Any, neurokit2: Any) -> "Parity":
        """Return this comparison extended by one phase; both arguments have the figures as attributes named as in `FIGURES`."""
        compared, largest, differences = self.compared, self.largest, list(self.differences)
        for figure in FIGURES:
            mine, theirs = getattr(ours, figure), getattr(neurokit2, figure)
            if mine is None or theirs is None:
                if mine is not theirs:
                    differences.append(Difference(phase, figure, mine, theirs))
                continue
            apart = relative_difference(mine, theirs)
            compared, largest = compared + 1, max(largest, apart)
            if apart > EQUAL:
                differences.append(Difference(phase, figure, mine, theirs))
        return Parity(compared=compared, largest=largest, differences=differences)


def relative_difference(a: float, b: float) -> float:
    """Return the difference relative to the larger value, or to `_RESOLUTION`: a zero may be computed as 1e-13 ms."""
    return abs(a - b) / max(abs(a), abs(b), _RESOLUTION)


def engine_of(end_s: Iterable[float], rr_ms: Iterable[float], accepted: Iterable[bool], adjacent: Iterable[bool]) -> RollingHrv:
    """Return a live engine with all these beats in its window; `adjacent`: the difference to the beat before counts."""
    engine, before_ms = RollingHrv(inf), 0.0
    for end, rr, good, near in zip(end_s, rr_ms, accepted, adjacent, strict=True):
        engine.push(float(end), float(rr), accepted=bool(good), diff_ms=float(rr) - before_ms if near else None)
        before_ms = float(rr)
    return engine
