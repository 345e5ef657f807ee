"""A whole session, from its raw events to its figures of record. With NeuroKit2 and scipy: for the worker process only."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ..sensors.beat_clock import BeatClock
from ..sensors.errors import PayloadError
from ..sensors.heart_rate import parse
from ..sensors.model import Phase
from ..sensors.recording import HEART_RATE, Event, Header, Mark, Packet, Pain, PhaseStart
from ..sensors.rr_text import RrText
from .artifacts import ArtifactFilter
from .figures import (
    DriftSeen,
    Integrity,
    Note,
    PhaseFigures,
    ResponseContext,
    ResponseFigures,
    Segment,
    SessionFigures,
    SessionReport,
)
from .final_pass import look_again
from .hrv import time_domain
from .integrity import integrity_of
from .parity import Parity, engine_of
from .past import Past, drifts_of, rests_of
from .phase_beats import SEGMENT_S, PhaseBeats, segments
from .polar_session import PolarReport, covers_pct, ecg_beats, motion_of, signals_of, strips_of
from .response import Response, respond
from .runs import runs_of
from .spectrum import spectra
from .stream import BeatStream, JudgedBeat, judge
from .time_domain import TimeDomain
from .usual import compare_with_usual, wander_sd

LEAST_ACCEPTED_PCT = 70.0
"""Below it no HRV figure of a phase is given."""
RESPONSE_PHASES = (Phase.MASSAGE, Phase.RECOVERY)
_ECG_COVERS_PCT, _ECG_WORSE_PCT = 90.0, 2.0
"""Of every phase that accepted beats of the ECG must fill, and how much less of the session than the strap's own they may."""
_REST_ONLY = "A session of rest alone: it helps to tell what is usual for you."
_HEART_RATE_ONLY = "The sensor sent heart rate only, no RR intervals: there is no HRV to tell."

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
Record = Callable[[Sequence[Array]], TimeDomain]


@dataclass(frozen=True, slots=True)
class Span:
    """A phase in time; the last one holds its end."""

    phase: Phase
    start_s: float
    end_s: float
    last: bool

    def holds(self, end_s: Array) -> Bools:
        """Which of these times lie within it."""
        return (end_s >= self.start_s) & ((end_s <= self.end_s) if self.last else (end_s < self.end_s))


@dataclass(frozen=True, slots=True, eq=False)
class Beats:
    """Judged beats as arrays of one length; `adjacent` says that the difference to the beat before counts."""

    end_s: Array
    rr_ms: Array
    accepted: Bools
    adjacent: Bools
    gap_before: Bools

    def within(self, span: Span) -> "Beats":
        """The beats that end in the span; the first of them has no neighbour in it."""
        inside = span.holds(self.end_s)
        adjacent, gap = self.adjacent[inside], self.gap_before[inside]
        if adjacent.size:
            adjacent[0] = False
        return Beats(self.end_s[inside], self.rr_ms[inside], self.accepted[inside], adjacent, gap)

    @property
    def accepted_pct(self) -> float | None:
        """Share of accepted beats; None without beats."""
        return 100 * float(self.accepted.mean()) if self.accepted.size else None


