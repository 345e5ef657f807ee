"""RR text: one interval in ms per line, as Kubios writes and reads it.

A line that is no number is skipped and leaves a gap. A line that begins with # is a comment; `# gap 18.25 s` says that beats
are missing there, for that long.
"""

from dataclasses import dataclass
from math import isfinite
from pathlib import Path
import re
from statistics import median

from ..errors import RecordingError

_SECONDS_BELOW = 10.0
_LONGEST_MS = 1e6
_GAP = re.compile(r"#\s*gap\b(?:\s+(\d{1,9}(?:\.\d{1,9})?)\s*s)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RrText:
    """Intervals in ms; `gap_before` marks those that follow an unreadable line or a gap comment."""

    rr_ms: tuple[float, ...]
    gap_before: tuple[bool, ...]
    warnings: tuple[str, ...] = ()
    gap_s: tuple[float | None, ...] = ()
    """Length of the gap before each interval, in s; None where there is no gap, or its length is not given."""


def read_rr_text(path: Path) -> RrText:
    """Read RR text.

    Raises `RecordingError` where the file cannot be read, or holds no interval, or intervals in seconds.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise RecordingError(f"{path} could not be read: {error.strerror}.") from error
    rr_ms: list[float] = []
    gaps: list[bool] = []
    warnings: list[str] = []
    gap_s: list[float | None] = []
    gap, lost_s = False, None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        if line.lstrip().startswith("#"):
            if rr_ms and (remark := _GAP.match(line.strip())):
                gap, lost_s = True, float(remark[1]) if remark[1] else None
            continue
        value = _number(line.strip())
        if value is None:
            warnings.append(f"{path.name} line {number}: {line.strip()[:40]!r} is no RR interval in ms; this line is left out.")
            gap = bool(rr_ms)
            continue
        rr_ms.append(value)
        gaps.append(gap)
        gap_s.append(lost_s)
        gap, lost_s = False, None
    if not rr_ms:
        raise RecordingError(f"{path.name} holds no RR interval: one in ms a line is wanted, for example 812.")
    if 0 < median(rr_ms) < _SECONDS_BELOW:
        raise RecordingError(
            f"{path.name} seems to hold seconds (median {median(rr_ms):g}): RR intervals in ms are wanted, for example 812."
        )
    return RrText(tuple(rr_ms), tuple(gaps), tuple(warnings), tuple(gap_s))


def _number(text: str) -> float | None:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return None
    return value if isfinite(value) and 0 <= value <= _LONGEST_MS else None
