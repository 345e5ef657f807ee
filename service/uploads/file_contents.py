"""Reading a file that somebody brought, and telling what it holds: all of it in a process of its own."""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from ...analysis.beats.beat_stream import BeatStream, JudgedBeat, judge
from ...analysis.beats.phase_spans import phase_spans
from ...sensors.beat_clock import BeatClock
from ...sensors.errors import PayloadError, RecordingError
from ...sensors.protocols.heart_rate import parse
from ...sensors.recordings.recording import HEART_RATE, Event, Header, Mark, Packet, PhaseStart, Recording, write
from ..errors import RefusedError
from ..exchange.formats import read_file
from ..exchange.packet_reconstruction import began_of, imported_of
from ..storage.event_rows import stamp
from .models import Contents, FilePhase, ReadUpload
from .strip import points_of_beats, points_of_rates, strip_of

_LONGEST_S: Final = 30 * 3600.0
_MOST_EVENTS: Final = 400_000
_WARNINGS: Final = 5
_SENTENCE: Final = 400
"""Characters of a sentence that are shown."""
FIRST_BYTES: Final = 24
"""Bytes of beats, two for each, by which sessions with other beats are told apart without reading them whole."""
OWN_FORMAT: Final = "restbeat recording"


def read_upload(path: Path, kept: Path, name: str) -> ReadUpload:
    """Read the file `path`, which somebody calls `name`, write it as a recording to `kept`, and return what it holds.

    Runs in a process of its own. Raises `RefusedError`, with a sentence, where it cannot become a session.
    """
    try:
        return _read(path, kept, name)
    except (RecordingError, RefusedError) as error:
        why = shown(_named(str(error), path, name))
    except MemoryError:
        why = f"{name} takes more memory than a session of heartbeats can: it was not read."
    except Exception as error:  # noqa: BLE001 whatever a reader does with a hostile file, a person reads a sentence
        why = f"{name} could not be read: the reader failed ({type(error).__name__}). Save it in another format, and try again."
    raise RefusedError(why)  # out here, where the memory that the file took is free again


def _read(path: Path, kept: Path, name: str) -> ReadUpload:
    found = read_file(path)
    recording = found.recording
    told = [_named(line, path, name) for line in (found.source.lines() if found.source else ())]
    warnings = [_named(line, path, name) for line in recording.warnings]
    cleaned = _cleaned(recording)
    contents = _contents(name, cleaned, told, warnings)
    write(kept, cleaned.header, list(cleaned.events))
    beats = beats_in(event.payload for event in cleaned.events if isinstance(event, Packet) and event.char == HEART_RATE)
    return ReadUpload(contents=contents, digest=sha256(beats).hexdigest(), first=beats[:FIRST_BYTES])


def _named(text: str, path: Path, name: str) -> str:
    return text.replace(str(path), name).replace(path.name, name)


def shown(text: str, most: int = _SENTENCE) -> str:
    """Return a text of a file on one line, without what cannot be printed, cut to `most` characters."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text[: 4 * most]).split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def beats_in(payloads: Iterable[bytes]) -> bytes:
    """Return what heart rate packets say of beats, however they are grouped: the intervals, or without any the heart rates."""
    intervals, rates = bytearray(), bytearray()
    for payload in payloads:
        try:
            measured = parse(payload)
        except PayloadError:
            continue
        for rr in measured.rr_1024:
            intervals += rr.to_bytes(2, "little")
        rates += (measured.rate_bpm or 0).to_bytes(2, "little")
    return bytes(intervals or rates)


def _cleaned(recording: Recording) -> Recording:
    """Return a recording without what a hostile file could smuggle into pages and exports: texts are cleaned and cut."""
    header = recording.header
    imported = imported_of(header)
    began = began_of(header)
    kept = {
        "format": shown(str(imported.get("format") or OWN_FORMAT), 40),
        "arrival": shown(str(imported.get("arrival") or "as a strap sent it"), 120),
    }
    if began:
        kept["began_utc"] = stamp(began)
    local = imported.get("began_local")
    extra = {"imported": kept | ({"began_local": shown(local, 40)} if isinstance(local, str) else {})}
    texts = {name: shown(value, 200) if (value := getattr(header, name)) else None for name in ("source", "licence")}
    header = msgspec.structs.replace(header, client=None, extra=extra, device_extra={}, **texts)
    return Recording(header, tuple(map(_cleaned_event, recording.events)), recording.warnings)


def _cleaned_event(event: Event) -> Event:
    if not isinstance(event, Mark):
        return event
    fields = {name: value for name, value in msgspec.structs.asdict(event).items() if name not in {"t", "kind"} and value}
    return msgspec.structs.replace(event, **{name: shown(value, 200) for name, value in fields.items()})


def _contents(name: str, recording: Recording, told: Sequence[str], warnings: Sequence[str]) -> Contents:
    from ...analysis.hrv.time_domain import numpy_time_domain
    from ...analysis.session_report import whole_recording

    header, events = recording.header, recording.events
    duration_s = events[-1].t if events else 0.0
    rates = _rates(events)
    if not rates and not any(isinstance(event, Packet) and event.char == HEART_RATE for event in events):
        raise RefusedError(f"{name} holds no heartbeats: there is nothing to add.")
    if duration_s > _LONGEST_S or len(events) > _MOST_EVENTS:
        raise RefusedError(
            f"{name} spans {duration_s / 3600:.0f} hours, more than a session can: cut out the part that is the session."
        )
    figures, reasons = whole_recording(header, events, compute_time_domain=numpy_time_domain)
    beats = _beats(header, events, duration_s) if figures.beats else []
    imported = imported_of(header)
    phased = any(isinstance(event, PhaseStart) for event in events)
    return Contents(
        format=imported["format"],
        told=tuple(map(shown, told or ("A recording of restbeat: the packets as the strap sent them.",))),
        warnings=tuple(map(shown, warnings[:_WARNINGS])),
        more_warnings=max(len(warnings) - _WARNINGS, 0),
        began_utc=imported.get("began_utc"),
        began_local=None if "began_utc" in imported else imported.get("began_local"),
        duration_s=duration_s,
        beats=figures.beats,
        used_pct=figures.accepted_pct,
        mean_hr_bpm=figures.mean_hr_bpm,
        reasons=tuple(map(shown, reasons)),
        heart_rate_only=not figures.beats,
        kind="rest" if header.kind == "rest" else "massage",
        phases=tuple(FilePhase(phase=one.phase.value, start_s=one.start_s, end_s=one.end_s) for one in phase_spans(events))
        if phased
        else (),
        strip=strip_of(points_of_beats(beats), duration_s, "ms")
        if beats
        else strip_of(points_of_rates(rates), duration_s, "bpm"),
    )


def _beats(header: Header, events: Sequence[Event], last_s: float) -> list[JudgedBeat]:
    stream = BeatStream(BeatClock.at_speed(header.arrival_speed))
    stream.set_device(header.device)
    return stream.of_beats(judge(stream, events, last_s))


def _rates(events: Sequence[Event]) -> list[tuple[float, int]]:
    rates: list[tuple[float, int]] = []
    for event in events:
        if isinstance(event, Packet) and event.char == HEART_RATE:
            try:
                rate_bpm = parse(event.payload).rate_bpm
            except PayloadError:
                continue
            if rate_bpm:
                rates.append((event.t, rate_bpm))
    return rates
