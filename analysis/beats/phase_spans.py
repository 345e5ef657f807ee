"""Division of a session into its phases: the time span of each, and the beats within it as arrays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...sensors.model import Phase
from ...sensors.recordings.recording import Event, PhaseStart
from .beat_stream import JudgedBeat
from .phase_segments import PhaseBeats

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class PhaseSpan:
    """The time span of a phase; only the last one includes its end."""

    phase: Phase
    start_s: float
    end_s: float
    last: bool

    def contains(self, end_s: Array) -> Bools:
        """Return a mask of the times (s) that lie within the span."""
        return (end_s >= self.start_s) & ((end_s <= self.end_s) if self.last else (end_s < self.end_s))


@dataclass(frozen=True, slots=True, eq=False)
class BeatArrays:
    """Judged beats as arrays of one length; `adjacent` marks those whose difference to the beat before counts."""

    end_s: Array
    rr_ms: Array
    accepted: Bools
    adjacent: Bools
    gap_before: Bools

    def within(self, span: PhaseSpan) -> "BeatArrays":
        """Return the beats that end in the span; the first of them is adjacent to none."""
        inside = span.contains(self.end_s)
        adjacent, gap = self.adjacent[inside], self.gap_before[inside]
        if adjacent.size:
            adjacent[0] = False
        return BeatArrays(self.end_s[inside], self.rr_ms[inside], self.accepted[inside], adjacent, gap)

    @property
    def accepted_pct(self) -> float | None:
        """Percentage of accepted beats; None without beats."""
        return 100 * float(self.accepted.mean()) if self.accepted.size else None


def phase_spans(events: Iterable[Event], end_s: float | None = None) -> list[PhaseSpan]:
    """Return the spans of the phases in order, up to the last event or `end_s` if later.

    Before the first phase start a session is settling; a start that leads back to an earlier phase is ignored, and so is
    everything after `ended`.
    """
    phase, start_s, last_s = Phase.SETTLE, 0.0, 0.0
    borders: list[tuple[Phase, float, float]] = []
    for event in events:
        last_s = event.t
        if isinstance(event, PhaseStart) and event.phase.comes_after(phase):
            if event.t > start_s:
                borders.append((phase, start_s, event.t))
            phase, start_s = event.phase, event.t
            if phase is Phase.ENDED:
                break
    else:
        last_s = max(last_s, end_s or 0.0)
        if last_s > start_s:
            borders.append((phase, start_s, last_s))
    return [PhaseSpan(*border, last=n == len(borders)) for n, border in enumerate(borders, 1)]


def beat_arrays(judged: Sequence[JudgedBeat]) -> BeatArrays:
    """Return judged beats as arrays."""
    return BeatArrays(
        end_s=np.array([beat.end_s for beat in judged], dtype=np.float64),
        rr_ms=np.array([beat.rr_ms for beat in judged], dtype=np.float64),
        accepted=np.array([beat.accepted for beat in judged], dtype=np.bool_),
        adjacent=np.array([beat.diff_ms is not None for beat in judged], dtype=np.bool_),
        gap_before=np.array([beat.gap_before for beat in judged], dtype=np.bool_),
    )


def phase_beats(span: PhaseSpan, beats: BeatArrays) -> PhaseBeats:
    """Return the beats of a span in the form from which the response is computed."""
    return PhaseBeats(beats.end_s, beats.rr_ms, beats.accepted, beats.adjacent, (span.start_s, span.end_s))
