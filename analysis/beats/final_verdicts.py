"""Comparison of the offline filter's verdicts with the live ones: RMSSD of each phase, and the share of beats that differ."""

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import Annotated, Final

import msgspec
import numpy as np

from .artifact_filter import BeatKind
from .beat_runs import Bools
from .beat_stream import JudgedBeat
from .final_artifact_filter import final_kinds

_KINDS: Final[dict[str, BeatKind]] = {kind.value: kind for kind in BeatKind}


class PhaseVerdicts(msgspec.Struct, frozen=True, kw_only=True):
    """One phase by the offline filter."""

    phase: str
    changed_pct: Annotated[
        float | None, msgspec.Meta(description="Share of beats whose verdict changed; None without beats.")
    ] = None
    accepted_pct: float | None = None
    rmssd_ms: float | None = None


class FinalVerdicts(msgspec.Struct, frozen=True, kw_only=True):
    """A session by the offline filter."""

    changed_pct: Annotated[
        float | None, msgspec.Meta(description="Share of all beats whose verdict changed; None without beats.")
    ] = None
    phases: list[PhaseVerdicts] = []


def final_verdicts(
    judged: Sequence[JudgedBeat],
    phases: Iterable[tuple[str, Bools]],
    *,
    least_accepted_pct: float,
    without_hrv: frozenset[str] = frozenset(),
) -> FinalVerdicts:
    """Re-judge a session's beats, in order, with the offline filter; `phases` are names with masks of the beats in them.

    Beats that the stream itself distrusts (no skin contact, two straps) stay rejected, and no difference is taken across them.
    Below `least_accepted_pct`, and among those `without_hrv`, a phase has no RMSSD.
    """
    live = np.array([beat.accepted for beat in judged], dtype=np.bool_)
    lost_before = np.array([beat.gap_before for beat in judged], dtype=np.bool_)
    final = live if live.all() else _final(judged, lost_before)
    rr_ms = np.array([beat.rr_ms for beat in judged])
    by_phase: list[PhaseVerdicts] = []
    for phase, inside in phases:
        accepted = final[inside]
        if not accepted.size:
            by_phase.append(PhaseVerdicts(phase=phase))
            continue
        accepted_pct = 100 * float(accepted.mean())
        diff = np.diff(rr_ms[inside])[accepted[1:] & accepted[:-1] & ~lost_before[inside][1:]]
        told = diff.size and accepted_pct >= least_accepted_pct and phase not in without_hrv
        rmssd_ms = sqrt(float(diff @ diff) / diff.size) if told else None
        by_phase.append(
            PhaseVerdicts(
                phase=phase,
                changed_pct=100 * float((accepted != live[inside]).mean()),
                accepted_pct=accepted_pct,
                rmssd_ms=rmssd_ms,
            )
        )
    return FinalVerdicts(changed_pct=100 * float((final != live).mean()) if live.size else None, phases=by_phase)


def _final(judged: Sequence[JudgedBeat], lost_before: Bools) -> Bools:
    kinds = [_KINDS.get(beat.kind) for beat in judged]
    distrusted = np.array([kind is None for kind in kinds])
    lost_before = lost_before.copy()
    lost_before[1:] |= distrusted[1:] != distrusted[:-1]
    final = final_kinds([beat.rr_ms for beat in judged], [kind or BeatKind.OTHER for kind in kinds], lost_before.tolist())
    return np.array([kind is BeatKind.NORMAL for kind in final], dtype=np.bool_)
