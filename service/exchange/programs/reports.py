"""Reports and diaries of other programs, recognised by their own words: they hold figures, and what to export instead is said."""

from collections.abc import Callable
import re
from typing import Final, NamedTuple

from ....sensors.errors import RecordingError

_HEAD: Final = 20_000
_WFDB_HEADER: Final = re.compile(r"(?:#.*\n)*[\w-]+(?:/\d+)? \d+ [\d.]+[^\n]*\n[\w-]+\.(?:dat|mat|edf) \d+")


class Report(NamedTuple):
    """Files of a program that hold figures only."""

    program: str
    is_one: Callable[[str], bool]
    """Whether the beginning of a text is of this kind."""
    words: str
    """What it holds, and what to take instead."""


REPORTS: Final = (
    Report(
        "Kubios HRV",
        lambda head: "Kubios HRV" in head and ("Time-Domain Results" in head or "Time domain results" in head),
        "is a report of Kubios HRV without RR data: it holds figures, no beats. Save the report again with its RR data, or take "
        "the file of RR intervals that Kubios read",
    ),
    Report(
        "HRV4Training",
        lambda head: "HRV4T_Recovery_Points" in head or ("timestamp_measurement" in head and "rMSSD" in head),
        "is a diary of HRV4Training: one row of figures a day, no beats. Export the RR intervals of a measurement instead",
    ),
    Report(
        "WFDB",
        lambda head: _WFDB_HEADER.match(head) is not None,
        "is the header of a WFDB record, without beats: take the file of annotations beside it (.atr, .qrs or .ecg)",
    ),
)
"""Each is asked only where a file has no table of beats."""


def refuse_report(name: str, text: str) -> None:
    """Raise `RecordingError` where a text is a report or a diary."""
    head = text[:_HEAD]
    for report in REPORTS:
        if report.is_one(head):
            raise RecordingError(f"{name} {report.words}.")
