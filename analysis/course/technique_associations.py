"""What each technique, region and pressure went with, for one client: an observation, never a cause.

The unit is a stretch of a massage between two marks. Its mean ln RMSSD above the session's baseline is what the session had in
common, plus how responses come and go with the time since the massage began, plus how they change over the weeks, plus β of what
was done, plus wander (`over_sessions`). Each β is drawn towards no difference by a normal prior (ridge; SD .15 of ln RMSSD, about
15 %). Without the time since the massage began, what is habitually done first would look worse: docs/response.md has the figures.
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
"""Of a session's response about its mean, beyond its standard error."""
_WEEK_SD: Final = 0.03
_TIME_SD: Final = 0.5
"""Of what the time since the massage began may do: all but free."""
_LAG_S: Final = 150.0
"""Time constant in which what is done comes to work, and ceases to."""
_LEAST_VARIANCE_REDUCTION: Final = 0.15
"""Of the prior's variance: below it the figure would be the prior, not the sessions."""


class TreatedSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session with a valid response."""

    weeks: float
    """Since the first."""
    delta: float
    standard_error: float
    stretches: tuple[MassageSegment, ...]


def technique_associations(sessions: Sequence[TreatedSession]) -> list[TechniqueAssociation]:
    """Say of everything that was done what it went with."""
    return [line for factor in FACTORS for line in _of_factor(factor, sessions)]


class _Row(NamedTuple):
    """A stretch whose RMSSD is known."""

    session: TreatedSession
    level: float
    error: float
    seconds: float
    half_hours: float
    """Since the massage began, at its middle."""
    dose: dict[str | None, float]
    """How much of each thing is at work in it, 0 to 1."""


def _of_factor(factor: str, sessions: Sequence[TreatedSession]) -> list[TechniqueAssociation]:
    noted = [session for session in sessions if any(getattr(stretch, factor) for stretch in session.stretches)]
    rows = [row for session in noted for row in _rows(session, factor)]
    lasted = _lasted(noted, factor)
    names = sorted(name for name in lasted if name)
    if not rows:
        return [TechniqueAssociation(factor=factor, name=name, sessions=0, minutes=0.0, why=_silent(0, 0)) for name in names]
    kinds: list[str | None] = [*names, *([None] if None in lasted else [])]  # what was not noted is something of its own
    doses = np.array([[row.dose.get(kind, 0.0) for kind in kinds] for row in rows])
    whose = np.array([[row.session is other for other in noted] for row in rows], dtype=np.float64)
    seconds, level = (np.array([getattr(row, name) for row in rows]) for name in ("seconds", "level"))
    mean = whose @ (whose.T @ (seconds * level) / np.maximum(whose.T @ seconds, 1.0))
    y = np.array([row.session.delta for row in rows]) + level - mean
    weeks = np.array([row.session.weeks for row in rows])
    time = np.array([row.half_hours for row in rows])
    x = np.column_stack([np.ones(len(rows)), doses.sum(axis=1), time, weeks - weeks.mean(), whose, doses])
    own = [hypot(session.standard_error, _SESSION_SD) for session in noted]
    prior = [inf, _TIME_SD, _TIME_SD, _WEEK_SD, *own, *[_DIFFERENCE_SD] * len(kinds)]
    found = fit(x, y, np.array([row.error for row in rows]), prior)
    total = sum(sum(spans.values()) for spans in lasted.values())
    share = np.array([sum(lasted[kind].values()) / total for kind in kinds])
    out: list[TechniqueAssociation] = []
    for n, name in enumerate(names):
        having = len(lasted[name])
        others = len({who for kind in kinds if kind != name for who in lasted[kind]})
        line = TechniqueAssociation(factor=factor, name=name, sessions=having, minutes=sum(lasted[name].values()) / 60)
        if why := _silent(having, others):
            out.append(msgspec.structs.replace(line, why=why))
            continue
        against = -share / (1 - share[n])
        against[n] = 1.0
        told = found.contrast([*[0.0] * (x.shape[1] - len(kinds)), *against])
        if told.variance_reduction < _LEAST_VARIANCE_REDUCTION:
            out.append(msgspec.structs.replace(line, why="The sessions differ too little in it to tell."))
            continue
        percent, low, high = (100 * expm1(value) for value in (told.median, told.low, told.high))
        out.append(msgspec.structs.replace(line, percent=percent, low=low, high=high))
    return out


def _rows(session: TreatedSession, factor: str) -> Iterator[_Row]:
    """The stretches of a session; what was done before is still at work, and what is done now comes slowly."""
    at_work: dict[str | None, float] = {}
    for stretch in session.stretches:
        name, lasts_s = getattr(stretch, factor), stretch.seconds
        left = exp(-lasts_s / _LAG_S)
        mean_left = _LAG_S * (1 - left) / lasts_s
        at_work.setdefault(name, 0.0)
        aims = {kind: float(kind == name) for kind in at_work}
        if stretch.ln_rmssd is not None and stretch.standard_error is not None:
            dose = {kind: aims[kind] + (at_work[kind] - aims[kind]) * mean_left for kind in at_work}
            middle = (stretch.start_s + stretch.stop_s) / 3600
            yield _Row(session, stretch.ln_rmssd, stretch.standard_error, lasts_s, middle, dose)
        at_work = {kind: aims[kind] + (at_work[kind] - aims[kind]) * left for kind in at_work}


def _lasted(sessions: Sequence[TreatedSession], factor: str) -> dict[str | None, dict[int, float]]:
    """For how many seconds each thing was done, by session; less than a minute in a session counts as not done."""
    out: dict[str | None, dict[int, float]] = {}
    for n, session in enumerate(sessions):
        for stretch in session.stretches:
            spans = out.setdefault(getattr(stretch, factor), {})
            spans[n] = spans.get(n, 0.0) + stretch.seconds
    return {kind: {n: lasts_s for n, lasts_s in spans.items() if lasts_s >= LEAST_S} for kind, spans in out.items()}


def _silent(having: int, others: int) -> str | None:
    if having < FEWEST_TECHNIQUE_SESSIONS:
        return f"Done in {having} session{'' if having == 1 else 's'} with steady data; {FEWEST_TECHNIQUE_SESSIONS} are needed."
    if others < FEWEST_TECHNIQUE_SESSIONS:
        return "Hardly anything else was done: there is nothing to compare it with."
    return None
