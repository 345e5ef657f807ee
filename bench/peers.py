"""The live engine compared with NeuroKit2, pyHRV and hrv-analysis, on the same windows of the same beats, in one run.

pyHRV and hrv-analysis have an environment of their own: their dependencies are not restbeat's.
"""

import json
import subprocess

from restbeat.analysis.beats.beat_stream import BeatStream, judge

from .live import cost_us, hour
from .speed import WINDOWS_S, Speed, neurokit2_ms
from .table import ROOT, RUNS, row

PYTHON = ROOT / ".venv" / "peers" / "bin" / "python"
AT_S = (700.0, 1500.0, 2300.0)
EVERY = 5
"""Interval at which the live engine computes the spectrum, of the longer window only."""
BOUNDS = {"neurokit2": 100, "pyhrv": 5, "hrv-analysis": 5}


def rows(_speed):
    """Measure an update: time and frequency domain of both windows, which has the bound; and an update as often as ours."""
    packets = hour("none")
    windows, out = windows_of(packets), []
    with Peers(windows) as peers:
        rounds = [
            {"restbeat": cost_us(packets) / 1000, "neurokit2": neurokit2_ms(windows), **peers.measure()} for _ in range(RUNS)
        ]
        for name, bound in BOUNDS.items():
            update = [sum(map(sum, one[name])) for one in rounds]
            paced = [one[name][0][0] + one[name][1][0] + one[name][1][1] / EVERY for one in rounds]
            ours = [one["restbeat"] for one in rounds]
            out += [
                row(name, "time + frequency, 60 s and 5 min", update, "ms", digits=2),
                row(name, "… of what a live second costs", ratios(update, ours), "×", at_least=bound),
                row(name, "… were it as rare as ours", ratios(paced, ours), "×"),
            ]
    return out, peers.versions


def windows_of(packets):
    """Return the accepted intervals in ms of the last 60 s and 5 min, at three times."""
    beats = judge(BeatStream(), packets, packets[-1].t)
    return [[[b.rr_ms for b in beats if at - window < b.end_s <= at and b.accepted] for window in WINDOWS_S] for at in AT_S]


def speed_here():
    """Return the measure of this computer's speed, on a simulated client's windows."""
    return Speed(windows_of(hour("none")))


def ratios(theirs, ours):
    return [a / b for a, b in zip(theirs, ours, strict=True)]


class Peers:
    """The process that measures pyHRV and hrv-analysis."""

    def __init__(self, windows):
        if not PYTHON.exists():
            raise SystemExit("pyHRV and hrv-analysis are missing: `make bench` installs them into .venv/peers.")
        command = [str(PYTHON), "-W", "ignore", str(ROOT / "bench" / "peers_process.py")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ask(windows)
        self.versions = json.loads(self.process.stdout.readline())

    def ask(self, what):
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def measure(self):
        self.ask("again")
        return json.loads(self.process.stdout.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(20)
