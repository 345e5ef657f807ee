"""Provisional change of RMSSD during a session: an interval from the model behind the verdict, but never a verdict.

docs/response.md reports how often the interval contains the true change.
"""

from collections.abc import Sequence
from math import expm1
from typing import Final

from ..beats.phase_segments import limited
from ..live.running_sums import ProvisionalChange, RunningComparison, SegmentSums, segments_of
from .earlier_rests import EarlierSession, drift_evidence, rest_phases
from .relaxation_response import FIT_SEGMENT_S, compare_segments
from .resting_response import wander_scale
from .slow_wander import wander_sd

FEWEST_BASE: Final = 24
FEWEST_NOW: Final = 12
"""Clean 5 s segments needed of the baseline and of the current phase; with fewer the interval was too narrow."""
GREATEST_REJECTED: Final = 0.10
"""Largest share of rejected beats, as for the live RMSSD; a verdict is stricter."""


def provisional_change(comparison: RunningComparison, earlier_rests: Sequence[EarlierSession] = ()) -> ProvisionalChange:
    """Estimate the change up to now with its 95 % interval; `earlier_rests`: the client's rests in order of time."""
    before, *between, now = (
        limited(segments_of(sums)) for sums in (comparison.baseline, *comparison.between, comparison.current)
    )
    if max(_rejected(comparison.baseline), _rejected(comparison.current)) > GREATEST_REJECTED:
        return ProvisionalChange(why="too many beats could not be used")
    if before.mid_s.size < FEWEST_BASE:
        return ProvisionalChange(why="the baseline is too short to compare with")
    if now.mid_s.size < FEWEST_NOW:
        return ProvisionalChange(why=f"about {FIT_SEGMENT_S * (FEWEST_NOW - now.mid_s.size):.0f} s more are needed")
    own, _ = compare_segments(before, now, drift_evidence(earlier_rests))
    scale = wander_scale(rest_phases(earlier_rests, comparison.phase))
    posterior = own.widened(wander_sd([before, *(part for part in between if part.mid_s.size), now], own.sd, scale))
    percent, low, high = (100 * expm1(posterior.quantile(q)) for q in (0.5, 0.025, 0.975))
    return ProvisionalChange(percent=percent, low_pct=low, high_pct=high)


def _rejected(sums: SegmentSums) -> float:
    return sums.rejected / sums.beats if sums.beats else 0.0
