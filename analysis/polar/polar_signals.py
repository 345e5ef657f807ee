"""What a Polar strap sent beside the heart rate: beats of its ECG, strips around beats left out, movement, breathing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...sensors.errors import PayloadError
from ...sensors.protocols.polar_frames import AccFrame, EcgFrame, PpiFrame, parse_frame
from ...sensors.recordings.recording import PMD_DATA, Event, Packet
from ..beats.artifact_filter import ArtifactFilter
from ..beats.beat_runs import Array
from ..beats.beat_stream import JudgedBeat
from .ecg_beats import beats_of, ecg_strip
from .motion import breathing_from, movement_of
from .sample_clock import Frame, sample_times

ECG_HZ, ACC_HZ = 130.0, 25.0
MOST_STRIPS = 6
_APART_S = 6.0
_BREATHING_S = 60.0
_STROKES = "While it is worked on, a body moves as if it breathed."


class Strip(msgspec.Struct, frozen=True):
    """The ECG 3 s either side of a beat that was left out."""

    at_s: float
    """Session time of the beat."""
    kind: str
    from_s: float
    """Of the first sample, against `at_s`."""
    rate_hz: float
    signal_uv: list[int | None]
    """None where samples were lost."""


class Motion(msgspec.Struct, frozen=True):
    """How a phase moved, and breathed where that can be told from it."""

    phase: str
    movement_mg: float | None
    breaths_per_min: float | None
    why: str | None = None


class PolarReport(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a strap's ECG and acceleration."""

    rr_source: str = "strap"
    """Where the figures' beats come from: "strap" (its RR intervals), "ecg", or "ppi" (pulses of an optical sensor)."""
    ecg_beats: int = 0
    ecg_accepted_pct: float | None = None
    ecg_covers_pct: float = 0.0
    """Share of the session's time that accepted beats of the ECG fill."""
    strips: list[Strip] = []
    motion: list[Motion] = []
    unreadable_frames: int = 0


@dataclass(slots=True)
class _Samples:
    frames: list[Frame] = field(default_factory=list)
    values: list[NDArray[np.int32]] = field(default_factory=list)

    def add(self, arrival_s: float, timestamp_ns: int, values: NDArray[np.int32]) -> None:
        self.frames.append(Frame(arrival_s, timestamp_ns, len(values)))
        self.values.append(values)

    def placed(self, rate_hz: float) -> tuple[Array, Array]:
        """Times, and values, of the samples that have a time."""
        if not self.frames:
            return np.zeros(0), np.zeros(0)
        time_s, values = sample_times(self.frames, rate_hz=rate_hz), np.concatenate(self.values).astype(np.float64)
        told = np.isfinite(time_s)
        return time_s[told], values[told]


@dataclass(frozen=True, slots=True, eq=False)
class PolarSignals:
    """A session's ECG and acceleration on its clock."""

    ecg_s: Array
    ecg_uv: Array
    acc_s: Array
    acc_mg: Array
    unreadable_frames: int

    @property
    def empty(self) -> bool:
        """Whether there is nothing to tell of."""
        return not (self.ecg_s.size or self.acc_s.size or self.unreadable_frames)


def signals_of(events: Iterable[Event]) -> PolarSignals:
    """Read the Polar frames among raw events, in order of time; ECG in µV, acceleration in mg of shape (n, 3)."""
    ecg, acc = _Samples(), _Samples()
    unreadable = 0
    for event in events:
        if not isinstance(event, Packet) or event.char != PMD_DATA:
            continue
        try:
            frame = parse_frame(event.payload)
        except PayloadError:
            unreadable += 1
            continue
        match frame:
            case EcgFrame():
                ecg.add(event.t, frame.timestamp_ns, frame.samples_uv)
            case AccFrame():
                acc.add(event.t, frame.timestamp_ns, frame.samples_mg)
            case PpiFrame():
                pass
    acc_s, acc_mg = acc.placed(ACC_HZ)
    return PolarSignals(*ecg.placed(ECG_HZ), acc_s, acc_mg.reshape(-1, 3), unreadable)


