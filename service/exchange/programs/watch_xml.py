"""RR intervals and heart rates in the XML of watches (Suunto .xml and .sml, Polar), by the names of elements.

Intervals: `<R-R><Data>812 799 …</Data></R-R>`, `<RR>812</RR>`, and Polar's samples `<type>RR</type><values>812,799</values>`.
Heart rates, where there are no intervals: Suunto's `<Sample><HR>1.18</HR><Time>12</Time></Sample>`, beats a second at s from the
start, and Polar's `<type>HEARTRATE</type>`, every `<recording-rate>` s.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ....sensors.errors import RecordingError
from ..packet_reconstruction import ImportedFile, from_heart_rates
from ..reading.cells import number_in, numbers_in
from ..reading.column_names import read_name
from ..reading.found_file import FoundFile, Source, found_beats
from ..reading.intervals import beats_of
from ..reading.refusals import in_beats_a_minute

_HOLDERS: Final = frozenset({"data", "values", "value"})


def read_watch_xml(name: str, raw: bytes) -> FoundFile:
    """Read the intervals of an XML file, or else its heart rates. Raises `RecordingError` where it cannot be read or has none."""
    try:
        root = fromstring(raw)
    except (ParseError, DefusedXmlException, LookupError, ValueError) as error:
        raise RecordingError(f"{name} is no readable XML: {str(error)[:120]}.") from error
    if values := _values(root, "rr"):
        beats = beats_of(name, values, [False] * len(values), [None] * len(values), "", named=True)
        return found_beats(name, "XML", beats, ())
    timed = _timed_rates(root)
    if not timed:
        raise RecordingError(f"{name} is XML without RR intervals or heart rates: restbeat looks for elements such as R-R or HR.")
    return _found_rates(name, timed)


def _found_rates(name: str, timed: list[tuple[float, float]]) -> FoundFile:
    bpm, unit = in_beats_a_minute(name, [rate for _, rate in timed], "")
    times = "the times in the file (s)"
    evidence = "Heart rates of the samples; no element holds intervals."
    source = Source(kind="heart rates", unit=unit, times=times, rows=len(timed), evidence=(evidence,))
    rates = [(t, rate) for (t, _), rate in zip(timed, bpm, strict=True)]
    imported = ImportedFile(name, from_heart_rates(rates), source=source.fields())
    return FoundFile(lambda: imported.recording("XML", arrival="the times in the file"), source)


def _values(root: Element, role: str) -> list[float]:
    values: list[float] = []
    for element in root.iter():
        for holder in _holders(element, role):
            values += numbers_in(holder.text or "") or []
    return values


def _holders(element: Element, role: str) -> list[Element]:
    """Return the elements that hold the values of one that is named for them, or whose type is."""
    named = read_name(_bare(element.tag)).role == role
    typed = any(_bare(child.tag) == "type" and read_name(child.text or "").role == role for child in element)
    holders = [child for child in element if _bare(child.tag).lower() in _HOLDERS] if named or typed else []
    return holders or ([element] if named else [])


def _timed_rates(root: Element) -> list[tuple[float, float]]:
    """Return heart rates with their times in s, in order; those of samples with a time, or of a list at a fixed interval."""
    timed = list(_rates_of_samples(root))
    if not timed:
        every_s = next((number_in(each.text or "") for each in root.iter() if _bare(each.tag) == "recording-rate"), None) or 1.0
        timed = [(n * every_s, rate) for n, rate in enumerate(_values(root, "hr"), 1)]
    return timed if all(a[0] <= b[0] for a, b in pairwise(timed)) else []


def _rates_of_samples(root: Element) -> Iterator[tuple[float, float]]:
    for element in root.iter():
        cells = {_bare(child.tag).lower(): child.text or "" for child in element}
        if "hr" in cells and "time" in cells:
            t, rate = number_in(cells["time"]), number_in(cells["hr"])
            if t is not None and rate is not None and t >= 0:
                yield t, rate


def _bare(tag: object) -> str:
    return str(tag).rsplit("}", 1)[-1]
