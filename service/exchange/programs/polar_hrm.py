"""Polar .hrm import: text in sections; `[HRData]` holds one RR interval in ms, or one heart rate at a fixed interval, per line.

"Polar HRM2 File Format", version 1.4: `Interval=238` in `[Params]` means RR intervals, any other number the s between lines;
the heart rate is in the first column.
"""

from datetime import datetime
import re

from ....sensors.errors import RecordingError
from ....sensors.recordings.recording import Recording
from ..packet_reconstruction import ImportedFile, Interval, from_heart_rates, from_intervals

_RR_DATA = 238
_INTERMEDIATE_TIMES = 204
_SECTION = re.compile(r"\[([\w-]+)\]")
_MAX_WARNINGS = 20


def is_hrm(text: str) -> bool:
    """Return whether a text has the sections of a .hrm file."""
    return "[params]" in text[:4096].lower()


def read_hrm(name: str, text: str) -> Recording:
    """Read a .hrm file. Raises `RecordingError` where it holds no heart data."""
    sections = _sections(text)
    params = dict(line.split("=", 1) for _, line in sections.get("params", []) if "=" in line)
    params = {key.strip().lower(): value.strip() for key, value in params.items()}
    lines = sections.get("hrdata", [])
    if not lines:
        raise RecordingError(f"{name} has no [HRData] section with heart data in it.")
    interval = _whole(params.get("interval", ""))
    if interval is None or interval <= 0 or interval == _INTERMEDIATE_TIMES:
        raise RecordingError(
            f"{name} does not say what its heart data are: Interval is {params.get('interval')!r}, not a number of s or 238."
        )
    imported = ImportedFile(name)
    if interval == _RR_DATA:
        imported.events = from_intervals(_intervals(imported, lines))
        arrival = "the sum of the intervals"
    else:
        imported.events = from_heart_rates(_rates(imported, lines, interval))
        arrival = f"one line every {interval} s"
    began = _began(params)
    return imported.recording("Polar HRM", arrival=arrival, began_local=began.isoformat() if began else None)


def _sections(text: str) -> dict[str, list[tuple[int, str]]]:
    sections: dict[str, list[tuple[int, str]]] = {}
    lines: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if named := _SECTION.fullmatch(line.strip()):
            lines = sections.setdefault(named[1].lower(), [])
        elif line.strip():
            lines.append((number, line.strip()))
    return sections


def _intervals(imported: ImportedFile, lines: list[tuple[int, str]]) -> list[Interval]:
    intervals: list[Interval] = []
    end_s, gap = 0.0, False
    for number, line in lines:
        rr_ms = _whole(line.split()[0])
        if rr_ms is None or not 0 < rr_ms < 1e6:
            _warn(imported, number, line, "RR interval in ms")
            gap = True
            continue
        end_s += rr_ms / 1000
        intervals.append(Interval(end_s, rr_ms, gap))
        gap = False
    return intervals


def _rates(imported: ImportedFile, lines: list[tuple[int, str]], interval_s: int) -> list[tuple[float, float]]:
    rates: list[tuple[float, float]] = []
    for n, (number, line) in enumerate(lines, 1):
        bpm = _whole(line.split()[0])
        if bpm is None or not 0 <= bpm < 1000:
            _warn(imported, number, line, "heart rate")
        else:
            rates.append((float(n * interval_s), bpm))
    return rates


def _began(params: dict[str, str]) -> datetime | None:
    """Return the watch's local date and time, without a zone; None where they are missing."""
    try:
        return datetime.strptime(f"{params['date']} {params['starttime'].split('.')[0]}", "%Y%m%d %H:%M:%S")  # noqa: DTZ007
    except (KeyError, ValueError):
        return None


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"\d{1,9}", text) else None


def _warn(imported: ImportedFile, number: int, line: str, expected: str) -> None:
    if len(imported.warnings) < _MAX_WARNINGS:
        imported.warnings.append(f"{imported.name} line {number}: {line[:40]!r} is no {expected}; it is left out.")
