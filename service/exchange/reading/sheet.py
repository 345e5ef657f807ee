"""Text as rows of cells: the separator, the decimal mark, and the heading with the most rows below it."""

from collections import Counter
from collections.abc import Sequence
import csv
from dataclasses import dataclass, field
import re
from typing import Final

from ....sensors.errors import RecordingError
from .cells import number_in, numbers_in
from .column_names import ColumnName, read_name, unit_in

_HEAD_LINES: Final = 400
"""Lines within which a heading is looked for: reports have long prefaces."""
_BELOW: Final = 4000
"""Rows below a heading that are looked at to compare it with others."""
_BEGINS_AS_NAME: Final = re.compile(r"[\s\"'#(\[_]*[^\W\d_]")
_MARKS: Final = ("\t", ";", "|", ",")
_SHARE: Final = 0.5
"""Share of the lines that a separator stands in."""
_MANY_A_LINE: Final = 6
"""Numbers in each line from which they are a list that goes on from line to line."""
_HOLDERS: Final = frozenset({"data", "values", "items", "dataset", "samples"})
"""Names that only say that there are values: then the name above tells what they are."""
_USEFUL: Final = frozenset({"rr", "hr", "beats"})


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of a file below its heading."""

    rows: list[tuple[int, list[str]]]
    """Line number and cells of each row."""
    columns: list[ColumnName] = field(default_factory=list)
    """What the heading says of each column; empty without a heading."""
    heading: tuple[str, ...] = ()
    comma: bool = False
    """Whether a comma is a decimal mark."""

    def cells(self, at: int) -> list[str]:
        """Return the cells of a column; empty where a row has none there."""
        return [cells[at] if at < len(cells) else "" for _, cells in self.rows]

    @property
    def width(self) -> int:
        """Number of cells that most rows have."""
        return Counter(len(cells) for _, cells in self.rows[:_HEAD_LINES]).most_common(1)[0][0] if self.rows else 0


def sheet_of(text: str) -> Sheet:
    """Return the rows of a text, with the heading if there is one. Raises `RecordingError` where they cannot be told apart."""
    lines = [(n, line) for n, line in enumerate(text.replace("\0", "").splitlines(), 1) if line.strip(" \t\r;,")]
    remarks: list[tuple[int, str]] = []
    if "#" in text:
        remarks = [(n, line) for n, line in lines if line.lstrip().startswith("#")]
        lines = [(n, line) for n, line in lines if not line.lstrip().startswith("#")]
    if not lines:
        return Sheet([])
    sample = [line for _, line in lines[:_HEAD_LINES]]
    if (listed := _one_list(lines)) is not None:
        return listed
    mark = _separator(sample)
    rows = _split(lines, mark)
    comma = mark != "," and any("," in cell for _, cells in rows[:_HEAD_LINES] for cell in cells)
    if mark == "," and is_decimal_comma(sample):
        rows, comma = [(n, [line.strip()]) for n, line in lines], True
    return _with_heading(rows, comma, _split(remarks, mark))


def sheet_of_records(records: Sequence[dict[str, str]]) -> Sheet:
    """Return records of named cells as rows; their names in order of appearance are the heading."""
    heading = tuple(dict.fromkeys(name for record in records for name in record))
    rows = [(n, [record.get(name, "") for name in heading]) for n, record in enumerate(records, 1)]
    return Sheet(rows, [name_of_path(name.split(".")) for name in heading], heading)


def name_of_path(path: Sequence[str]) -> ColumnName:
    """Return what a value within others is named for: by its own name, or by the one above where that says nothing."""
    for name in reversed(path):
        if (column := read_name(name)).role or name.lower() not in _HOLDERS:
            return column
    return ColumnName("", "")


def _one_list(lines: Sequence[tuple[int, str]]) -> Sheet | None:
    """Return a list of numbers that stands in one line, or goes on from line to line; None where it is none."""
    split = [(n, [part for part in re.split(r"[\s,;|\[\]]+", line) if part]) for n, line in lines[:_HEAD_LINES]]
    wide = [len(parts) >= _MANY_A_LINE for _, parts in split[:-1]] or [len(split[0][1]) >= _MANY_A_LINE]
    numeric = all(number_in(part) is not None for _, parts in split for part in parts)
    if not numeric or not all(wide):
        return None
    split = [(n, [part for part in re.split(r"[\s,;|\[\]]+", line) if part]) for n, line in lines]
    columns = (
        [[number_in(parts[at]) or 0.0 for _, parts in split[:-1]] for at in range(len(split[0][1]))] if len(split) > 3 else []
    )
    if columns and any(column == sorted(set(column)) for column in columns if len(column) == len(split) - 1):
        return None  # a column that rises is one of times or an index, so these are rows
    if len(split) > 3 and len({len(parts) for _, parts in split[:-1]}) > 1:
        return None
    return Sheet([(n, [part]) for n, parts in split for part in parts])


def _separator(sample: Sequence[str]) -> str:
    often = [mark for mark in _MARKS if sum(mark in line for line in sample) >= _SHARE * len(sample)]
    if len(often) > 1:  # decimal commas, or the lists in cells: lines without a number show the separator
        words = [line for line in sample if not any(char.isdecimal() for char in line)]
        often = [mark for mark in often if any(mark in line for line in words)] or often
    if often:
        return often[0]
    return " " if sum(len(line.split()) > 1 for line in sample) >= _SHARE * len(sample) else ""


def is_decimal_comma(sample: Sequence[str]) -> bool:
    """Return whether lines such as 854,5 are one number with a decimal comma, not two columns."""
    lines = [line.strip() for line in sample if any(char.isdecimal() for char in line)]
    pairs = [pair for line in lines if (pair := re.fullmatch(r"([+-]?\d+),(\d+)", line))]
    single = sum(line.isdecimal() for line in lines)
    if not pairs or len(pairs) + single < 0.9 * len(lines):
        return False
    first, second = [int(pair[1]) for pair in pairs], [int(pair[2]) for pair in pairs]
    leading = any(pair[2].startswith("0") and len(pair[2]) > 1 for pair in pairs)
    rising = len(first) > 3 and abs(first[-1] - first[0]) > 3 and first in (sorted(first), sorted(first, reverse=True))
    shortest = min(len(pair[2]) for pair in pairs)
    return not rising and (single > 0 or leading or max(first) < 10 or shortest < 3 or min(second) < 100)


def _split(lines: Sequence[tuple[int, str]], mark: str) -> list[tuple[int, list[str]]]:
    if mark == " ":
        return [(n, line.split()) for n, line in lines]
    if not mark:
        return [(n, [line.strip()]) for n, line in lines]
    try:
        cells = list(csv.reader([line for _, line in lines], delimiter=mark))
    except csv.Error as error:
        raise RecordingError(f"The table cannot be read: {error}.") from error
    if not any(" " in line or '"' in line or (mark != "\t" and "\t" in line) for _, line in lines):  # nothing to strip
        return [(n, row) for (n, _), row in zip(lines, cells, strict=False)]
    return [(n, [cell.strip() for cell in row]) for (n, _), row in zip(lines, cells, strict=False)]


def _with_heading(rows: list[tuple[int, list[str]]], comma: bool, remarks: list[tuple[int, list[str]]]) -> Sheet:
    """Return the sheet below the heading that has the most numbers of intervals or heart rates below it."""
    best, most, begins = None, 0, 0
    for at, (_, cells) in enumerate(rows[:_HEAD_LINES]):
        if not any(_BEGINS_AS_NAME.match(cell) for cell in cells):
            continue
        found = _numbers_below([read_name(cell) for cell in cells], rows[at + 1 : at + 1 + _BELOW], comma)
        if found and found >= most:  # of two with the same numbers below them, the one next to the numbers
            best, most, begins = cells, found, at + 1
    best_rows = rows[begins:]
    if best is None:
        for _, cells in remarks[:_HEAD_LINES]:
            bare = [cells[0].lstrip("# ").strip(), *cells[1:]] if cells else []
            bare = [cell for cell in bare if cell]
            found = _numbers_below([read_name(cell) for cell in bare], rows[:_BELOW], comma)
            if found > most and bare and len(bare) == len(rows[-1][1]):
                best, most = bare, found
    if best is None:
        return Sheet(rows, comma=comma)
    columns = [read_name(cell) for cell in best]
    if best_rows and all(not cell or unit_in(cell) for cell in best_rows[0][1]) and any(best_rows[0][1]):
        units = [unit_in(cell) for cell in best_rows[0][1]]
        columns = [
            ColumnName(column.role, column.unit or unit, column.number, column.qualified)
            for column, unit in zip(columns, [*units, *[""] * len(columns)], strict=False)
        ]
        best_rows = best_rows[1:]
    return Sheet(best_rows, columns, tuple(best), comma)


def _numbers_below(columns: Sequence[ColumnName], rows: Sequence[tuple[int, list[str]]], comma: bool) -> int:
    """Return how many rows hold a number in a column of intervals, heart rates or beats, up to the next heading."""
    useful = [at for at, column in enumerate(columns) if column.role in _USEFUL]
    if not useful:
        return 0
    found = missed = 0
    for _, cells in rows:
        if any(at < len(cells) and numbers_in(cells[at], comma=comma) for at in useful):
            found, missed = found + 1, 0
        elif any(at < len(cells) and cells[at].strip() for at in useful):
            missed += 1
            if missed > 20 and missed > found:
                break
    return found
