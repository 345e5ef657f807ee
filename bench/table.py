"""Rows of measurements and their bounds, as Markdown tables."""

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
import platform
from statistics import median
from typing import NamedTuple

import psutil

ROOT = Path(__file__).parent.parent
RUNS = 5


class Row(NamedTuple):
    """A row of a table, as text."""

    what: str
    figure: str
    here: str
    there: str
    bound: str
    within: str


HEAD = Row("what", "figure", "here", "at the bounds' speed", "bound", "within")
RATES = {"a second"}
"""Units of rates, which are lower on a slower computer, where times are longer."""


def row(what, figure, values, unit, *, slower=(), at_most=None, at_least=None, digits=0):
    """Return the row of a median and its bound; without a bound it is only shown.

    `slower`: time ratio of this computer to that of the bounds in each run.
    """
    here, there = median(values), None
    if slower:
        there = median(one * s if unit in RATES else one / s for one, s in zip(values, slower, strict=True))
    good = (at_most is None or here <= at_most) and (at_least is None or here >= at_least)
    bound = f"≤ {at_most:g} {unit}" if at_most is not None else f"≥ {at_least:g} {unit}" if at_least is not None else "–"
    within = "–" if bound == "–" else "yes" if good else "no"
    words = ("–" if value is None else f"{value:.{digits}f} {unit}" for value in (here, there))
    return Row(what, figure, *words, bound, within)


def over(rows):
    """Return whether a figure is beyond its bound."""
    return any(one.within == "no" for one in rows)


def table(rows, head=HEAD):
    """Return rows of text as an aligned Markdown table, with numbers aligned right."""
    widths = [max(len(line[n]) for line in (head, *rows)) for n in range(len(head))]
    right = [n > 0 and all(line[n][:1].isdigit() or line[n][:1] in "–≤≥-" for line in rows) for n in range(len(head))]
    lines = [
        [cell.rjust(w) if r else cell.ljust(w) for cell, w, r in zip(line, widths, right, strict=True)] for line in (head, *rows)
    ]
    rule = ["-" * (w - r) + ":" * r for w, r in zip(widths, right, strict=True)]
    return "\n".join("| " + " | ".join(line) + " |" for line in (lines[0], rule, *lines[1:]))


def versions(*names, also=None):
    """Return date, computer and versions of a measurement."""
    of = ", ".join(f"{name} {version(name)}" for name in names)
    more = "".join(f", {name} {number}" for name, number in (also or {}).items())
    return f"{datetime.now(UTC):%Y-%m-%d}, {psutil.cpu_count()} cores, Python {platform.python_version()}, {of}{more}"
