"""RR text, export and import: one interval in ms per line (`sensors/recordings/rr_text.py` parses it)."""

from statistics import median

from ...sensors.recordings.recording import Recording
from ...sensors.recordings.rr_text import RrText
from ..errors import FormatError
from .packet_reconstruction import ImportedFile, Interval, from_intervals
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


def recording_of_rr_text(name: str, text: RrText) -> Recording:
    """Return the intervals as a recording, one after the other; a gap of unknown length is one interval long.

    Raises `RecordingError` where there is no interval.
    """
    imported = ImportedFile(name, warnings=list(text.warnings))
    typical_s = median(text.rr_ms) / 1000
    end_s = 0.0
    intervals: list[Interval] = []
    for rr_ms, gap, lost_s in zip(text.rr_ms, text.gap_before, text.gap_s, strict=True):
        if gap:
            end_s += typical_s if lost_s is None else lost_s
        end_s += rr_ms / 1000
        intervals.append(Interval(end_s, rr_ms, gap))
    imported.events = from_intervals(intervals)
    return imported.recording("RR text", arrival="the sum of the intervals")
