"""Table of the figures of a phase: name, unit, decimals, and the code that identifies each figure in other programs.

The terminal, the session's page and FHIR use this table; CSV writes the fields of `PhaseFigures` by their own names.
"""

from dataclasses import dataclass
from typing import Final

from .figures import PhaseFigures

LOINC: Final = "http://loinc.org"
OWN_CODES: Final = "urn:restbeat:figures"


@dataclass(frozen=True, slots=True)
class Column:
    """Name, unit and decimals of a figure in the table on a session's page."""

    name: str
    unit: str
    decimals: int


@dataclass(frozen=True, slots=True)
class Code:
    """FHIR coding of a figure: `ucum` is the unit's UCUM code, `unit` its human-readable form."""

    system: str
    code: str
    text: str
    unit: str
    ucum: str
    category: str = "procedure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One figure of a phase."""

    field: str
    """Field of `PhaseFigures`, or "duration_s" for the length of the phase."""
    name: str
    unit: str = ""
    decimals: int = 1
    column: Column | None = None
    """Column on the session's page; None where the page omits the figure."""
    code: Code | None = None
    """FHIR code; None where FHIR omits the figure."""

    def of(self, phase: PhaseFigures) -> float | None:
        """Return the figure of a phase; None where it is missing."""
        if self.field == "duration_s":
            return phase.end_s - phase.start_s
        value: float | None = getattr(phase, self.field)
        return value


FIGURES: Final = (
    Figure(field="duration_s", name="Duration", unit="s", decimals=0),
    Figure(field="beats", name="Beats", decimals=0),
    Figure(
        field="accepted_pct",
        name="Accepted",
        unit="%",
        column=Column("Beats used", "%", 1),
        code=Code(OWN_CODES, "accepted", "Share of accepted beats", "%", "%"),
    ),
    Figure(
        field="mean_hr_bpm",
        name="Mean heart rate",
        unit="bpm",
        column=Column("Heart rate", "bpm", 0),
        code=Code(LOINC, "8867-4", "Heart rate", "beats/minute", "/min", "vital-signs"),
    ),
    Figure(
        field="mean_rr_ms",
        name="Mean RR",
        unit="ms",
        code=Code(OWN_CODES, "mean-rr", "Mean RR interval", "ms", "ms"),
    ),
    Figure(
        field="rmssd_ms",
        name="RMSSD",
        unit="ms",
        column=Column("RMSSD", "ms", 1),
        code=Code(OWN_CODES, "rmssd", "RMSSD", "ms", "ms"),
    ),
    Figure(
        field="ln_rmssd",
        name="lnRMSSD",
        decimals=2,
        code=Code(OWN_CODES, "ln-rmssd", "Natural logarithm of RMSSD in ms", "ln(ms)", "1"),
    ),
    Figure(
        field="sdnn_ms",
        name="SDNN",
        unit="ms",
        column=Column("SDNN", "ms", 1),
        code=Code(LOINC, "80404-7", "R-R interval.standard deviation (Heart rate variability)", "ms", "ms"),
    ),
    Figure(
        field="pnn50_pct",
        name="pNN50",
        unit="%",
        column=Column("pNN50", "%", 1),
        code=Code(OWN_CODES, "pnn50", "pNN50", "%", "%"),
    ),
    Figure(
        field="sd1_ms",
        name="SD1",
        unit="ms",
        code=Code(OWN_CODES, "sd1", "SD1 of the Poincaré plot", "ms", "ms"),
    ),
    Figure(
        field="sd2_ms",
        name="SD2",
        unit="ms",
        code=Code(OWN_CODES, "sd2", "SD2 of the Poincaré plot", "ms", "ms"),
    ),
    Figure(
        field="lf_ms2",
        name="LF",
        unit="ms²",
        decimals=0,
        column=Column("LF", "ms²", 0),
        code=Code(OWN_CODES, "lf", "Low-frequency power, 0.04–0.15 Hz", "ms²", "ms2"),
    ),
    Figure(
        field="hf_ms2",
        name="HF",
        unit="ms²",
        decimals=0,
        column=Column("HF", "ms²", 0),
        code=Code(OWN_CODES, "hf", "High-frequency power, 0.15–0.40 Hz", "ms²", "ms2"),
    ),
    Figure(
        field="resp_per_min",
        name="Breathing",
        unit="/min",
        column=Column("Breaths", "a min", 1),
        code=Code(LOINC, "9279-1", "Respiratory rate", "breaths/minute", "/min", "vital-signs"),
    ),
    Figure(field="clean_segments", name="Clean 10 s segments", decimals=0),
)
"""All figures, in display order."""
