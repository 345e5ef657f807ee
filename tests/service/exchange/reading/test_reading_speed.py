"""A day's intervals are read in any layout for a few times the price of a bare list, and ten times more for ten times that."""

from datetime import UTC, datetime, timedelta
import json
import subprocess
import sys

import numpy as np
import pytest

DAY = 100_000
BEGAN = datetime(2024, 5, 1, 10, tzinfo=UTC)
MOST_TIMES, MOST_GROWTH = 9.0, 2.6
"""A table's price in that of a list, and the price of twice as many beats in that of once."""


def made(layout, beats):
    at = np.arange(beats)
    rr = np.rint(850 + 60 * np.sin(at / 4000) + 30 * np.sin(at / 4) + np.random.default_rng(1).normal(0, 15, beats)).astype(int)
    ends = [round(float(t), 3) for t in rr.cumsum() / 1000]
    moments = [BEGAN + timedelta(seconds=t) for t in ends] if layout in {"dates", "clocks"} else []
    rows = {
        "list": lambda: map(str, rr),
        "seconds": lambda: ["time,rr", *(f"{t:.3f},{one}" for t, one in zip(ends, rr, strict=True))],
        "decimal commas": lambda: ["time;rr", *(f"{t:.3f};{one}".replace(".", ",") for t, one in zip(ends, rr, strict=True))],
        "dates": lambda: [
            "time,hr,rr",
            *(f"{m.isoformat(timespec='milliseconds')},70,{one}" for m, one in zip(moments, rr, strict=True)),
        ],
        "clocks": lambda: ["Date,Time,RR", *(f"{m:%d.%m.%Y},{m:%H:%M:%S},{one}" for m, one in zip(moments, rr, strict=True))],
        "records": lambda: [json.dumps([{"t": t, "rr": int(one)} for t, one in zip(ends, rr, strict=True)])],
    }[layout]()
    return "\n".join(rows)


PRICES = """
import gc, pathlib, sys, time
from restbeat.service.exchange.formats import read_file

def price(path):
    gc.collect()
    before = time.process_time()
    assert read_file(path).text is not None
    return time.process_time() - before

paths = [pathlib.Path(name) for name in sys.argv[1:]]
rounds = [[price(path) for path in paths] for _ in range(6)]  # in turn: other processes slow some moments down
print(*map(min, zip(*rounds, strict=True)))
"""


def prices(*paths):
    """Return the processor seconds of reading each file, the least of six, in a process without the memory of other tests."""
    done = subprocess.run([sys.executable, "-c", PRICES, *map(str, paths)], capture_output=True, text=True, check=True)
    return [float(line) for line in done.stdout.split()]


@pytest.mark.alone
@pytest.mark.parametrize("layout", ["seconds", "decimal commas", "dates", "clocks", "records"])
def test_a_days_intervals_in_any_layout_cost_a_few_times_a_bare_list_and_grow_in_proportion(tmp_path, layout):
    paths = []
    for kind, beats in ((layout, DAY), ("list", DAY), (layout, DAY // 2)):
        paths.append(tmp_path / f"{kind} {beats}.txt")
        paths[-1].write_text(made(kind, beats))
    whole, of_list, half = prices(*paths)
    assert whole < MOST_TIMES * of_list
    assert whole < MOST_GROWTH * half
