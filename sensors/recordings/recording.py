"""Recordings: a header line, then one line for each event, in order of arrival (JSON lines, gzipped or not).

    {"format": "restbeat-recording", "version": 1, "device": {"name": "Polar H10"}, "source": "..."}
    {"t": 0.912, "char": "2a37", "hex": "1648c003"}
    {"t": 60.0, "phase": "baseline"}

A line that cannot be read is skipped with a warning; the rest of the recording is kept. All header and device fields except
`format` and `version` are optional; unknown ones are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
import gzip
from math import isfinite
from pathlib import Path
import re
from typing import IO, Annotated, Any, Final, Literal, get_args
import zlib

import msgspec

from ..device_text import clean_text
from ..errors import RecordingError
from ..model import Device, Phase

FORMAT = "restbeat-recording"
VERSION = 1
HEART_RATE = "2a37"
BATTERY = "2a19"
PMD_CONTROL = "fb005c81-02e7-f387-1cad-8acd2d8df0c8"
PMD_DATA = "fb005c82-02e7-f387-1cad-8acd2d8df0c8"
"""Polar Measurement Data: commands on the first, ECG, pulse intervals and acceleration on the second."""

_DAY_S = 86_400.0
_LONGEST_S = 10 * _DAY_S
_JUMP_S = 60.0
_MAX_SPEED = 1000.0
_HEADER_FIELDS = {"format", "version", "device", "client", "kind", "source", "licence", "arrival_speed"}
_GZIP_MAGIC = b"\x1f\x8b"


class Packet(msgspec.Struct, frozen=True):
    """A notification as received: arrival in s, short UUID of the characteristic, payload."""

    t: float
    char: str
    payload: bytes


class ConnectionEvent(msgspec.Struct, frozen=True):
    """A change of the connection: it came up, or was lost."""

    t: float
    up: bool


class PhaseStart(msgspec.Struct, frozen=True):
    """The start of a phase; `ended` ends the session."""

    t: float
    phase: Phase


MarkKind = Literal["stop"]
STOP_NOTE: Final = "Pain increased – stopped"
"""The note of a stop. Recordings written before marks had a kind tell a stop by this note alone."""


class MarkContent(msgspec.Struct, frozen=True, kw_only=True):
    """Content of a mark, without its time: here once for recordings, the database and the API."""

    technique: str | None = None
    region: str | None = None
    pressure: str | None = None
    note: str | None = None
    kind: Annotated[
        MarkKind | None, msgspec.Meta(description="stop: the massage was stopped because of pain. None: any other mark.")
    ] = None

    @property
    def text(self) -> str:
        """The mark as people read it: "kneading, neck, deep"."""
        return ", ".join(part for part in (self.technique, self.region, self.pressure, self.note) if part)


class Mark(MarkContent, frozen=True):
    """A note of the therapist, at `t` s of the session."""

    t: float


class Pain(msgspec.Struct, frozen=True):
    """A pain score from 0 to 10 (NRS)."""

    t: float
    score: int


LEFT_OUT: Final = "left out"
"""The kind of a fault that nobody injected: packets of a strap that sent too many."""


class Fault(msgspec.Struct, frozen=True):
    """A record of a fault that was injected, for tests and testers, or of packets left out; no figure depends on it."""

    t: float
    kind: str
    """As in `fault_grammar`: drop, silence, double, ...; or `LEFT_OUT`."""
    until_s: float | None = None
    count: int | None = None
    """Number of packets or beats changed."""
    detail: str | None = None


class StrapChange(msgspec.Struct, frozen=True):
    """Another strap from `t` s on: what follows is its own. The first strap is in the header."""

    t: float
    device: Device


Event = Packet | ConnectionEvent | PhaseStart | Mark | Pain | Fault | StrapChange


class Header(msgspec.Struct, frozen=True):
    """The first line of a recording."""

    device: Device = Device()
    client: str | None = None
    kind: str = "massage"
    """massage, or rest: a session without massage."""
    source: str | None = None
    licence: str | None = None
    arrival_speed: float = 1.0
    """Session seconds per wall second when the packets were stamped: at high speed a stall of the computer looks long."""
    extra: dict[str, Any] = {}
    """Fields unknown to this version, kept as read."""
    device_extra: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording as read, with a sentence for each line that could not be."""

    header: Header
    events: tuple[Event, ...]
    warnings: tuple[str, ...] = ()


