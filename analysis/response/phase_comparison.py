"""Massage and recovery of a session held against its baseline, and against what rest alone does for the client."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ...sensors.model import Phase
from ..beats.phase_spans import Beats, Span, phase_beats
from ..figures import DriftSeen, ResponseContext, ResponseFigures
from .earlier_rests import Past, drifts_of, rests_of
from .relaxation_response import Response, respond
from .resting_response import compare_with_usual, wander_sd

RESPONSE_PHASES = (Phase.MASSAGE, Phase.RECOVERY)
_REST_ONLY = "A session of rest alone: it helps to tell what is usual for you."
HEART_RATE_ONLY = "The sensor sent heart rate only, no RR intervals: there is no HRV to tell."


@dataclass(slots=True)
class PhaseComparison:
    """Massage and recovery against the baseline."""

    responses: list[ResponseFigures] = field(default_factory=list)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    context: dict[str, ResponseContext] = field(default_factory=dict)
    drift: DriftSeen | None = None
    """Of the first phase that could be compared."""


def compare(of_phase: dict[Span, Beats], past: Sequence[Past], kind: str, *, hrv: bool) -> PhaseComparison:
    """Ask both questions of each phase: more than today's drift, and more than rest alone usually does."""
    span_of = {span.phase: span for span in of_phase}
    base = span_of.get(Phase.BASELINE)
    out = PhaseComparison()
    for phase in RESPONSE_PHASES:
        span = span_of.get(phase)
        if not hrv:
            out.responses.append(ResponseFigures(phase=phase.value, why=HEART_RATE_ONLY))
        elif base is None or span is None:
            missing = Phase.BASELINE if base is None else phase
            out.responses.append(ResponseFigures(phase=phase.value, why=f"The session has no {missing.value} phase to compare."))
        else:
            rests = rests_of(past, phase.value)
            wander = wander_sd(rests)
            beats = (phase_beats(base, of_phase[base]), phase_beats(span, of_phase[span]))
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
