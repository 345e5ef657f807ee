"""Figures of a course of sessions, with intervals, counts and reasons.

Each session's change of ln RMSSD has the weight 1/(SE² + w²) (`session_regression`). The level of the baseline, which varies from
day to day, is reported separately. `technique_associations` relates RMSSD to techniques. docs/response.md evaluates all of it.
"""

from collections.abc import Callable, Sequence
from math import exp, expm1, floor, sqrt
from typing import Final

import numpy as np

from ..beats.beat_runs import Array
from ..response.distributions import mean_with_interval, t_half_width
from ..response.thresholds import FEWEST_RESTS
from .course_figures import FEWEST_FOR_TREND, FEWEST_SESSIONS, LEAST_WEEKS, Course, Estimate
from .course_session import CourseSession
from .session_regression import Contrast, Fit, fit
from .technique_associations import TreatedSession, technique_associations

_WEEK_S: Final = 7 * 86_400.0
_NO_PRIOR: Final = float("inf")


def course(sessions: Sequence[CourseSession]) -> Course:
    """Return the figures of a client's sessions, given in any order.

    A figure with too few sessions behind it has no value but a reason.
    """
    ordered = sorted(sessions, key=lambda session: session.started)
    massages = [session for session in ordered if session.kind != "rest"]
    rests = [session for session in ordered if session.kind == "rest" and _is_valid(session)]
    valid = [session for session in massages if _is_valid(session)]
    return Course(
        sessions=len(massages),
        rests=len(rests),
        left_out=len(massages) - len(valid),
        weeks=_weeks(ordered)[-1] if ordered else 0.0,
        response_pct=_mean(valid, rests),
        beyond_rest_pct=_beyond_rest(valid, rests),
        response_pct_per_week=_trend(valid, rests),
        baseline_rmssd_ms=_baseline(ordered),
        baseline_pct_per_week=_baseline_trend(ordered),
        pain_after=_pain(massages, "pain_after"),
        pain_24h=_pain(massages, "pain_24h"),
        pain_48h=_pain(massages, "pain_48h"),
        pain_before_per_week=_pain_trend(massages),
        went_with=technique_associations(_treated(valid)),
    )


def _is_valid(session: CourseSession) -> bool:
    return session.valid and session.delta is not None and session.standard_error is not None


def _weeks(sessions: Sequence[CourseSession]) -> list[float]:
    return [(session.started - sessions[0].started).total_seconds() / _WEEK_S for session in sessions]


def _deltas(sessions: Sequence[CourseSession]) -> Array:
    return np.array([session.delta for session in sessions], dtype=np.float64)


def _errors(sessions: Sequence[CourseSession]) -> Array:
    return np.array([session.standard_error for session in sessions], dtype=np.float64)


def _mean(valid: Sequence[CourseSession], rests: Sequence[CourseSession]) -> Estimate:
    if len(valid) < FEWEST_SESSIONS:
        return Estimate(count=len(valid), why=_too_few("a mean", FEWEST_SESSIONS, len(valid)))
    return _percent(_fitted(valid, rests).contrast([1.0, *([0.0] if rests else [])]), len(valid))


def _beyond_rest(valid: Sequence[CourseSession], rests: Sequence[CourseSession]) -> Estimate:
    if len(valid) < FEWEST_SESSIONS:
        return Estimate(count=len(valid), why=_too_few("a mean", FEWEST_SESSIONS, len(valid)))
    if len(rests) < FEWEST_RESTS:
        why = f"Three rest-only sessions would tell it apart from rest; there {_are(len(rests))}."
        return Estimate(count=len(rests), why=why)
    return _percent(_fitted(valid, rests).contrast([1.0, -1.0]), len(valid) + len(rests))


def _trend(valid: Sequence[CourseSession], rests: Sequence[CourseSession]) -> Estimate:
    if why := _too_short(valid):
        return Estimate(count=len(valid), why=why)
    weeks = np.array(_weeks(valid), dtype=np.float64)
    posterior = _fitted(valid, rests, weeks - weeks.mean())
    return _percent(posterior.contrast([0.0, 1.0, *([0.0] if rests else [])]), len(valid))


