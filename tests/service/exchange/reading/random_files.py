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
    """Its intervals; empty where it holds heart rates, or nothing to read."""
    duration_s: float
    mean_bpm: float | None = None
    """Of heart rates; None where it holds none."""


def made_file(rng):
    """Return a file of a random layout: of intervals, of heart rates, or of something else, which is to be refused."""
    ends_s = heart(rng, bpm=rng.uniform(50, 95), rmssd_ms=rng.uniform(15, 70), end_s=rng.uniform(150, 330))
    rr_ms = np.rint(1000 * np.diff(ends_s))
    pick = Picks(rng)
    kind = pick("kind", *("table",) * 8, *INTERVALS, *INTERVALS, "rates", "nothing")
    if kind == "rates":
        text, bpm = _rates(pick, 60_000 / rr_ms)
        name, raw = _packed(pick, "made.csv", text.encode(pick("encoding", *ENCODINGS)))
        return MadeFile(name, raw, str(pick.told), np.empty(0), bpm.size - 1.0, float(bpm.mean()))
    if kind == "nothing":
        name, raw = _packed(pick, "made.csv", _nothing(pick, rr_ms).encode())
        return MadeFile(name, raw, str(pick.told), np.empty(0), 0.0)
    text = INTERVALS.get(kind, _table)(pick, rr_ms)
    raw = text.encode(pick("encoding", *ENCODINGS) if kind in {"list", "table", "report"} else "utf-8")
    name = {"json": "made.json", "records": "made.json", "columns": "made.json", "xml": "made.sml"}.get(kind, "made.csv")
    name, raw = _packed(pick, name, raw)
    return MadeFile(name, raw, str(pick.told), rr_ms, float(rr_ms.sum()) / 1000)


ENCODINGS = ("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1")


def _packed(pick, name, raw):
    packed = pick("packed", "", "", "", "gz", "zip")
    if packed == "gz":
        name, raw = f"{name}.gz", gzip.compress(raw)
    elif packed == "zip":
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr(name, raw)
        name, raw = "made.zip", out.getvalue()
    return name, raw


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
    whole = rr_ms.astype(int).tolist()
    return json.dumps({
        "array": rr_ms.tolist(),
        "rr": {"device": "X", "data": {"rr": whole}},
        "holder": {"DeviceLog": {"Samples": [{"HR": 1.2}] * 300, "R-R": {"Data": whole}}},
        "durations": {"heartRate": [{"value": 70}] * 300, "rr": [{"duration": f"PT{one / 1000:g}S"} for one in whole]},
        "packs": [{"hr": {"average": 70.5, "rrData": whole[n : n + 2]}} for n in range(0, len(whole), 2)],
    }[pick("shape", "array", "rr", "holder", "durations", "packs")])  # fmt: skip


def _records(pick, rr_ms):
    ends = rr_ms.cumsum() / 1000
    key = pick("key", "rr", "rrInterval", "ibi", "RR_ms")
    records = [{"timestamp": (BEGAN + timedelta(seconds=float(t))).isoformat(), "value": {"hr": 70, key: rr}}
               for t, rr in zip(ends, rr_ms, strict=True)]  # fmt: skip
    return "\n".join(map(json.dumps, records)) if pick("lines", False, True) else json.dumps(records)


def _columns(pick, rr_ms):
    ends = (rr_ms.cumsum() / 1000).round(3).tolist()
    return json.dumps({"time": ends, pick("key", "rr", "nn_intervals"): rr_ms.tolist()})


def _long(pick, rr_ms):
    """Return rows of several kinds, of which one is the intervals."""
    name, separator = pick("name", "InterBeatInterval", "RR", "ibi"), pick("separator", ",", ";", "\t")
    rows = [["event", "value", "timestamp"], ["Sensor", "H10", BEGAN.isoformat()]]
    for n, (t, rr) in enumerate(zip(rr_ms.cumsum() / 1000, rr_ms, strict=True)):
        moment = (BEGAN + timedelta(seconds=float(t))).isoformat()
        rows += [[name, f"{rr:.0f}", moment], *([["PacerRate", "6.5", moment]] if n % 4 == 0 else [])]
    return "\n".join(map(separator.join, rows))


