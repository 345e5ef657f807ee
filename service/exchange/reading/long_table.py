"""Tables in which a column names the value of each row: `event,value,timestamp`, with rows of InterBeatInterval and of others."""

from collections import Counter
from typing import Final

from .cells import number_in
from .column_names import ColumnName, read_name
from .refusals import FEWEST
from .sheet import Sheet

_HEADING_WITHIN: Final = 20
_MOST_NAMES: Final = 50
"""Most different names that a column of them may have."""


def of_one_kind(sheet: Sheet) -> Sheet:
    """Return only the rows that hold intervals, or else heart rates, where a column says which; else the sheet itself."""
    if any(column.role in {"rr", "hr", "beats"} for column in sheet.columns):
        return sheet
    heading, rows = (sheet.heading, sheet.rows) if sheet.heading else _with_first_heading(sheet)
    for role in ("rr", "hr"):
        for at in range(sheet.width):
            names = Counter(cells[at] for _, cells in rows if at < len(cells))
            if len(names) > _MOST_NAMES:
                continue
            name = next((name for name, count in names.most_common() if count >= FEWEST and read_name(name).role == role), None)
            if name is not None and (found := _rows_of(sheet, rows, heading, at, name)) is not None:
                return found
    return sheet


def _with_first_heading(sheet: Sheet) -> tuple[tuple[str, ...], list[tuple[int, list[str]]]]:
    for n, (_, cells) in enumerate(sheet.rows[:_HEADING_WITHIN]):
        if len(cells) == sheet.width and all(cell and number_in(cell) is None for cell in cells) and _names_values(cells):
            return tuple(cells), sheet.rows[n + 1 :]
    return (), sheet.rows


def _names_values(cells: list[str]) -> bool:
    return any(cell.strip().lower() in {"value", "values", "data"} for cell in cells)


def _rows_of(sheet: Sheet, rows: list[tuple[int, list[str]]], heading: tuple[str, ...], at: int, name: str) -> Sheet | None:
    """Return the rows of one name, the column of values named for it; None where no other column holds numbers."""
    of_name = [(n, cells) for n, cells in rows if at < len(cells) and cells[at] == name]
    names = heading or ("",) * sheet.width
    numeric = [
        other
        for other in range(len(names))
        if other != at
        and all(other < len(cells) and number_in(cells[other], comma=sheet.comma) is not None for _, cells in of_name)
    ]
    named = [other for other in numeric if _names_values([names[other]])] or (numeric if len(numeric) == 1 else [])
    if not named:
        return None
    columns = [read_name(each) if each else ColumnName("", "") for each in names]
    what = read_name(name)
    columns[named[0]] = ColumnName(what.role, what.unit or columns[named[0]].unit)
    told = tuple(f"{each} of {name}" if other == named[0] else each for other, each in enumerate(names))
    return Sheet(of_name, columns, told, sheet.comma)
