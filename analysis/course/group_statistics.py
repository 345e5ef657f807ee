"""A group of clients as studies tabulate them: mean ± SD and geometric mean of each measurement, paired change from the first.

RMSSD is skewed, so that a mean moves with one client; the geometric mean and the change in percent are to be read first.
"""

from collections.abc import Mapping, Sequence
from math import expm1

import msgspec
import numpy as np

from ..beats.beat_runs import Array
from ..response.distributions import mean_with_interval

FEWEST_PAIRS = 3


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """How the clients changed who were measured both times; 95 % intervals by Student's t over the clients."""

    pairs: int
    difference: float | None = None
    """Mean of the differences, in the unit measured."""
    difference_low: float | None = None
    difference_high: float | None = None
    percent: float | None = None
    """Of the geometric mean."""
    percent_low: float | None = None
    percent_high: float | None = None
    why: str | None = None
    """Which figures are missing, and why."""


class GroupRow(msgspec.Struct, frozen=True, kw_only=True):
    """One measurement of a group."""

    name: str
    count: int
    """Clients measured."""
    mean: float | None = None
    sd: float | None = None
    """With n − 1, as are all SDs here."""
    geometric_mean: float | None = None
    ln_sd: float | None = None
    """SD of the natural logarithms."""
    change: Change | None = None
    """Against the first measurement; None for the first itself."""


def group_table(measurements: Mapping[str, Sequence[float | None]]) -> list[GroupRow]:
    """Tabulate measurements of the same clients in the same order; None where a client was not measured.

    Raises `ValueError` where the measurements are not of one length, or a number is not finite.
    """
    columns = {name: np.array([np.nan if x is None else x for x in values], np.float64) for name, values in measurements.items()}
    if len({column.size for column in columns.values()}) > 1:
        raise ValueError("every measurement needs a place for every client")
    if any(x is not None and not np.isfinite(x) for values in measurements.values() for x in values):
        raise ValueError("a measurement that is no finite number")
    first = next(iter(columns.values()), None)
    return [_row(name, column, None if column is first else first) for name, column in columns.items()]


def _row(name: str, column: Array, first: Array | None) -> GroupRow:
    known = column[~np.isnan(column)]
    logs = np.log(known) if known.size and known.min() > 0 else None
    return GroupRow(
        name=name,
        count=int(known.size),
        mean=float(known.mean()) if known.size else None,
        sd=float(known.std(ddof=1)) if known.size > 1 else None,
        geometric_mean=None if logs is None else float(np.exp(logs.mean())),
        ln_sd=float(logs.std(ddof=1)) if logs is not None and logs.size > 1 else None,
        change=None if first is None else _change(first, column),
    )


def _change(before: Array, after: Array) -> Change:
    both = ~np.isnan(before) & ~np.isnan(after)
    before, after = before[both], after[both]
    if before.size < FEWEST_PAIRS:
        why = f"Clients measured both times: {before.size}. A change needs {FEWEST_PAIRS}."
        return Change(pairs=int(before.size), why=why)
    difference, low, high = mean_with_interval(after - before)
    known = Change(pairs=int(before.size), difference=difference, difference_low=low, difference_high=high)
    if min(before.min(), after.min()) <= 0:
        return msgspec.structs.replace(known, why="A measurement is zero or negative: there is no change in percent.")
    ratio, low, high = (100 * expm1(x) for x in mean_with_interval(np.log(after / before)))
    return msgspec.structs.replace(known, percent=ratio, percent_low=low, percent_high=high)
