"""What sessions take on the disk, in rows and packed, and what packing costs; writes docs/storage.md.

python -m bench.disk --hours 4
"""

import argparse
import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta
from math import sin, tau
from pathlib import Path
import random
import sqlite3
from statistics import median
import sys
import tempfile
import time

from restbeat.analysis.figures import ALGORITHM
from restbeat.sensors.model import Device, Phase
from restbeat.sensors.recordings.recording import ConnectionEvent, Header, Mark, Packet, Pain, PhaseStart
from restbeat.service.backups.backup import take_backup
from restbeat.service.commands.reanalyse import recomputed
from restbeat.service.packets.packing import next_piece, put_in_place
from restbeat.service.sessions.session_store import NewSession, SessionStore, events_of
from restbeat.service.storage.database import DATABASE, open_readonly
from restbeat.service.storage.trouble import ROOM_HOUR_BYTES

from .table import ROOT, table, versions

PAGE = ROOT / "docs" / "storage.md"
HOURS, RUNS = 40, 5
MOST_PACKED_KB, MOST_WRITER_MS, MOST_RATIO = 60.0, 20.0, 1.1
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PHASES = ((2, Phase.SETTLE), (180, Phase.BASELINE), (480, Phase.MASSAGE), (3180, Phase.RECOVERY), (3600, Phase.ENDED))


def hour(seed):
    """Return the events of an hour with a strap that sends each second as an H10 does, at the times that a clock here tells."""
    chance = random.Random(seed)
    booted_s, events, due_ms, spent_ms = 90_000 + 5000 * chance.random(), [ConnectionEvent(0.0, up=True)], 0.0, 0.0
    start_s, heart_ms = booted_s, 850 + chance.gauss(0, 60)
    for second in range(1, 3600):
        intervals = []
        while due_ms <= 1000 * second:
            rr_ms = heart_ms + 40 * sin(tau * due_ms / 4300) + 30 * sin(tau * due_ms / 10_000) + chance.gauss(0, 8)
            intervals.append(round(rr_ms * 1.024))
            due_ms += rr_ms
        now_s = round((booted_s + second * 1.00002 + abs(chance.gauss(0, 0.015))) * 1e9) / 1e9 - start_s
        spent_ms = rr_ms
        payload = bytes([0x10, round(60_000 / spent_ms)]) + b"".join(rr.to_bytes(2, "little") for rr in intervals)
        events.append(Packet(now_s, "2a37", payload))
        if second % 300 == 0:
            events.append(Packet(now_s + 0.01, "2a19", b"\x5a"))
    events += [PhaseStart(float(at_s), phase) for at_s, phase in PHASES]
    events += [Mark(480.0 + 90 * n, technique="Kneading", region="Shoulders", pressure="Moderate") for n in range(30)]
    events += [Pain(1000.0 * n, 5 - n) for n in range(1, 4)]
    return sorted(events, key=lambda event: event.t)


async def fill(folder, hours):
    """Store sessions of an hour each, as the rooms do."""
    async with await SessionStore.open(folder, now_utc=lambda: NOON) as storage:
        for seed in range(hours):
            header = Header(client=f"M-{seed % 5:03}", kind="massage", device=Device(name="Polar H10 A1B2C3D4"))
            session = await storage.create_session(NewSession(header=header, source="Polar H10 A1B2C3D4", room="room-1"))
            for event in hour(seed):
                storage.append(session, event)
            await storage.end_session(session, NOON + timedelta(hours=1), 3600.0)
        with closing(open_readonly(folder)) as db:
            reports = [(session, recomputed(db, session).report) for session in range(1, hours + 1)]
        await storage.put_reports(ALGORITHM, reports)


async def pack(folder):
    """Pack all sessions, and return the ms that each piece held the writer, and those on the processor."""
    times = []
    async with await SessionStore.open(folder) as storage:
        while piece := await storage.read(lambda db: next_piece(db, NOON + timedelta(days=1))):
            times.append(await storage.run(lambda db, piece=piece: _held(lambda: put_in_place(db, piece, NOON))))
    return times


def _held(work):
    start, cpu = time.perf_counter(), time.thread_time()
    work()
    return 1000 * (time.perf_counter() - start), 1000 * (time.thread_time() - cpu)


def _timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def tables(folder):
    """Return the bytes in use of each table with its indexes, and those of free pages."""
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        sizes = db.execute(
            "SELECT coalesce(tbl_name, dbstat.name), sum(pgsize)"
            " FROM dbstat LEFT JOIN sqlite_master ON sqlite_master.name = dbstat.name GROUP BY 1 ORDER BY 2 DESC"
        ).fetchall()
        free = db.execute("PRAGMA freelist_count").fetchone()[0] * db.execute("PRAGMA page_size").fetchone()[0]
    return dict(sizes), free


