"""The relaxation response: whether RMSSD changed in this session by more than quiet drift explains.

ln RMSSD of 5 s segments is compared between a baseline and a later phase (`drift`, `slow_wander`), and with the change that
heart rate and breathing alone would produce (see `hrv.expected_rmssd`). Thresholds were set on real people at rest and by
simulation, with few false positives first and power second: docs/response.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, hypot
from typing import Final

import numpy as np

from ..beats.phase_segments import PhaseBeats, Segments, limited, segments
from ..figures import DriftEvidence, ResponseClass
from ..hrv.expected_rmssd import expected_change
from ..hrv.settling import settling_of
from ..live.running_sums import LENGTH_S
from . import drift
from .slow_wander import wander_sd
from .thresholds import AS_ASLEEP, FEWEST_SEGMENTS, GREATEST_REJECTED

FIT_SEGMENT_S: Final = LENGTH_S
FIT_FEWEST_DIFFERENCES: Final = 3
"""Differences that a compared segment needs: short segments separate drift from change better, and an artifact spoils less."""
WIDEST: Final = 0.50
"""Largest half-width of the interval from the session's own drift for a verdict, in ln RMSSD."""
WIDEST_WITH_WANDER: Final = 0.70
"""Largest half-width of the whole interval for a verdict."""
LEAST_CHANGE: Final = 0.10
"""Least change of ln RMSSD that gets a verdict other than none."""
CAVEAT: Final = "Rest alone can do this. It does not measure pain, health or treatment success."
_SURE: Final = 0.99
"""Probability of a change, and of one beyond the expected, for a firm verdict: real hearts have longer tails than the model."""
_SURE_SETTLED: Final = 0.985
"""Probability of a change beyond what settling makes, for a firm verdict."""
_LIKELY: Final = 0.95
_FASTER_HEART: Final = 0.97
"""Ratio of mean RR below which the heart counts as faster."""


@dataclass(frozen=True, slots=True)
class Response:
    """Change of ln RMSSD of a phase against the baseline; None where it could not be computed."""

    verdict: ResponseClass
    why: str
    """Plain-language meaning of the verdict, or the condition that failed."""
    delta: float | None = None
    """Posterior median of the change of ln RMSSD."""
    low: float | None = None
    """Lower end of the 95 % interval."""
    high: float | None = None
    """Upper end of the 95 % interval."""
    half_width: float | None = None
    percent: float | None = None
    """100·(e^delta − 1)."""
    standard_error: float | None = None
    """SD of the posterior without the allowance for slow wander."""
    wander_sd: float | None = None
    """SD allowed for slow wander between the two phases."""
    expected: float | None = None
    """Change that mean RR and breathing rate alone would produce."""
    p_up: float | None = None
    """P(change > 0)."""
    p_up_adjusted: float | None = None
    """P(change > expected change)."""
    p_up_settled: float = 1.0
    """P(change > what settling after lying down makes), the expected change added."""
    flagged: bool = False
    """Whether breathing is slow, became faster or could not be read, so that there is no firm verdict."""
    base_segments: int = 0
    phase_segments: int = 0
    steady: bool = False
    """Whether the interval would be narrow enough without the allowance for slow wander."""
    drift: DriftEvidence | None = None


def classify_response(
    base: PhaseBeats,
    phase: PhaseBeats,
    *,
    settle: PhaseBeats | None = None,
    between: Sequence[PhaseBeats] = (),
    wander_scale: float = 1.0,
    earlier: Sequence[DriftEvidence] = (),
    breathing_hz: tuple[float, float] | None = None,
) -> Response:
    """Return the response of a phase against the baseline before it.

    `settle`: the phase before the baseline, from lying down on; without it the client is taken to have settled long ago.
    `between`: the phases between the two; they show how much this session wanders. `wander_scale`: see `slow_wander.wander_sd`.
    `earlier`: drift evidence of the client's earlier rest-only sessions. `breathing_hz`: rates of the two that were measured
    otherwise than from RR. Raises `ValueError` where the phase does not come after the baseline.
    """
    before, after = segments(base), segments(phase)
    blank = Response("insufficient", "", base_segments=before.mid_s.size, phase_segments=after.mid_s.size)
    if reason := _insufficient(base, before, "baseline") or _insufficient(phase, after, "phase"):
        return replace(blank, why=f"Not enough steady data: {reason}.")
    if after.mid_s[0] <= before.mid_s[-1]:
        raise ValueError("the phase must come after the baseline")
    parts = [limited_segments(part) for part in (base, *between, phase)]
    own, seen = compare_segments(parts[0], parts[-1], earlier)
    wander = wander_sd([part for part in parts if part.mid_s.size], own.sd, wander_scale)
    posterior = own.widened(wander)
    delta, low, high = (posterior.quantile(q) for q in (0.5, 0.025, 0.975))
    expected = expected_change(base, phase, breathing_hz)
    up, up_adjusted = posterior.above(0.0), posterior.widened(expected.standard_error).above(expected.delta)
    beyond_settling = 1.0
    if settle is not None:
        rise, error = _settling(settle, base, phase, parts[0])
        without = (
            posterior.widened(error).above(rise),
            posterior.widened(hypot(error, expected.standard_error)).above(rise + expected.delta),
        )
        beyond_settling = min(without)
    response = replace(
        blank,
        delta=delta,
        low=low,
        high=high,
        half_width=(high - low) / 2,
        percent=100 * float(np.expm1(delta)),
        standard_error=own.sd,
        wander_sd=wander,
        expected=expected.delta if expected.known else None,
        p_up=up,
        p_up_adjusted=up_adjusted,
        p_up_settled=beyond_settling,
        flagged=bool(expected.notes),
        steady=2 * own.sd <= WIDEST,
        drift=seen,
    )
    faster = bool(phase.mean_rr_ms <= _FASTER_HEART * base.mean_rr_ms)
    verdict = _classify(response, faster=faster, slowed=expected.slowed)
    notes = expected.notes
    if verdict == "slight" and _classify(replace(response, p_up_settled=1.0), faster=faster, slowed=expected.slowed) == "clear":
        notes = (*notes, "settling down may have made part of it")
    if faster and verdict == "slight":
        notes = (*notes, "the heart beat more than 3 % faster")
    if verdict in {"clear", "slight"} and phase.mean_rr_ms >= AS_ASLEEP * base.mean_rr_ms:
        notes = (*notes, "the heart slowed as in falling asleep, which does this too")
    return replace(response, verdict=verdict, why=_words(replace(response, verdict=verdict), notes))


