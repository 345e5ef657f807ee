"""Associations of RMSSD with technique, region and pressure for one client: an observation, never a cause.

The unit is a massage segment between two marks. Its mean ln RMSSD above the session's baseline is modelled as the response of the
session, plus an effect of the time since the massage began, plus a trend over the weeks, plus β of the technique, plus the
session-to-session deviation (`session_regression`). Each β is shrunk towards no difference by a normal prior (ridge; SD .15 of ln
RMSSD, about 15 %). Without the time since the massage began, a technique that habitually comes first would look worse:
docs/response.md has the figures.
"""

from collections.abc import Iterator, Sequence
from math import exp, expm1, hypot, inf
from typing import Final, NamedTuple

import msgspec
import numpy as np

from .course_figures import FEWEST_TECHNIQUE_SESSIONS, TechniqueAssociation
from .massage_segments import FACTORS, LEAST_S, MassageSegment
from .session_regression import fit

_DIFFERENCE_SD: Final = 0.15
_SESSION_SD: Final = 0.15
"""SD of a session's response about its mean, beyond its standard error."""
_WEEK_SD: Final = 0.03
_TIME_SD: Final = 0.5
"""Prior SD of the effect of the time since the massage began: nearly free."""
_LAG_S: Final = 150.0
"""Time constant with which the effect of a technique sets in and fades."""
_LEAST_VARIANCE_REDUCTION: Final = 0.15
"""Least share of the prior variance that the sessions must remove; below it the figure would be the prior's."""


class TreatedSession(msgspec.Struct, frozen=True, kw_only=True):
    """A massage session with a valid response."""

    weeks: float
    """Time since the first session."""
    delta: float
    standard_error: float
    massage_segments: tuple[MassageSegment, ...]


def technique_associations(sessions: Sequence[TreatedSession]) -> list[TechniqueAssociation]:
    """Return the association of each technique, region and pressure that occurs."""
    return [line for factor in FACTORS for line in _of_factor(factor, sessions)]


class _Row(NamedTuple):
    """A massage segment with a known RMSSD."""

    session: TreatedSession
    ln_rmssd: float
    error: float
    seconds: float
    half_hours: float
    """Time from the start of the massage to the middle of the segment."""
    dose: dict[str | None, float]
    """Mean effect of each level of the factor during the segment, 0 to 1."""


def _of_factor(factor: str, sessions: Sequence[TreatedSession]) -> list[TechniqueAssociation]:
    noted = [session for session in sessions if any(getattr(segment, factor) for segment in session.massage_segments)]
    rows = [row for session in noted for row in _rows(session, factor)]
    durations = _durations_s(noted, factor)
    names = sorted(name for name in durations if name)
    if not rows:
        return [TechniqueAssociation(factor=factor, name=name, sessions=0, minutes=0.0, why=_too_few(0, 0)) for name in names]
    levels: list[str | None] = [*names, *([None] if None in durations else [])]  # unmarked time is a level of its own
    doses = np.array([[row.dose.get(one, 0.0) for one in levels] for row in rows])
    in_session = np.array([[row.session is session for session in noted] for row in rows], dtype=np.float64)
    seconds, ln_rmssd = (np.array([getattr(row, name) for row in rows]) for name in ("seconds", "ln_rmssd"))
    mean = in_session @ (in_session.T @ (seconds * ln_rmssd) / np.maximum(in_session.T @ seconds, 1.0))
    y = np.array([row.session.delta for row in rows]) + ln_rmssd - mean
    weeks = np.array([row.session.weeks for row in rows])
    time = np.array([row.half_hours for row in rows])
    x = np.column_stack([np.ones(len(rows)), doses.sum(axis=1), time, weeks - weeks.mean(), in_session, doses])
    session_sd = [hypot(session.standard_error, _SESSION_SD) for session in noted]
    prior = [inf, _TIME_SD, _TIME_SD, _WEEK_SD, *session_sd, *[_DIFFERENCE_SD] * len(levels)]
    posterior = fit(x, y, np.array([row.error for row in rows]), prior)
    total = sum(sum(by_session.values()) for by_session in durations.values())
    share = np.array([sum(durations[one].values()) / total for one in levels])
    out: list[TechniqueAssociation] = []
    for n, name in enumerate(names):
        with_it = len(durations[name])
        with_others = len({session for one in levels if one != name for session in durations[one]})
        line = TechniqueAssociation(factor=factor, name=name, sessions=with_it, minutes=sum(durations[name].values()) / 60)
        if why := _too_few(with_it, with_others):
            out.append(msgspec.structs.replace(line, why=why))
            continue
        against = -share / (1 - share[n])
        against[n] = 1.0
        contrast = posterior.contrast([*[0.0] * (x.shape[1] - len(levels)), *against])
        if contrast.variance_reduction < _LEAST_VARIANCE_REDUCTION:
            out.append(msgspec.structs.replace(line, why="The sessions differ too little in it to tell."))
            continue
        percent, low, high = (100 * expm1(value) for value in (contrast.median, contrast.low, contrast.high))
        out.append(msgspec.structs.replace(line, percent=percent, low=low, high=high))
    return out


def _rows(session: TreatedSession, factor: str) -> Iterator[_Row]:
    """Yield the segments of a session with known RMSSD; the effect of a technique sets in slowly, and fades slowly after it."""
    effect: dict[str | None, float] = {}
    for segment in session.massage_segments:
        name, duration_s = getattr(segment, factor), segment.seconds
        remaining = exp(-duration_s / _LAG_S)
        mean_remaining = _LAG_S * (1 - remaining) / duration_s
        effect.setdefault(name, 0.0)
        targets = {one: float(one == name) for one in effect}
        if segment.ln_rmssd is not None and segment.standard_error is not None:
            dose = {one: targets[one] + (effect[one] - targets[one]) * mean_remaining for one in effect}
            middle = (segment.start_s + segment.stop_s) / 3600
            yield _Row(session, segment.ln_rmssd, segment.standard_error, duration_s, middle, dose)
        effect = {one: targets[one] + (effect[one] - targets[one]) * remaining for one in effect}


def _durations_s(sessions: Sequence[TreatedSession], factor: str) -> dict[str | None, dict[int, float]]:
    """Return the duration of each level of a factor by session; less than a minute in a session is not counted."""
    out: dict[str | None, dict[int, float]] = {}
    for n, session in enumerate(sessions):
        for segment in session.massage_segments:
            by_session = out.setdefault(getattr(segment, factor), {})
            by_session[n] = by_session.get(n, 0.0) + segment.seconds
    return {name: {n: seconds for n, seconds in by_session.items() if seconds >= LEAST_S} for name, by_session in out.items()}


def _too_few(with_it: int, with_others: int) -> str | None:
    if with_it < FEWEST_TECHNIQUE_SESSIONS:
        return f"Done in {with_it} session{'' if with_it == 1 else 's'} with steady data; {FEWEST_TECHNIQUE_SESSIONS} are needed."
    if with_others < FEWEST_TECHNIQUE_SESSIONS:
        return "Hardly anything else was done: there is nothing to compare it with."
    return None