def summarise(
    name: str,
    header: Header,
    events: Sequence[Event],
    *,
    end_s: float | None = None,
    record: Record = time_domain,
    past: Sequence[Past] = (),
) -> SessionReport:
    """Compute the figures of record of a session from its raw events, in order of time.

    `record` computes the time domain: NeuroKit2, against which the live engine is checked, or for the archive numpy alone.
    `end_s` is where the session ended, if later than its last event; `past` the client's earlier rests, in order of time.
    No event gives a report without figures, never an error.
    """
    spans = phase_spans(events, end_s)
    last_s = spans[-1].end_s if spans else 0.0
    stream = BeatStream(BeatClock.at_speed(header.arrival_speed))
    stream.know(header.device)
    judged = judge(stream, events, last_s)
    polar, judged = _polar(events, spans, judged)
    beats = _arrays(judged)
    if stream.pulse:
        polar = msgspec.structs.replace(polar or PolarReport(), rr_source="ppi")
    of_phase = {span: beats.within(span) for span in spans}
    phases: list[PhaseFigures] = []
    reasons: dict[str, list[str]] = {}
    parity = Parity()
    for span in spans:
        rates = None if stream.rr_seen else _heart_rates(events, span)
        figures, why = _phase_figures(span, of_phase[span], record, heart_rates=rates)
        if figures.mean_rr_ms is not None and record is time_domain:
            inside = of_phase[span]
            engine = engine_of(inside.end_s, inside.rr_ms, inside.accepted, inside.adjacent)
            parity = parity.with_phase(span.phase.value, engine, figures)
        if not stream.rr_seen:
            why = [_HEART_RATE_ONLY]
        phases.append(figures)
        if why:
            reasons[span.phase.value] = why
    compared = _compared(of_phase, past, header.kind, hrv=stream.rr_seen)
    clock, placed = stream.clock, stream.pulse or stream.clock
    return SessionReport(
        figures=SessionFigures(
            recording=name,
            device=msgspec.structs.asdict(header.device) | header.device_extra,
            phases=phases,
            responses=compared.responses,
            integrity=Integrity(
                packets=clock.packets,
                beats=placed.beats,
                rejected_beats=stream.rejected,
                gaps=placed.gaps,
                duplicate_packets=clock.duplicate_packets,
                lost_s=round(placed.lost_s, 3),
            ),
        ),
        segments=_segments(of_phase),
        reasons=reasons,
        notes=[Note(event.t, _words(event)) for event in events if isinstance(event, Mark)],
        pain=[(event.t, event.score) for event in events if isinstance(event, Pain)],
        duration_s=last_s,
        kind=header.kind,
        hrv=stream.rr_seen,
        intervals=compared.intervals,
        context=compared.context,
        drift=compared.drift,
        stream=integrity_of(stream),
        parity=parity,
        polar=polar,
        second_look=look_again(
            judged, [(span.phase.value, span.holds(beats.end_s)) for span in spans], least_accepted_pct=LEAST_ACCEPTED_PCT
        ),
    )


def whole_recording(header: Header, events: Sequence[Event]) -> tuple[PhaseFigures, list[str]]:
    """Compute the figures of a whole recording as if it were one phase; gives also the reasons for those that are missing."""
    last_s = max((event.t for event in events), default=0.0)
    stream = BeatStream(BeatClock.at_speed(header.arrival_speed))
    stream.know(header.device)
    beats = _arrays(judge(stream, events, last_s))
    span = Span(Phase.SETTLE, 0.0, last_s, last=True)
    return _whole(span, beats, None if stream.rr_seen else _heart_rates(events, span))


def whole_text(text: RrText) -> tuple[PhaseFigures, list[str]]:
    """Compute the figures of plain RR intervals as if they were one phase, and the reasons for those that are missing."""
    judge = ArtifactFilter()
    verdicts = [v for rr, gap in zip(text.rr_ms, text.gap_before, strict=True) for v in judge.push(rr, gap=gap)] + judge.flush()
    end_s = np.cumsum(np.asarray(text.rr_ms, dtype=np.float64)) / 1000
    judged = [
        JudgedBeat(float(end), v.rr_ms, v.accepted, gap, v.diff_ms, v.kind)
        for end, v, gap in zip(end_s, verdicts, text.gap_before, strict=True)
    ]
    return _whole(Span(Phase.SETTLE, 0.0, float(end_s[-1]) if end_s.size else 0.0, last=True), _arrays(judged), None)


def _whole(span: Span, beats: Beats, heart_rates: list[int] | None) -> tuple[PhaseFigures, list[str]]:
    figures, reasons = _phase_figures(span, beats, time_domain, heart_rates=heart_rates)
    return msgspec.structs.replace(figures, phase="whole"), [_HEART_RATE_ONLY] if heart_rates else reasons