def read(path: Path) -> Recording:
    """Read a recording.

    Raises `RecordingError` where the file cannot be read, is empty, or has no header of this version.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RecordingError(f"{path} could not be read: {error.strerror}.") from error
    reader = _Reader(path.name)
    if raw.startswith(_GZIP_MAGIC):
        raw = reader.unzip(raw)
    lines = raw.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    numbered = [(n, line.strip()) for n, line in enumerate(lines, 1) if line.strip()]
    if not numbered:
        raise RecordingError(f"{path.name} is empty: there is nothing to play.")
    header = reader.header(numbered[0][1])
    for number, line in numbered[1:]:
        reader.line(number, line, is_last=number == len(lines))
    reader.release()
    return Recording(header, tuple(reader.events), tuple(reader.warnings))


class RecordingWriter:
    """A recording that is written line by line; each line is flushed before the next."""

    def __init__(self, file: IO[str], header: Header) -> None:
        self._file = file
        self._line(header_fields(header))

    def write(self, event: Event) -> None:
        """Append an event."""
        self._line(event_fields(event))

    def _line(self, fields: dict[str, Any]) -> None:
        self._file.write(msgspec.json.encode(fields).decode() + "\n")
        self._file.flush()


def write(path: Path, header: Header, events: list[Event]) -> None:
    """Write a whole recording, compressed where the name ends in .gz."""
    if path.suffix == ".gz":
        with path.open("wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed:
            packed.write(dump(header, events))
    else:
        path.write_bytes(dump(header, events))


def dump(header: Header, events: list[Event]) -> bytes:
    """Return the bytes of a recording, uncompressed."""
    lines = [header_fields(header), *(event_fields(event) for event in events)]
    return b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def header_fields(header: Header) -> dict[str, Any]:
    """Return the fields of the header line in order, known fields first."""
    known = {"client": header.client, "kind": header.kind, "source": header.source, "licence": header.licence}
    speed = {} if header.arrival_speed == 1.0 else {"arrival_speed": header.arrival_speed}
    return {
        "format": FORMAT,
        "version": VERSION,
        "device": _device_fields(header.device) | header.device_extra,
        **{k: v for k, v in known.items() if v is not None},
        **speed,
        **header.extra,
    }


def _device_fields(device: Device) -> dict[str, Any]:
    return {k: v for k, v in msgspec.structs.asdict(device).items() if v is not None}


def event_fields(event: Event) -> dict[str, Any]:
    """Return the fields of an event's line, in order."""
    t = round(event.t, 6)
    match event:
        case Packet():
            return {"t": t, "char": event.char, "hex": event.payload.hex()}
        case ConnectionEvent():
            return {"t": t, "link": "up" if event.up else "lost"}
        case PhaseStart():
            return {"t": t, "phase": event.phase.value}
        case Mark():
            fields = {k: v for k, v in msgspec.structs.asdict(event).items() if k != "t" and v is not None}
            return {"t": t, "mark": fields}
        case Pain():
            return {"t": t, "pain": event.score}
        case Fault():
            fields = {k: v for k, v in msgspec.structs.asdict(event).items() if k != "t" and v is not None}
            return {"t": t, "fault": fields}
        case StrapChange():
            return {"t": t, "strap": _device_fields(event.device)}


def mark_of(t: float, fields: Mapping[str, object]) -> Mark | None:
    """Return the mark described by fields read from a file; None where no field is known."""
    known = {name: str(fields[name]) for name in MarkContent.__struct_fields__ if fields.get(name) is not None}
    if known.get("note") == STOP_NOTE:
        known["kind"] = "stop"
    elif known.get("kind") not in get_args(MarkKind):
        known.pop("kind", None)
    return msgspec.convert({**known, "t": t}, Mark) if known else None


