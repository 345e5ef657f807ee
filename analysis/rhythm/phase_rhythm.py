"""The rhythm of a phase, what it allows, and the sentences that say so."""

from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec
import numpy as np

from ..beats.beat_runs import Bools
from ..beats.beat_stream import JudgedBeat
from ..beats.phase_spans import BeatArrays
from .rhythm_watch import WITHOUT_HRV, Rhythm

_MOST_WITHOUT_HRV: Final = 0.10
"""Share of beats in a rhythm of which there is no HRV, above which a phase has no figures."""
_MOST_CHANGING: Final = 0.03
"""That share above which the rhythm of a phase changed, so that it is compared with no other."""

NOW: Final = {
    Rhythm.IRREGULAR: "the rhythm is too irregular for HRV",
    Rhythm.ECTOPIC: "too many extra beats for HRV",
    Rhythm.PACED: "RR constant: paced, or simulated?",
}
"""Reasons for missing live figures."""
OF_PHASE: Final = {
    Rhythm.IRREGULAR: "The rhythm was too irregular for HRV.",
    Rhythm.ECTOPIC: "More than a tenth of the beats were extra beats: too many for HRV.",
    Rhythm.PACED: "RR constant: paced, or simulated?",
}
"""Reasons for missing figures of a phase."""
ADVICE: Final = {
    Rhythm.IRREGULAR: "The rhythm is too irregular for HRV. This is no diagnosis; if it is new to you, ask a doctor.",
    Rhythm.ECTOPIC: "There are too many extra beats for HRV. This is no diagnosis; if it is new to you, ask a doctor.",
}
"""What the notes of a session say, once."""


def rhythm_of_phase(rhythms: Iterable[Rhythm]) -> Rhythm:
    """Return the rhythm of a phase from that of each of its beats."""
    counts = Counter(rhythms)
    beats = counts.total()
    without = Counter({rhythm: counts[rhythm] for rhythm in WITHOUT_HRV if counts[rhythm]})
    if not beats:
        return Rhythm.UNKNOWN
    if without.total() > _MOST_WITHOUT_HRV * beats:
        return without.most_common(1)[0][0]
    if without.total() > _MOST_CHANGING * beats:
        return Rhythm.CHANGING
    return Rhythm.SINUS_LIKE if counts[Rhythm.SINUS_LIKE] else Rhythm.UNKNOWN


def not_compared(base: Rhythm, later: Rhythm) -> str | None:
    """Return why a phase is not compared with the baseline, given the rhythms of both; None where it may be."""
    if base in WITHOUT_HRV:
        return f"In the baseline: {OF_PHASE[base][0].lower()}{OF_PHASE[base][1:]}"
    if later in WITHOUT_HRV:
        return OF_PHASE[later]
    if Rhythm.CHANGING in {base, later}:
        where = "baseline" if base is Rhythm.CHANGING else "phase"
        return f"The rhythm changed in the {where}: a change of RMSSD may be one of rhythm."
    return None


def advice(rhythms: Iterable[str]) -> str | None:
    """Return what the notes of a session say, once, of the rhythms of its phases; None where there is nothing to say."""
    seen = set(rhythms)
    return next((ADVICE[rhythm] for rhythm in ADVICE if rhythm.value in seen), None)


def unusable(beat: JudgedBeat) -> JudgedBeat:
    """Return a beat as one that no figure uses, whatever its own verdict."""
    return msgspec.structs.replace(beat, accepted=False, diff_ms=None)


def usable_beats(beats: BeatArrays, rhythms: Iterable[Rhythm]) -> BeatArrays:
    """Return the beats, with those in a rhythm of which there is no HRV rejected; `rhythms`: one for each beat."""
    without: Bools = np.array([rhythm in WITHOUT_HRV for rhythm in rhythms], dtype=np.bool_)
    if not without.any():
        return beats
    adjacent = beats.adjacent & ~without
    adjacent[1:] &= ~without[:-1]
    return BeatArrays(beats.end_s, beats.rr_ms, beats.accepted & ~without, adjacent, beats.gap_before)
