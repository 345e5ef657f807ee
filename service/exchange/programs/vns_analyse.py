"""VNS Analyse (.txt): figures, then the RR intervals in s twice, as measured (Rohwerte) and corrected, one a line with notes.

    RR-Intervalle - Rohwerte (Nicht aktiv)
    0.807	Notiz: start of rest
    0.838

The intervals as measured are read; where there are none, the corrected ones.
"""

import re
from typing import Final

from ....sensors.errors import RecordingError
from ..reading.cells import number_in
from ..reading.found_file import FoundFile, found_beats
from ..reading.intervals import beats_of
from ..reading.refusals import check_dropped, warn_of

_SECTION: Final = re.compile(r"(?:RR[- ]Intervalle|(?:RR|HB)[- ]intervals)\b(?P<which>.*)", re.IGNORECASE)
_RAW: Final = re.compile(r"rohwerte|\braw\b|uncorrected", re.IGNORECASE)
_WITHIN: Final = 200_000


def is_vns_analyse(text: str) -> bool:
    """Return whether a text has the sections of VNS Analyse."""
    head = text[:_WITHIN]
    return ("mainParameter" in head or "VNS Analyse" in head) and any(_SECTION.fullmatch(line) for line in head.splitlines())


def read_vns_analyse(name: str, text: str) -> FoundFile:
    """Read the intervals as measured. Raises `RecordingError` where there are none."""
    sections: dict[str, list[tuple[int, str]]] = {}
    lines: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if section := _SECTION.fullmatch(line.strip()):
            lines = sections.setdefault("raw" if _RAW.search(section["which"]) else "corrected", [])
        elif line[:1].isalpha():
            lines = []  # another section
        elif line.strip():
            lines.append((number, line))
    which, lines = ("raw", sections["raw"]) if sections.get("raw") else ("corrected", sections.get("corrected", []))
    values: list[float] = []
    gaps: list[bool] = []
    warnings: list[str] = []
    gap, dropped = False, 0
    for number, line in lines:
        value = number_in(line.split("\t")[0], comma=True)
        if value is None or value <= 0:
            dropped += 1
            gap = bool(values)
            warn_of(name, warnings, number, line)
            continue
        values.append(value)
        gaps.append(gap)
        gap = False
    if not values:
        raise RecordingError(f"{name} is of VNS Analyse, but has no RR intervals in it: export it with its RR intervals.")
    check_dropped(name, dropped, len(values) + dropped, warnings)
    beats = beats_of(name, values, gaps, [None] * len(values), "s", named=True)
    told = "as measured, not the corrected ones" if which == "raw" else "as VNS Analyse corrected them: it has no others"
    return found_beats(name, "VNS Analyse", beats.told(f"The RR intervals {told}."), warnings, dropped)
