"""What a client's earlier rest-only sessions lend to a massage: how quiet phases drift, and what rest alone usually does."""

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from ..figures import DriftEvidence, PhaseFigures, ResponseContext, ResponseFigures

MOST_DRIFTS = 6
"""Rests, the newest, whose drift is borrowed from."""


class EarlierFigures(msgspec.Struct, frozen=True):
    """The part of `SessionFigures` that is needed."""

    phases: list[PhaseFigures]
    responses: list[ResponseFigures]


class EarlierSession(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier session: the part of its `SessionReport` that is needed, to be decoded from the stored report."""

    kind: str
    figures: EarlierFigures
    context: dict[str, ResponseContext] = {}
    drift: DriftEvidence | None = None


class RestPhase(NamedTuple):
    """What one phase of a rest-only session showed, in ln RMSSD."""

    delta: float
    standard_error: float
    baseline_s: float
    phase_s: float


def drift_evidence(past: Iterable[EarlierSession]) -> list[DriftEvidence]:
    """What the newest rests saw of the drift; `past` in order of time."""
    return [session.drift for session in past if session.kind == "rest" and session.drift is not None][-MOST_DRIFTS:]


def rest_phases(past: Iterable[EarlierSession], phase: str) -> list[RestPhase]:
    """What rest alone did in that phase: a line each rest-only session whose own data were steady enough."""
    return [rest for session in past if session.kind == "rest" and (rest := _rest(session, phase))]


def _rest(session: EarlierSession, phase: str) -> RestPhase | None:
    length_s = {known.phase: known.end_s - known.start_s for known in session.figures.phases}
    context = session.context.get(phase)
    delta = next((found.delta_ln_rmssd for found in session.figures.responses if found.phase == phase), None)
    if context is None or not context.steady or context.standard_error is None or delta is None:
        return None
    return RestPhase(delta, context.standard_error, length_s["baseline"], length_s[phase])
