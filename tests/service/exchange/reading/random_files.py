"""Files as programs of this field write them, of every layout, from a heart whose figures are known."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import gzip
import io
import json
import zipfile

import numpy as np

from ....analysis.beats.odd_straps import heart

BEGAN = datetime(2024, 5, 1, 23, 57, 30, tzinfo=UTC)


@dataclass(frozen=True)
class MadeFile:
    """A file and its truth."""

    name: str
    raw: bytes
    told: str
    """How it was made."""
    rr_ms: np.ndarray
    duration_s: float


def made_file(rng):
    """Return a file of a random layout."""
    ends_s = heart(rng, bpm=rng.uniform(50, 95), rmssd_ms=rng.uniform(15, 70), end_s=rng.uniform(150, 330))
    rr_ms = np.rint(1000 * np.diff(ends_s))
    pick = Picks(rng)
    kind = pick("kind", "list", "line", "beat times", "table", "table", "table", "table", "json", "records", "columns")
    text = {"list": _list, "line": _line, "beat times": _beat_times, "table": _table, "json": _json, "records": _records,
            "columns": _columns}[kind](pick, rr_ms)  # fmt: skip
    raw = text.encode(pick("encoding", "utf-8", "utf-8", "utf-8-sig", "utf-16") if kind in {"list", "table"} else "utf-8")
    name = "made.json" if kind in {"json", "records", "columns"} else "made.csv"
    packed = pick("packed", "", "", "", "gz", "zip")
    if packed == "gz":
        name, raw = f"{name}.gz", gzip.compress(raw)
    elif packed == "zip":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(name, raw)
        name, raw = "made.zip", out.getvalue()
    return MadeFile(name, raw, str(pick.told), rr_ms, float(rr_ms.sum()) / 1000)


class Picks:
    """Random choices that are remembered."""

    def __init__(self, rng):
        self.rng, self.told = rng, {}

    def __call__(self, what, *choices):
        self.told[what] = choices[int(self.rng.integers(len(choices)))]
        return self.told[what]


def _number(value, digits, comma):
    text = f"{value:.{digits}f}"
    return text.replace(".", ",") if comma else text


def _in_unit(pick, rr_ms, comma):
    unit = pick("unit", "ms", "ms", "ms", "s", "us")
    if unit == "ms":
        return unit, [_number(one, 0, comma) for one in rr_ms]
    return unit, [_number(one / 1000, 3, comma) if unit == "s" else f"{1000 * one:.0f}" for one in rr_ms]


def _list(pick, rr_ms):
    unit, cells = _in_unit(pick, rr_ms, pick("comma", False, True))
    head = pick("heading", None, None, f"RR ({unit})", "IBI", f"rr_{unit}", "[HEADER]\nDEVICE=X\n[DATA]", "# made by hand")
    return pick("newline", "\n", "\r\n").join([*([head] if head else []), *cells]) + "\n"


def _line(pick, rr_ms):
    _, cells = _in_unit(pick, rr_ms, False)
    return pick("between", " ", ",", ", ", ";", "\t").join(cells)


def _beat_times(pick, rr_ms):
    at_ms = np.concatenate([[pick("begins", 0, 840)], rr_ms]).cumsum()
    unit = pick("unit", "s", "ms")
    return "\n".join(f"{one / 1000:.3f}" if unit == "s" else f"{one:.0f}" for one in at_ms)


def _json(pick, rr_ms):
    return json.dumps(
        rr_ms.tolist() if pick("wrapped", False, True) else {"device": "X", "data": {"rr": rr_ms.astype(int).tolist()}}
    )


def _records(pick, rr_ms):
    ends = rr_ms.cumsum() / 1000
    key = pick("key", "rr", "rrInterval", "ibi", "RR_ms")
    records = [{"timestamp": (BEGAN + timedelta(seconds=float(t))).isoformat(), "value": {"hr": 70, key: rr}}
               for t, rr in zip(ends, rr_ms, strict=True)]  # fmt: skip
    return "\n".join(map(json.dumps, records)) if pick("lines", False, True) else json.dumps(records)


def _columns(pick, rr_ms):
    ends = (rr_ms.cumsum() / 1000).round(3).tolist()
    return json.dumps({"time": ends, pick("key", "rr", "nn_intervals"): rr_ms.tolist()})


def _table(pick, rr_ms):
    separator = pick("separator", ",", ";", "\t")
    comma = separator != "," and pick("comma", False, True)
    unit, cells = _in_unit(pick, rr_ms, comma)
    ends_s = rr_ms.cumsum() / 1000
    name = pick("name", "RR", "RR interval", "IBI", "rr_interval", "RR-Interval", "nn", "R-R")
    said = pick("said", f"{name} ({unit})", f"{name} [{unit}]", f"{name}_{unit}", name if unit == "ms" else f"{name} ({unit})")
    rows, heading = [[cell] for cell in cells], [said]
    units = [unit]
    for what in pick("columns", (), ("time",), ("time",), ("time", "hr"), ("index", "time"), ("index",), ("hr", "time", "label"),
                     ("date and time",), ("time", "blank rows"), ("time", "cells"), ("time", "lists")):  # fmt: skip
        if what == "blank rows":
            step = 7
            for at in range(len(rows) - 1, 0, -step):
                rows.insert(at, [*rows[at][:-1], ""])
        elif what in {"cells", "lists"}:
            rows, heading, units = _merged(rows, heading, units, lists=what == "lists", comma=comma)
        else:
            names, columns = _column(pick, what, ends_s, comma)
            heading, rows = [*names, *heading], [[*beside, *row] for beside, row in zip(columns, rows, strict=True)]
            units = [""] * len(names) + units
    if heading[0] == "" and pick("first blank", False, True):
        rows[0][0] = ""
    if "time" in heading and pick("order", "oldest", "oldest", "newest") == "newest":
        rows.reverse()
    lines = [heading, *([units] if pick("units row", False, False, True) and any(units) else []), *rows]
    preface = pick("preface", "", "", f"Some app 2.1\nName{separator}A\n\n", "# exported today\n")
    return preface + "\n".join(separator.join(f'"{cell}"' if separator in cell else cell for cell in row) for row in lines) + "\n"


def _merged(rows, heading, units, *, lists, comma):
    """Return rows of two intervals each, under the time of the second: in a list, or in two columns."""
    pairs = [(rows[n], rows[n + 1]) for n in range(0, len(rows) - 1, 2)] + ([(rows[-1],)] if len(rows) % 2 else [])
    if lists:
        mark = "; " if comma else ", "
        return [[*pair[-1][:-1], "[" + mark.join(row[-1] for row in pair) + "]"] for pair in pairs], heading, units
    name = heading[-1].split(" ")[0].split("_")[0]
    made = [[*pair[-1][:-1], *[row[-1] for row in pair], *[""] * (2 - len(pair))] for pair in pairs]
    return made, [*heading[:-1], f"{name}1", f"{name}2"], [*units, units[-1]]


def _column(pick, what, ends_s, comma):
    """Return names and cells of one or two columns beside the intervals."""
    if what == "index":
        return [pick("index", "", "n", "index")], [[str(n)] for n in range(len(ends_s))]
    if what == "hr":
        return ["HR"], [[str(round(60 / 0.85))] for _ in ends_s]
    if what == "label":
        return ["note"], [["ok"] for _ in ends_s]
    moments = [BEGAN + timedelta(seconds=float(t)) for t in ends_s]
    if what == "date and time":
        return ["Date", "Time"], [[f"{m:%Y-%m-%d}", f"{m:%H:%M:%S}"] for m in moments]
    form = pick(
        "times", "s", "whole s", "ms", "min", "iso", "iso s", "clock", "german", "epoch s", "epoch ms", "epoch us", "epoch ns"
    )
    cells = {
        "s": lambda: [_number(t, 3, comma) for t in ends_s],
        "whole s": lambda: [str(int(t)) for t in ends_s],
        "ms": lambda: [f"{1000 * t:.0f}" for t in ends_s],
        "min": lambda: [_number(t / 60, 5, comma) for t in ends_s],
        "iso": lambda: [m.isoformat(timespec="milliseconds") for m in moments],
        "iso s": lambda: [m.isoformat(sep=" ", timespec="seconds") for m in moments],
        "clock": lambda: [f"{m:%H:%M:%S}.{m.microsecond // 1000:03}" for m in moments],
        "german": lambda: [f"{m:%d.%m.%Y %H:%M:%S}" for m in moments],
        "epoch s": lambda: [f"{m.timestamp():.3f}" for m in moments] if not comma else [f"{m.timestamp():.0f}" for m in moments],
        "epoch ms": lambda: [f"{1000 * m.timestamp():.0f}" for m in moments],
        "epoch us": lambda: [f"{1e6 * m.timestamp():.0f}" for m in moments],
        "epoch ns": lambda: [f"{1e9 * m.timestamp():.0f}" for m in moments],
    }[form]()
    return ["time"], [[cell] for cell in cells]
