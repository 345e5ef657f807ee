"""What a second look at a whole session makes of its beats: RMSSD of each phase beside the live one, and where they differ."""

from collections.abc import Iterable, Sequence
from math import sqrt
from typing import Final

import msgspec
import numpy as np

from .artifact_filter import BeatKind
from .beat_runs import Bools
from .beat_stream import JudgedBeat
from .final_artifact_filter import final_kinds

_KINDS: Final[dict[str, BeatKind]] = {kind.value: kind for kind in BeatKind}


class PhaseVerdicts(msgspec.Struct, frozen=True, kw_only=True):
    """One phase by the second look."""

    phase: str
    changed_pct: float | None = None
    """Share of beats on which the two differ; None without beats."""
    accepted_pct: float | None = None
    rmssd_ms: float | None = None


class FinalVerdicts(msgspec.Struct, frozen=True, kw_only=True):
    """A session by the second look."""

    changed_pct: float | None = None
    """Share of all beats on which the two differ; None without beats."""
    phases: list[PhaseVerdicts] = []


def final_verdicts(
    judged: Sequence[JudgedBeat], phases: Iterable[tuple[str, Bools]], *, least_accepted_pct: float
) -> FinalVerdicts:
    """Look again at a session's beats, in order; `phases` gives for each which beats are in it.

    Beats that the stream itself doubts (no skin contact, two straps) stay rejected, and nothing is told across them. Below
    `least_accepted_pct` a phase has no RMSSD.
    """
    live = np.array([beat.accepted for beat in judged], dtype=np.bool_)
    lost_before = np.array([beat.gap_before for beat in judged], dtype=np.bool_)
    final = live if live.all() else _final(judged, lost_before)
    rr_ms = np.array([beat.rr_ms for beat in judged])
    looks: list[PhaseVerdicts] = []
    for phase, inside in phases:
        accepted = final[inside]
        if not accepted.size:
            looks.append(PhaseVerdicts(phase=phase))
            continue
        accepted_pct = 100 * float(accepted.mean())
        diff = np.diff(rr_ms[inside])[accepted[1:] & accepted[:-1] & ~lost_before[inside][1:]]
        rmssd_ms = sqrt(float(diff @ diff) / diff.size) if diff.size and accepted_pct >= least_accepted_pct else None
        looks.append(
            PhaseVerdicts(
                phase=phase,
                changed_pct=100 * float((accepted != live[inside]).mean()),
                accepted_pct=accepted_pct,
                rmssd_ms=rmssd_ms,
            )
        )
    return FinalVerdicts(changed_pct=100 * float((final != live).mean()) if live.size else None, phases=looks)


def _final(judged: Sequence[JudgedBeat], lost_before: Bools) -> Bools:
    kinds = [_KINDS.get(beat.kind) for beat in judged]
    doubted = np.array([kind is None for kind in kinds])
    lost_before = lost_before.copy()
    lost_before[1:] |= doubted[1:] != doubted[:-1]
    looked = final_kinds([beat.rr_ms for beat in judged], [kind or BeatKind.OTHER for kind in kinds], lost_before.tolist())
    return np.array([kind is BeatKind.NORMAL for kind in looked], dtype=np.bool_)
