"""Start-up time, memory at rest and size of the wheel."""

from pathlib import Path
import re
import subprocess
import sys
import tempfile
import time
from urllib.request import urlopen

import psutil

from .table import ROOT, RUNS, row

RESTBEAT = [sys.executable, "-m", "restbeat.web"]


def rows(speed):
    """Measure the seconds from start to the first complete page, the memory of the server at rest, and the size of the wheel."""
    runs, slower = zip(*(speed.around(started) for _ in range(RUNS)), strict=True)
    firsts, memory = zip(*runs, strict=True)
    return [
        row("start", "to the first page", firsts, "s", slower=slower, at_most=1.0, digits=2),
        row("start", "server at rest", memory, "MB", at_most=130),
        row("start", "wheel, as downloaded", [wheel_mb()], "MB", at_most=1.5, digits=2),
    ]


def started():
    """Return the seconds to the first page, and the megabytes at rest."""
    with tempfile.TemporaryDirectory() as data:
        start = time.perf_counter()
        process = subprocess.Popen([*RESTBEAT, "serve", "--port", "0", "--data", data], stdout=subprocess.PIPE, text=True)
        address = re.search(r"http://\S+", process.stdout.readline()).group()
        assert b"restbeat" in urlopen(address).read()
        first_s = time.perf_counter() - start
        wait_until_at_rest(process.pid)
        memory_mb = psutil.Process(process.pid).memory_info().rss / 1e6
        process.terminate()
        assert process.wait(20) == 0
    return first_s, memory_mb


def wait_until_at_rest(pid):
    """Wait until neither the server nor its worker has used the processor for a second."""
    used, since = -1.0, time.monotonic()
    while time.monotonic() - since < 1.0:
        time.sleep(0.1)
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        now = sum(p.cpu_times().user for p in family)
        if now - used > 0.05:
            used, since = now, time.monotonic()


def wheel_mb():
    """Return the size of the wheel as it is downloaded."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, str(ROOT)]
        subprocess.run(command, check=True, capture_output=True)
        return next(Path(out).glob("*.whl")).stat().st_size / 1e6
