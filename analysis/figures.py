"""The figures that leave the analysis: what `restbeat replay --json` prints, and what a page draws beside it.

Units stand in the names. A figure that cannot be computed is None; the reason stands in `why`, or in `SessionReport.reasons`.
"""

from typing import Any, Final, Literal

import msgspec

from .beats.final_verdicts import FinalVerdicts
from .beats.stream_integrity import StreamIntegrity
from .hrv.engine_parity import Parity
from .polar.polar_signals import PolarReport

ALGORITHM = "restbeat-4"
"""Version of everything that turns raw packets into figures; raised whenever a figure may change."""

LEAST_ACCEPTED_PCT: Final = 70.0
"""Of the beats of a phase, a file or the live 5 min: below it no HRV figure of them is given."""

ResponseClass = Literal["clear", "slight", "none", "opposite", "insufficient"]
RestComparisonClass = Literal["more", "usual", "less", "unknown"]


def too_few_accepted(accepted_pct: float) -> str | None:
    """Why there is no HRV figure of beats of which this share (%) was accepted; None where there may be one."""
    if accepted_pct >= LEAST_ACCEPTED_PCT:
        return None
    return f"Only {int(accepted_pct)} % of the beats could be used: too few for any figure."


class PhaseFigures(msgspec.Struct, frozen=True, kw_only=True):
    """HRV of record of one phase (Task Force 1996 for the terms)."""

    phase: str
    start_s: float
    end_s: float
    beats: int
    """Beats received whose end lies in the phase, doubles left out."""
    accepted_pct: float | None = None
    mean_hr_bpm: float | None = None
    mean_rr_ms: float | None = None
    rmssd_ms: float | None = None
    ln_rmssd: float | None = None
    sdnn_ms: float | None = None
    pnn50_pct: float | None = None
    sd1_ms: float | None = None
    sd2_ms: float | None = None
    lf_ms2: float | None = None
    hf_ms2: float | None = None
    resp_per_min: float | None = None
    clean_segments: int = 0
    """10 s segments with at least five differences of adjacent accepted beats."""


class ResponseFigures(msgspec.Struct, frozen=True, kw_only=True, rename={"class_": "class"}):
    """The relaxation response of one phase against the baseline of the same session."""

    phase: str
    delta_ln_rmssd: float | None = None
    half_width: float | None = None
    """Half of the 95 % interval of `delta_ln_rmssd`."""
    percent: float | None = None
    """100 (e^delta - 1)."""
    class_: ResponseClass = "insufficient"
    why: str = ""
    """In words: what the class means, or which condition failed."""


class ResponseContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a response rests on; and the second question, whether it is more than rest alone usually does for this client."""

    steady: bool = False
    """Whether the session's own data were enough to compare, however much the client wanders."""
    flagged: bool = False
    """Breathing was slow, shifted or unreadable: it may have made the change."""
    standard_error: float | None = None
    """Of `delta_ln_rmssd`, by this session alone."""
    wander_sd: float
    """What was allowed for slow wander between quiet phases, in ln RMSSD."""
    wander_rests: int = 0
    """Rest-only sessions of this client that it was learnt from."""
    usual_class: RestComparisonClass = "unknown"
    usual_why: str = ""
    usual_rests: int = 0
    """Earlier rest-only sessions of about this length."""
    usual_ln_rmssd: float | None = None
    """Their mean change."""
    usual_half_width: float | None = None
    """Half of the range in which 95 of 100 further rests would lie."""


class DriftEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """What one comparison saw of a person's drift (`analysis.drift`): a line each point of its grid over τ and r."""

    log_likelihood: list[float]
    rss: list[float]
    """Residual sum of squares."""
    df: int


class Integrity(msgspec.Struct, frozen=True, kw_only=True):
    """How whole the stream was."""

    packets: int = 0
    beats: int = 0
    rejected_beats: int = 0
    gaps: int = 0
    duplicate_packets: int = 0
    lost_s: float = 0.0


class SessionFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Exactly what `restbeat replay --json` prints."""

    recording: str
    device: dict[str, Any]
    phases: list[PhaseFigures]
    responses: list[ResponseFigures]
    integrity: Integrity
    algorithm: str = ALGORITHM


class Segment(msgspec.Struct, frozen=True):
    """One point of the summary picture: RMSSD of 10 s, None where beats are missing."""

    mid_s: float
    phase: str
    rmssd_ms: float | None


class Note(msgspec.Struct, frozen=True):
    """A mark or a pain score, in words, at its time."""

    at_s: float
    text: str


class SessionReport(msgspec.Struct, frozen=True, kw_only=True):
    """A session as its summary page shows it."""

    figures: SessionFigures
    segments: list[Segment]
    reasons: dict[str, list[str]]
    """Per phase: why figures are missing, in plain words."""
    notes: list[Note]
    pain: list[tuple[float, int]]
    duration_s: float
    kind: str = "massage"
    """massage or rest"""
    hrv: bool
    """False for a heart-rate-only sensor."""
    intervals: dict[str, tuple[float, float]] = {}
    """Per response phase: the 95 % interval of delta_ln_rmssd (low, high)."""
    stream: StreamIntegrity = StreamIntegrity()
    parity: Parity = Parity()
    context: dict[str, ResponseContext] = {}
    """Per response phase that could be compared."""
    drift: DriftEvidence | None = None
    """For later massages of the same client, if this was a rest; None where nothing was compared."""
    polar: PolarReport | None = None
    """None where the strap sent neither ECG nor acceleration."""
    second_look: FinalVerdicts | None = None
    """What the pass after the session makes of the beats; the figures and the response are those of the live filter."""
