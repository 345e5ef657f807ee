"""The live engine against NeuroKit2: the same accepted beats must give the same figures, and a difference is told."""

from collections.abc import Iterable
from math import inf
from typing import Any, Final

import msgspec

from .rolling_window import RollingHrv

FIGURES: Final = ("mean_rr_ms", "sdnn_ms", "rmssd_ms", "pnn50_pct", "sd1_ms", "sd2_ms")
EQUAL: Final = 1e-9
"""Relative difference up to which two figures are the same number."""
_NOTHING: Final = 0.1
"""In ms or percent: no strap tells less."""


class Difference(msgspec.Struct, frozen=True):
    """A figure on which the two do not agree."""

    phase: str
    figure: str
    ours: float | None
    neurokit2: float | None


class Parity(msgspec.Struct, frozen=True, kw_only=True):
    """How the live engine and NeuroKit2 compare over a session."""

    compared: int = 0
    """Figures that both gave."""
    largest: float = 0.0
    """Largest relative difference among them."""
    differences: list[Difference] = []
    """Those above `EQUAL`, and those that only one of the two gave."""

    def with_phase(self, phase: str, ours: Any, neurokit2: Any) -> "Parity":
        """Compare one phase more; both have the figures as attributes of the same names."""
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
    """Difference in parts of the larger, or of `_NOTHING`: what should be 0 may come out as 1e-13 ms."""
    return abs(a - b) / max(abs(a), abs(b), _NOTHING)


def engine_of(end_s: Iterable[float], rr_ms: Iterable[float], accepted: Iterable[bool], adjacent: Iterable[bool]) -> RollingHrv:
    """The live engine with all of these beats in its window; `adjacent` says that the difference to the beat before counts."""
    engine, before_ms = RollingHrv(inf), 0.0
    for end, rr, good, near in zip(end_s, rr_ms, accepted, adjacent, strict=True):
        engine.push(float(end), float(rr), accepted=bool(good), diff_ms=float(rr) - before_ms if near else None)
        before_ms = float(rr)
    return engine
