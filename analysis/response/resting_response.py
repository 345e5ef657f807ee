"""What rest alone usually does for a client, learnt from their rest-only sessions: how much it wanders, and the second question.

The first question, "more than today's drift?", is `response.respond`. The second, "more than your usual?", needs three rests of
about the same length: T = (Δ − m) / (s·√(1 + 1/n)) is Student's t with n − 1 degrees of freedom, whatever the wander:
docs/response.md measures it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import expm1, isclose, sqrt
from statistics import mean, stdev
from typing import Final

from ..figures import RestComparisonClass
from .distributions import t_half_width
from .earlier_rests import RestPhase
from .relaxation_response import LEAST_CHANGE, PRIOR_SESSION_SD, Response

FEWEST_RESTS: Final = 3
_BEFOREHAND: Final = 4
"""Rests that `PRIOR_SESSION_SD` is worth."""
_LIKE_LENGTH: Final = 0.2
"""Phases whose lengths differ by less than this share are of one length."""


@dataclass(frozen=True, slots=True)
class RestingResponse:
    """How a change compares with what rest alone usually does."""

    verdict: RestComparisonClass
    why: str
    rests: int = 0
    """Of about this length."""
    mean: float | None = None
    """Of their change of ln RMSSD."""
    half_width: float | None = None
    """Half of the range in which 95 of 100 further rests would lie."""


def session_to_session_sd(rests: Sequence[RestPhase]) -> float:
    """SD of the change of ln RMSSD between quiet phases beyond what one session can show."""
    seen = sum(rest.delta**2 - rest.standard_error**2 for rest in rests)
    return sqrt(max(0.0, (_BEFOREHAND * PRIOR_SESSION_SD**2 + seen) / (_BEFOREHAND + len(rests))))


def compare_with_rests(response: Response, baseline_s: float, phase_s: float, rests: Sequence[RestPhase]) -> RestingResponse:
    """Say whether a phase's change is more than rest alone usually does; the lengths are those of its two phases."""
    alike = [rest.delta for rest in rests if _alike(rest.baseline_s, baseline_s) and _alike(rest.phase_s, phase_s)]
    count = len(alike)
    if count < FEWEST_RESTS:
        return RestingResponse("unknown", _too_few(count, len(rests)), count)
    usual, spread = mean(alike), stdev(alike) * sqrt(1 + 1 / count)
    reach = t_half_width(count - 1) * spread
    between = f"between {_percent(usual - reach)} and {_percent(usual + reach)} ({count} rest-only sessions)"

    def answer(verdict: RestComparisonClass, why: str) -> RestingResponse:
        return RestingResponse(verdict, why, count, usual, reach)

    if response.delta is None or not response.steady:
        return answer("unknown", f"Rest alone usually lies {between}; today's data were not steady enough to compare.")
    beyond = response.delta - usual
    if response.flagged and abs(beyond) >= reach:
        return answer("unknown", f"Rest alone usually lies {between}; today's breathing makes the comparison unsafe.")
    if beyond >= max(reach, LEAST_CHANGE):
        return answer("more", f"More than rest alone usually does for you: {between}.")
    if beyond <= -max(reach, LEAST_CHANGE):
        return answer("less", f"Less than rest alone usually does for you: {between}.")
    return answer("usual", f"Within what rest alone usually does for you: {between}.")


def _alike(rest_s: float, own_s: float) -> bool:
    return isclose(rest_s, own_s, rel_tol=_LIKE_LENGTH)


def _too_few(alike: int, rests: int) -> str:
    wanted = "Three quiet sessions without massage, of the same length, would tell what rest alone does for you"
    if not rests:
        return f"{wanted}; there is none yet."
    so_far = {0: "none", 1: "one", 2: "two"}[alike]
    return f"{wanted}; there {'are' if alike == 2 else 'is'} {so_far} of about this length so far."


def _percent(ln_change: float) -> str:
    return f"{100 * expm1(ln_change):+.0f} %".replace("-", "−").replace("+0 %", "0 %").replace("−0 %", "0 %")