def _report(pick, rr_ms):
    """Return a report: figures, then intervals beside spectra, which are shorter."""
    separator = pick("separator", ",", ";", "\t")
    figures = [["Report of some program"], ["Mean RR (ms):", "850.1"], ["SDNN (ms):", "33"], ["RMSSD (ms):", "25.5"]]
    heading = [
        ["RR data", "", "FFT spectrum", ""],
        ["Time", "RR interval", "Frequency", "PSD"],
        ["(s)", "(s)", "(Hz)", "(s^2/Hz)"],
    ]
    rows = [*figures, ["RR INTERVAL DATA"], *heading]
    for n, (t, rr) in enumerate(zip(rr_ms.cumsum() / 1000, rr_ms, strict=True)):
        rows.append([f"{t:.3f}", f"{rr / 1000:.4f}", *([f"{n / 512:.4f}", f"{1e-4 * n:.3e}"] if n < 100 else ["", ""])])
    return "\n".join(map(separator.join, rows))


def _xml(pick, rr_ms):
    whole = [f"{one:.0f}" for one in rr_ms]
    samples = "".join(f"<Sample><HR>1.2</HR><Time>{n}</Time></Sample>" for n in range(300))
    return {
        "sml": f"<sml><DeviceLog><Samples>{samples}</Samples><R-R><Data>{' '.join(whole)}</Data></R-R></DeviceLog></sml>",
        "polar": "<p><sample><type>HEARTRATE</type><values>70,71</values></sample>"
        f"<sample><type>RR</type><values>{','.join(whole)}</values></sample></p>",
    }[pick("shape", "sml", "polar")]


def _rates(pick, bpm):
    """Return a table of heart rates, one a second, and the rates."""
    unit, separator = pick("unit", "bpm", "bpm", "Hz"), pick("separator", ",", ";", "\t")
    bpm = np.rint(np.interp(np.arange(300), np.linspace(0, 299, bpm.size), bpm))
    name = pick("name", "HR", "Heart rate", "heart_rate", "Pulse", f"HR ({unit})", "beats per minute" if unit == "bpm" else "HR")
    times, cells = _column(pick, "time", np.arange(300.0), False)
    values = [f"{one:.0f}" if unit == "bpm" else f"{one / 60:.4f}" for one in bpm]
    rows = [[*times, name], *([*cell, value] for cell, value in zip(cells, values, strict=True))]
    return "\n".join(map(separator.join, rows)), bpm


def _nothing(pick, rr_ms):
    """Return a file that holds no heartbeats, however much its numbers look like them."""
    rng, t = pick.rng, np.arange(1500) / 25
    beats = rng.uniform(0.9, 1.6) * t
    what = pick("what", "wave", "index", "zones", "breaths", "rates", "figures", "one beat", "diary")
    if what == "figures":
        names, rows = ["mean_nni", "sdnn", "nni_50", "rmssd", "median_nni"], [f"{850 + n},40,330,30,{848 + n}" for n in range(40)]
        return "\n".join([",".join(names), *rows])
    if what == "diary":
        return "date,HR,rMSSD\n" + "\n".join(f"2024-05-{day:02},{50 + day % 7},{40 + day}" for day in range(1, 29))
    numbers = {
        "wave": 500 + 200 * np.sin(2 * np.pi * beats) + 120 * np.sin(4 * np.pi * beats + 1),
        "index": np.arange(900.0) + pick("begins", 0, 1, 500),
        "zones": rng.integers(0, 6, 600).astype(float),
        "breaths": rng.normal(4200, 250, 60),
        "rates": np.rint(rng.normal(70, 3, 400)),
        "one beat": rr_ms[:1],
    }[what]
    return pick("between", "\n", " ", ",").join(f"{one:.0f}" for one in numbers)


def _table(pick, rr_ms):
    separator = pick("separator", ",", ";", "\t", "|")
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


INTERVALS = {"list": _list, "line": _line, "beat times": _beat_times, "json": _json, "records": _records, "columns": _columns,
             "long": _long, "report": _report, "xml": _xml}  # fmt: skip
