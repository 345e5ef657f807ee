"""`restbeat reanalyse` on an archive of one-hour sessions, the whole process."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
import subprocess
import tempfile
import time

import psutil

from restbeat.analysis.simulation.scenarios import simulate
from restbeat.service.sessions.session_store import NewSession, SessionStore

from .start import RESTBEAT
from .table import RUNS, row

SESSIONS, CLIENTS, JOBS = 600, 24, 2
SCENARIOS = ("none", "clear", "noisy", "sleepy", "opposite", "slow-breathing")


def rows(speed):
    """Return the sessions per second, and the processor time of one."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(fill(Path(folder), SESSIONS))
        runs, slower = zip(*(speed.around(reanalysed, folder) for _ in range(RUNS)), strict=True)
    rates, costs = [SESSIONS / wall for wall, _ in runs], [1000 * cpu / SESSIONS for _, cpu in runs]
    return [
        row("archive", f"one-hour sessions, {JOBS} jobs", rates, "a second", slower=slower, at_least=30),
        row("archive", "processor time a session", costs, "ms", slower=slower, at_most=66),
    ]


async def fill(folder, sessions):
    recordings = [simulate(SCENARIOS[n % len(SCENARIOS)], seed=n, minutes=(10, 40, 10)) for n in range(CLIENTS)]
    async with await SessionStore.open(folder) as storage:
        for n in range(sessions):
            header, events = recordings[n % CLIENTS]
            session = await storage.create_session(NewSession(header=header, source=f"hour {n}"))
            for event in events:
                storage.append(session, event)
            await storage.end_session(session, datetime.now(UTC), events[-1].t)


def reanalysed(folder):
    """Return wall-clock and processor seconds of one run over all sessions."""
    before, start = children_cpu_s(), time.perf_counter()
    command = [*RESTBEAT, "reanalyse", "--data", folder, "--jobs", str(JOBS), "--again"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert f"{SESSIONS} sessions computed anew" in done.stdout
    assert "all agree" in done.stdout
    return time.perf_counter() - start, children_cpu_s() - before


def children_cpu_s():
    used = psutil.Process().cpu_times()
    return used.children_user + used.children_system
