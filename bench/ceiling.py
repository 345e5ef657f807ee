"""How many rooms one process serves: straps at 1 Hz, pages that show all rooms, and from each a question a second to `/healthz`.

python -m bench.ceiling                             writes docs/ceiling.md
python -m bench.ceiling --rooms 30,200 --pages 20   looks only
"""

import argparse
import asyncio
import sys

from .load import load
from .table import ROOT, table, versions

PAGE = ROOT / "docs" / "ceiling.md"
ROOMS, PAGES, SECONDS = (30, 60, 100, 200), (1, 20, 50), 10.0
BOUND_ROOMS, BOUND_PAGES, MOST_CPU_PCT = 200, 20, 80.0
MOST_RATIO, QUIET_MS = 2.0, 5.0
"""What a hostile strap may do to the others' p99: twice, or so many ms more where it is a few."""


def cell(found):
    return f"{found['cpu_pct']:.0f} %, {found['p99_ms']:.0f} ms, {found['server_mb']:.0f} MB"


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.ceiling", description=__doc__)
    parser.add_argument("--rooms", help="numbers of rooms between commas; the page is then left as it is")
    parser.add_argument("--pages", default=",".join(map(str, PAGES)))
    parser.add_argument("--seconds", type=float, default=SECONDS)
    asked = parser.parse_args()
    rooms = [int(n) for n in (asked.rooms or ",".join(map(str, ROOMS))).split(",")]
    pages = [int(n) for n in asked.pages.split(",")]
    lines, over = [], []
    for streams in rooms:
        cells = []
        for viewers in pages:
            print(f"{streams} rooms, {viewers} pages ...", file=sys.stderr, flush=True)
            found = asyncio.run(load(streams, viewers, asked.seconds, overview=viewers, polling=True))
            cells.append(cell(found))
            if (streams, viewers) == (BOUND_ROOMS, BOUND_PAGES) and found["cpu_pct"] > MOST_CPU_PCT:
                over.append(f"{streams} rooms with {viewers} pages take {found['cpu_pct']:.0f} % of a core")
        lines.append((f"{streams}", *cells))
    text = table(lines, ("rooms", *(f"{viewers} pages" if viewers > 1 else "1 page" for viewers in pages)))
    print(text)
    hostile = beside_a_hostile_strap(asked.seconds, over)
    print(hostile)
    if not asked.rooms:
        verdict = "All bounds are met." if not over else "Over their bounds:\n\n" + "\n".join(f"- {one}" for one in over)
        stamp = versions("restbeat", "aiohttp")
        told = {"most": MOST_CPU_PCT, "rooms": BOUND_ROOMS, "pages": BOUND_PAGES, "seconds": asked.seconds}
        PAGE.write_text(TEXT.format(stamp=stamp, table=text, hostile=hostile, verdict=verdict, **told), encoding="utf-8")
    if over:
        sys.exit("; ".join(over))


def beside_a_hostile_strap(seconds, over):
    """Measure thirty rooms without and with a strap beside them that sends 1,000 packets of 512 bytes a second."""
    lines, found = [], []
    for hostile in (0, 1):
        print(f"30 rooms, 20 pages, {hostile} hostile ...", file=sys.stderr, flush=True)
        found.append(asyncio.run(load(30, 20, seconds, overview=20, polling=True, hostile=hostile)))
        figures = found[-1]
        name = "and a hostile strap" if hostile else "30 rooms, 20 pages"
        cells = (f"{figures['cpu_pct']:.0f} %", f"{figures['median_ms']:.1f} ms", f"{figures['p99_ms']:.1f} ms")
        lines.append((name, *cells, f"{figures['server_mb']:.0f} MB"))
    calm, beside = found
    if beside["p99_ms"] > max(MOST_RATIO * calm["p99_ms"], calm["p99_ms"] + QUIET_MS):
        over.append(f"a hostile strap makes the others' p99 {beside['p99_ms'] / calm['p99_ms']:.1f} times as long")
    if beside["cpu_pct"] - calm["cpu_pct"] > 20:
        over.append(f"a hostile strap takes {beside['cpu_pct'] - calm['cpu_pct']:.0f} % of a core")
    return table(lines, ("what", "of one core", "median", "p99", "memory"))


TEXT = """\
# Ceiling

`make bench-ceiling` writes this page (five minutes; `ARGS="--rooms 30,200 --pages 20"` looks only).

{stamp}; {seconds:g} s each.

Rooms in one process, each with a strap at 1 Hz, stored on disk; so many pages, each showing every room and asking `/healthz` once
a second. Processor time of the server as a part of one core, the time from a packet's arrival to a page's frame that counts it
(p99), and the server's memory (RSS).

{table}

The pages run on the same computer; where they take the rest of its cores, the time to a frame is theirs as well. Bound:
{rooms} rooms with {pages} pages take at most {most:g} % of a core.

A strap beside them that sends 1,000 notifications of 512 bytes a second, after its first half minute's worth has come in
(the time to a frame is that of the others; Bluetooth itself is not part of it):

{hostile}

{verdict}
"""


if __name__ == "__main__":
    main()
