"""The relaxation response: whether RMSSD changed in this session by more than quiet drift explains.

ln RMSSD of 5 s segments is compared between a baseline and a later phase (see `drift`), and against what changed heart rate and
breathing would do to RMSSD by arithmetic alone. Thresholds were set by simulation, few false calls first, power second:
docs/response.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Final

import numpy as np

from ..beats.beat_runs import Array
from ..beats.phase_segments import PhaseBeats, Segments, segments
from ..figures import DriftEvidence, ResponseClass
from ..hrv.expected_rmssd import expected_change
from ..live.running_sums import LENGTH_S
from . import drift

FIT_SEGMENT_S: Final = LENGTH_S
FIT_FEWEST_DIFFERENCES: Final = 3
"""Of the segments that are compared: short ones tell drift from change better, and one artifact spoils less."""
FEWEST_SEGMENTS: Final = 24
"""Of 10 s, in each phase."""
GREATEST_REJECTED: Final = 0.05
WIDEST: Final = 0.50
LEAST_CHANGE: Final = 0.10
"""Of ln RMSSD; smaller changes get no word."""
PRIOR_SESSION_SD: Final = 0.10
"""SD of the change of ln RMSSD between quiet phases of one session, beyond drift, until the client's own rests tell better."""
CAVEAT: Final = "Rest alone can do this. It does not measure pain, health or treatment success."
_SURE: Final = 0.975
_SURE_BEYOND: Final = 0.98
"""Beyond the arithmetic, which takes the depth of breathing's tone to be the same at every rate: it is not."""
_LIKELY: Final = 0.90
_FASTER_HEART: Final = 0.97


@dataclass(frozen=True, slots=True)
class Response:
    """Change of ln RMSSD of a phase against the baseline; None where it could not be computed."""

    verdict: ResponseClass
    why: str
    """In plain words: what the verdict means, or which condition failed."""
    delta: float | None = None
    """Posterior median."""
    low: float | None = None
    """95 % interval."""
    high: float | None = None
    half_width: float | None = None
    percent: float | None = None
    """100·(e^delta − 1)."""
    standard_error: float | None = None
    """SD of the posterior without the allowance for wander."""
    expected_change: float | None = None
    """The part that changed mean RR and breathing rate produce by arithmetic alone."""
    p_up: float | None = None
    """P(change > 0)."""
    p_up_adjusted: float | None = None
    """P(change > arithmetic)."""
    flagged: bool = False
    """Breathing is slow, has shifted or could not be read: no firm verdict."""
    base_segments: int = 0
    phase_segments: int = 0
    steady: bool = False
    """Whether the interval would be narrow enough for a client who does not wander."""
    drift: DriftEvidence | None = None


def classify_response(
    base: PhaseBeats, phase: PhaseBeats, *, session_sd: float = PRIOR_SESSION_SD, earlier: Sequence[DriftEvidence] = ()
) -> Response:
    """Verdict on a phase against the baseline before it.

    `session_sd`: SD of the change between quiet phases beyond drift (`session_to_session_sd`). `earlier`: the drift seen in the
    client's earlier rests. Raises `ValueError` where the phase does not come after the baseline.
    """
    before, after = segments(base), segments(phase)
    blank = Response("insufficient", "", base_segments=before.mid_s.size, phase_segments=after.mid_s.size)
    if lacking := _lacking(base, before, "baseline") or _lacking(phase, after, "phase"):
        return replace(blank, why=f"Not enough steady data: {lacking}.")
    if after.mid_s[0] <= before.mid_s[-1]:
        raise ValueError("the phase must come after the baseline")
    own, seen = compare_segments(_short_segments(base), _short_segments(phase), earlier)
    posterior = own.widened(session_sd)
    delta, low, high = (posterior.quantile(q) for q in (0.5, 0.025, 0.975))
    alone = expected_change(base, phase)
    up, up_adjusted = posterior.above(0.0), posterior.widened(alone.standard_error).above(alone.delta)
    response = replace(
        blank,
        delta=delta,
        low=low,
        high=high,
        half_width=(high - low) / 2,
        percent=100 * float(np.expm1(delta)),
        standard_error=own.sd,
        expected_change=alone.delta if alone.known else None,
        p_up=up,
        p_up_adjusted=up_adjusted,
        flagged=bool(alone.notes),
        steady=2 * own.sd <= WIDEST,
        drift=seen,
    )
    faster = bool(phase.mean_rr_ms <= _FASTER_HEART * base.mean_rr_ms)
    verdict = _classify(response, up, up_adjusted, faster=faster)
    notes = alone.notes
    if faster and verdict == "slight":
        notes = (*notes, "the heart beat more than 3 % faster")
    return replace(response, verdict=verdict, why=_words(replace(response, verdict=verdict), notes))