def ecg_beats(signals: PolarSignals) -> list[JudgedBeat]:
    """Beats of the ECG, judged by the filter that judges a strap's own; none across a hole or what muscles drown."""
    if not signals.ecg_s.size:
        return []
    found = beats_of(signals.ecg_uv, signals.ecg_s, rate_hz=ECG_HZ)
    rr_ms = found.rr_ms
    whole = np.isfinite(rr_ms)
    gap = np.ones(rr_ms.size, dtype=np.bool_)
    gap[1:] = ~whole[:-1]
    judge = ArtifactFilter()
    ends, gaps = found.time_s[whole].tolist(), gap[whole].tolist()
    verdicts = [v for rr, hole in zip(rr_ms[whole].tolist(), gaps, strict=True) for v in judge.push(rr, gap=hole)]
    verdicts += judge.flush()
    return [
        JudgedBeat(end, verdict.rr_ms, verdict.accepted, hole, verdict.diff_ms, verdict.kind.value)
        for end, hole, verdict in zip(ends, gaps, verdicts, strict=True)
    ]


def covers_pct(beats: Sequence[JudgedBeat], start_s: float, end_s: float) -> float:
    """Share of a span that accepted beats fill."""
    filled_ms = sum(beat.rr_ms for beat in beats if beat.accepted and start_s <= beat.end_s <= end_s)
    return 100 * min(filled_ms / 1000 / (end_s - start_s), 1.0) if end_s > start_s else 0.0


def strips_of(signals: PolarSignals, beats: Sequence[JudgedBeat]) -> list[Strip]:
    """The ECG around rejected beats, spread over the session, no two within 6 s."""
    apart: list[JudgedBeat] = []
    for beat in beats:
        if not beat.accepted and (not apart or beat.end_s - apart[-1].end_s >= _APART_S):
            apart.append(beat)
    picked = [apart[n] for n in np.unique(np.linspace(0, len(apart) - 1, MOST_STRIPS).round().astype(int))] if apart else []
    strips: list[Strip] = []
    for beat in picked:
        from_s, signal_uv = ecg_strip(signals.ecg_uv, signals.ecg_s, beat.end_s)
        if np.isfinite(signal_uv).mean() > 0.5:
            samples = [None if np.isnan(value) else round(float(value)) for value in signal_uv]
            strips.append(Strip(round(beat.end_s, 3), beat.kind, round(float(from_s[0]), 3), ECG_HZ, samples))
    return strips


def motion_of(signals: PolarSignals, phase: str, start_s: float, end_s: float, *, worked_on: bool) -> Motion:
    """Movement and breathing of a phase: medians over 10 s and over a minute. `worked_on`: strokes may look like breaths."""
    inside = (signals.acc_s >= start_s) & (signals.acc_s < end_s)
    time_s, samples = signals.acc_s[inside], signals.acc_mg[inside]
    if time_s.size < 2:
        return Motion(phase, None, None, "No acceleration was received in this phase.")
    index = movement_of(samples, time_s).index_mg
    moved = float(np.nanmedian(index)) if np.isfinite(index).any() else None
    if worked_on:
        return Motion(phase, moved, None, _STROKES)
    edges = np.arange(start_s, end_s + 1e-9, _BREATHING_S)
    told = [
        breathing_from(samples[part], time_s[part]) for a, b in pairwise(edges) if (part := (time_s >= a) & (time_s < b)).any()
    ]
    rates = [rate for rate, _, _ in told if rate is not None]
    if len(rates) * 2 <= len(told):
        reasons = [reason for _, _, reason in told if reason]
        return Motion(
            phase, moved, None, max(set(reasons), key=reasons.count) if reasons else "The phase is shorter than a minute."
        )
    return Motion(phase, moved, float(np.median(rates)))
