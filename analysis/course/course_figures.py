"""What a course tells, as it leaves the analysis: no SciPy behind it, so that pages can read it."""

from typing import Final

import msgspec

FEWEST_SESSIONS: Final = 4
"""With a valid response, for a mean."""
FEWEST_FOR_TREND: Final = 6
LEAST_WEEKS: Final = 4.0
FEWEST_TECHNIQUE_SESSIONS: Final = 3
"""Sessions in which something was done, and in which something else was done, to say anything about it."""


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with its 95 % interval and what stands behind it; silent figures have a reason."""

    count: int
    """Sessions behind it, or that there are so far."""
    value: float | None = None
    low: float | None = None
    high: float | None = None
    why: str | None = None


class TechniqueAssociation(msgspec.Struct, frozen=True, kw_only=True):
    """One technique, region or pressure, against the rest of what was done."""

    factor: str
    name: str
    sessions: int
    minutes: float
    percent: float | None = None
    """Difference of RMSSD while it was done, drawn towards none."""
    low: float | None = None
    """95 % interval."""
    high: float | None = None
    why: str | None = None
    """Why it is silent."""


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a course tells; changes in percent of RMSSD, pain in points of 0–10."""

    sessions: int
    """With massage."""
    rests: int
    left_out: int
    """Massage sessions without a valid response."""
    weeks: float
    """From the first session to the last."""
    response_pct: Estimate
    """Mean change within a session."""
    beyond_rest_pct: Estimate
    """The same, beyond the mean change in rest-only sessions."""
    response_pct_per_week: Estimate
    """How that change itself changes."""
    baseline_rmssd_ms: Estimate
    """Geometric mean of the baselines; its interval is that of the mean."""
    baseline_pct_per_week: Estimate
    pain_after: Estimate
    """Mean change against before the session."""
    pain_24h: Estimate
    pain_48h: Estimate
    pain_before_per_week: Estimate
    went_with: list[TechniqueAssociation]
