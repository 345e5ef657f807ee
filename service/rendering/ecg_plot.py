"""The ECG around rejected beats, as lines to draw."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ...analysis.polar.polar_signals import PolarReport, Strip
from . import plain_words

WIDTH, HEIGHT = 600, 110
_LEAST_SPAN_UV: Final = 800.0
_KINDS: Final = {
    "missed": "a beat may be missing",
    "split": "a false beat between",
    "premature": "early beat, or the pause after it",
    "couplet": "two early beats",
    "other": "does not fit its neighbours",
}


@dataclass(frozen=True, slots=True)
class Trace:
    """Six seconds of ECG in a drawing of `WIDTH` by `HEIGHT`; its lines break where samples were lost."""

    at: str
    kind: str
    lines: tuple[str, ...]
    """Polylines, each as the text of its points."""
    beat_x: float


def traces_of(polar: PolarReport | None) -> tuple[Trace, ...]:
    """Return the drawings of a report's ECG strips; empty without any."""
    return tuple(_trace(strip) for strip in polar.strips) if polar else ()


def _trace(strip: Strip) -> Trace:
    known = sorted(value for value in strip.signal_uv if value is not None)
    span = max(_LEAST_SPAN_UV, 1.1 * (known[-1] - known[0]))
    low = (known[0] + known[-1] - span) / 2
    points = [
        None if value is None else f"{WIDTH * n / max(len(strip.signal_uv) - 1, 1):.1f},{HEIGHT * (1 - (value - low) / span):.1f}"
        for n, value in enumerate(strip.signal_uv)
    ]
    beat_x = round(WIDTH * -strip.from_s * strip.rate_hz / max(len(points) - 1, 1), 1)
    return Trace(plain_words.clock(strip.at_s), _KINDS.get(strip.kind, strip.kind), tuple(_polylines(points)), beat_x)


def _polylines(points: Sequence[str | None]) -> Iterator[str]:
    line: list[str] = []
    for point in [*points, None]:
        if point is not None:
            line.append(point)
        elif line:
            yield " ".join(line)
            line = []
