"""Fifty streams at 1 Hz and twenty open pages in real time: latency from a packet's arrival to the browser, and processor time.

python -m bench.load --pages 20 --overview 4 --seconds 30
"""

import argparse
import asyncio
import json
import sys
import time

import aiohttp
import msgspec
import numpy as np

from .probe import Probe
from .table import ROOT, RUNS, row

STREAMS, PAGES, SECONDS = 50, 20, 15.0
DISTURBED_S, AROUND_S = 0.004, 0.05
"""Delay of a wake-up from which on an idle process had to wait for the computer, and the time around it that is excluded."""


class Stream(msgspec.Struct):
    packets: int


class State(msgspec.Struct):
    room: str
    stream: Stream


class Message(msgspec.Struct):
    """The parts of a frame that are read: its room, and its count of packets."""

    state: State | None = None


DECODER = msgspec.json.Decoder(Message)


async def load(streams, pages, seconds, *, overview, polling=False, hostile=0):
    """Return the figures of `seconds` of load; `overview` of the pages show all rooms, the others one each.

    `polling`: each page asks `/healthz` once a second, as it does while it is visible. `hostile`: straps beside the others that
    send a thousand notifications a second.
    """
    rooms = [None if n < overview else f"room-{n % streams + 1}" for n in range(pages)]
    seen, frames, probe = [{} for _ in rooms], [0], Probe()
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.load_server", str(streams), str(hostile)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 26,
    )
    address = (await server.stdout.readline()).decode().strip()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as browser:
        watching = [watch(browser, address, room, heard, frames) for room, heard in zip(rooms, seen, strict=True)]
        asking = [poll(browser, address) for _ in range(pages if polling else 0)]
        tasks = [asyncio.create_task(task) for task in (probe.run(), *watching, *asking)]
        await asyncio.sleep(10 if hostile else 2)
        server.stdin.write(b"go\n")
        began, before = time.monotonic(), frames[0]
        await asyncio.sleep(seconds)
        until, sent = time.monotonic(), frames[0] - before
        server.stdin.write(b"stop\n")
        told = json.loads(await server.stdout.readline())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await server.wait()
    left = told["left"]
    ways = [way for heard in seen for room, at in heard.items() if room in left for way in ways_of(left[room], at)]
    ways = np.array([way for way in ways if began + 0.5 <= way[0] <= until - 0.5])
    wait_s, still = ways[:, 1] - ways[:, 0], undisturbed(ways, [*told["probe"], *probe.rows])
    _, late_s, busy_s = np.array(told["probe"]).T
    return {
        "packets": len(wait_s),
        "frames_per_s": sent / seconds,
        "median_ms": 1000 * float(np.median(wait_s)),
        "p99_ms": 1000 * float(np.percentile(wait_s, 99)),
        "undisturbed_pct": 100 * float(still.mean()),
        "undisturbed_p99_ms": 1000 * float(np.percentile(wait_s[still], 99)) if still.any() else None,
        "cpu_pct": 100 * told["cpu"],
        "loop_late_ms": 1000 * float(late_s.max()),
        "loop_busy_ms": 1000 * float(busy_s.max()),
        "server_mb": told["mb"],
    }


async def watch(browser, address, room, heard, frames):
    """Receive frames as one page does, and record the packet count of each room and the arrival time."""
    async with browser.ws_connect(f"{address}/live" + (f"?room={room}" if room else "")) as socket:
        async for message in socket:
            at = time.monotonic()
            frames[0] += 1
            if state := DECODER.decode(message.data).state:
                heard.setdefault(state.room, []).append((state.stream.packets, at))


async def poll(browser, address):
    """Ask whether the disk is well once a second, as each visible page does."""
    while True:
        async with browser.get(f"{address}/healthz") as answer:
            await answer.read()
        await asyncio.sleep(1.0)


def ways_of(left, heard):
    """Return for each packet when it was sent, and when the first frame that counts it arrived."""
    n = 0
    for packets, at in heard:
        while n < min(packets, len(left)):
            yield left[n], at
            n += 1


def undisturbed(ways, rows):
    """Return which packets were under way while neither process had to wait for the computer, which may have other work."""
    still = np.ones(len(ways), dtype=bool)
    for now, late_s, busy_s in rows:
        if late_s > DISTURBED_S + busy_s:
            still &= (ways[:, 1] < now - late_s - AROUND_S) | (ways[:, 0] > now + AROUND_S)
    return still


def rows(speed):
    """Measure with all pages showing all rooms: the worst case."""
    runs, slower = zip(*(speed.around(hardest) for _ in range(RUNS)), strict=True)
    of = {name: [run[name] for run in runs] for name in runs[0]}
    what = f"{STREAMS} streams"
    return [
        row(what, f"packet to frame on {PAGES} pages, p99", of["p99_ms"], "ms", slower=slower, at_most=25, digits=1),
        row(what, "median of that", of["median_ms"], "ms", slower=slower, digits=1),
        row(what, "event loop late at most", of["loop_late_ms"], "ms", slower=slower, at_most=20, digits=1),
        row(what, "event loop busy at most", of["loop_busy_ms"], "ms", slower=slower, at_most=20, digits=1),
        row(what, "server, of one core", of["cpu_pct"], "%", slower=slower, at_most=15, digits=1),
        row(what, "frames a second", of["frames_per_s"], "a second"),
        row(what, "server", of["server_mb"], "MB"),
    ]


def hardest():
    return asyncio.run(load(STREAMS, PAGES, SECONDS, overview=PAGES))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--pages", type=int, default=20)
    parser.add_argument("--overview", type=int, default=20, help="pages that show all rooms; the others show one each")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--hostile", type=int, default=0, help="straps beside them that send a thousand packets a second")
    given = parser.parse_args()
    found = asyncio.run(load(given.streams, given.pages, given.seconds, overview=given.overview, hostile=given.hostile))
    print(json.dumps(found, indent=2))
