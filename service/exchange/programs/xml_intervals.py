"""RR intervals in the XML of watches (Suunto .xml and .sml, Polar): elements or attributes that are named for them.

`<R-R><Data>812 799 …</Data></R-R>`, `<RR>812</RR>`, and Polar's samples `<type>RR</type><values>812,799</values>`.
"""

from typing import Final
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ....sensors.errors import RecordingError
from ..reading.cells import numbers_in
from ..reading.column_names import read_name
from ..reading.found_file import FoundFile, found_beats
from ..reading.intervals import beats_of

_HOLDERS: Final = frozenset({"data", "values", "value"})


def read_xml_intervals(name: str, raw: bytes) -> FoundFile:
    """Read the intervals of an XML file. Raises `RecordingError` where it cannot be read or holds none."""
    try:
        root = fromstring(raw)
    except (ParseError, DefusedXmlException, LookupError, ValueError) as error:
        raise RecordingError(f"{name} is no readable XML: {str(error)[:120]}.") from error
    values = _intervals(root)
    if not values:
        raise RecordingError(f"{name} is XML without RR intervals: restbeat looks for elements such as R-R or RR.")
    beats = beats_of(name, values, [False] * len(values), [None] * len(values), "", named=True)
    return found_beats(name, "XML", beats, ())


def _intervals(root: Element) -> list[float]:
    values: list[float] = []
    for element in root.iter():
        named = read_name(_bare(element.tag)).role == "rr"
        typed = any(_bare(child.tag) == "type" and read_name(child.text or "").role == "rr" for child in element)
        holders = [child for child in element if _bare(child.tag).lower() in _HOLDERS] if named or typed else []
        for holder in holders or ([element] if named else []):
            values += numbers_in(holder.text or "") or []
    return values


def _bare(tag: object) -> str:
    return str(tag).rsplit("}", 1)[-1]