def _fitted(valid: Sequence[CourseSession], rests: Sequence[CourseSession], slope: Array | None = None) -> Fit:
    """Fit mean and slope of the massages, and a separate mean of the rests, which help to estimate the session-to-session SD."""
    massages = np.repeat([1.0, 0.0], [len(valid), len(rests)])
    columns = [massages]
    if slope is not None:
        columns.append(np.concatenate([slope, np.zeros(len(rests))]))
    if rests:
        columns.append(1 - massages)
    both = [*valid, *rests]
    return fit(np.column_stack(columns), _deltas(both), _errors(both), [_NO_PRIOR] * len(columns))


def _treated(valid: Sequence[CourseSession]) -> list[TreatedSession]:
    return [
        TreatedSession(weeks=weeks, delta=delta, standard_error=error, massage_segments=session.massage_segments)
        for session, weeks, delta, error in zip(
            valid, _weeks(valid), _deltas(valid).tolist(), _errors(valid).tolist(), strict=True
        )
    ]


def _too_short(sessions: Sequence[CourseSession]) -> str | None:
    if len(sessions) < FEWEST_FOR_TREND:
        return _too_few("a trend", FEWEST_FOR_TREND, len(sessions))
    weeks = _weeks(sessions)[-1]
    return f"A trend needs {LEAST_WEEKS:.0f} weeks; there are {floor(10 * weeks) / 10:.1f}." if weeks < LEAST_WEEKS else None


def _baseline(sessions: Sequence[CourseSession]) -> Estimate:
    levels = np.array([session.baseline_ln_rmssd for session in sessions if session.baseline_ln_rmssd is not None])
    if levels.size < FEWEST_SESSIONS:
        return Estimate(count=levels.size, why=_too_few("a mean", FEWEST_SESSIONS, levels.size))
    value, low, high = mean_with_interval(levels)
    return Estimate(count=levels.size, value=exp(value), low=exp(low), high=exp(high))


def _baseline_trend(sessions: Sequence[CourseSession]) -> Estimate:
    known = [session for session in sessions if session.baseline_ln_rmssd is not None]
    return _line(known, [session.baseline_ln_rmssd or 0.0 for session in known], lambda slope: 100 * expm1(slope))


def _pain(massages: Sequence[CourseSession], name: str) -> Estimate:
    pairs = [(session.pain_before, getattr(session, name)) for session in massages]
    changes = np.array([after - before for before, after in pairs if before is not None and after is not None], dtype=np.float64)
    if changes.size < FEWEST_SESSIONS:
        return Estimate(count=changes.size, why=_too_few("a mean", FEWEST_SESSIONS, changes.size, "with both scores"))
    value, low, high = mean_with_interval(changes)
    return Estimate(count=changes.size, value=value, low=low, high=high)


def _pain_trend(massages: Sequence[CourseSession]) -> Estimate:
    known = [session for session in massages if session.pain_before is not None]
    return _line(known, [float(session.pain_before or 0) for session in known])


def _line(sessions: Sequence[CourseSession], values: Sequence[float], unit: Callable[[float], float] = float) -> Estimate:
    """Return the slope per week by least squares, converted by `unit`, with the interval by Student's t with n − 2.

    No errors of the single values enter: values vary from day to day by far more than their measurement errors.
    """
    if why := _too_short(sessions):
        return Estimate(count=len(sessions), why=why)
    weeks, y = np.array(_weeks(sessions)), np.array(values, dtype=np.float64)
    centred = weeks - weeks.mean()
    slope = float(centred @ y / (centred @ centred))
    residual = y - y.mean() - slope * centred
    half_width = t_half_width(y.size - 2) * sqrt(float(residual @ residual) / (y.size - 2) / float(centred @ centred))
    return Estimate(count=y.size, value=unit(slope), low=unit(slope - half_width), high=unit(slope + half_width))


def _percent(contrast: Contrast, count: int) -> Estimate:
    value, low, high = (100 * expm1(x) for x in (contrast.median, contrast.low, contrast.high))
    return Estimate(count=count, value=value, low=low, high=high)


def _too_few(figure: str, fewest: int, count: int, kind: str = "with steady data") -> str:
    return f"{figure.capitalize()} needs {fewest} sessions {kind}; there {_are(count)}."


def _are(count: int) -> str:
    return "is one" if count == 1 else f"are {count or 'none'}"
