"""Evidence from a client's earlier rest-only sessions: how quiet phases drift, and how much rest alone changes RMSSD."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from ..figures import DriftEvidence, PhaseFigures, ResponseContext, ResponseFigures

MOST_DRIFTS = 6
"""Number of the newest rest-only sessions whose drift evidence is used."""


class EarlierFigures(msgspec.Struct, frozen=True):
    """The part of `SessionFigures` needed from an earlier session."""

    phases: list[PhaseFigures]
    responses: list[ResponseFigures]


class EarlierSession(msgspec.Struct, frozen=True, kw_only=True):
    """The part of an earlier session's `SessionReport` that is needed, for decoding from the stored report."""

    kind: str
    figures: EarlierFigures
    context: dict[str, ResponseContext] = {}
    drift: DriftEvidence | None = None


class RestPhase(NamedTuple):
    """Change of ln RMSSD in one phase of a rest-only session."""

    delta: float
    standard_error: float
    baseline_s: float
    phase_s: float
    apart_s: float = 0.0
    """Time between the end of the baseline and the start of the phase."""


def drift_evidence(sessions: Iterable[EarlierSession]) -> list[DriftEvidence]:
    """Return the drift evidence of the newest rest-only sessions; `sessions` are in order of time."""
    return [session.drift for session in sessions if session.kind == "rest" and session.drift is not None][-MOST_DRIFTS:]


def rest_phases(sessions: Iterable[EarlierSession], phase: str) -> list[RestPhase]:
    """Return the change in that phase for each rest-only session whose own data were steady enough."""
    return [rest for session in sessions if session.kind == "rest" and (rest := _rest_phase(session, phase))]


def _rest_phase(session: EarlierSession, phase: str) -> RestPhase | None:
    known = {figures.phase: figures for figures in session.figures.phases}
    context = session.context.get(phase)
    delta = next((found.delta_ln_rmssd for found in session.figures.responses if found.phase == phase), None)
    if context is None or not context.steady or context.standard_error is None or delta is None:
        return None
    base, own = known["baseline"], known[phase]
    lengths = (base.end_s - base.start_s, own.end_s - own.start_s, own.start_s - base.end_s)
    return RestPhase(delta, context.standard_error, *lengths)
