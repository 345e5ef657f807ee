"""A day's intervals are read in any layout for a few times the price of a bare list, and ten times more for ten times that."""

from datetime import UTC, datetime, timedelta
import json
import time

import numpy as np
import pytest

from restbeat.service.exchange.formats import read_file

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


def price(path):
    """Return the processor seconds of reading, the least of three."""
    taken = []
    for _ in range(3):
        before = time.process_time()
        found = read_file(path)
        taken.append(time.process_time() - before)
    assert found.text is not None
    return min(taken)


@pytest.mark.alone
@pytest.mark.parametrize("layout", ["seconds", "decimal commas", "dates", "clocks", "records"])
def test_a_days_intervals_in_any_layout_cost_a_few_times_a_bare_list_and_grow_in_proportion(tmp_path, layout):
    paths = {}
    for kind, beats in (("list", DAY), (layout, DAY), (layout, DAY // 2)):
        paths[kind, beats] = tmp_path / f"{kind} {beats}.txt"
        paths[kind, beats].write_text(made(kind, beats))
    whole = price(paths[layout, DAY])
    assert whole < MOST_TIMES * price(paths["list", DAY])
    assert whole < MOST_GROWTH * price(paths[layout, DAY // 2])
