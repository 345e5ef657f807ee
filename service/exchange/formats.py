"""All formats: how each is written, and how a file's format is recognised and read.

    write_as("edf", data)          bytes
    read_any(Path("ride.fit"))     a recording, as if a strap had sent it

A file's format is recognised by its content, not by its name. Each library is imported only when a file needs it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import gzip
from pathlib import Path
from typing import Final

from ...sensors.errors import RecordingError
from ...sensors.recordings.recording import Event, Header, Recording, dump, read
from ...sensors.recordings.rr_text import read_rr_text
from ..errors import FormatError
from .csv_export import write_beats, write_events, write_phases
from .csv_import import is_table, read_table
from .fhir import write_fhir
from .open_mhealth import read_open_mhealth, write_open_mhealth
from .polar_hrm import is_hrm, read_hrm
from .rr_text import recording_of_rr_text, write_rr_text
from .session_data import SessionData

_LARGEST = 512 * 1024 * 1024
_HEAD = 4096


@dataclass(frozen=True, slots=True)
class Format:
    """A format in which a session can be written."""

    name: str
    ending: str
    """Ending of a file name; the longest that matches selects the format."""
    what: str
    write: Callable[[SessionData], bytes]


def as_recording(header: Header, events: Sequence[Event], *, packed: bool) -> bytes:
    """Return the bytes of a recording, for which nothing has to be computed; `packed` compresses it by gzip."""
    raw = dump(header, list(events))
    return gzip.compress(raw, mtime=0) if packed else raw


def _edf(data: SessionData) -> bytes:
    from .edf import write_edf

    return write_edf(data)


FORMATS: Final = {
    each.name: each
    for each in (
        Format("recording", ".jsonl", "recording", lambda data: as_recording(data.header, data.events, packed=False)),
        Format(
            "recording.gz", ".jsonl.gz", "compressed recording", lambda data: as_recording(data.header, data.events, packed=True)
        ),
        Format("rr", ".txt", "RR text", write_rr_text),
        Format("csv", ".csv", "table of beats", write_beats),
        Format("phases", ".phases.csv", "table of figures", write_phases),
        Format("events", ".events.csv", "table of what was noted", write_events),
        Format("edf", ".edf", "EDF+", _edf),
        Format("fhir", ".fhir.json", "FHIR R4B bundle", write_fhir),
        Format("omh", ".omh.json", "Open mHealth data points", write_open_mhealth),
    )
}
"""Every format that can be written, by its name."""


def format_of(path: Path) -> Format:
    """Return the format for a file's name. Raises `FormatError` where no ending matches."""
    candidates = [each for each in FORMATS.values() if path.name.lower().endswith(each.ending)]
    if not candidates:
        endings = ", ".join(each.ending for each in FORMATS.values())
        raise FormatError(f"{path.name} does not say what to write: let it end in one of {endings}.")
    return max(candidates, key=lambda each: len(each.ending))


def write_as(name: str, data: SessionData) -> bytes:
    """Return a session in the format of that name.

    Raises `FormatError` where there is no such format, or it cannot hold the session.
    """
    if name not in FORMATS:
        raise FormatError(f"The format {name!r} is not known; there are {', '.join(FORMATS)}.")
    return FORMATS[name].write(data)


def kind_of(path: Path) -> str:
    """Return the kind of a file by its content: recording, rr, table, edf, fit, hrm or json.

    Raises `RecordingError` where it cannot be read.
    """
    return _kind_of(path, _bytes(path))


def read_any(path: Path) -> Recording:
    """Read a recording, or another program's file as if a strap had sent it. Raises `RecordingError` where it cannot be read."""
    raw = _bytes(path)
    match _kind_of(path, raw):
        case "recording":
            return read(path)
        case "fit":
            from .fit import read_fit

            return read_fit(path.name, raw)
        case "edf":
            from .edf import read_edf_plus

            return read_edf_plus(path.name, raw)
        case "json":
            if b'"resourceType"' in raw[:_HEAD]:
                raise RecordingError(f"{path.name} is FHIR: it holds figures, no beats, so there is nothing to play.")
            return read_open_mhealth(path.name, raw)
        case "hrm":
            return read_hrm(path.name, decode_text(raw))
        case "table":
            return read_table(path.name, decode_text(raw))
        case _:
            return recording_of_rr_text(path.name, read_rr_text(path))


def decode_text(raw: bytes) -> str:
    """Return the text of a file: UTF-8, UTF-16 by its byte-order mark, else Latin-1 as of old programs."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", errors="replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _kind_of(path: Path, raw: bytes) -> str:
    start = raw[:_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip()
    if raw.startswith(b"\x1f\x8b") or b'"restbeat-recording"' in start.split(b"\n", 1)[0]:
        return "recording"
    if raw[8:12] == b".FIT":
        return "fit"
    if raw[:8] == b"0       " and raw[192:195] in {b"EDF", b"   "}:
        return "edf"
    if is_hrm(decode_text(raw[:_HEAD])):
        return "hrm"
    if start.startswith((b"{", b"[")) and (b"effective_time_frame" in start or b'"resourceType"' in start):
        return "json"
    if path.name.endswith((".jsonl", ".jsonl.gz")):
        return "recording"
    if start.startswith((b"{", b"[")):
        return "json"
    return "table" if is_table(decode_text(raw)) else "rr"


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST:
            raise RecordingError(f"{path.name} is larger than {_LARGEST >> 20} MiB: that is no session of heart beats.")
        return path.read_bytes()
    except OSError as error:
        raise RecordingError(f"{path} could not be read: {error.strerror}.") from error