def costs(folder):
    """Return the seconds of a backup, of computing a session anew, and of reading one; medians."""
    with closing(open_readonly(folder)) as db:
        return {
            "backup": median(_timed(lambda: take_backup(folder, folder / "out.db")) for _ in range(RUNS)),
            "reanalyse, a session": median(_timed(lambda n=n: recomputed(db, n)) for n in (1, 2, 3) for _ in range(RUNS)),
            "reading a session": median(_timed(lambda n=n: events_of(db, n)) for n in (1, 2, 3) for _ in range(RUNS)),
        }


def main():
    parser = argparse.ArgumentParser(prog="python -m bench.disk", description=__doc__)
    parser.add_argument("--hours", type=int, help="number of sessions; the page is then left as it is")
    asked = parser.parse_args().hours
    hours = asked or HOURS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(fill(folder, hours))
        before, _ = tables(folder)
        costs_before, size_before = costs(folder), (folder / DATABASE).stat().st_size
        pieces_ms, cpu_ms = map(sorted, zip(*asyncio.run(pack(folder)), strict=True))
        after, free = tables(folder)
        costs_after = costs(folder)
        asyncio.run(fill(folder, hours))
        size_again = (folder / DATABASE).stat().st_size
    shown = ["packet", "packet_chunk", *(what for what in before if what not in {"packet", "packet_chunk"})][:7]
    kb = {what: [sizes.get(what, 0) / hours / 1000 for sizes in (before, after)] for what in shown}
    lines = [(f"`{what}`", f"{rows:.1f} KB", f"{packed:.1f} KB") for what, (rows, packed) in kb.items()]
    total, packed_kb = sum(before.values()) / hours / 1000, sum(after.values()) / hours / 1000
    chunks_kb = after["packet_chunk"] / hours / 1000
    lines.append(("**all**", f"**{total:.1f} KB**", f"**{packed_kb:.1f} KB**"))
    ratios = {what: costs_after[what] / costs_before[what] for what in costs_before}
    cost_lines = [
        (what, *(f"{1000 * cost[what]:.1f} ms" for cost in (costs_before, costs_after)), f"{ratio:.2f} ×")
        for what, ratio in ratios.items()
    ]
    longest = pieces_ms[-1]
    over = [what for what, ratio in ratios.items() if ratio > MOST_RATIO and what != "reading a session"]
    over += ["a packed hour"] * (chunks_kb > MOST_PACKED_KB) + ["a piece"] * (cpu_ms[-1] > MOST_WRITER_MS)
    over += ["the estimate of an hour"] * (total * 1000 > ROOM_HOUR_BYTES)
    text = TEXT.format(
        stamp=versions("restbeat"),
        hours=hours,
        table=table(lines, ("table", "in rows", "packed")),
        costs=table(cost_lines, ("what", "in rows", "packed", "ratio")),
        estimate=ROOM_HOUR_BYTES / 1000,
        most_kb=MOST_PACKED_KB,
        most_ratio=MOST_RATIO,
        most_ms=MOST_WRITER_MS,
        median_ms=median(pieces_ms),
        longest_ms=longest,
        cpu_ms=cpu_ms[-1],
        before_mb=size_before / 1e6,
        free_mb=free / 1e6,
        again_mb=size_again / 1e6,
        over="All bounds are met." if not over else f"Over their bounds: {', '.join(over)}.",
    )
    print(text)
    if not asked:
        PAGE.write_text(text)
    if over:
        sys.exit(1)


TEXT = """\
# Storage

`make bench-storage` writes this page (half a minute; `ARGS="--hours 4"` looks only).

{stamp}; {hours} sessions of an hour, a strap that sends each second, 30 marks.

What an hour of one room takes on the disk, its indexes within:

{table}

- While a session runs each packet is a row of its own. An hour after its end they are packed into chunks of up to 1,800 packets,
  which read back bit for bit. Bound of the chunks: {most_kb:g} KB.
- Free space is watched by {estimate:g} KB an hour, as a session needs that until it is packed.
- The file was {before_mb:.1f} MB in rows. Packing left {free_mb:.1f} MB of free pages in it, and as many sessions more made it
  {again_mb:.1f} MB: free pages are used again first. An erasure, and the deletion of sessions that are no longer kept, give them
  back to the disk.
- The write-ahead log is emptied from 16 MB on, also where readers never pause (`tests/service/storage/test_log_size.py`).

{costs}

- Bound of a backup and of computing anew: {most_ratio:g} times what rows cost.
- Packing holds the database for {median_ms:.1f} ms a piece, {longest_ms:.1f} ms at most, the disk's time within;
  {cpu_ms:.1f} ms at most of that on the processor. Bound of those: {most_ms:g} ms. It rests nine times as long as it works.

{over}
"""


if __name__ == "__main__":
    main()
