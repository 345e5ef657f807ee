"""What a page costs in a practice that has grown: medians of every page and main API address; writes docs/growth.md.

python -m bench.growth --sizes 0,100,1000
"""

import argparse
import asyncio
from pathlib import Path
import sys
import tempfile
import time
from typing import NamedTuple

from restbeat.service.practice import open_practice
from restbeat.service.radio.radio import AdapterState
from restbeat.web.server import serving

from .grown_practice import SESSIONS_EACH, client_name, fill
from .probe import EVERY_S, Probe
from .table import ROOT, table, versions

PAGE = ROOT / "docs" / "growth.md"
SIZES = (0, 100, 1_000, 10_000, 100_000)
RUNS = 15
MOST_RATIO, MOST_KB, MOST_HELD_MS = 2.0, 100.0, 20.0
ROWS_MS = 4.0
"""Time that the fifty rows of a full list may take beside: an empty one has none to write."""

LISTS = (
    "/",
    "/sessions",
    "/sessions?search=polar",
    "/sessions?search=polar&response=clear&flagged=true",
    "/sessions?search=2026",
    "/sessions?response=clear",
    "/sessions?flagged=true",
    "/sessions?sort=oldest",
    "/clients",
    "/clients?search=m",
    "/clients?flagged=true",
    "/clients?sort=name",
    "/practice",
    "/practice?state=away",
    "/start",
    "/settings",
    "/api/v1/sessions",
    "/api/v1/clients",
    "/api/v1/practice",
    "/api/v1/unanswered",
    "/api/v1/next-pseudonym",
    "/api/v1/rooms",
)
ONES = (
    "/sessions/{session}",
    "/sessions/{session}/notes",
    "/sessions/{session}/summary",
    "/clients/{client}",
    "/clients/{client}/course",
    "/clients/{client}/course/client",
    "/api/v1/sessions/{session}",
    "/api/v1/sessions/{session}/notes",
    "/api/v1/clients/{client}",
    "/api/v1/clients/{client}/course",
    "/api/v1/clients/{client}/links",
    "/api/v1/clients/{client}/audit",
)
"""Addresses of one session or client: none of them exists in an empty practice."""


class Cost(NamedTuple):
    """Median time and size of an answer, and the longest that the event loop was held by one."""

    ms: float
    kb: float
    held_ms: float
    cpu_ms: float
    """Median processor time of the process, the asking of it too: less troubled by what else the computer does."""


class NoAir:
    """A radio without a strap in range."""

    def adapter(self):
        return AdapterState(ready=True, text="Bluetooth ready")

    def straps(self):
        return []


async def measure(folder, sessions, *, runs=RUNS, lists=LISTS, ones=ONES):
    """Return the cost of each address in a practice of that many sessions."""
    clients, probe, found = fill(folder, sessions), Probe(), {}
    async with (
        open_practice(folder, folder / "practice.key", NoAir(), NoAir, login=False) as practice,
        serving(practice, "127.0.0.1", 0) as address,
    ):
        host, port = address.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        named = {"client": client_name(clients // 2), "session": None}
        if sessions:
            rows = (await practice.reports.sessions(_of_client(named["client"]))).rows
            named["session"] = rows[len(rows) // 2].session
        probing = asyncio.create_task(probe.run())
        for path in [*lists, *(ones if sessions else ())]:
            request = f"GET {path.format(**named)} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()
            for _ in range(2):
                await _get(reader, writer, request)
            times, used, began = [], [], time.monotonic()
            for _ in range(runs):
                start, cpu = time.perf_counter(), time.process_time()
                size = await _get(reader, writer, request)
                times.append(time.perf_counter() - start)
                used.append(time.process_time() - cpu)
            await asyncio.sleep(2 * EVERY_S)
            held = max((busy for at, _, busy in probe.rows if at >= began), default=0.0)
            found[path] = Cost(1000 * sorted(times)[runs // 2], size / 1000, 1000 * held, 1000 * sorted(used)[runs // 2])
        probing.cancel()
        writer.close()
    return found


def _of_client(client):
    from restbeat.service.sessions.session_list import SessionsWanted

    return SessionsWanted(client=client)


async def _get(reader, writer, request):
    """Send a request and return the size of the answer's body."""
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    status = int(head.split()[1])
    assert status == 200, (request, head)
    length = int(next(line for line in head.splitlines() if line.lower().startswith("content-length:")).split(":")[1])
    await reader.readexactly(length)
    return length


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--sizes", help="numbers of sessions between commas; the page is then left as it is")
    asked = parser.parse_args().sizes
    sizes = [int(size) for size in asked.split(",")] if asked else SIZES
    costs = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{size} sessions ...", file=sys.stderr)
            costs[size] = asyncio.run(measure(Path(folder), size))
    head, rows, over = _rows(costs, sizes)
    text = table(rows, head)
    print(text)
    if not asked:
        PAGE.write_text(_page(text, over))
    if over:
        sys.exit(_verdict(over))


def _rows(costs, sizes):
    """Return the head of the table, its lines, and what is over a bound."""
    largest, over, rows = sizes[-1], [], []
    head = ("address", *(f"{size:,}" for size in sizes), "ratio", "size", "loop held")
    for path, last in costs[largest].items():
        known = [costs[size].get(path) for size in sizes]
        first = next(cost for cost in known if cost)
        ratio = last.ms / first.ms
        if last.ms > max(MOST_RATIO * first.ms, first.ms + ROWS_MS):
            over.append(f"`{path}` costs {ratio:.1f} times as much")
        if last.kb > MOST_KB:
            over.append(f"`{path}` has {last.kb:.0f} KB")
        if last.held_ms > MOST_HELD_MS:
            over.append(f"`{path}` holds the event loop for {last.held_ms:.0f} ms")
        cells = (f"{cost.ms:.1f} ms" if cost else "–" for cost in known)
        rows.append((f"`{path}`", *cells, f"{ratio:.1f} ×", f"{last.kb:.0f} KB", f"{last.held_ms:.0f} ms"))
    return head, rows, over


def _page(text, over):
    stamp = versions("restbeat", "aiohttp")
    bounds = {"rows": ROWS_MS, "kb": MOST_KB, "held": MOST_HELD_MS}
    return TEXT.format(stamp=stamp, runs=RUNS, each=SESSIONS_EACH, table=text, over=_verdict(over), **bounds)


def _verdict(over):
    return "All bounds are met." if not over else "Over their bounds:\n\n" + "\n".join(f"- {one}" for one in over)


TEXT = """\
# Growth

`make bench-growth` writes this page (three minutes; `ARGS="--sizes 0,1000"` looks only).

{stamp}; medians of {runs}.

A practice of five years with so many sessions, {each} of each client: what its addresses take to answer, without the browser.

{table}

- **ratio**: of the largest practice to the empty one, or to the smallest in which there is such a session or client. Bound: 2, or
  {rows:g} ms more than the empty one, whose lists have no row to write where these have fifty.
- **size**: of the largest's answer, uncompressed. Bound: {kb:g} KB.
- **loop held**: the longest that the event loop was busy with one there, in processor time. Bound: {held:g} ms.
- A course is computed in the worker process from the reports of the client's twenty sessions.
- `/api/v1/unanswered` costs what the sessions of the last 17 days cost, as it counts what is asked of their clients.

{over}
"""


if __name__ == "__main__":
    main()
