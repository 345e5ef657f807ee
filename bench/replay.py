"""A real hour by `restbeat replay --json`, and the figures of record of four phases in a warm worker."""

import asyncio
import json
import subprocess
import sys
import tempfile
import time

from restbeat.analysis.simulation.scenarios import simulate
from restbeat.sensors.model import Phase
from restbeat.sensors.recordings.recording import PhaseStart
from restbeat.service.sessions.report_cache import compute_report
from restbeat.service.worker.worker import Worker

from .start import RESTBEAT
from .table import ROOT, RUNS, row

HOUR = ROOT / "fixtures" / "pyhrv_nni-60min_real.jsonl.gz"


def rows(speed):
    """Measure both, and a bare import of NeuroKit2 in the same run."""
    runs, slower = zip(*(speed.around(replayed) for _ in range(RUNS)), strict=True)
    whole, bare = zip(*runs, strict=True)
    beyond = [w - b for w, b in runs]
    record, record_slower = speed.around(lambda: asyncio.run(record_ms()))
    return [
        row("replay", "import neurokit2 alone", bare, "s", slower=slower, digits=2),
        row("replay", "a real hour, whole process", whole, "s", slower=slower, digits=2),
        row("replay", "beyond that import", beyond, "s", slower=slower, at_most=1.0, digits=2),
        row("record", "4 phases of an hour, warm worker", record, "ms", slower=[record_slower] * RUNS, at_most=150),
    ]


def replayed():
    """Return the seconds of the whole process, and of the bare import."""
    bare_s = seconds([sys.executable, "-c", "import neurokit2"])
    with tempfile.TemporaryDirectory() as data:
        return seconds([*RESTBEAT, "replay", str(HOUR), "--json", "--data", data]), bare_s


def seconds(command):
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True)
    if "replay" in command:
        assert json.loads(done.stdout)["integrity"]["beats"] > 4000
    return time.perf_counter() - start


async def record_ms():
    header, events = simulate("none", seed=1, minutes=(15, 35, 10))
    events = [PhaseStart(300.0, event.phase) if getattr(event, "phase", None) is Phase.BASELINE else event for event in events]
    events.sort(key=lambda event: event.t)
    took = []
    async with Worker() as worker:
        for _ in range(RUNS + 1):
            start = time.perf_counter()
            report = await worker.run(compute_report, "an hour", header, events)
            took.append(1000 * (time.perf_counter() - start))
            assert len(report.figures.phases) == 4
    return took[1:]