def compare_segments(
    before: Segments, after: Segments, earlier: Sequence[DriftEvidence] = ()
) -> tuple[drift.Posterior, DriftEvidence]:
    """Posterior of the change between the segments of two phases, and what they showed of the drift."""
    t_s, y = np.concatenate([before.mid_s, after.mid_s]), np.concatenate([_winsorised(before), _winsorised(after)])
    return drift.change_posterior(t_s, y, np.arange(t_s.size) >= before.mid_s.size, earlier=earlier)


def _short_segments(phase: PhaseBeats) -> Segments:
    return segments(phase, FIT_SEGMENT_S, FIT_FEWEST_DIFFERENCES)


def _lacking(phase: PhaseBeats, clean: Segments, name: str) -> str | None:
    if clean.mid_s.size < FEWEST_SEGMENTS:
        return f"the {name} has {clean.mid_s.size} clean segments of 10 s, and needs {FEWEST_SEGMENTS}"
    if phase.rejected > GREATEST_REJECTED:
        pct = ceil(1000 * phase.rejected - 1e-9) / 10  # never said to be the limit itself
        return f"{pct:.1f} % of the beats in the {name} were rejected, more than {100 * GREATEST_REJECTED:.0f} %"
    return None


def _winsorised(clean: Segments) -> Array:
    """Values no further than 2.5 robust SD from the median of the phase."""
    mid = np.median(clean.ln_rmssd)
    reach = 2.5 * 1.4826 * np.median(np.abs(clean.ln_rmssd - mid))
    limited: Array = np.clip(clean.ln_rmssd, mid - reach, mid + reach)
    return limited


def _classify(response: Response, up: float, up_adjusted: float, *, faster: bool) -> ResponseClass:
    delta, half_width, firm = response.delta or 0.0, response.half_width or 0.0, not response.flagged
    if half_width > WIDEST:
        return "insufficient"
    if up >= _SURE and up_adjusted >= _SURE_BEYOND and delta >= LEAST_CHANGE and firm and not faster:
        return "clear"
    if min(up, up_adjusted) >= _LIKELY and delta >= LEAST_CHANGE:
        return "slight"
    if up <= 1 - _SURE and up_adjusted <= 1 - _SURE_BEYOND and delta <= -LEAST_CHANGE and firm:
        return "opposite"
    return "none"


def _words(response: Response, notes: Sequence[str]) -> str:
    delta, low, high = response.delta or 0.0, response.low or 0.0, response.high or 0.0
    between = f"{100 * np.expm1(low):+.0f} and {100 * np.expm1(high):+.0f} %".replace("-", "−")
    nothing = "No change we could tell"
    if low > 0 or high < 0:
        if notes:
            nothing = "A change that the way of breathing may have made"
        elif abs(delta) < LEAST_CHANGE:
            nothing = "A change too small to speak of"
        else:
            nothing = "A change that heart rate and breathing alone may explain"
    lacking = "Quiet phases alone differ too much to tell" if response.steady else "Not enough steady data"
    said = {
        "clear": "Higher than today's drift explains",
        "slight": "A hint, within what rest can do",
        "none": f"{nothing}; it lies between {between}",
        "opposite": "Lower than today's drift explains",
        "insufficient": f"{lacking}: the change lies anywhere between {between}",
    }[response.verdict]
    return f"{said}. Mind: {'; '.join(notes)}." if notes else f"{said}."
