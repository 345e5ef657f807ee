"""Comparison of a response with the client's rest-only sessions, and how much this client wanders at rest, estimated from them.

Whether a change is more than today's drift is decided by `classify_response`. Whether it is more than rest alone usually does
needs three rest-only sessions of similar length: T = (Δ − m) / (s·√(1 + 1/n)) is Student's t with n − 1 degrees of freedom,
whatever the client's wander. docs/response.md reports the error rates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import expm1, isclose, sqrt
from statistics import mean, stdev
from typing import Final

from ..figures import RestComparisonClass
from .distributions import t_half_width
from .earlier_rests import RestPhase
from .relaxation_response import LEAST_CHANGE, Response
from .slow_wander import USUAL_RATE, minutes_between
from .thresholds import FEWEST_RESTS

_PRIOR_RESTS: Final = 4
"""Weight of what is usual in people, in rest-only sessions."""
_LENGTH_TOLERANCE: Final = 0.2
"""Relative difference up to which two phases count as similar in length."""


@dataclass(frozen=True, slots=True)
class RestingResponse:
    """Comparison of a change with what rest alone usually does."""

    verdict: RestComparisonClass
    why: str
    rests: int = 0
    """Number of rest-only sessions of similar length."""
    mean: float | None = None
    """Mean of their changes of ln RMSSD."""
    half_width: float | None = None
    """Half the width of the 95 % prediction interval for another rest-only session."""


def wander_scale(rests: Sequence[RestPhase]) -> float:
    """Return the variance of the client's slow wander over that of people in general, from how much the rests changed.

    Each rest counts by what people wander in its own lengths, so that rests of any length inform about any other.
    """
    excess = sum(
        (rest.delta**2 - rest.standard_error**2) / (USUAL_RATE * minutes_between(rest.baseline_s, rest.phase_s, rest.apart_s))
        for rest in rests
    )
    return max(0.0, (_PRIOR_RESTS + excess) / (_PRIOR_RESTS + len(rests)))


def compare_with_rests(response: Response, baseline_s: float, phase_s: float, rests: Sequence[RestPhase]) -> RestingResponse:
    """Return whether a change is more than rest alone usually does; the lengths in s are those of its baseline and phase."""
    similar = [rest.delta for rest in rests if _similar(rest.baseline_s, baseline_s) and _similar(rest.phase_s, phase_s)]
    count = len(similar)
    if count < FEWEST_RESTS:
        return RestingResponse("unknown", _too_few(count, len(rests)), count)
    resting, spread = mean(similar), stdev(similar) * sqrt(1 + 1 / count)
    half_width = t_half_width(count - 1) * spread
    between = f"between {_percent(resting - half_width)} and {_percent(resting + half_width)} ({count} rest-only sessions)"

    def answer(verdict: RestComparisonClass, why: str) -> RestingResponse:
        return RestingResponse(verdict, why, count, resting, half_width)

    if response.delta is None or not response.steady:
        return answer("unknown", f"Rest alone usually lies {between}; today's data were not steady enough to compare.")
    beyond = response.delta - resting
    if response.flagged and abs(beyond) >= half_width:
        return answer("unknown", f"Rest alone usually lies {between}; today's breathing makes the comparison unsafe.")
    if beyond >= max(half_width, LEAST_CHANGE):
        return answer("more", f"More than rest alone usually does for you: {between}.")
    if beyond <= -max(half_width, LEAST_CHANGE):
        return answer("less", f"Less than rest alone usually does for you: {between}.")
    return answer("usual", f"Within what rest alone usually does for you: {between}.")


def _similar(rest_s: float, own_s: float) -> bool:
    return isclose(rest_s, own_s, rel_tol=_LENGTH_TOLERANCE)


def _too_few(similar: int, rests: int) -> str:
    wanted = "Three quiet sessions without massage, of the same length, would tell what rest alone does for you"
    if not rests:
        return f"{wanted}; there is none yet."
    number = {0: "none", 1: "one", 2: "two"}[similar]
    return f"{wanted}; there {'are' if similar == 2 else 'is'} {number} of about this length so far."


def _percent(ln_change: float) -> str:
    return f"{100 * expm1(ln_change):+.0f} %".replace("-", "−").replace("+0 %", "0 %").replace("−0 %", "0 %")
