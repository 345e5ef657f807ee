"""Long use in a short time: rooms at high speed, pages that watch, stall and poll, straps that are lost; what grows?

python -m bench.soak --minutes 30             writes docs/soak.md
python -m bench.soak --minutes 3 --speed 20   looks only
"""

import argparse
import asyncio
from contextlib import suppress
import json
from pathlib import Path
import socket as sockets
import sys
import time

import aiohttp
import numpy as np
from scipy.stats import theilslopes
from yarl import URL

from .lag import percentile_ms
from .table import ROOT, table, versions

PAGE = ROOT / "docs" / "soak.md"
ROOMS, PAGES, STALLED = 8, 20, 2
SPEEDS, TRIAL_S = (10, 20, 40, 80), 20.0
MOST_LAG_MS, MOST_CPU = 50.0, 0.7
MOST_SLOPE_MB, SETTLED, LEAST_MINUTES = 1.0, 1 / 3, 30
"""RSS growth allowed in MB an hour, the part of the run after which it is measured, and the length from which it is judged: in a
shorter run caches are still filling."""
MOST_GROWTH = 1.5
"""Ratio of the answer times of the last third to those of the first."""
ADDRESSES = ("/", "/sessions", "/api/v1/rooms", "/healthz")
ASK_EVERY_S = 1.0


