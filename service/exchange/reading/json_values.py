"""JSON of other programs, whatever its shape: a list of numbers, records, or columns beside each other."""

from collections.abc import Iterator, Sequence
import re
from typing import Any, Final, TypeGuard

import msgspec

from ....sensors.device_text import clean_text
from ....sensors.errors import RecordingError
from .column_names import ColumnName, read_name
from .long_table import of_one_kind
from .refusals import FEWEST
from .sheet import Sheet, name_of_path, sheet_of_records

_DEEPEST, _FEW = 12, 50
"""Depth down to which lists are looked for, and the length of a list up to which each of its values is looked into."""
_USEFUL: Final = frozenset({"rr", "hr", "beats"})
_HOLDERS: Final = frozenset({"data", "values", "items", "dataset", "samples"})
"""Names of lists that only say that values are in them: then the name above tells what they are."""
_VALUES: Final = re.compile(r"value|duration|durationmillis|length|ms|milliseconds", re.IGNORECASE)
"""Names of the one value in each record of a list that is named for its values."""
_SHOWN: Final = 5

Path = tuple[str, ...]
"""The names under which a value stands, outermost first."""


def sheet_of_json(name: str, raw: bytes) -> Sheet:
    """Return the numbers or records of JSON, or of one JSON value a line, as rows.

    Raises `RecordingError` where it is no JSON, or holds no beats or heart rates.
    """
    value = _value(name, raw)
    found = sorted(_sheets(value, (), 0), key=lambda each: -_worth(each))
    if found and _worth(found[0]):
        return found[0]
    if figures := list(dict.fromkeys(_figures(value, 0)))[:_SHOWN]:
        shown = ", ".join(filter(None, map(clean_text, figures)))
        raise RecordingError(
            f"{name} seems to hold figures computed from beats ({shown}), not the beats themselves: no HRV can be computed anew."
        )
    raise RecordingError(
        f"{name} is JSON without intervals or heart rates: no list of numbers or of records with a name for them."
    )


def _value(name: str, raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        try:
            return [msgspec.json.decode(line) for line in raw.splitlines() if line.strip()]
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise RecordingError(f"{name} is no readable JSON: {str(error)[:100]}.") from error


def _worth(sheet: Sheet) -> int:
    """Return how many rows hold something of use; intervals count before heart rates, and a list with a name before others."""
    roles = {column.role for column in sheet.columns}
    if not roles & _USEFUL:
        return 0 if sheet.columns else len(sheet.rows)
    return len(sheet.rows) * (1_000_000 if roles & {"rr", "beats"} and len(sheet.rows) >= FEWEST else 1000)


def _sheets(value: Any, path: Path, depth: int) -> Iterator[Sheet]:
    """Yield every list in a value that may be rows."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list) and value:
        if _are_numbers(value):
            column = name_of_path(path)
            columns = [column] if column.role else []
            yield Sheet([(n, [str(each)]) for n, each in enumerate(value, 1)], columns, path[-1:] if columns else ())
        elif all(isinstance(each, dict) for each in value):
            yield _of_records([_flat(each) for each in value], path)
        elif all(isinstance(each, list) and each and all(_is_number(one) for one in each) for each in value):
            yield Sheet([(n, [str(one) for one in each]) for n, each in enumerate(value, 1)])
        for each in value if len(value) < _FEW else ():
            yield from _sheets(each, path, depth + 1)
    elif isinstance(value, dict):
        if (regular := _at_an_interval(value, path)) is not None:
            yield regular
            return
        lists = {name: each for name, each in value.items() if isinstance(each, list) and each and all(map(_is_cell, each))}
        longest = max((len(each) for each in lists.values()), default=0)
        beside = {name: each for name, each in lists.items() if len(each) == longest}
        if len(beside) > 1:
            columns = [read_name(name) for name in beside]
            rows = [(n, [str(cell) for cell in cells]) for n, cells in enumerate(zip(*beside.values(), strict=True), 1)]
            yield Sheet(rows, columns, tuple(beside))
        for name, each in value.items():
            yield from _sheets(each, (*path, name), depth + 1)


def _of_records(records: Sequence[dict[str, str]], path: Path) -> Sheet:
    """Return records as rows; where no value is named for what it is, the name of the whole list tells it."""
    sheet = of_one_kind(sheet_of_records(records))
    named = name_of_path(path)
    if named.role not in _USEFUL or any(column.role in _USEFUL for column in sheet.columns):
        return sheet
    at = next((n for n, name in enumerate(sheet.heading) if _VALUES.fullmatch(name.rsplit(".", 1)[-1])), None)
    if at is None:
        return sheet
    columns = list(sheet.columns)
    columns[at] = ColumnName(named.role, columns[at].unit or named.unit)
    heading = (*sheet.heading[:at], f"{path[-1]}.{sheet.heading[at]}", *sheet.heading[at + 1 :])
    return Sheet(sheet.rows, columns, heading)


def _at_an_interval(value: dict[str, Any], path: Path) -> Sheet | None:
    """Return heart rates that are listed at an interval in s, as Oura's of a night are; None where a value is none such."""
    every_s = value.get("interval")
    if not _is_number(every_s) or every_s <= 0 or not path or read_name(path[-1]).role != "hr":
        return None
    items = next((each for name, each in value.items() if name.lower() in _HOLDERS and isinstance(each, list)), [])
    rows = [(n, [str(n * every_s), str(item)]) for n, item in enumerate(items, 1) if _is_number(item)]
    return Sheet(rows, [ColumnName("time", "s"), ColumnName("hr", "bpm")], ("interval", path[-1])) if rows else None


def _figures(value: Any, depth: int) -> Iterator[str]:
    """Yield the names of figures in a value."""
    if isinstance(value, dict) and depth <= _DEEPEST:
        for name, each in value.items():
            if _is_number(each) and read_name(name).role == "figure":
                yield name
            yield from _figures(each, depth + 1)
    elif isinstance(value, list) and depth <= _DEEPEST:
        for each in value[:_FEW]:
            yield from _figures(each, depth + 1)


def _is_number(value: Any) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _are_numbers(values: Sequence[Any]) -> bool:
    return all(_is_number(each) for each in values)


def _is_cell(value: Any) -> bool:
    return _is_number(value) or isinstance(value, str)


def _flat(record: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, str]:
    """Return a record's values by their dotted names; a list of numbers stays in one cell."""
    flat: dict[str, str] = {}
    for name, value in record.items():
        whole = f"{prefix}{name}"
        if isinstance(value, str) and value.startswith("{"):
            value = _inner(value)
        if isinstance(value, dict) and depth < _DEEPEST:
            flat |= _flat(value, f"{whole}.", depth + 1)
        elif isinstance(value, list):
            flat[whole] = "[" + " ".join(str(each) for each in value) + "]" if _are_numbers(value) else ""
        elif value is not None:
            flat[whole] = str(int(value)) if isinstance(value, bool) else str(value)
    return flat


def _inner(text: str) -> Any:
    """Return JSON that is written as text within JSON, as Suunto's app does; the text itself where it is none."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
