"""The report structs that the analysis returns: the figures that `restbeat replay --json` prints, and the data behind a page.

Units are in the field names. A figure that cannot be computed is None; `why` or `SessionReport.reasons` states the reason.
"""

from typing import Annotated, Any, Final, Literal

import msgspec

from .beats.final_verdicts import FinalVerdicts
from .beats.stream_integrity import StreamIntegrity
from .hrv.engine_parity import Parity
from .polar.polar_signals import PolarReport

ALGORITHM = "restbeat-5"
"""Version of the whole computation from raw packets to figures; raised whenever a figure may change."""

LEAST_ACCEPTED_PCT: Final = 70.0
"""Least share of accepted beats in a phase, a file or the live 5 min window for any HRV figure."""

LEAST_COMPARED_S: Final = 240.0
"""Least usable time of a baseline, in s, for anything to be compared with it, live or of record."""

ResponseClass = Literal["clear", "slight", "none", "opposite", "insufficient"]
RestComparisonClass = Literal["more", "usual", "less", "unknown"]


def too_few_accepted(accepted_pct: float) -> str | None:
    """Return why beats with this accepted share (%) have no HRV figure; None where they may have one."""
    if accepted_pct >= LEAST_ACCEPTED_PCT:
        return None
    return f"Only {int(accepted_pct)} % of the beats could be used: too few for any figure."


class PhaseFigures(msgspec.Struct, frozen=True, kw_only=True):
    """HRV figures of record of one phase (terms as in Task Force 1996)."""

    phase: str
    start_s: float
    end_s: float
    beats: Annotated[int, msgspec.Meta(description="Received beats that end in the phase, without duplicates.")]
    accepted_pct: float | None = None
    rhythm: Annotated[
        str,
        msgspec.Meta(
            description=(
                "What the received beats look like, which is no diagnosis: sinus-like, irregular, ectopic (over a tenth), paced, "
                "changing (not sinus-like in a small part) or unknown. There is no HRV of an irregular, ectopic or paced rhythm."
            )
        ),
    ] = "unknown"
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
    clean_segments: Annotated[
        int, msgspec.Meta(description="Number of 10 s segments with at least five differences between adjacent accepted beats.")
    ] = 0


class ResponseFigures(msgspec.Struct, frozen=True, kw_only=True, rename={"class_": "class"}):
    """The relaxation response of one phase against the baseline of the same session."""

    phase: str
    delta_ln_rmssd: float | None = None
    half_width: Annotated[float | None, msgspec.Meta(description="Half the width of the 95 % interval of `delta_ln_rmssd`.")] = (
        None
    )
    percent: Annotated[float | None, msgspec.Meta(description="100 (e^delta - 1).")] = None
    class_: ResponseClass = "insufficient"
    why: Annotated[str, msgspec.Meta(description="Plain-language meaning of the class, or the condition that failed.")] = ""


class ResponseContext(msgspec.Struct, frozen=True, kw_only=True):
    """The basis of a response, and its comparison with this client's rest-only sessions."""

    steady: Annotated[
        bool,
        msgspec.Meta(
            description="Whether the session's own data sufficed for a comparison, whatever the client's wander at rest."
        ),
    ] = False
    flagged: Annotated[
        bool,
        msgspec.Meta(description="Whether breathing was slow, shifted or unreadable, so that it may have caused the change."),
    ] = False
    standard_error: Annotated[
        float | None, msgspec.Meta(description="Standard error of `delta_ln_rmssd` from this session alone.")
    ] = None
    wander_sd: Annotated[
        float,
        msgspec.Meta(
            description="SD of ln RMSSD allowed for slow wander between the phases, by their lengths and the time between."
        ),
    ]
    wander_rests: Annotated[
        int, msgspec.Meta(description="Number of this client's rest-only sessions from which `wander_sd` was estimated.")
    ] = 0
    usual_class: RestComparisonClass = "unknown"
    usual_why: str = ""
    usual_rests: Annotated[int, msgspec.Meta(description="Number of earlier rest-only sessions of similar length.")] = 0
    usual_ln_rmssd: Annotated[float | None, msgspec.Meta(description="Mean change of ln RMSSD in those rest-only sessions.")] = (
        None
    )
    usual_half_width: Annotated[
        float | None, msgspec.Meta(description="Half the width of the 95 % prediction interval for another rest-only session.")
    ] = None


class DriftEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """Evidence on a person's drift from one comparison (`response.drift`): one entry per point of the grid over τ and r."""

    log_likelihood: list[float]
    rss: Annotated[list[float], msgspec.Meta(description="Residual sums of squares.")]
    df: Annotated[int, msgspec.Meta(description="Residual degrees of freedom.")]


class Integrity(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of packets, beats and losses in the stream."""

    packets: int = 0
    beats: int = 0
    rejected_beats: int = 0
    gaps: int = 0
    duplicate_packets: int = 0
    lost_s: float = 0.0


class SessionFigures(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a session, exactly as `restbeat replay --json` prints them."""

    recording: str
    device: dict[str, Any]
    phases: list[PhaseFigures]
    responses: list[ResponseFigures]
    integrity: Integrity
    algorithm: str = ALGORITHM


class Segment(msgspec.Struct, frozen=True):
    """One point of the summary chart: RMSSD over 10 s, None where beats are missing."""

    mid_s: float
    phase: str
    rmssd_ms: float | None


class Note(msgspec.Struct, frozen=True):
    """The text of a mark, with its session time."""

    at_s: float
    text: str


class SessionReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the summary page shows of a session."""

    figures: SessionFigures
    segments: list[Segment]
    reasons: Annotated[dict[str, list[str]], msgspec.Meta(description="Plain-language reasons for missing figures, by phase.")]
    notes: list[Note]
    pain: list[tuple[float, int]]
    duration_s: float
    kind: Annotated[str, msgspec.Meta(description="Kind of session: massage or rest.")] = "massage"
    hrv: Annotated[bool, msgspec.Meta(description="Whether the sensor sent RR intervals; False for a heart-rate-only sensor.")]
    hrv_why: Annotated[
        str | None, msgspec.Meta(description="Why there is no HRV in the whole session, as a sentence; None where there may be.")
    ] = None
    intervals: Annotated[
        dict[str, tuple[float, float]],
        msgspec.Meta(description="The 95 % interval of delta_ln_rmssd (low, high), by response phase."),
    ] = {}
    stream: StreamIntegrity = StreamIntegrity()
    parity: Parity = Parity()
    context: Annotated[
        dict[str, ResponseContext], msgspec.Meta(description="Basis of each response that could be computed, by phase.")
    ] = {}
    drift: Annotated[
        DriftEvidence | None,
        msgspec.Meta(
            description=(
                "Drift evidence that a rest-only session lends to later massages of the client; None where nothing was compared."
            )
        ),
    ] = None
    polar: Annotated[
        PolarReport | None, msgspec.Meta(description="Results from ECG and acceleration; None where the strap sent neither.")
    ] = None
    second_look: Annotated[
        FinalVerdicts | None,
        msgspec.Meta(
            description=(
                "Verdicts of the offline filter that runs after the session; figures and response come from the live filter."
            )
        ),
    ] = None
