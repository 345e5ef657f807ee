"""Values in the rows of a table: numbers or lists of them in some columns, and what other columns say against them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .cells import number_in, numbers_in, numbers_of
from .refusals import warn_of
from .sheet import Sheet

_MOST: Final = 1e19
_LARGEST_ERROR_MS: Final = 30.0
"""Largest error of a pulse interval, by the sensor's own estimate, as for a sensor on the air."""
_NORMAL: Final = frozenset({"N", "n", "normal", ".", "·", "L", "R", "e", "j"})
_VALID: Final = {0.0, 1.0}
"""Codes of validity of an interval that was measured: as it came, or good. Others are bad, corrected, or a gap (Oura)."""


@dataclass(slots=True)
class RowValues:
    """Rows with values, as columns."""

    at: NDArray[np.int64]
    """Number of each row in the sheet."""
    values: NDArray[np.float64]
    """Values of all rows, one after the other."""
    counts: NDArray[np.int64]
    """How many of them each row has."""
    gap: NDArray[np.bool_]
    """Whether beats are missing before each row."""
    doubted: NDArray[np.bool_]
    """Whether other columns say that it is no heartbeat."""
    warnings: list[str] = field(default_factory=list)
    """Notes on rows that could not be read."""
    dropped: int = 0
    """Number of rows that could not be read."""

    @property
    def starts(self) -> NDArray[np.int64]:
        """Place of each row's first value among all values."""
        return np.cumsum(self.counts) - self.counts


def row_values(name: str, sheet: Sheet, columns: Sequence[int]) -> RowValues:
    """Return the rows that hold values in some columns, and notes on those that could not be read.

    A blank cell holds nothing, and is no gap: the times tell whether beats are missing.
    """
    doubt = _Doubt(sheet)
    if (plain := _plain(sheet, columns)) is not None:
        plain.doubted = doubt.of_rows(sheet, plain.at)
        return plain
    at, flat, counts, gaps = list[int](), list[float](), list[int](), list[bool]()
    warnings: list[str] = []
    gap, dropped = False, 0
    for n, (number, cells) in enumerate(sheet.rows):
        values: list[float] | None = []
        for column in columns:
            found = numbers_in(cells[column], comma=sheet.comma) if column < len(cells) else []
            values = None if found is None or values is None else [*values, *found]
        if values is None or any(not 0 <= value <= _MOST for value in values):
            dropped += 1
            gap = bool(at)
            warn_of(name, warnings, number, " ".join(cells))
        elif values:
            at.append(n)
            flat += values
            counts.append(len(values))
            gaps.append(gap)
            gap = False
    places = np.array(at, dtype=np.int64)
    return RowValues(
        places,
        np.array(flat, dtype=np.float64),
        np.array(counts, dtype=np.int64),
        np.array(gaps, dtype=np.bool_),
        doubt.of_rows(sheet, places),
        warnings,
        dropped,
    )


def _plain(sheet: Sheet, columns: Sequence[int]) -> RowValues | None:
    """Return the rows of columns that hold nothing but plain numbers and blanks; None where they hold anything else."""
    numbers = [numbers_of(sheet.cells(at), comma=sheet.comma) for at in columns]
    known = [column for column in numbers if column is not None]
    if len(known) < len(columns):
        return None
    table = np.stack(known, axis=1)
    present = ~np.isnan(table)
    if np.any(table[present] < 0):
        return None
    counts = present.sum(axis=1)
    at = np.flatnonzero(counts)
    none = np.zeros(at.size, dtype=np.bool_)
    return RowValues(at, table[present], counts[at], none, none)


class _Doubt:
    """Columns that say that an interval is no heartbeat: movement, a large error, no contact, another kind of beat."""

    def __init__(self, sheet: Sheet) -> None:
        self._at = {column.role: at for at, column in reversed(list(enumerate(sheet.columns)))}
        self._contacts = [at for at, column in enumerate(sheet.columns) if column.role == "contact"]
        kind = self._at.get("kind")
        labels = [cell for cell in sheet.cells(kind) if cell] if kind is not None else []
        self._any = bool(self._at.keys() & {"blocker", "error", "contact", "kind", "offline", "validity"})
        self._kind = kind if labels and sum(label in _NORMAL for label in labels) > 0.5 * len(labels) else None
        self._optical = bool(self._at.keys() & {"blocker", "error", "offline"})
        validity = self._at.get("validity")
        codes = {number_in(cell) for cell in sheet.cells(validity)} if validity is not None else set()
        self._valid = {1.0} if codes <= {0.0, 1.0} and len(codes) == 2 else _VALID

    def of_rows(self, sheet: Sheet, at: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return whether each of some rows is doubted."""
        if not self._any:
            return np.zeros(at.size, dtype=np.bool_)
        return np.array([self._of(sheet.rows[n][1]) for n in at.tolist()], dtype=np.bool_)

    def _of(self, cells: Sequence[str]) -> bool:
        blocker, error, offline, validity = (self._number(cells, role) for role in ("blocker", "error", "offline", "validity"))
        contacts = [number_in(cells[at]) for at in self._contacts if at < len(cells)]
        return (
            bool(blocker)
            or bool(offline)
            or (error is not None and error > _LARGEST_ERROR_MS)
            or (validity is not None and validity not in self._valid)
            or (bool(contacts) and contacts[0] == 0 and self._optical)
            or (
                self._kind is not None
                and self._kind < len(cells)
                and bool(cells[self._kind])
                and cells[self._kind] not in _NORMAL
            )
        )

    def _number(self, cells: Sequence[str], role: str) -> float | None:
        at = self._at.get(role)
        return number_in(cells[at]) if at is not None and at < len(cells) else None
