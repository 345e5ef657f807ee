"""Computation of a session's report of record from its raw events. It imports NeuroKit2 and SciPy: worker process only."""

from collections.abc import Callable, Iterable, Sequence
from itertools import compress, pairwise
from typing import Any

import msgspec
import numpy as np

from ..sensors.beat_clock import BeatClock
from ..sensors.errors import PayloadError
from ..sensors.model import Phase
from ..sensors.protocols.heart_rate import parse
from ..sensors.recordings.recording import HEART_RATE, Event, Header, Mark, Packet, Pain
from ..sensors.recordings.rr_text import RrText
from .beats.artifact_filter import ArtifactFilter, Verdict
from .beats.beat_runs import runs_of
from .beats.beat_stream import TWO_STRAPS, BeatStream, JudgedBeat, judge
from .beats.final_verdicts import final_verdicts
from .beats.interval_prediction import LONGEST_MS
from .beats.phase_segments import SEGMENT_S, segments
from .beats.phase_spans import Array, BeatArrays, PhaseSpan, beat_arrays, phase_beats, phase_spans
from .beats.stream_integrity import integrity_of, why_no_hrv
from .beats.time_filled import why_not_filled
from .figures import (
    LEAST_ACCEPTED_PCT,
    Integrity,
    Note,
    PhaseFigures,
    Segment,
    SessionFigures,
    SessionReport,
    too_few_accepted,
)
from .hrv.disturbances import disturbances
from .hrv.engine_parity import Parity, engine_of
from .hrv.neurokit import time_domain
from .hrv.spectrum import spectra
from .hrv.time_domain import TimeDomain
from .intervals.time_step import step_of, without_rounding
from .polar.polar_signals import PolarReport, covers_pct, ecg_beats, motion_of, signals_of, strips_of
from .response.earlier_rests import EarlierSession
from .response.phase_comparison import compare_phases
from .rhythm.phase_rhythm import OF_PHASE, rhythm_of_phase, usable_beats
from .rhythm.rhythm_watch import WITHOUT_HRV, Rhythm, rhythms_of

_ECG_COVERS_PCT, _ECG_WORSE_PCT = 90.0, 2.0
"""Share of every phase that accepted ECG beats must cover, and by how much their share of the session may fall short of that
of the strap's own beats."""
_LATENCY_S = 10.0
"""How old the newest beat may be at the end of a recording, in s: optical sensors send theirs every few seconds."""
_MS_S, _FEWEST_OF_STEP = 0.001, 24
"""Unit of plain intervals, and how many of them show the step of their grid."""
_OF_PHASE = {phase: f"the {phase.value}" for phase in (Phase.BASELINE, Phase.MASSAGE, Phase.RECOVERY)}

TimeDomainFunction = Callable[[Sequence[Array]], TimeDomain]


