"""RR text: one interval in ms per line (`reading/number_list.py` reads it)."""

from ..errors import FormatError
from .session_data import NOT_HEARTBEATS, SessionData


def write_rr_text(data: SessionData) -> bytes:
    """Return every interval as received, to 1 µs, with `# gap 18.250 s` where beats are missing or were no heartbeats.

    Raises `FormatError` where there is none.
    """
    lines: list[str] = []
    last_s: float | None = None
    gap = False
    for beat in data.beats:
        gap = gap or beat.gap_before
        if beat.kind in NOT_HEARTBEATS:
            gap = True
            continue
        if gap and last_s is not None:
            lines.append(f"# gap {max(beat.end_s - beat.rr_ms / 1000 - last_s, 0.0):.3f} s")
        lines.append(f"{beat.rr_ms:.3f}".rstrip("0").rstrip("."))
        gap, last_s = False, beat.end_s
    if not lines:
        raise FormatError(f"{data.report.figures.recording} has no RR interval to write: the sensor sent heart rate only.")
    return ("\n".join(lines) + "\n").encode()
