"""Simulated courses with known truth: sessions over weeks, massages of several techniques, and their effects on RMSSD."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from scipy.signal import lfilter

from restbeat.analysis.course.course_session import CourseSession
from restbeat.analysis.course.massage_segments import massage_segments
from restbeat.analysis.figures import Segment
from restbeat.sensors.recordings.recording import Mark

TECHNIQUES = ("kneading", "long strokes", "pressure points", "stretching")
MASSAGE_S = 1800.0
STEP_S = 10.0
ERROR = 0.115
"""Standard error of one session's change, with 5 min of baseline and 30 min of massage."""
BEGIN = datetime(2026, 1, 5, 10, tzinfo=UTC)


@dataclass(frozen=True)
class Plan:
    """Parameters of a simulated course; effects in ln RMSSD."""

    sessions: int = 12
    weeks: float = 7.0
    rests: int = 0
    mean: float = 0.0
    slope: float = 0.0
    """Trend of the response per week."""
    wander_sd: float = 0.1
    """Session-to-session SD."""
    effects: tuple[float, ...] = ()
    """Effect of each technique; empty: no marks."""
    order: str = "any"
    """any; habit (the first technique first, the last one last); or whole (one technique per session)."""
    approach_s: float = 150.0
    """Time constant with which a response sets in, and changes from one technique to the next."""
    within_sd: float = 0.1
    """SD of a slow drift (10 min) within a session."""


def course_of(plan, rng):
    """Simulate the sessions of a course."""
    days = np.linspace(0, 7 * plan.weeks, plan.sessions)
    massages = [_massage(plan, float(day), rng) for day in days]
    rests = [_session(plan, day + 1.5, 0.0, rng, kind="rest") for day in np.linspace(0, 7 * plan.weeks, plan.rests)]
    return [*massages, *rests]


def _session(plan, day, change, rng, **more):
    error = ERROR * np.exp(0.15 * rng.standard_normal())
    return CourseSession(
        started=BEGIN + timedelta(days=day),
        valid=True,
        delta=change + rng.normal(0, np.hypot(error, plan.wander_sd)),
        standard_error=error,
        baseline_ln_rmssd=3.5 + rng.normal(0, 0.25),
        **more,
    )


def _massage(plan, day, rng):
    change = plan.mean + plan.slope * day / 7
    if not plan.effects:
        return _session(plan, day, change, rng)
    parts = _parts(plan, rng)
    borders = np.concatenate([[0.0], np.sort(rng.uniform(0.15, 0.85, len(parts) - 1)) * MASSAGE_S])
    t = np.arange(0, MASSAGE_S, STEP_S) + STEP_S / 2
    aim = change + np.array(plan.effects)[parts][np.searchsorted(borders, t, side="right") - 1]
    share = 1 - np.exp(-STEP_S / plan.approach_s)
    level = lfilter([share], [1, share - 1], aim) + plan.within_sd * _wander(t.size, 600.0, rng)
    seen = 3.5 + level + 0.2 * _wander(t.size, 20.0, rng)
    baseline = rng.normal(0, np.hypot(0.09, plan.wander_sd))
    segments = [Segment(float(at), "massage", float(np.exp(y))) for at, y in zip(t, seen, strict=True)]
    marks = [Mark(float(at), technique=TECHNIQUES[n]) for at, n in zip(borders, parts, strict=True)]
    return CourseSession(
        started=BEGIN + timedelta(days=day),
        valid=True,
        delta=float(seen.mean() - 3.5 - baseline),
        standard_error=ERROR,
        massage_segments=massage_segments(marks, segments, 0.0, MASSAGE_S),
    )


def _parts(plan, rng):
    """Return the numbers of a session's techniques, in order."""
    if plan.order == "whole":
        return [int(rng.integers(len(plan.effects)))]
    chosen = rng.choice(len(plan.effects), int(rng.integers(2, len(plan.effects) + 1)), replace=False)
    if plan.order == "habit" and rng.random() < 0.8:
        between = [n for n in chosen if n not in (0, len(plan.effects) - 1)]
        return [0, *between, len(plan.effects) - 1]
    return list(chosen)


def _wander(steps, tau_s, rng):
    keep = np.exp(-STEP_S / tau_s)
    pushes = rng.standard_normal(steps)
    pushes[1:] *= np.sqrt(1 - keep * keep)
    return lfilter([1.0], [1.0, -keep], pushes)
