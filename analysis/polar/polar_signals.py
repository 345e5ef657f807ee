"""Signals of a Polar strap besides heart rate: beats of its ECG, ECG strips around rejected beats, movement and breathing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from ...sensors.errors import PayloadError
from ...sensors.protocols.polar_frames import AccFrame, EcgFrame, PpiFrame, parse_frame
from ...sensors.recordings.recording import PMD_DATA, Event, Packet, StrapChange
from ..beats.artifact_filter import ArtifactFilter
from ..beats.beat_runs import Array
from ..beats.beat_stream import JudgedBeat
from .ecg_beats import detect_beats, ecg_strip
from .motion import breathing_from, movement_of
from .sample_clock import Frame, sample_times

ECG_HZ, ACC_HZ = 130.0, 25.0
MOST_STRIPS = 6
_APART_S = 6.0
_BREATHING_S = 60.0
_MASSAGED = "While it is worked on, a body moves as if it breathed."


class Strip(msgspec.Struct, frozen=True):
    """The ECG within 3 s of a rejected beat."""

    at_s: Annotated[float, msgspec.Meta(description="Session time of the beat.")]
    kind: str
    from_s: Annotated[float, msgspec.Meta(description="Time of the first sample, relative to `at_s`.")]
    rate_hz: float
    signal_uv: Annotated[list[int | None], msgspec.Meta(description="None where samples were lost.")]


class Motion(msgspec.Struct, frozen=True):
    """Movement and breathing of the client in one phase."""

    phase: str
    movement_mg: float | None
    breaths_per_min: float | None
    why: Annotated[str | None, msgspec.Meta(description="Reason why a rate is missing, as a sentence for the user.")] = None


class PolarReport(msgspec.Struct, frozen=True, kw_only=True):
    """Results from a strap's ECG and acceleration."""

    rr_source: Annotated[
        str,
        msgspec.Meta(
            description=(
                'Source of the beats of all figures: "strap" (its RR intervals), "ecg", or "ppi" (pulses of an optical sensor).'
            )
        ),
    ] = "strap"
    ecg_beats: int = 0
    ecg_accepted_pct: float | None = None
    ecg_covers_pct: Annotated[
        float, msgspec.Meta(description="Share of the session's time covered by accepted beats of the ECG.")
    ] = 0.0
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

    def timed(self, rate_hz: float) -> tuple[Array, Array]:
        """Return times in s and values of the samples that have a time."""
        if not self.frames:
            return np.zeros(0), np.zeros(0)
        time_s, values = sample_times(self.frames, rate_hz=rate_hz), np.concatenate(self.values).astype(np.float64)
        valid = np.isfinite(time_s)
        return time_s[valid], values[valid]


@dataclass(frozen=True, slots=True, eq=False)
class PolarSignals:
    """ECG and acceleration of a session, on the session's clock."""

    ecg_s: Array
    ecg_uv: Array
    acc_s: Array
    acc_mg: Array
    unreadable_frames: int

    @property
    def empty(self) -> bool:
        """Whether no frame was received."""
        return not (self.ecg_s.size or self.acc_s.size or self.unreadable_frames)


def signals_of(events: Iterable[Event]) -> PolarSignals:
    """Read the Polar frames among raw events, in order of time: ECG in µV, acceleration in mg of shape (n, 3).

    Of a session whose strap was changed only those of the first: each strap has a clock of its own.
    """
    ecg, acc = _Samples(), _Samples()
    unreadable = 0
    for event in events:
        if isinstance(event, StrapChange):
            break
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
    acc_s, acc_mg = acc.timed(ACC_HZ)
    return PolarSignals(*ecg.timed(ECG_HZ), acc_s, acc_mg.reshape(-1, 3), unreadable)


def ecg_beats(signals: PolarSignals) -> list[JudgedBeat]:
    """Return the beats of the ECG with the verdicts of the artifact filter for a strap's own RR intervals.

    No interval spans a hole in the signal or muscle noise.
    """
    if not signals.ecg_s.size:
        return []
    found = detect_beats(signals.ecg_uv, signals.ecg_s, rate_hz=ECG_HZ)
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
    """Return the share of a span in percent that accepted beats cover."""
    covered_ms = sum(beat.rr_ms for beat in beats if beat.accepted and start_s <= beat.end_s <= end_s)
    return 100 * min(covered_ms / 1000 / (end_s - start_s), 1.0) if end_s > start_s else 0.0


def strips_of(signals: PolarSignals, beats: Sequence[JudgedBeat]) -> list[Strip]:
    """Return the ECG around up to `MOST_STRIPS` rejected beats, spread over the session, no two within 6 s."""
    rejected: list[JudgedBeat] = []
    for beat in beats:
        if not beat.accepted and (not rejected or beat.end_s - rejected[-1].end_s >= _APART_S):
            rejected.append(beat)
    numbers = np.unique(np.linspace(0, len(rejected) - 1, MOST_STRIPS).round().astype(int)) if rejected else ()
    strips: list[Strip] = []
    for beat in (rejected[n] for n in numbers):
        from_s, signal_uv = ecg_strip(signals.ecg_uv, signals.ecg_s, beat.end_s)
        if np.isfinite(signal_uv).mean() > 0.5:
            samples = [None if np.isnan(value) else round(float(value)) for value in signal_uv]
            strips.append(Strip(round(beat.end_s, 3), beat.kind, round(float(from_s[0]), 3), ECG_HZ, samples))
    return strips


def motion_of(signals: PolarSignals, phase: str, start_s: float, end_s: float, *, worked_on: bool) -> Motion:
    """Return movement and breathing of a phase: medians of windows of 10 s and of a minute.

    `worked_on`: whether the client is massaged in this phase; strokes cannot be told from breaths, so there is no breathing rate.
    """
    inside = (signals.acc_s >= start_s) & (signals.acc_s < end_s)
    time_s, samples = signals.acc_s[inside], signals.acc_mg[inside]
    if time_s.size < 2:
        return Motion(phase, None, None, "No acceleration was received in this phase.")
    index = movement_of(samples, time_s).index_mg
    movement_mg = float(np.nanmedian(index)) if np.isfinite(index).any() else None
    if worked_on:
        return Motion(phase, movement_mg, None, _MASSAGED)
    edges = np.arange(start_s, end_s + 1e-9, _BREATHING_S)
    minutes = [
        breathing_from(samples[part], time_s[part]) for a, b in pairwise(edges) if (part := (time_s >= a) & (time_s < b)).any()
    ]
    rates = [rate for rate, _, _ in minutes if rate is not None]
    if len(rates) * 2 <= len(minutes):
        reasons = [reason for _, _, reason in minutes if reason]
        why = max(set(reasons), key=reasons.count) if reasons else "The phase is shorter than a minute."
        return Motion(phase, movement_mg, None, why)
    return Motion(phase, movement_mg, float(np.median(rates)))
