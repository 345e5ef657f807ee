"""Talking, turning over and changes of posture marked in a baseline: what lies about them is left out of it."""

from collections.abc import Iterable, Sequence
import re
from typing import Final

import numpy as np

from ...sensors.recordings.recording import Event, Mark
from ..beats.phase_segments import PhaseBeats

AROUND_S: Final = 30.0
"""Time left out before and after such a mark."""
_DISTURBS: Final = re.compile(
    r"\b(talk|spoke|speak|turn(ed|s|ing)? over|mov(ed|es|ing)|posture|position|cough|sneez|sat up|laugh)", re.IGNORECASE
)


def disturbs(event: Event) -> bool:
    """Return whether an event is a mark of something that changes the heart rhythm by itself."""
    return isinstance(event, Mark) and event.note is not None and _DISTURBS.search(event.note) is not None


def disturbances(events: Iterable[Event]) -> list[float]:
    """Return the times in s of such marks."""
    return [event.t for event in events if disturbs(event)]


def left_out(times: Iterable[float], start_s: float, stop_s: float) -> list[tuple[float, float]]:
    """Return the spans in s about the disturbances within a phase."""
    return [(t - AROUND_S, t + AROUND_S) for t in times if start_s <= t < stop_s]


def without_disturbances(phase: PhaseBeats, times: Sequence[float]) -> PhaseBeats:
    """Return a phase without the beats about the disturbances in it; a beat after a hole is adjacent to none."""
    spans = left_out(times, *phase.bounds_s)
    if not spans:
        return phase
    keep = np.ones(phase.end_s.size, dtype=np.bool_)
    for start_s, stop_s in spans:
        keep &= (phase.end_s < start_s) | (phase.end_s > stop_s)
    numbers = np.flatnonzero(keep)
    adjacent = phase.adjacent[keep]
    adjacent[1:] &= np.diff(numbers) == 1
    adjacent[:1] &= bool(numbers.size and numbers[0] == 0)
    return PhaseBeats(phase.end_s[keep], phase.rr_ms[keep], phase.accepted[keep], adjacent, phase.span_s)
