"""Figures of a course as the analysis returns them: without SciPy, so that pages can import this module."""

from typing import Annotated, Final

import msgspec

FEWEST_SESSIONS: Final = 4
"""Fewest sessions with a valid response for a mean."""
FEWEST_FOR_TREND: Final = 6
"""Fewest sessions for a trend,"""
LEAST_WEEKS: Final = 4.0
"""and the least time in weeks from the first to the last of them."""
FEWEST_TECHNIQUE_SESSIONS: Final = 3
"""Fewest sessions with a technique, and fewest with another one, for an association."""


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A figure with its 95 % interval and number of sessions; a figure without a value has a reason."""

    count: Annotated[int, msgspec.Meta(description="Number of sessions that it rests on, or that there are so far.")]
    value: float | None = None
    low: float | None = None
    high: float | None = None
    why: Annotated[str | None, msgspec.Meta(description="Reason why there is no value, as a sentence for the user.")] = None


class TechniqueAssociation(msgspec.Struct, frozen=True, kw_only=True):
    """Association of RMSSD with one technique, region or pressure, against all others of the client's massages."""

    factor: Annotated[str, msgspec.Meta(description="technique, region or pressure")]
    name: str
    sessions: Annotated[int, msgspec.Meta(description="Number of sessions with at least a minute of it.")]
    minutes: Annotated[float, msgspec.Meta(description="Total time of it in these sessions.")]
    percent: Annotated[
        float | None, msgspec.Meta(description="Difference of RMSSD while it was done, shrunk towards no difference.")
    ] = None
    low: Annotated[float | None, msgspec.Meta(description="95 % interval.")] = None
    high: float | None = None
    why: Annotated[str | None, msgspec.Meta(description="Reason why there is no difference, as a sentence for the user.")] = None


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """All figures of a course; changes in percent of RMSSD, pain in points of 0–10."""

    sessions: Annotated[int, msgspec.Meta(description="Number of massage sessions.")]
    rests: Annotated[int, msgspec.Meta(description="Number of rest-only sessions with a valid response.")]
    left_out: Annotated[int, msgspec.Meta(description="Number of massage sessions without a valid response.")]
    weeks: Annotated[float, msgspec.Meta(description="Time from the first session to the last.")]
    response_pct: Annotated[Estimate, msgspec.Meta(description="Mean change within a session.")]
    beyond_rest_pct: Annotated[
        Estimate, msgspec.Meta(description="Mean change within a session beyond that of rest-only sessions.")
    ]
    response_pct_per_week: Annotated[Estimate, msgspec.Meta(description="Trend of the change within a session.")]
    baseline_rmssd_ms: Annotated[
        Estimate, msgspec.Meta(description="Geometric mean of the baselines; its interval is that of the mean.")
    ]
    baseline_pct_per_week: Annotated[Estimate, msgspec.Meta(description="Trend of the baselines.")]
    pain_after: Annotated[Estimate, msgspec.Meta(description="Mean change of pain from before to after the session,")]
    pain_24h: Annotated[Estimate, msgspec.Meta(description="to a day later,")]
    pain_48h: Annotated[Estimate, msgspec.Meta(description="and to two days later.")]
    pain_before_per_week: Annotated[Estimate, msgspec.Meta(description="Trend of pain before the session.")]
    went_with: Annotated[
        list[TechniqueAssociation], msgspec.Meta(description="Associations with techniques, regions and pressures.")
    ]