def summarise(
    name: str,
    header: Header,
    events: Sequence[Event],
    *,
    end_s: float | None = None,
    compute_time_domain: TimeDomainFunction = time_domain,
    earlier_rests: Sequence[EarlierSession] = (),
) -> SessionReport:
    """Compute the report of record of a session from its raw events, in order of time.

    `compute_time_domain`: NeuroKit2, against which the live engine is checked, or numpy alone for the archive.
    `end_s`: end of the session, if later than its last event. `earlier_rests`: the client's earlier rest-only sessions, in
    order of time. Without events the report has no figures; that is no error.
    """
    spans = phase_spans(events, end_s)
    last_s = spans[-1].end_s if spans else 0.0
    stream = BeatStream(BeatClock.at_speed(header.arrival_speed))
    stream.set_device(header.device)
    judged = stream.of_beats(judge(stream, events, last_s))
    no_hrv = why_no_hrv(stream)
    if no_hrv:
        judged = []  # what a sensor sent before it showed that its intervals are no beats
    polar, judged = _polar(events, spans, judged)
    beats, rhythms = _beats_and_rhythms(judged, spans)
    compared_s = next((span.start_s for span in spans if span.phase is Phase.BASELINE), 0.0)
    if by_light := any(strap.by_light for strap in stream.straps if strap.until_s > compared_s):
        polar = msgspec.structs.replace(polar or PolarReport(), rr_source="ppi")
    beats_by_span = {span: beats.within(span) for span in spans}
    phases: list[PhaseFigures] = []
    reasons: dict[str, list[str]] = {}
    parity = Parity()
    withheld: dict[Phase, str] = {}
    for span in spans:
        inside = beats_by_span[span]
        unfilled = None if no_hrv else _why_not_filled(span, inside, stream, judged)
        rates = _heart_rates(events, span) if no_hrv or unfilled else None
        figures, why = _phase_figures(span, inside, compute_time_domain, rhythms[span], heart_rates=rates, withheld=unfilled)
        if unfilled:
            withheld[span.phase] = unfilled
        if figures.mean_rr_ms is not None and compute_time_domain is time_domain:
            engine = engine_of(inside.end_s, inside.rr_ms, inside.accepted, inside.adjacent)
            parity = parity.with_phase(span.phase.value, engine, figures)
        figures, why = _unrounded(figures, why, stream.step_within(span.start_s, span.end_s))
        if no_hrv:
            why = [no_hrv]
        phases.append(figures)
        if why:
            reasons[span.phase.value] = why
    if unlike := stream.why_unlike(compared_s):
        withheld = {span.phase: _sentence(unlike) for span in spans} | withheld
    disturbed = disturbances(events)
    breathing_hz = {one.phase: one.breaths_per_min / 60 for one in (polar.motion if polar else ()) if one.breaths_per_min}
    compared = compare_phases(
        beats_by_span,
        earlier_rests,
        header.kind,
        no_hrv=no_hrv,
        pulse=by_light,
        withheld=withheld,
        rhythms=rhythms,
        disturbed=disturbed,
        breathing_hz=breathing_hz,
    )
    clock, beat_source = stream.clock, stream.pulse or stream.clock
    return SessionReport(
        figures=SessionFigures(
            recording=name,
            device=msgspec.structs.asdict(header.device) | header.device_extra,
            phases=phases,
            responses=compared.responses,
            integrity=Integrity(
                packets=clock.packets,
                beats=beat_source.beats,
                rejected_beats=stream.rejected,
                gaps=beat_source.gaps,
                duplicate_packets=clock.duplicate_packets,
                lost_s=round(beat_source.lost_s, 3),
            ),
        ),
        segments=_segments(beats_by_span),
        reasons=reasons,
        notes=[Note(event.t, event.text) for event in events if isinstance(event, Mark)],
        pain=[(event.t, event.score) for event in events if isinstance(event, Pain)],
        duration_s=last_s,
        kind=header.kind,
        hrv=no_hrv is None,
        hrv_why=no_hrv,
        intervals=compared.intervals,
        context=compared.context,
        drift=compared.drift,
        stream=integrity_of(stream),
        parity=parity,
        polar=polar,
        second_look=final_verdicts(
            judged,
            [(span.phase.value, span.contains(beats.end_s)) for span in spans],
            least_accepted_pct=LEAST_ACCEPTED_PCT,
            without_hrv=frozenset(span.phase.value for span in spans if rhythms[span] in WITHOUT_HRV),
        ),
    )


def whole_recording(
    header: Header, events: Sequence[Event], *, compute_time_domain: TimeDomainFunction = time_domain
) -> tuple[PhaseFigures, list[str]]:
    """Return the figures of a whole recording as if it were one phase, and the reasons for missing ones.

    `compute_time_domain`: as of `summarise`.
    """
    last_s = max((event.t for event in events), default=0.0)
    stream = BeatStream(BeatClock.at_speed(header.arrival_speed))
    stream.set_device(header.device)
    judged = stream.of_beats(judge(stream, events, last_s))
    span = PhaseSpan(Phase.SETTLE, 0.0, last_s, last=True)
    if no_hrv := why_no_hrv(stream):
        return _whole(span, [], _heart_rates(events, span))[0], [no_hrv]
    unfilled = _why_not_filled(span, beat_arrays(judged), stream, judged)
    rates = _heart_rates(events, span) if unfilled else None
    figures, why = _whole(span, judged, rates, unfilled, compute_time_domain)
    return _unrounded(figures, why, stream.step_within(0.0, last_s))


