"""How much of the time the received beats fill: what is missing or too much shows that differences are not those of the heart."""

from typing import Final

LEAST_FILLED: Final = 0.9
MOST_FILLED: Final = 1.03
"""Limits of the sum of RR intervals, as a share of the time, for any figure of HRV."""
MISSING_PCT, SURPLUS_PCT = 97.0, 103.0
"""Shares of the time, in %, beyond which the signal is not called good."""
_MOST_LEFT_OUT: Final = 0.01
"""Share of beats that may be left out at unknown places; fewer where others follow a gap, as the two doubts add up."""
_FEWEST_LEFT_OUT: Final = 3
_MOST_GAPS: Final = 0.1
"""Share of beats that may follow a gap: each gap may lie a beat beside where it seems to."""
_FEWEST_GAPS: Final = 10
_DEFAULT_RR_S: Final = 1.0


def why_not_filled(
    filled_s: float, time_s: float, beats: int, *, of: str, left_out: int = 0, gaps: int = 0, repeats: bool = False
) -> str | None:
    """Return why beats that fill `filled_s` of `time_s` have no HRV; None where they may have some.

    One interval more or less at the borders of the time does not count. `of`: the time in words, such as "this phase".
    `left_out`: number of times that the sensor left a beat out without a hole between its packets, so that nobody knows where.
    `gaps`: number of accepted beats before which others are missing.
    `repeats`: whether the sensor is known to send intervals again.
    """
    if time_s <= 0:
        return None
    border_s = filled_s / beats if beats else _DEFAULT_RR_S
    if filled_s + border_s < LEAST_FILLED * time_s:
        return f"only {100 * filled_s / time_s:.0f} % of {of} is filled with heartbeats"
    if repeats:
        return f"in {of}, the strap sent beats again that it had sent before"
    if gaps >= _FEWEST_GAPS and gaps > _MOST_GAPS * beats:
        return f"beats are missing at {gaps} places of {of}"
    if left_out >= _FEWEST_LEFT_OUT and left_out / _MOST_LEFT_OUT + gaps / _MOST_GAPS > beats:
        return f"the strap left out at least {left_out} beats of {of}, nobody knows where"
    if filled_s - border_s > MOST_FILLED * time_s:
        return f"heartbeats add up to {100 * filled_s / time_s:.0f} % of {of}, more than there is time"
    return None


def is_filled(filled_s: float, time_s: float) -> bool:
    """Return whether beats fill so much of the time, and no more, whatever lies at its borders."""
    return LEAST_FILLED * time_s <= filled_s <= MOST_FILLED * time_s


def filled_pct(filled_s: float, time_s: float, beats: int) -> float | None:
    """Return the share of the time that beats fill, in %; one interval more or less at the borders of the time does not count."""
    if time_s <= 0 or not beats:
        return None
    border_s = filled_s / beats
    nearest_s = min(filled_s + border_s, time_s) if filled_s < time_s else max(filled_s - border_s, time_s)
    return 100 * nearest_s / time_s