def phase_spans(events: Iterable[Event], end_s: float | None = None) -> list[Span]:
    """Give the phases in order; before the first phase line a session settles, a line that leads back is passed over.

    After `ended` nothing counts.
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
    return [Span(*border, last=n == len(borders)) for n, border in enumerate(borders, 1)]


def _arrays(judged: Sequence[JudgedBeat]) -> Beats:
    return Beats(
        end_s=np.array([beat.end_s for beat in judged], dtype=np.float64),
        rr_ms=np.array([beat.rr_ms for beat in judged], dtype=np.float64),
        accepted=np.array([beat.accepted for beat in judged], dtype=np.bool_),
        adjacent=np.array([beat.diff_ms is not None for beat in judged], dtype=np.bool_),
        gap_before=np.array([beat.gap_before for beat in judged], dtype=np.bool_),
    )


def _polar(
    events: Sequence[Event], spans: Sequence[Span], judged: list[JudgedBeat]
) -> tuple[PolarReport | None, list[JudgedBeat]]:
    """What came of a Polar strap's ECG and acceleration, and the beats to compute with.

    The ECG's beats are taken for the whole session or not at all: two sources in one comparison would differ by themselves.
    """
    signals = signals_of(events)
    if signals.empty or not spans:
        return None, judged
    of_ecg = ecg_beats(signals)
    start_s, end_s = spans[0].start_s, spans[-1].end_s
    whole = all(covers_pct(of_ecg, span.start_s, span.end_s) >= _ECG_COVERS_PCT for span in spans)
    from_ecg = whole and covers_pct(of_ecg, start_s, end_s) >= covers_pct(judged, start_s, end_s) - _ECG_WORSE_PCT
    accepted = sum(beat.accepted for beat in of_ecg)
    report = PolarReport(
        rr_source="ecg" if from_ecg else "strap",
        ecg_beats=len(of_ecg),
        ecg_accepted_pct=100 * accepted / len(of_ecg) if of_ecg else None,
        ecg_covers_pct=covers_pct(of_ecg, start_s, end_s),
        strips=strips_of(signals, judged) if signals.ecg_s.size else [],
        motion=[
            motion_of(signals, span.phase.value, span.start_s, span.end_s, worked_on=span.phase is Phase.MASSAGE)
            for span in spans
            if signals.acc_s.size
        ],
        unreadable_frames=signals.unreadable_frames,
    )
    return report, of_ecg if from_ecg else judged


def _heart_rates(events: Iterable[Event], span: Span) -> list[int]:
    """Heart rates that the strap itself sent within the span, in bpm."""
    rates: list[int] = []
    for event in events:
        if isinstance(event, Packet) and event.char == HEART_RATE and span.start_s <= event.t <= span.end_s:
            try:
                rates.append(parse(event.payload).hr_bpm)
            except PayloadError:
                continue
    return [rate for rate in rates if rate]


def _phase_figures(span: Span, beats: Beats, record: Record, *, heart_rates: list[int] | None) -> tuple[PhaseFigures, list[str]]:
    accepted_pct = beats.accepted_pct
    known: dict[str, Any] = {
        "phase": span.phase.value,
        "start_s": round(span.start_s, 3),
        "end_s": round(span.end_s, 3),
        "beats": int(beats.end_s.size),
        "accepted_pct": accepted_pct,
    }
    if heart_rates:
        known["mean_hr_bpm"] = float(np.mean(heart_rates))
    if accepted_pct is None:
        return PhaseFigures(**known), ["No beat was received in this phase."]
    known["clean_segments"] = int(segments(_phase_beats(span, beats))[0].size)
    if accepted_pct < LEAST_ACCEPTED_PCT:
        return PhaseFigures(**known), [f"Only {accepted_pct:.0f} % of the beats could be used: too few for any figure."]
    runs = runs_of(beats.end_s, beats.rr_ms, beats.accepted, beats.gap_before)
    time = record([run.rr_ms for run in runs])
    bands, breathing = spectra(runs)
    figures = PhaseFigures(
        **known,
        mean_hr_bpm=time.mean_hr_bpm,
        mean_rr_ms=time.mean_rr_ms,
        rmssd_ms=time.rmssd_ms,
        ln_rmssd=time.ln_rmssd,
        sdnn_ms=time.sdnn_ms,
        pnn50_pct=time.pnn50_pct,
        sd1_ms=time.sd1_ms,
        sd2_ms=time.sd2_ms,
        lf_ms2=bands.lf_ms2,
        hf_ms2=bands.hf_ms2,
        resp_per_min=breathing.per_min,
    )
    return figures, [*time.reasons, *bands.reasons, *([breathing.reason] if breathing.reason else [])]


def _phase_beats(span: Span, beats: Beats) -> PhaseBeats:
    return PhaseBeats(beats.end_s, beats.rr_ms, beats.accepted, beats.adjacent, (span.start_s, span.end_s))


@dataclass(slots=True)
class _Compared:
    """Massage and recovery against the baseline."""

    responses: list[ResponseFigures] = field(default_factory=list)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    context: dict[str, ResponseContext] = field(default_factory=dict)
    drift: DriftSeen | None = None
    """Of the first phase that could be compared."""


def _compared(of_phase: dict[Span, Beats], past: Sequence[Past], kind: str, *, hrv: bool) -> _Compared:
    """Ask both questions of each phase: more than today's drift, and more than rest alone usually does."""
    span_of = {span.phase: span for span in of_phase}
    base = span_of.get(Phase.BASELINE)
    out = _Compared()
    for phase in RESPONSE_PHASES:
        span = span_of.get(phase)
        if not hrv:
            out.responses.append(ResponseFigures(phase=phase.value, why=_HEART_RATE_ONLY))
        elif base is None or span is None:
            missing = Phase.BASELINE if base is None else phase
            out.responses.append(ResponseFigures(phase=phase.value, why=f"The session has no {missing.value} phase to compare."))
        else:
            rests = rests_of(past, phase.value)
            wander = wander_sd(rests)
            beats = (_phase_beats(base, of_phase[base]), _phase_beats(span, of_phase[span]))
            response = respond(*beats, wander_sd=wander, earlier=drifts_of(past))
            usual = compare_with_usual(response, base.end_s - base.start_s, span.end_s - span.start_s, rests)
            out.responses.append(_response_figures(phase, response))
            out.context[phase.value] = ResponseContext(
                steady=response.steady,
                flagged=response.flagged,
                standard_error=response.standard_error,
                wander_sd=wander,
                wander_rests=len(rests),
                usual_class="unknown" if kind == "rest" else usual.verdict,
                usual_why=_REST_ONLY if kind == "rest" else usual.why,
                usual_rests=usual.rests,
                usual_ln_rmssd=usual.mean,
                usual_half_width=usual.half_width,
            )
            out.drift = out.drift or response.drift
            if response.low is not None and response.high is not None:
                out.intervals[phase.value] = (response.low, response.high)
    return out


def _response_figures(phase: Phase, response: Response) -> ResponseFigures:
    delta = response.delta
    return ResponseFigures(
        phase=phase.value,
        delta_ln_rmssd=delta,
        half_width=response.half_width,
        percent=None if delta is None else 100 * float(np.expm1(delta)),
        class_=response.verdict,
        why=response.why,
    )


def _segments(of_phase: dict[Span, Beats]) -> list[Segment]:
    out: list[Segment] = []
    for span, beats in of_phase.items():
        mids, ln_rmssd = segments(_phase_beats(span, beats))
        known = {round(float(mid), 3): float(np.exp(y)) for mid, y in zip(mids, ln_rmssd, strict=True)}
        for n in range(int((span.end_s - span.start_s) // SEGMENT_S)):
            mid = round(span.start_s + SEGMENT_S * (n + 0.5), 3)
            out.append(Segment(mid, span.phase.value, known.get(mid)))
    return out


def _words(mark: Mark) -> str:
    return ", ".join(text for text in (mark.technique, mark.region, mark.pressure, mark.note) if text)