def _settling(settle: PhaseBeats, base: PhaseBeats, phase: PhaseBeats, before: Segments) -> tuple[float, float]:
    """Return the rise that settling makes between baseline and phase, and its SD."""
    lay_down_s = settle.bounds_s[0]
    found = settling_of([part for part in (limited_segments(settle), before) if part.mid_s.size], lay_down_s)
    spans = ((start_s - lay_down_s, stop_s - lay_down_s) for start_s, stop_s in (base.bounds_s, phase.bounds_s))
    return found.between(*spans)


def compare_segments(
    before: Segments, after: Segments, earlier: Sequence[DriftEvidence] = ()
) -> tuple[drift.Posterior, DriftEvidence]:
    """Return the posterior of the change between the `limited` segments of two phases, and their evidence on the drift."""
    t_s, y = np.concatenate([before.mid_s, after.mid_s]), np.concatenate([before.ln_rmssd, after.ln_rmssd])
    return drift.change_posterior(t_s, y, np.arange(t_s.size) >= before.mid_s.size, earlier=earlier)


def limited_segments(phase: PhaseBeats) -> Segments:
    """Return the 5 s segments of a phase as they are compared: limited by `limited`."""
    return limited(segments(phase, FIT_SEGMENT_S, FIT_FEWEST_DIFFERENCES))


def _insufficient(phase: PhaseBeats, clean: Segments, name: str) -> str | None:
    if clean.mid_s.size < FEWEST_SEGMENTS:
        return f"the {name} has {clean.mid_s.size} clean segments of 10 s, and needs {FEWEST_SEGMENTS}"
    if phase.rejected > GREATEST_REJECTED:
        pct = ceil(1000 * phase.rejected - 1e-9) / 10  # rounded up, so that it never reads as the limit itself
        return f"{pct:.1f} % of the beats in the {name} were rejected, more than {100 * GREATEST_REJECTED:.0f} %"
    return None


def _classify(response: Response, *, faster: bool, slowed: bool) -> ResponseClass:
    """Return the class; `faster`, `slowed`: whether the heart became faster and the breathing slower."""
    delta, half_width, firm = response.delta or 0.0, response.half_width or 0.0, not response.flagged
    if not response.steady or half_width > WIDEST_WITH_WANDER:
        return "insufficient"
    up, adjusted, beyond = response.p_up or 0.0, response.p_up_adjusted or 0.0, response.p_up_settled
    sure = min(up, adjusted) >= _SURE and beyond >= _SURE_SETTLED
    if sure and delta >= LEAST_CHANGE and firm and not faster:
        return "clear"
    if min(up, adjusted, beyond) >= _LIKELY and delta >= LEAST_CHANGE:
        return "slight"
    if max(up, adjusted) <= 1 - _SURE and delta <= -LEAST_CHANGE and firm and not slowed:
        return "opposite"
    return "none"


def _words(response: Response, notes: Sequence[str]) -> str:
    delta, low, high = response.delta or 0.0, response.low or 0.0, response.high or 0.0
    between = f"{100 * np.expm1(low):+.0f} and {100 * np.expm1(high):+.0f} %".replace("-", "−")
    none = "No change we could tell"
    if low > 0 or high < 0:
        if notes:
            none = "A change that the way of breathing may have made"
        elif abs(delta) < LEAST_CHANGE:
            none = "A change too small to speak of"
        elif response.p_up_settled < _LIKELY <= min(response.p_up or 0.0, response.p_up_adjusted or 0.0):
            none = "A change that settling down alone may have made"
        else:
            none = "A change that heart rate and breathing alone may explain"
    insufficient = "Quiet phases alone differ too much to tell" if response.steady else "Not enough steady data"
    sentence = {
        "clear": "Higher than today's drift explains",
        "slight": "A hint, within what rest can do",
        "none": f"{none}; it lies between {between}",
        "opposite": "Lower than today's drift explains",
        "insufficient": f"{insufficient}: the change lies anywhere between {between}",
    }[response.verdict]
    return f"{sentence}. Mind: {'; '.join(notes)}." if notes else f"{sentence}."
