"""Headings of columns and their meaning: the kind of its values, their unit, and whether it is a figure computed from beats."""

import re
from typing import Final, NamedTuple

_UNITS: Final = {
    "ms": {"ms", "msec", "msecs", "millis", "millisecond", "milliseconds"},
    "s": {"s", "sec", "secs", "second", "seconds", "sek", "sekunden"},
    "min": {"min", "mins", "minute", "minutes"},
    "h": {"h", "hour", "hours"},
    "us": {"us", "µs", "μs", "usec", "microsecond", "microseconds"},
    "ns": {"ns", "nanosecond", "nanoseconds"},
    "bpm": {"bpm", "1/min", "/min", "beats/min", "min-1", "min^-1", "spm"},
    "Hz": {"hz", "1/s", "beats/s"},
}
UNIT_S: Final = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0}
"""Seconds of each unit of time."""
_RR: Final = re.compile(
    r"(?:r ?r|rri|ibi|nn|nni|pp|ppi|inter ?beat|beat to beat|(?:heart ?)?beat|pulse to pulse|peak to peak|"
    r"pulse length)(?: ?(?:intervals?|samples?|data|values?|duration|length|series|int|list))*"
)
_QUALIFIED: Final = re.compile(r"(raw|corrected|filtered|clean(?:ed)?|detrended|artifact free|processed)")
_HR: Final = re.compile(r"(?:hr|heart ?rate|bpm|pulse(?: rate)?|activities heart intraday)(?: ?(?:values?|samples?|data|bpm))*")
_TIME: Final = re.compile(
    r"(?:(?:sensor|phone|local|utc|unix|system|device|host|beat|sample|start|end|elapsed|recording|relative|absolute) ?)*"
    r"(?:time ?stamps?|date ?times?|time(?: ?of ?day)?|t|elapsed|since(?: start)?|seconds?|minutes?|epoch|clock|uhrzeit|zeit|"
    r"ms|milliseconds?)"
    r"(?: ?(?:time|start|stamp|utc|local|unix|epoch|iso ?8601))*"
)
_DATE: Final = re.compile(r"(?:(?:start|local) ?)?(?:date|day|datum)")
_BEATS: Final = re.compile(r"(?:(?:r|ecg|ppg|pulse) ?)?(?:r ?)?peaks?(?: ?(?:times?|positions?|locations?|onsets?))?|beat times?")
_FIGURES: Final = re.compile(
    r"\b(mean|median|avg|average|min|max|minimum|maximum|sd|std|sdnn|sdsd|rmssd|pnn|range|count|cum|cumulative|sum|variance|cv|"
    r"entropy|sd1|sd2|lf|hf|vlf|power|low frequency|high frequency|index|ratio|sit|rest|resting|zones?|limit|target|reserve|"
    r"stress|score|variability|coverage|hrv)\b"
)
_MANY: Final = re.compile(r"(?P<name>.*?)[ _-]?(?P<number>\d{1,2})")


class ColumnName(NamedTuple):
    """The meaning of a heading."""

    role: str
    """`rr`, `hr`, `time`, `date`, `beats` (their times), `figure`, `blocker`, `error`, `contact`, `offline`, `validity`,
    `kind` of a beat, or empty."""
    unit: str
    """A key of `UNIT_S`, `bpm`, or empty where it does not say."""
    number: int | None = None
    """Which of several columns of intervals it is, such as 2 of `RR2`."""
    qualified: bool = False
    """Whether it says that another program has changed the values, or that it has not."""


def unit_in(text: str) -> str:
    """Return the unit that a text names, alone or in brackets; empty where it names none."""
    bare = text.strip().lower().strip("[](){}<>. ")
    return next((unit for unit, words in _UNITS.items() if bare in words), "")


def read_name(heading: str) -> ColumnName:
    """Return what a heading says of its column."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", heading.strip().strip("\"'#")).lower()
    unit = next((unit_in(part) for part in re.findall(r"[\[({<]([^\])}>]*)[\])}>]", text) if unit_in(part)), "")
    text = re.sub(r"[\[({<][^\])}>]*[\])}>]", " ", text)
    words = [word for word in re.split(r"[^a-z0-9µμ/^]+", text) if word]
    if words[-3:] == ["beats", "per", "minute"]:
        words, unit = [*words[:-3], "bpm"], "bpm"
    if words and not unit and len(words) > 1 and unit_in(words[-1]):
        unit = unit_in(words.pop())
    name = " ".join(words)
    for role in ("blocker", "error", "contact", "validity"):
        if role in name:
            return ColumnName(role, unit)
    if name in {"offline", "sensor offline"}:
        return ColumnName("offline", unit)
    if re.fullmatch(r"(?:beat |ann(?:otation)? ?)?(?:annotations?|labels?|symbols?|type|class)", name):
        return ColumnName("kind", unit)
    if _FIGURES.search(name) or re.search(r"nni? ?[25]0|sdnn|rmssd", name):
        return ColumnName("figure", unit)
    qualified = bool(_QUALIFIED.search(name))
    name = " ".join(_QUALIFIED.sub(" ", name).split())
    if _RR.fullmatch(name):
        return ColumnName("rr", unit, qualified=qualified)
    if (many := _MANY.fullmatch(name)) and _RR.fullmatch(many["name"].strip()):
        return ColumnName("rr", unit, int(many["number"]), qualified)
    if _HR.fullmatch(name):
        return ColumnName("hr", unit or "bpm")
    if _BEATS.fullmatch(name):
        return ColumnName("beats", unit)
    if _DATE.fullmatch(name):
        return ColumnName("date", unit)
    if _TIME.fullmatch(name):
        return ColumnName("time", unit or unit_in(words[-1] if words else ""))
    return ColumnName("", unit)
