"""Apple Health export import: the beats of the newest sample of heart-rate variability, streamed from hundreds of MB of XML.

Each `HeartRateVariabilitySDNN` record holds the beats behind it (`InstantaneousBeatsPerMinute`: a time of day to 10 ms and a
rate): their distances in time are the intervals. The record's own value is an SDNN of some tens of beats, and is never read.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import IO, Any, Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from ....sensors.errors import RecordingError
from ..packet_reconstruction import ImportedFile, Interval, from_intervals
from ..reading.cells import moment_in
from ..reading.found_file import FoundFile, Source

_KIND: Final = "HKQuantityTypeIdentifierHeartRateVariabilitySDNN"
_FEWEST: Final = 10
_MISSED: Final = 1.6
"""Time between two beats, in multiples of the interval that the rate says, from which beats are missing between them."""
_DAY_S: Final = 86_400.0


def is_apple_health(head: bytes) -> bool:
    """Return whether a file begins as an export of Apple Health."""
    return b"<HealthData" in head or b"<!DOCTYPE HealthData" in head


def read_apple_health(name: str, stream: IO[bytes]) -> FoundFile:
    """Read the newest sample with beats. Raises `RecordingError` where the file cannot be read or has none."""
    newest: tuple[str, list[tuple[float, float]]] | None = None
    samples = empty = 0
    try:
        for record in _records(stream):
            beats = [beat for each in record.iter("InstantaneousBeatsPerMinute") if (beat := _beat(each)) is not None]
            samples += 1
            if len(beats) < _FEWEST:
                empty += 1
            elif newest is None or record.get("startDate", "") > newest[0]:
                newest = record.get("startDate", ""), beats
    except (ParseError, DefusedXmlException) as error:
        if newest is None:
            raise RecordingError(f"{name} is no readable XML: {str(error)[:120]}.") from error
    if newest is None:
        why = f": {samples} samples of heart-rate variability have no beats in them" if samples else ""
        raise RecordingError(f"{name} is an Apple Health export without beats{why}. Its SDNN alone is no RMSSD.")
    return _found(name, *newest, samples, empty)


def _records(stream: IO[bytes]) -> Iterator[Element]:
    """Yield each record of heart-rate variability, and drop everything that has been read."""
    parsing: Any = iterparse(stream, events=("start", "end"), forbid_dtd=False)
    _, root = next(parsing)
    for event, element in parsing:
        if event == "end" and element.tag == "Record":
            if element.get("type") == _KIND:
                yield element
            root.clear()


def _beat(element: Element) -> tuple[float, float] | None:
    moment, bpm = moment_in(element.get("time", ""), comma=True), element.get("bpm", "")
    if moment is None or moment.form != "clock" or not bpm.replace(".", "", 1).isdecimal() or float(bpm) <= 0:
        return None
    return moment.value, float(bpm)


def _found(name: str, began_text: str, beats: list[tuple[float, float]], samples: int, empty: int) -> FoundFile:
    intervals: list[Interval] = []
    gap = False
    for (before_s, _), (after_s, bpm) in pairwise(beats):
        rr_ms = 1000 * ((after_s - before_s) % _DAY_S)
        if rr_ms > _MISSED * 60_000 / bpm:
            gap = True
            continue
        intervals.append(Interval((after_s - beats[0][0]) % _DAY_S, rr_ms, gap and bool(intervals)))
        gap = False
    source = Source(
        kind="RR intervals",
        unit="s",
        times="the beats' own times, to 10 ms",
        rows=len(beats),
        evidence=(
            f"The newest of {samples} samples, of {began_text or 'an unknown day'}: its {len(beats)} beats, not its SDNN.",
            *([f"{empty} samples have no beats in them."] if empty else []),
        ),
    )
    imported = ImportedFile(name, from_intervals(intervals), source=source.fields())
    arrival = "the beats' own times"
    return FoundFile(lambda: imported.recording("Apple Health", arrival=arrival, began=_began(began_text)), source)


def _began(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z")
    except ValueError:
        return None
