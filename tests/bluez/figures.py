"""What the guest told, judged and laid out as a table: pure functions."""

from collections.abc import Callable
from dataclasses import dataclass

HOWS = ("StartNotify", "AcquireNotify")
NONE = "–"


@dataclass(frozen=True, slots=True)
class Row:
    """A figure of one step, as text, and whether it may be so."""

    name: str
    step: str
    text: Callable[[dict], str]
    bound: str
    within: Callable[[dict], bool]
    hows: tuple[str, ...] = HOWS
    """The ways for which the bound holds; for another the figure is only told."""


def _seconds(name, step, key, least, most):
    bound = f"{least:g} to {most:g} s" if least else f"{most:g} s"
    return Row(name, step, lambda f: f"{f[key]:.1f} s", bound, lambda f: least <= f[key] <= most)


def _counts(name, step):
    return Row(
        f"{name}: sent, received, doubled",
        step,
        lambda f: f"{f['sent']}, {f['received']}, {f['doubled']}",
        "all, once, in order",
        lambda f: f["sent"] > 0 and f["doubled"] == f["missing"] == 0 and f["in_order"],
    )


ROWS = (
    _seconds("start to the first packet", "connected", "connect_s", 0, 15),
    _counts("connected", "connected"),
    _seconds("link lost to the next packet", "link lost", "back_s", 0, 15),
    _counts("after the loss", "link lost"),
    _seconds("bluetoothd killed to “silent”", "bluetoothd killed", "silent_s", 3.5, 7),
    _seconds("bluetoothd killed to connecting anew", "bluetoothd killed", "lost_s", 8, 14),
    Row("Bleak told of it", "bluetoothd killed", lambda f: "yes" if f["told"] else "no", NONE, lambda _: True),
    _seconds("bluetoothd back to the next packet", "bluetoothd back", "back_s", 0, 30),
    _counts("after its return", "bluetoothd back"),
    Row(
        "*wrong way*, after the loss: sent, received, doubled",
        "no disconnect",
        lambda f: f"{f['sent']}, {f['received']}, {f['doubled']}",
        "StartNotify: all twice",
        lambda f: f["doubled"] == f["sent"] > 0,
        hows=("StartNotify",),
    ),
    Row(
        "*wrong way*, bluetoothd killed: `is_connected`",
        "asked",
        lambda f: str(f["is_connected"]),
        "True, and nobody told",
        lambda f: f["is_connected"] and not f["told"],
    ),
)


def judged(found):
    """Give table lines and whether all is within its bounds; `found` is by part and step."""
    lines, good = [["figure", *HOWS, "bound", "within"]], True
    for row in ROWS:
        figures = {how: found.get((how, row.step)) for how in HOWS}
        within = all(figures[how] is not None and row.within(figures[how]) for how in row.hows)
        good = good and within
        texts = [NONE if figures[how] is None else row.text(figures[how]) for how in HOWS]
        lines.append([row.name, *texts, row.bound, NONE if row.bound == NONE else "yes" if within else "no"])
    return lines, good


def table(lines):
    """Lay out lines of cells as Markdown; the first is the head."""
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in [lines[0], rule, *lines[1:]]
    )
