"""Start-up, memory, sizes and replay, measured on this machine; writes docs/benchmarks.md."""

from datetime import UTC, datetime
from importlib.metadata import version
import json
from pathlib import Path
import platform
import re
from statistics import median
import subprocess
import sys
import tempfile
import time
from urllib.request import urlopen
import zipfile

import psutil

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
RUNS = 5
RESTBEAT = [sys.executable, "-m", "restbeat.service"]
HOUR = ROOT / "fixtures" / "pyhrv_nni-60min_real.jsonl.gz"


def main():
    rows = [*serve(), wheel(), *replay()]
    text = table(rows)
    print(text)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(text))
    if any(row[3] == "no" for row in rows):
        sys.exit("A figure is over its bound.")


def serve():
    """Seconds from start to the first whole page, and memory of the server process at rest."""
    firsts, memory = [], []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as data:
            start = time.perf_counter()
            process = subprocess.Popen([*RESTBEAT, "serve", "--port", "0", "--data", data], stdout=subprocess.PIPE, text=True)
            address = re.search(r"http://\S+", process.stdout.readline()).group()
            assert b"restbeat" in urlopen(address).read()
            firsts.append(time.perf_counter() - start)
            wait_until_at_rest(process.pid)
            memory.append(psutil.Process(process.pid).memory_info().rss / 1e6)
            process.terminate()
            assert process.wait(20) == 0
    return [row("start to first page", median(firsts), "s", 1.0, 2), row("server at rest", median(memory), "MB", 130, 0)]


def wait_until_at_rest(pid):
    """Until neither the server nor its worker has used the processor for a second."""
    used, since = -1.0, time.monotonic()
    while time.monotonic() - since < 1.0:
        time.sleep(0.1)
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        now = sum(p.cpu_times().user for p in family)
        if now - used > 0.05:
            used, since = now, time.monotonic()


def wheel():
    """Size of our own files in the wheel, unpacked."""
    with tempfile.TemporaryDirectory() as out:
        subprocess.run(
            [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, str(ROOT)],
            check=True,
            capture_output=True,
        )
        with zipfile.ZipFile(next(Path(out).glob("*.whl"))) as archive:
            size = sum(info.file_size for info in archive.infolist())
    return row("wheel's own files", size / 1e6, "MB", 2.0, 2)


def replay():
    """A real hour through `restbeat replay --json`, beside a bare import of NeuroKit2 in the same run."""
    whole, bare = [], []
    for _ in range(RUNS):
        bare.append(seconds([sys.executable, "-c", "import neurokit2"]))
        with tempfile.TemporaryDirectory() as data:
            whole.append(seconds([*RESTBEAT, "replay", str(HOUR), "--json", "--data", data]))
    return [
        row("bare import neurokit2", median(bare), "s", None, 2),
        row("replay of a real hour", median(whole), "s", None, 2),
        row("replay beyond that import", median(whole) - median(bare), "s", 1.0, 2),
    ]


def seconds(command):
    start = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True)
    if "replay" in command:
        assert json.loads(done.stdout)["integrity"]["beats"] > 4000
    return time.perf_counter() - start


def row(name, value, unit, bound, digits):
    within = "–" if bound is None else "yes" if value <= bound else "no"
    return name, f"{value:.{digits}f} {unit}", "–" if bound is None else f"{bound:g} {unit}", within


def table(rows):
    rows = [("figure", "median", "bound", "within"), *rows]
    widths = [max(len(r[i]) for r in rows) for i in range(4)]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(r, widths, strict=True)) + " |" for r in rows]
    return "\n".join([lines[0], "| " + " | ".join("-" * w for w in widths) + " |", *lines[1:]])


def page(text):
    versions = ", ".join(f"{name} {version(name)}" for name in ("restbeat", "neurokit2", "numpy", "aiohttp", "bleak"))
    return (
        "# Benchmarks\n\n`make bench` writes this page.\n\n"
        f"{datetime.now(UTC):%Y-%m-%d}, {psutil.cpu_count()} cores, Python {platform.python_version()}, {versions}; "
        f"medians of {RUNS}.\n\n{text}\n"
    )


main()
