"""`make bench` reports a figure beyond its bound, and fails."""

from pathlib import Path
import subprocess
import sys

import pytest

ROOT = Path(__file__).parents[1]
PROGRAM = """
import runpy, sys
from bench import live
from bench.table import row
figure = row("live", "a figure", [4.0, 1.0, {value}], "ms", slower=[1.0, 1.0, {slower}], at_most=2, digits=1)
live.rows = lambda speed: [figure, row("live", "told only", [7], "MB")]
sys.argv = ["bench", "--only", "live"]
runpy.run_module("bench", run_name="__main__")
"""


def run(*command):
    return subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("value", "slower", "there", "within", "code"),
    [(1.5, 1.0, 1.5, "yes", 0), (2.4, 2.0, 1.2, "no", 1), (2.5, 1.0, 2.5, "no", 1)],
)
def test_a_median_is_judged_and_one_beyond_its_bound_is_an_error(value, slower, there, within, code):
    done = run("-c", PROGRAM.format(value=value, slower=slower))
    _, _, figure, told = done.stdout.splitlines()
    cells = [cell.strip() for cell in figure.split("|")[1:-1]]
    assert cells == ["live", "a figure", f"{value} ms", f"{there} ms", "≤ 2 ms", within]
    assert done.returncode == code
    assert [cell.strip() for cell in told.split("|")[1:-1]] == ["live", "told only", "7 MB", "–", "–", "–"]
    assert len({len(line) for line in done.stdout.splitlines()}) == 1


def test_an_unknown_part_is_named():
    done = run("-m", "bench", "--only", "live,moon")
    assert done.returncode == 2
    assert "there is no part moon; there are start, live" in done.stderr
