"""All benchmarks with a bound, measured on this computer, with peer libraries for comparison; writes docs/benchmarks.md."""

import argparse
import sys

from . import archive, live, load, peers, replay, start
from .speed import THERE_MS
from .table import ROOT, RUNS, over, row, table, versions

PAGE = ROOT / "docs" / "benchmarks.md"
PARTS = {"start": start, "live": live, "peers": peers, "replay": replay, "archive": archive, "load": load}


def main():
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", help=f"parts, of {', '.join(PARTS)}; the page is then left as it is")
    only = parser.parse_args().only
    names = only.split(",") if only else list(PARTS)
    if unknown := [name for name in names if name not in PARTS]:
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    rows, others, speed = [], {}, peers.speed_here()
    for name in names:
        print(f"measuring {name} ...", file=sys.stderr)
        found = PARTS[name].rows(speed)
        found, others = found if isinstance(found, tuple) else (found, others)
        rows += found
    if speed.seen:
        rows.append(row("computer", "slower than that of the bounds", speed.seen, "×", digits=2))
    text = table(rows)
    print(text)
    if not only:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page(text, others))
    if over(rows):
        sys.exit("A figure is over its bound.")


def page(text, others):
    measured = versions("restbeat", "neurokit2", "numpy", "scipy", "aiohttp", "msgspec", "bleak", also=others)
    return f"""# Benchmarks

`make bench` writes this page; it ends with an error where a figure is over its bound.

{measured}; medians of {RUNS}.

{text}

- **at the bounds' speed**: the bounds are those of a computer on which NeuroKit2's `hrv_time` and `hrv_frequency` of 60 s and
  of 5 min take {THERE_MS} ms of processor. They are timed before and after each run; as many times as long as there they take
  here is this computer's slowness in that run, by which its time is divided or its rate multiplied. Whether a figure is within
  its bound is judged as measured here; that column tells how much of a miss is this computer's.
- A slow memory slows NeuroKit2 up to a third more than it does loops, so that column flatters by as much.
- **live**: one stream as a room has it: packets read, placed, judged; windows of 60 s and 5 min, all figures of the time domain
  with each packet, LF/HF and breathing of the last 5 min every 5 s.
- **neurokit2, pyhrv, hrv-analysis**: on the same beats in the same run: `hrv_time` + `hrv_frequency` at 4 Hz; `nni_parameters`,
  `sdnn`, `rmssd`, `nn50`, `poincare` + `welch_psd`; `get_time_domain_features`, `get_poincare_plot_features` +
  `get_frequency_domain_features`. An update is all of that on both windows; the last line of each lets it make a spectrum of
  5 min every fifth second alone, as restbeat does.
- **archive**: `restbeat reanalyse` from start to end, its imports and NeuroKit2's sample among it; every sixth client is noisy.
  The processor time is that of all its processes; 66 ms are 30 a second on two cores that nobody else uses.
- **streams**: in real time at 1 Hz, with storage on disk; every page shows every room. The loop's lateness also counts what the
  machine did meanwhile; its busyness does not.
"""


main()
