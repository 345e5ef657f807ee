"""One number a line, or all in one line: RR text, also as restbeat writes it."""

import io
from itertools import islice
import re
from typing import Final

from ....sensors.errors import RecordingError
from .cells import number_in
from .column_names import ColumnName, read_name
from .found_file import FoundFile, found_beats
from .intervals import beats_of
from .refusals import check_dropped, warn_of
from .sheet import is_decimal_comma

_GAP: Final = re.compile(r"#\s*gap\b(?:\s+(\d{1,9}(?:\.\d{1,9})?)\s*s)?", re.IGNORECASE)
_MOST: Final = 1e19
_SAMPLE, _LOOKED_AT = 400, 4000


def is_list(text: str) -> bool:
    """Return whether a text has one number a line, whatever stands before the first of them."""
    lines = [
        bare
        for line in islice(io.StringIO(text, newline=None), _LOOKED_AT)
        if (bare := line.strip().strip(",;")) and not bare.startswith("#")
    ]
    comma = is_decimal_comma(lines[:_SAMPLE])
    numbers = [number_in(line, comma=comma) is not None for line in lines]
    return sum(numbers) >= max(1, 0.5 * len(lines))


def read_list(name: str, text: str) -> FoundFile:
    """Read one number a line. Raises `RecordingError` where the numbers are no intervals.

    What stands before the first number is passed over; later, a line that is no number leaves a gap, and so does
    `# gap 18.25 s`.
    """
    values: list[float] = []
    gaps: list[bool] = []
    gap_s: list[float | None] = []
    warnings: list[str] = []
    heading, gap, lost_s, dropped = ColumnName("", ""), False, None, 0
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip().strip(",;")
        if not bare:
            continue
        if bare.startswith("#"):
            if values and (remark := _GAP.match(bare)):
                gap, lost_s = True, float(remark[1]) if remark[1] else None
            elif not values and (named := read_name(bare)).role:
                heading = named
            continue
        value = number_in(bare, comma=True)
        if value is None or not 0 <= value <= _MOST:
            if not values:
                heading = named if (named := read_name(bare)).role else heading
                continue
            dropped += 1
            warn_of(name, warnings, number, bare)
            gap = True
            continue
        values.append(value)
        gaps.append(gap)
        gap_s.append(lost_s)
        gap, lost_s = False, None
    if not values:
        raise RecordingError(f"{name} holds no RR interval: one in ms a line is wanted, for example 812.")
    if heading.role == "hr":
        raise RecordingError(
            f"{name} seems to hold heart rates in beats a minute without times: no HRV can be computed from them."
        )
    if heading.role == "figure":
        raise RecordingError(f"{name} seems to hold figures computed from beats, not the intervals between them.")
    check_dropped(name, dropped, len(values) + dropped, warnings)
    return found_beats(
        name, "RR text", beats_of(name, values, gaps, gap_s, heading.unit, named=heading.role == "rr"), warnings, dropped
    )