async def soak(minutes, speed, *, every_s=600.0, show=False):
    """Return the samples of the server, and the answers as (time, address, s)."""
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.soak_server", str(ROOMS), str(speed), str(every_s)),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    address = (await server.stdout.readline()).decode().strip()
    samples, answers, began = [], [], time.monotonic()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as browser:
        work = [page(browser, address, n) for n in range(PAGES - STALLED)]
        work += [stall(address) for _ in range(STALLED)]
        work += [ask(browser, address, answers, began), read(server, samples, show=show)]
        tasks = [asyncio.create_task(one) for one in work]
        await asyncio.wait(tasks, timeout=60 * minutes, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            if task.done():
                task.result()
                raise RuntimeError("the server ended by itself")
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    server.stdin.close()
    await server.wait()
    return samples, answers


async def page(browser, address, n):
    """Watch all rooms or one, as a page does, and ask each second whether the disk is well."""

    async def poll():
        while True:
            async with browser.get(f"{address}/healthz") as answer:
                await answer.read()
            await asyncio.sleep(1.0)

    polling = asyncio.create_task(poll())
    try:
        while True:
            with suppress(aiohttp.ClientError):
                async with browser.ws_connect(f"{address}/live" + (f"?room=room-{n % ROOMS + 1}" if n % 2 else "")) as socket:
                    async for _ in socket:
                        pass
            await asyncio.sleep(0.5)
    finally:
        polling.cancel()


async def stall(address):
    """Open the live socket again and again, and read nothing: the server closes it when nothing more can be sent."""
    url, loop = URL(address), asyncio.get_running_loop()
    request = (
        f"GET /live HTTP/1.1\r\nHost: {url.authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ).encode()
    while True:
        with sockets.socket() as one:
            one.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
            one.setblocking(False)
            with suppress(OSError):
                await loop.sock_connect(one, (url.host, url.port))
                await loop.sock_sendall(one, request)
            await asyncio.sleep(60.0)


async def ask(browser, address, answers, began):
    """Ask for pages as people do, and record how long each answer took."""
    while True:
        for path in ADDRESSES:
            at = time.monotonic()
            async with browser.get(address + path) as answer:
                await answer.read()
                assert answer.status == 200, (path, answer.status)
            answers.append((at - began, path, time.monotonic() - at))
        await asyncio.sleep(ASK_EVERY_S)


async def read(server, samples, *, show):
    async for line in server.stdout:
        samples.append(json.loads(line))
        if show:
            shown = {name: value for name, value in samples[-1].items() if name not in {"lag", "busy"}}
            print(json.dumps(shown), file=sys.stderr, flush=True)


def slope(samples, name):
    """Return the growth an hour of a figure, and the ends of its 95 % interval.

    It is the median slope between any two samples (Theil and Sen): a backup holds a few MB for seconds, and one at the end is no
    growth.
    """
    t, y = np.array([(one["t"] / 3600, one[name]) for one in samples], dtype=float).T
    found = theilslopes(y, t)
    return float(found.slope), float(found.low_slope), float(found.high_slope)


def figures_of(samples, answers, minutes):
    """Return rows of what, figure, bound and whether it is within."""
    settled = [one for one in samples if one["t"] >= SETTLED * 60 * minutes]
    rows = []

    def row(what, text, bound, within):
        rows.append((what, text, bound, "–" if within is None else "yes" if within else "no"))

    mb, low, high = (value / 1e6 for value in slope(settled, "rss"))
    row(
        "RSS, growth an hour",
        f"{mb:.2f} MB ({low:.2f} to {high:.2f})",
        f"≤ {MOST_SLOPE_MB:g} MB",
        mb <= MOST_SLOPE_MB if minutes >= LEAST_MINUTES else None,
    )
    row("RSS at the end", f"{settled[-1]['rss'] / 1e6:.0f} MB", "–", None)
    for name, what in (("files", "open files"), ("sockets", "sockets"), ("tasks", "tasks"), ("threads", "threads")):
        values = [one[name] for one in settled]
        thirds = np.array_split(values, 3)
        first, last = float(np.median(thirds[0])), float(np.median(thirds[-1]))
        row(what, f"{first:.0f} → {last:.0f} (at most {max(values)})", "flat", last <= first + max(3, 0.05 * first))
    pairs = [pair for one in settled for pair in one["lag"]]
    p99 = percentile_ms(pairs, 99)
    row("event loop late, p99", f"{p99:.0f} ms", f"≤ {MOST_LAG_MS:g} ms", p99 <= MOST_LAG_MS)
    row("event loop late, p99.9", f"{percentile_ms(pairs, 99.9):.0f} ms", "–", None)
    if busy := [pair for one in settled for pair in one.get("busy", ())]:
        row("… of it computing itself, p99", f"{percentile_ms(busy, 99):.0f} ms", "–", None)
    medians = {path: thirds_of(answers, path, 60 * minutes / 20) for path in ADDRESSES}
    for path, (first, last) in medians.items():
        row(f"answer of `{path}`, median", f"{first:.1f} → {last:.1f} ms", f"≤ {MOST_GROWTH:g} ×", last <= MOST_GROWTH * first)
    row("server, of one core", f"{100 * float(np.mean([one['cpu'] for one in settled])):.0f} %", "–", None)
    end = samples[-1]
    row("sessions, reanalyses, backups", f"{end['sessions']}, {end['reanalyses']}, {end['backups']}", "–", None)
    return rows


def thirds_of(answers, path, begin_s):
    """Return the median answer time of an address in ms, in the first and in the last third of the time from `begin_s` on."""
    thirds = np.array_split([took for at, asked, took in answers if asked == path and at >= begin_s], 3)
    return tuple(1000 * float(np.median(third)) for third in (thirds[0], thirds[-1]))


def highest_speed():
    """Return the highest speed that holds in a short trial, and the trials as text."""
    best, told = SPEEDS[0], []
    for speed in SPEEDS:
        samples, _ = asyncio.run(soak(TRIAL_S / 60, speed))
        pairs = [pair for one in samples[1:] for pair in one["lag"]]
        late_ms, cpu = percentile_ms(pairs, 99), float(np.mean([one["cpu"] for one in samples[1:]]))
        told.append(f"{speed} ×: {late_ms:.0f} ms, {100 * cpu:.0f} %")
        print(told[-1], file=sys.stderr, flush=True)
        if late_ms > MOST_LAG_MS / 2 or cpu > MOST_CPU:
            break
        best = speed
    return best, "; ".join(told)


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="the page is written from 30 on")
    parser.add_argument("--speed", type=float, help="session seconds a second; default: the highest that holds")
    parser.add_argument("--raw", help="file for the samples, as JSON")
    asked = parser.parse_args()
    speed, trials = (asked.speed, "") if asked.speed else highest_speed()
    samples, answers = asyncio.run(soak(asked.minutes, speed, every_s=min(600.0, 60 * asked.minutes / 3 - 5), show=True))
    if asked.raw:
        Path(asked.raw).expanduser().write_text(json.dumps({"samples": samples, "answers": answers}), encoding="utf-8")
    rows = figures_of(samples, answers, asked.minutes)
    text = table(rows, ("what", "figure", "bound", "within"))
    print(text)
    if asked.minutes >= LEAST_MINUTES:
        stamp = versions("restbeat", "aiohttp")
        given = {
            "minutes": asked.minutes,
            "speed": speed,
            "rooms": ROOMS,
            "pages": PAGES,
            "stalled": STALLED,
            "cpu": 100 * MOST_CPU,
        }
        PAGE.write_text(TEXT.format(stamp=stamp, table=text, trials=trials or "not tried", **given), encoding="utf-8")
    if any(within == "no" for *_, within in rows):
        sys.exit("A figure is over its bound.")


TEXT = """\
# Soak

`make soak` writes this page (half an hour; `ARGS="--minutes 3 --speed 20"` looks only).

{stamp}; {minutes:g} min at {speed:g} times real time.

{rooms} rooms whose sessions of half an hour follow each other, each strap lost at random about every 7 min of session time;
{pages} pages, each with a live socket and a question to `/healthz` every second, {stalled} of them reading nothing; a reanalysis
of the newest sessions and a backup every 10 min. The server alone is measured, from a third of the time on.

{table}

- **growth an hour**: of wall time, the median slope between any two of the samples, one every 5 s, with its 95 % interval.
- **flat**: medians of the first and of the last third of what is measured.
- **answer**: the first third of the time and the last; `/healthz` reads nothing, and tells what the computer did meanwhile.
- Speeds tried first, with the event loop's lateness (p99) and the server's part of a core: {trials}.
  The highest that keeps within half of the loop's bound and {cpu:.0f} % of a core is taken.
"""


if __name__ == "__main__":
    main()