def whole_text(text: RrText) -> tuple[PhaseFigures, list[str]]:
    """Return the figures of plain RR intervals as if they were one phase, and the reasons for missing ones."""
    artifact_filter = ArtifactFilter()
    verdicts: list[Verdict] = []
    starts = [0, *(n for n, gap in enumerate(text.gap_before) if gap and n), len(text.rr_ms)]
    for start, stop in pairwise(starts):
        if stop > start:
            verdicts += artifact_filter.push(text.rr_ms[start], gap=text.gap_before[start])
            verdicts += artifact_filter.push_all(text.rr_ms[start + 1 : stop])
    verdicts += artifact_filter.flush()
    lost_s = np.array([each or 0.0 for each in text.gap_s] or [0.0] * len(text.rr_ms))
    end_s = np.cumsum(np.asarray(text.rr_ms, dtype=np.float64) / 1000 + lost_s)
    judged = [
        JudgedBeat(float(end), v.rr_ms, v.accepted, gap, v.diff_ms, v.kind)
        for end, v, gap in zip(end_s, verdicts, text.gap_before, strict=True)
    ]
    span = PhaseSpan(Phase.SETTLE, 0.0, float(end_s[-1]) if end_s.size else 0.0, last=True)
    rr_ms = np.asarray(text.rr_ms, dtype=np.float64)
    filled_s = float(rr_ms[rr_ms <= LONGEST_MS].sum()) / 1000  # only the file's own times show what is missing beside that
    unfilled = why_not_filled(filled_s, filled_s + float(lost_s.sum()), len(judged), of="this time")
    step_s = step_of(rr_ms, _MS_S) if len(judged) >= _FEWEST_OF_STEP else 0.0
    return _unrounded(*_whole(span, judged, None, unfilled and _sentence(unfilled)), step_s)


def _whole(
    span: PhaseSpan,
    judged: list[JudgedBeat],
    heart_rates: list[int] | None,
    withheld: str | None = None,
    compute_time_domain: TimeDomainFunction = time_domain,
) -> tuple[PhaseFigures, list[str]]:
    beats, rhythms = _beats_and_rhythms(judged, [span])
    figures, reasons = _phase_figures(span, beats, compute_time_domain, rhythms[span], heart_rates=heart_rates, withheld=withheld)
    return msgspec.structs.replace(figures, phase="whole"), reasons


def _why_not_filled(span: PhaseSpan, beats: BeatArrays, stream: BeatStream, judged: Sequence[JudgedBeat]) -> str | None:
    end_s = float(beats.end_s[-1]) if beats.end_s.size and span.last else span.end_s
    if span.end_s - end_s > _LATENCY_S:
        end_s = span.end_s
    filled_s, time_s = float(beats.rr_ms[beats.rr_ms <= LONGEST_MS].sum()) / 1000, end_s - span.start_s
    if stream.two_straps_beats:  # what two straps sent at once is known, and left out
        surplus_ms = sum(beat.rr_ms for beat in judged if beat.kind == TWO_STRAPS and span.start_s <= beat.end_s <= span.end_s)
        filled_s = min(filled_s, max(filled_s - surplus_ms / 1000, time_s))
    left_out = sum(span.start_s <= t <= span.end_s for t in stream.clock.unplaced_gaps_s)
    repeats = stream.repeats_within(span.start_s, span.end_s)
    of = _OF_PHASE.get(span.phase, "this time")
    gaps = int(np.count_nonzero(beats.gap_before & beats.accepted))
    why = why_not_filled(filled_s, time_s, beats.rr_ms.size, of=of, left_out=left_out, gaps=gaps, repeats=repeats)
    return None if why is None else _sentence(why)


def _sentence(why: str) -> str:
    return f"{why[0].upper()}{why[1:]}."


