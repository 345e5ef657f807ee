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
from ..errors import FormatError
from .csv_export import write_beats, write_events, write_phases
from .fhir import write_fhir
from .open_mhealth import read_open_mhealth, write_open_mhealth
from .programs.apple_health import is_apple_health, read_apple_health
from .programs.own_table import is_own_table, read_own_table
from .programs.polar_hrm import is_hrm, read_hrm
from .programs.reports import refuse_report
from .programs.vns_analyse import is_vns_analyse, read_vns_analyse
from .programs.watch_xml import read_watch_xml
from .programs.wfdb_annotations import is_wfdb_annotations, read_wfdb_annotations
from .reading.found_file import FoundFile
from .reading.json_values import sheet_of_json
from .reading.long_table import of_one_kind
from .reading.number_list import is_list, read_list
from .reading.sheet import sheet_of
from .reading.table import read_sheet
from .rr_text import write_rr_text
from .session_data import SessionData
from .text_encoding import LARGEST, decode_text, unpacked

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


def read_any(path: Path) -> Recording:
    """Read a recording, or another program's file as if a strap had sent it. Raises `RecordingError` where it cannot be read."""
    return read_file(path).recording


def read_file(path: Path) -> FoundFile:
    """Read a recording, or another program's file, and what it proved to be. Raises `RecordingError` where it cannot be read."""
    if is_apple_health(_head(path)):
        with path.open("rb") as stream:
            return read_apple_health(path.name, stream)
    packed = _bytes(path)
    name, raw = unpacked(path.name, packed)
    match kind := _kind_of(name, raw):
        case "recording":
            if raw is not packed and not packed.startswith(b"\x1f\x8b"):
                raise RecordingError(f"{name} holds a recording in a zip file: unpack it first.")
            return _of(read(path))
        case "wfdb":
            if raw is not packed:
                raise RecordingError(f"{name} holds WFDB annotations in a packed file: unpack them, with their header beside.")
            return read_wfdb_annotations(path)
        case _:
            return _READERS[kind](name, raw)


def _fit(name: str, raw: bytes) -> FoundFile:
    from .programs.fit import read_fit

    return _of(read_fit(name, raw))


def _edf_plus(name: str, raw: bytes) -> FoundFile:
    from .edf import read_edf_plus

    return _of(read_edf_plus(name, raw))


def _table(name: str, raw: bytes) -> FoundFile:
    text = decode_text(raw)
    sheet = of_one_kind(sheet_of(text))
    if not any(column.role in {"rr", "beats"} for column in sheet.columns):
        refuse_report(name, text)
    return read_sheet(name, sheet)


def _of(recording: Recording) -> FoundFile:
    return FoundFile(lambda: recording)


_READERS: Final[dict[str, Callable[[str, bytes], FoundFile]]] = {
    "fit": _fit,
    "edf": _edf_plus,
    "omh": lambda name, raw: _of(read_open_mhealth(name, raw)),
    "json": lambda name, raw: read_sheet(name, sheet_of_json(name, raw)),
    "hrm": lambda name, raw: _of(read_hrm(name, decode_text(raw))),
    "xml": read_watch_xml,
    "own table": lambda name, raw: _of(read_own_table(name, decode_text(raw))),
    "vns": lambda name, raw: read_vns_analyse(name, decode_text(raw)),
    "list": lambda name, raw: read_list(name, decode_text(raw)),
    "table": _table,
}
"""What reads each kind of file, from its name and its bytes."""


def _kind_of(name: str, raw: bytes) -> str:
    start = raw[:_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip()
    if b'"restbeat-recording"' in start.split(b"\n", 1)[0]:
        return "recording"
    if raw[8:12] == b".FIT":
        return "fit"
    if raw[:8] == b"0       " and raw[192:195] in {b"EDF", b"   "}:
        return "edf"
    if is_wfdb_annotations(raw):
        return "wfdb"
    if is_hrm(decode_text(raw[:_HEAD])):
        return "hrm"
    if start.startswith((b"{", b"[")) and b'"resourceType"' in start:
        raise RecordingError(f"{name} is FHIR: it holds figures, no beats, so there is nothing to play.")
    if start.startswith((b"{", b"[")) and b"effective_time_frame" in start:
        return "omh"
    if name.endswith((".jsonl", ".jsonl.gz")):
        return "recording"
    if start.startswith(b"<"):
        return "xml"
    text = decode_text(raw)
    if is_own_table(text):
        return "own table"
    if start.startswith(b"{") or _is_json_list(start):
        return "json"
    if is_vns_analyse(text):
        return "vns"
    return "list" if is_list(text) else "table"


def _is_json_list(start: bytes) -> bool:
    """Return whether a text begins as a JSON list, not with a section in brackets such as [HEADER]."""
    return start.startswith(b"[") and start[1:].lstrip()[:1] in b'{["-0123456789]'


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_HEAD)
    except OSError as error:
        raise RecordingError(f"{path} could not be read: {error.strerror}.") from error


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise RecordingError(f"{path.name} is larger than {LARGEST >> 20} MiB: that is no session of heart beats.")
        return path.read_bytes()
    except OSError as error:
        raise RecordingError(f"{path} could not be read: {error.strerror}.") from error
