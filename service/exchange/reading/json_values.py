"""JSON of other programs, whatever its shape: a list of numbers, records, or columns beside each other."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from ....sensors.errors import RecordingError
from .column_names import read_name
from .sheet import Sheet, sheet_of_records

_DEEPEST, _FEW = 12, 50
"""Depth down to which lists are looked for, and the length of a list up to which each of its values is looked into."""
_USEFUL: Final = frozenset({"rr", "hr", "beats"})


def sheet_of_json(name: str, raw: bytes) -> Sheet:
    """Return the numbers or records of JSON, or of one JSON value a line, as rows.

    Raises `RecordingError` where it is no JSON, or holds no numbers.
    """
    value = _value(name, raw)
    found = sorted(_sheets(value, "", 0), key=lambda each: -_worth(each))
    if not found or not _worth(found[0]):
        raise RecordingError(
            f"{name} is JSON without intervals or heart rates: no list of numbers or of records with a name for them."
        )
    return found[0]


def _value(name: str, raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        try:
            return [msgspec.json.decode(line) for line in raw.splitlines() if line.strip()]
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
            raise RecordingError(f"{name} is no readable JSON: {str(error)[:100]}.") from error


def _worth(sheet: Sheet) -> int:
    """Return how many rows hold something of use; a list with a name counts before one without."""
    named = any(column.role in _USEFUL for column in sheet.columns)
    return len(sheet.rows) * (1000 if named else 1) if named or not sheet.columns else 0


def _sheets(value: Any, key: str, depth: int) -> Iterator[Sheet]:
    """Yield every list in a value that may be rows."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list) and value:
        if all(_is_number(each) for each in value):
            column = read_name(key)
            columns = [column] if column.role else []
            yield Sheet([(n, [str(each)]) for n, each in enumerate(value, 1)], columns, (key,) if columns else ())
        elif all(isinstance(each, dict) for each in value):
            yield sheet_of_records([_flat(each) for each in value])
        elif all(isinstance(each, list) and each and all(_is_number(one) for one in each) for each in value):
            yield Sheet([(n, [str(one) for one in each]) for n, each in enumerate(value, 1)])
        for each in value if len(value) < _FEW else ():
            yield from _sheets(each, key, depth + 1)
    elif isinstance(value, dict):
        lists = {name: each for name, each in value.items() if isinstance(each, list) and each and all(map(_is_cell, each))}
        longest = max((len(each) for each in lists.values()), default=0)
        beside = {name: each for name, each in lists.items() if len(each) == longest}
        if len(beside) > 1:
            columns = [read_name(name) for name in beside]
            rows = [(n, [str(cell) for cell in cells]) for n, cells in enumerate(zip(*beside.values(), strict=True), 1)]
            yield Sheet(rows, columns, tuple(beside))
        for name, each in value.items():
            yield from _sheets(each, name, depth + 1)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_cell(value: Any) -> bool:
    return _is_number(value) or isinstance(value, str)


def _flat(record: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, str]:
    """Return a record's values by their dotted names; a list of numbers stays in one cell."""
    flat: dict[str, str] = {}
    for name, value in record.items():
        whole = f"{prefix}{name}"
        if isinstance(value, dict) and depth < _DEEPEST:
            flat |= _flat(value, f"{whole}.", depth + 1)
        elif isinstance(value, list):
            flat[whole] = "[" + " ".join(str(each) for each in value) + "]" if all(map(_is_number, value)) else ""
        elif value is not None:
            flat[whole] = str(value)
    return flat
