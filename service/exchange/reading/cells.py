"""Cells of a table: numbers, lists of numbers, dates and times of day."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from math import isfinite
import re
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:e[+-]?\d{1,3})?", re.IGNORECASE)
_WITH_UNIT: Final = re.compile(rf"({_NUMBER.pattern})\s*(?:ms|msec|s|sec|bpm|µs|us|min)", re.IGNORECASE)
_DURATION: Final = re.compile(r"PT(?:(\d{1,3})H)?(?:(\d{1,4})M)?(\d{1,6}(?:\.\d{1,9})?)S")
"""A duration of ISO 8601, such as PT0.812S."""
_LIST_MARKS: Final = re.compile(r"[\[\](){}\"'\s;|]+")
_ONE_DECIMAL: Final = re.compile(r"[\[({\s]*\d{1,2},\d+[\])}\s]*")
"""One number of a list with a decimal comma; [672,682] are two."""
_CLOCK: Final = re.compile(
    r"(?:(?P<h>\d{1,3}):)?(?P<m>\d{1,2}):(?P<s>\d{2})(?:[.,:](?P<f>\d{1,9}))?(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?(?:Z|UTC)?"
)
_DATE: Final = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})\.?")
_PLAIN: Final = frozenset("0123456789.-")
_OF_DATES: Final = frozenset("0123456789.-:T ")
_OF_CLOCKS: Final = frozenset("0123456789.:")
_ISO: Final = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(Z| ?[+-]\d{2}:?\d{2}|)")
_DAY_TIME: Final = re.compile(r"\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?")
_SPACED_ZONE: Final = re.compile(r" ([+-]\d{2}:?\d{2})$")
_MOST, _MOST_DIGITS = 1e20, 20

Form = Literal["number", "date", "clock", "minutes"]


class Moments(NamedTuple):
    """Times of many rows, as their cells give them."""

    form: Form | None
    """As of each; None where they are written in more than one way."""
    values: NDArray[np.float64]


class Moment(NamedTuple):
    """A time as a cell gives it."""

    form: Form
    """A plain number, a date with a time, a time of day, or minutes and seconds (which may also be hours and minutes)."""
    value: float
    """The number itself, or seconds: since 1970, since midnight, or of the minutes and seconds."""


def number_in(text: str, *, comma: bool = False) -> float | None:
    """Return the number that a cell holds, also with a unit behind it, a duration in s; None where it holds none.

    `comma`: whether a comma is a decimal mark.
    """
    if text.isascii() and text.replace(".", "", 1).isdecimal():
        return float(text) if len(text) <= _MOST_DIGITS else None
    if not comma and "," in text:
        return None
    text = text.strip().strip("\"'").strip()
    if not _NUMBER.fullmatch(text):
        named = _WITH_UNIT.fullmatch(text)
        if named is None:
            lasts = _DURATION.fullmatch(text)
            return None if lasts is None else 3600 * int(lasts[1] or 0) + 60 * int(lasts[2] or 0) + float(lasts[3])
        text = named[1]
    value = float(text.replace(",", "."))
    return value if isfinite(value) and abs(value) < _MOST else None


def numbers_in(text: str, *, comma: bool = False) -> list[float] | None:
    """Return the numbers of a cell that holds one or a list; empty for a blank cell, None where something is no number."""
    if text.isdecimal() and text.isascii() and len(text) <= _MOST_DIGITS:
        return [float(text)]
    bare = text.strip()
    if not bare or bare.strip("[](){}\"' ") == "":
        return []
    if (one := number_in(bare, comma=comma)) is not None:
        return [one]
    decimal = comma and (";" in bare or _ONE_DECIMAL.fullmatch(bare) is not None)
    parts = _LIST_MARKS.sub(" ", bare if decimal else bare.replace(",", " ")).split()
    values = [number_in(part, comma=comma) for part in parts]
    return [value for value in values if value is not None] if parts and None not in values else None


def numbers_of(cells: Sequence[str], *, comma: bool = False) -> NDArray[np.float64] | None:
    """Return the plain numbers of a column, NaN for a blank cell; None where a cell is anything else, such as a list."""
    letters = set("".join(cells))
    if not letters <= (_PLAIN | {","} if comma else _PLAIN):
        return None
    if comma and "," in letters:
        cells = [cell.replace(",", ".") for cell in cells]
    try:
        numbers = np.array([cell or "nan" for cell in cells], dtype=np.float64)
    except ValueError:
        return None
    return numbers if not numbers.size or np.nanmax(np.abs(numbers), initial=0.0) < _MOST else None


def moments_of(cells: Sequence[str], *, comma: bool = False) -> Moments | None:
    """Return the times of a column that are all numbers, all dates of ISO 8601, or all times of day; None where they are not."""
    if not cells:
        return None
    if (numbers := numbers_of(cells, comma=comma)) is not None:
        return None if np.any(np.isnan(numbers)) else Moments("number", numbers)
    if (iso := _ISO.fullmatch(cells[0])) is not None:
        return _dates(cells, iso[1])
    if _DAY_TIME.fullmatch(cells[0]):
        return _clocks(cells)
    return None


def _dates(cells: Sequence[str], zone: str) -> Moments | None:
    """Return dates of ISO 8601 in one zone; None where one is not in it."""
    if not all(cell.endswith(zone) for cell in cells):
        return None
    bare = [cell.removesuffix(zone) for cell in cells] if zone else cells
    if not set("".join(bare)) <= _OF_DATES:
        return None
    try:
        moments = np.array(bare, dtype="datetime64[us]")
    except ValueError:
        return None
    if np.any(np.isnat(moments)):
        return None
    ahead_s = 0.0
    if zone.strip() not in {"", "Z"}:
        hours, minutes = zone.strip()[1:3], zone.strip()[-2:]
        ahead_s = (3600 * int(hours) + 60 * int(minutes)) * (-1 if zone.strip()[0] == "-" else 1)
    return Moments("date", moments.astype(np.int64) / 1e6 - ahead_s)


def _clocks(cells: Sequence[str]) -> Moments | None:
    """Return times of day such as 10:00:00.812; None where one is written in another way."""
    if not set("".join(cells)) <= _OF_CLOCKS or not all(cell[2:3] == ":" == cell[5:6] and len(cell) > 7 for cell in cells):
        return None
    try:
        return Moments("clock", np.array([3600 * int(cell[:2]) + 60 * int(cell[3:5]) + float(cell[6:]) for cell in cells]))
    except ValueError:
        return None


def moment_in(text: str, *, comma: bool = False, day_first: bool = False) -> Moment | None:
    """Return the time that a cell holds; None where it holds none.

    `day_first`: whether 1/2/2024 is in February.
    """
    text = text.strip().strip("\"'").strip()
    if (value := number_in(text, comma=comma)) is not None:
        return Moment("number", value)
    if (clock := _CLOCK.fullmatch(text)) is not None:
        return _clock(clock)
    date, _, rest = text.replace("T", " ", 1).partition(" ")
    if (began := _midnight(date, day_first=day_first)) is not None:
        if not rest.strip():
            return Moment("date", began)
        clock = _CLOCK.fullmatch(rest.strip())
        if clock is not None and clock["h"]:
            return Moment("date", began + _clock(clock).value)
    try:
        moment = datetime.fromisoformat(_SPACED_ZONE.sub(r"\1", text.replace(",", ".")))
        return Moment("date", (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None


def _clock(match: re.Match[str]) -> Moment:
    seconds = 60 * int(match["m"]) + int(match["s"]) + (float(f"0.{match['f']}") if match["f"] else 0.0)
    if match["h"] is None:
        return Moment("minutes", seconds)
    hours = int(match["h"])
    if match["half"]:
        hours = hours % 12 + (12 if match["half"] in "Pp" else 0)
    return Moment("clock", 3600 * hours + seconds)


@lru_cache(maxsize=64)
def _midnight(date: str, *, day_first: bool) -> float | None:
    """Return the beginning of a day in s since 1970; None where a text is no date."""
    match = _DATE.fullmatch(date)
    if match is None:
        return None
    first, mark, second, third = int(match[1]), match[2], int(match[3]), int(match[4])
    if first > 31:
        year, month, day = first, second, third
    else:
        year = third if third > 99 else 2000 + third
        day, month = (first, second) if mark == "." or day_first or first > 12 else (second, first)
    try:
        return datetime(year, month, day, tzinfo=UTC).timestamp()
    except ValueError:
        return None