def _unrounded(figures: PhaseFigures, why: list[str], step_s: float) -> tuple[PhaseFigures, list[str]]:
    """Return the figures without what the coarse step of a sensor's intervals adds to the differences."""
    if not step_s or figures.rmssd_ms is None:
        return figures, why
    rmssd_ms = without_rounding(figures.rmssd_ms, step_s)
    if rmssd_ms is None:
        why = [*why, f"The strap’s steps of {1000 * step_s:.0f} ms are too coarse for so small an RMSSD."]
    ln_rmssd = None if rmssd_ms is None else float(np.log(rmssd_ms))
    sd1_ms = figures.sd1_ms if rmssd_ms is None else rmssd_ms / figures.rmssd_ms * (figures.sd1_ms or 0.0)
    return msgspec.structs.replace(
        figures, rmssd_ms=rmssd_ms, ln_rmssd=ln_rmssd, sd1_ms=None if rmssd_ms is None else sd1_ms, pnn50_pct=None
    ), why


def _beats_and_rhythms(judged: list[JudgedBeat], spans: Sequence[PhaseSpan]) -> tuple[BeatArrays, dict[PhaseSpan, Rhythm]]:
    """Return the beats, usable only where their rhythm allows HRV, and the rhythm of each phase."""
    rhythms, beats = rhythms_of(judged), beat_arrays(judged)
    of_span = {span: rhythm_of_phase(compress(rhythms, span.contains(beats.end_s))) for span in spans}
    return usable_beats(beats, rhythms), of_span


def _polar(
    events: Sequence[Event], spans: Sequence[PhaseSpan], judged: list[JudgedBeat]
) -> tuple[PolarReport | None, list[JudgedBeat]]:
    """Return the report on a Polar strap's ECG and acceleration, and the beats to compute with.

    ECG beats are used for the whole session or not at all: two sources in one comparison would differ by themselves.
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


def _heart_rates(events: Iterable[Event], span: PhaseSpan) -> list[int]:
    """Return the heart rates in bpm that the strap itself sent within the span."""
    rates: list[int] = []
    for event in events:
        if isinstance(event, Packet) and event.char == HEART_RATE and span.start_s <= event.t <= span.end_s:
            try:
                rate_bpm = parse(event.payload).rate_bpm
            except PayloadError:
                continue
            if rate_bpm is not None:
                rates.append(rate_bpm)
    return rates


def _phase_figures(
    span: PhaseSpan,
    beats: BeatArrays,
    compute_time_domain: TimeDomainFunction,
    rhythm: Rhythm,
    *,
    heart_rates: list[int] | None,
    withheld: str | None = None,
) -> tuple[PhaseFigures, list[str]]:
    accepted_pct = beats.accepted_pct
    known: dict[str, Any] = {
        "phase": span.phase.value,
        "start_s": round(span.start_s, 3),
        "end_s": round(span.end_s, 3),
        "beats": int(beats.end_s.size),
        "accepted_pct": accepted_pct,
        "rhythm": rhythm.value,
    }
    if heart_rates:
        known["mean_hr_bpm"] = float(np.mean(heart_rates))
    if accepted_pct is None:
        return PhaseFigures(**known), ["No beat was received in this phase."]
    if withheld:
        return PhaseFigures(**known), [withheld]
    if rhythm in WITHOUT_HRV:
        return PhaseFigures(**known | {"mean_hr_bpm": 60_000 / float(beats.rr_ms.mean())}), [OF_PHASE[rhythm]]
    known["clean_segments"] = int(segments(phase_beats(span, beats))[0].size)
    if why := too_few_accepted(accepted_pct):
        return PhaseFigures(**known), [why]
    runs = runs_of(beats.end_s, beats.rr_ms, beats.accepted, beats.gap_before)
    time = compute_time_domain([run.rr_ms for run in runs])
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


def _segments(beats_by_span: dict[PhaseSpan, BeatArrays]) -> list[Segment]:
    out: list[Segment] = []
    for span, beats in beats_by_span.items():
        mids, ln_rmssd = segments(phase_beats(span, beats))
        known = {round(float(mid), 3): float(np.exp(y)) for mid, y in zip(mids, ln_rmssd, strict=True)}
        for n in range(int((span.end_s - span.start_s) // SEGMENT_S)):
            mid = round(span.start_s + SEGMENT_S * (n + 0.5), 3)
            out.append(Segment(mid, span.phase.value, known.get(mid)))
    return out