@dataclass(slots=True)
class _Reader:
    """Collects events and warnings; an event that jumps ahead is pending until the next line confirms the jump."""

    name: str
    events: list[Event] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    pending: tuple[int, Event] | None = None
    unknown: set[str] = field(default_factory=set)
    moved_s: float = 0.0
    """How far all events are moved, because the first was before 0."""

    def unzip(self, raw: bytes) -> bytes:
        out = b""
        while raw.startswith(_GZIP_MAGIC):  # concatenated gzip files are one file
            unpack = zlib.decompressobj(31)
            try:
                out += unpack.decompress(raw)
            except zlib.error as error:
                if out:
                    break
                raise RecordingError(f"{self.name} is no readable gzip file: {error}.") from error
            raw = unpack.unused_data
            if not unpack.eof:
                self.warnings.append(f"{self.name}: the compressed file is cut off; what was whole is kept.")
        if raw.strip(b"\0"):
            self.warnings.append(f"{self.name}: {len(raw)} bytes behind the compressed part cannot be read and are left out.")
        return out

    def header(self, line: bytes) -> Header:
        fields = _object(line)
        if fields is None or fields.get("format") != FORMAT:
            raise RecordingError(f'{self.name} is no recording: its first line is not a "{FORMAT}" header.')
        version = fields.get("version")
        if version != VERSION or isinstance(version, bool):
            raise RecordingError(f"{self.name} is a recording of version {version!r}; this restbeat reads version {VERSION}.")
        extra = {k: v for k, v in fields.items() if k not in _HEADER_FIELDS}
        device, device_extra = self._device(fields.get("device"))
        known: dict[str, Any] = {}
        for key in ("client", "kind", "source", "licence"):
            value = fields.get(key)
            if isinstance(value, str):
                known[key] = value
            elif value is not None:
                self.warnings.append(f"{self.name} line 1: {key} is no text and is left out.")
        if known.get("kind", "massage") not in {"massage", "rest"}:
            self.warnings.append(f"{self.name} line 1: the kind {known.pop('kind')!r} is unknown, massage is taken.")
        speed = fields.get("arrival_speed", 1.0)
        if isinstance(speed, int | float) and not isinstance(speed, bool) and 0 < speed <= _MAX_SPEED:
            known["arrival_speed"] = float(speed)
        else:
            self.warnings.append(f"{self.name} line 1: arrival_speed is no speed and is left out.")
        return Header(device=device, extra=extra, device_extra=device_extra, **known)

    def _device(self, fields: Any) -> tuple[Device, dict[str, Any]]:
        if not isinstance(fields, dict):
            if fields is not None:
                self.warnings.append(f"{self.name} line 1: device is no object and is left out.")
            return Device(), {}
        return _device_of(fields)

    def line(self, number: int, line: bytes, *, is_last: bool) -> None:
        where = f"{self.name} line {number}"
        fields = _object(line)
        if fields is None:
            self.warnings.append(
                f"{where}: {'cut off at the end of the file' if is_last else 'not JSON'}; this line is left out."
            )
            return
        self._move(where, fields)
        try:
            event = _event(fields)
        except ValueError as error:
            self.warnings.append(f"{where}: {error}; this line is left out.")
            return
        if isinstance(event, Packet) and event.char not in {HEART_RATE, BATTERY, PMD_DATA} | self.unknown:
            self.unknown.add(event.char)
            self.warnings.append(f"{where}: characteristic {event.char} is unknown; its packets are kept but not read.")
        self._in_order(number, event)

    def _move(self, where: str, fields: dict[str, Any]) -> None:
        """Move an event as the first one was moved, which makes times before 0 begin at 0."""
        t = fields.get("t")
        if not isinstance(t, int | float) or isinstance(t, bool):
            return
        if not self.events and not self.moved_s and -_DAY_S <= t < 0:
            self.moved_s = -float(t)
            self.warnings.append(f"{where}: times begin at {t:g} s; all are moved by {self.moved_s:g} s.")
        fields["t"] = round(t + self.moved_s, 6) if self.moved_s else t

    def _in_order(self, number: int, event: Event) -> None:
        last = self.events[-1].t if self.events else 0.0
        if event.t < last:
            self.warnings.append(
                f"{self.name} line {number}: time runs backwards ({event.t:g} s after {last:g} s); this line is left out."
            )
            return
        if self.pending and event.t < self.pending[1].t:
            n, jumped = self.pending
            self.pending = None
            self.warnings.append(f"{self.name} line {n}: time jumps to {jumped.t:g} s and back; that line is left out.")
        self.release()
        if event.t > last + _JUMP_S and self.events:
            self.pending = (number, event)
        else:
            self.events.append(event)

    def release(self) -> None:
        if self.pending:
            self.events.append(self.pending[1])
            self.pending = None


def _device_of(fields: Mapping[str, Any]) -> tuple[Device, dict[str, Any]]:
    """Return the device that fields read from a file describe, and the fields that are not of a device."""
    known: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for key, value in fields.items():
        wanted = {"battery_pct": int}.get(key, str)
        fits = isinstance(value, wanted) and not isinstance(value, bool)
        value = clean_text(value) if fits and wanted is str else value
        (known if key in Device.__struct_fields__ and fits else extra)[key] = value
    return Device(**known), extra


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _event(fields: dict[str, Any]) -> Event:
    t = fields.get("t")
    if not isinstance(t, int | float) or isinstance(t, bool) or not isfinite(t) or not 0 <= t <= _LONGEST_S:
        raise ValueError(f"t is {t!r} and no time in s")
    t = float(t)
    match fields:
        case {"char": str(char), "hex": str(text)}:
            return Packet(t, _short_uuid(char), _payload(text))
        case {"link": "up" | "lost" as link}:
            return ConnectionEvent(t, link == "up")
        case {"phase": str(name)}:
            if name not in {p.value for p in Phase}:
                raise ValueError(f"the phase {name!r} is unknown")
            return PhaseStart(t, Phase(name))
        case {"mark": dict(mark)}:
            if found := mark_of(t, mark):
                return found
            raise ValueError("the mark says nothing that is known")
        case {"pain": int(score)} if not isinstance(score, bool) and 0 <= score <= 10:
            return Pain(t, score)
        case {"fault": dict(fault)}:
            try:
                return msgspec.convert({**fault, "t": t}, Fault)
            except msgspec.ValidationError as error:
                raise ValueError(f"the fault is none ({error})") from error
        case {"strap": dict(strap)}:
            return StrapChange(t, _device_of(strap)[0])
        case _:
            raise ValueError(f"an event that is not known ({', '.join(k for k in fields if k != 't') or 'nothing but t'})")


def _payload(text: str) -> bytes:
    if len(text) % 2 or not re.fullmatch(r"[0-9a-fA-F]*", text):
        raise ValueError(f"the payload {text[:40]!r} is not hex")
    return bytes.fromhex(text)


def _short_uuid(char: str) -> str:
    low = char.lower().removeprefix("0x")
    if len(low) == 36 and low.startswith("0000") and low.endswith("-0000-1000-8000-00805f9b34fb"):
        return low[4:8]
    return low
