"""Comparison of a session's massage and recovery with its baseline, and with the client's rest-only sessions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from ...sensors.model import Phase
from ..beats.phase_segments import PhaseBeats
from ..beats.phase_spans import BeatArrays, PhaseSpan, phase_beats
from ..figures import DriftEvidence, ResponseContext, ResponseFigures
from ..hrv.disturbances import without_disturbances
from ..rhythm.phase_rhythm import not_compared
from ..rhythm.rhythm_watch import Rhythm
from .earlier_rests import EarlierSession, drift_evidence, rest_phases
from .relaxation_response import Response, classify_response
from .resting_response import compare_with_rests, wander_scale
from .thresholds import PULSE_ONLY

RESPONSE_PHASES = (Phase.MASSAGE, Phase.RECOVERY)
_REST_ONLY = "A session of rest alone: it helps to tell what is usual for you."


@dataclass(slots=True)
class PhaseComparison:
    """Responses of massage and recovery, with intervals and context by phase."""

    responses: list[ResponseFigures] = field(default_factory=list)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    """95 % intervals of the change of ln RMSSD (low, high)."""
    context: dict[str, ResponseContext] = field(default_factory=dict)
    drift: DriftEvidence | None = None
    """Drift evidence of the first phase that could be compared."""


def compare_phases(
    beats_by_span: dict[PhaseSpan, BeatArrays],
    earlier_rests: Sequence[EarlierSession],
    kind: str,
    *,
    no_hrv: str | None = None,
    pulse: bool = False,
    withheld: Mapping[Phase, str] = MappingProxyType({}),
    rhythms: dict[PhaseSpan, Rhythm],
    disturbed: Sequence[float] = (),
    breathing_hz: Mapping[str, float] | None = None,
) -> PhaseComparison:
    """Compare each phase with today's drift, and with what rest alone usually does.

    `earlier_rests`: the client's earlier rest-only sessions, in order of time. `no_hrv`: why the recording has no HRV, as a
    sentence. `pulse`: whether its intervals are pulse intervals, by light. `withheld`: why a phase has no HRV of its own, in
    words. `rhythms`: the rhythm of each phase; without a sinus-like one in both there is no verdict. `disturbed`: times in s of
    disturbances, which are left out of the baseline. `breathing_hz`: rates by phase that were measured otherwise than from RR.
    """
    span_of = {span.phase: span for span in beats_by_span}
    base = span_of.get(Phase.BASELINE)
    out = PhaseComparison()
    for phase in RESPONSE_PHASES:
        span = span_of.get(phase)
        if no_hrv:
            out.responses.append(ResponseFigures(phase=phase.value, why=no_hrv))
        elif pulse:
            out.responses.append(ResponseFigures(phase=phase.value, why=PULSE_ONLY))
        elif base is None or span is None:
            missing = Phase.BASELINE if base is None else phase
            out.responses.append(ResponseFigures(phase=phase.value, why=f"The session has no {missing.value} phase to compare."))
        elif why := withheld.get(Phase.BASELINE) or withheld.get(phase) or not_compared(rhythms[base], rhythms[span]):
            out.responses.append(ResponseFigures(phase=phase.value, why=why))
        else:
            rests = rest_phases(earlier_rests, phase.value)
            response = classify_response(
                without_disturbances(phase_beats(base, beats_by_span[base]), disturbed),
                phase_beats(span, beats_by_span[span]),
                settle=_settling_phase(span_of.get(Phase.SETTLE), base, beats_by_span),
                between=[
                    phase_beats(one, beats) for one, beats in beats_by_span.items() if base.end_s <= one.start_s < span.start_s
                ],
                wander_scale=wander_scale(rests),
                earlier=drift_evidence(earlier_rests),
                breathing_hz=_measured(breathing_hz or {}, phase),
            )
            resting = compare_with_rests(response, base.end_s - base.start_s, span.end_s - span.start_s, rests)
            out.responses.append(_response_figures(phase, response))
            out.context[phase.value] = ResponseContext(
                steady=response.steady,
                flagged=response.flagged,
                standard_error=response.standard_error,
                wander_sd=response.wander_sd or 0.0,
                wander_rests=len(rests),
                usual_class="unknown" if kind == "rest" else resting.verdict,
                usual_why=_REST_ONLY if kind == "rest" else resting.why,
                usual_rests=resting.rests,
                usual_ln_rmssd=resting.mean,
                usual_half_width=resting.half_width,
            )
            out.drift = out.drift or response.drift
            if response.low is not None and response.high is not None:
                out.intervals[phase.value] = (response.low, response.high)
    return out


def _measured(breathing_hz: Mapping[str, float], phase: Phase) -> tuple[float, float] | None:
    """Return the measured rates of baseline and phase, None unless both were."""
    before, after = (breathing_hz.get(one.value) for one in (Phase.BASELINE, phase))
    return None if before is None or after is None else (before, after)


def _settling_phase(settle: PhaseSpan | None, base: PhaseSpan, beats_by_span: dict[PhaseSpan, BeatArrays]) -> PhaseBeats:
    """Return the settling phase, an empty one where the session began with its baseline."""
    if settle is not None:
        return phase_beats(settle, beats_by_span[settle])
    none = beats_by_span[base].within(PhaseSpan(Phase.SETTLE, base.start_s, base.start_s, last=False))
    return PhaseBeats(none.end_s, none.rr_ms, none.accepted, none.adjacent, (base.start_s, base.start_s))


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
