"""`restbeat verify` as a tester types it."""

import json
from pathlib import Path
import shutil
import subprocess
import sys

import pytest

FIXTURES = Path(__file__).parents[3] / "fixtures"
MINUTE = "polar-h10_simulated_one-minute.jsonl"


def verify(folder, *options):
    command = [sys.executable, "-m", "restbeat.web", "verify", str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def folder(tmp_path):
    shutil.copy(FIXTURES / MINUTE, tmp_path)
    (tmp_path / "golden").mkdir()
    shutil.copy(FIXTURES / "golden" / MINUTE.replace(".jsonl", ".json"), tmp_path / "golden")
    return tmp_path


def test_every_fixture_gives_its_golden_summary():
    done = verify(FIXTURES)
    assert done.returncode == 0, done.stdout
    assert "14 recordings verified" in done.stdout


def test_a_difference_is_shown_field_by_field_and_exits_1(folder):
    golden = folder / "golden" / MINUTE.replace(".jsonl", ".json")
    figures = json.loads(golden.read_text())
    figures["phases"][0]["rmssd_ms"] += 1
    golden.write_text(json.dumps(figures))
    done = verify(folder)
    assert done.returncode == 1
    assert "baseline.rmssd_ms" in done.stdout
    assert "--update" in done.stderr
    assert json.loads(golden.read_text()) == figures
    right = f"{figures['phases'][0]['rmssd_ms'] - 1:.6g}"
    update = verify(folder, "--update")
    assert (update.returncode, "1 golden summaries rewritten" in update.stdout) == (0, True)
    (row,) = [line for line in update.stdout.splitlines() if "baseline.rmssd" in line]
    assert [cell.strip() for cell in row.split("│")[3:5]] == [f"{figures['phases'][0]['rmssd_ms']:.6g}", right]
    assert verify(folder).returncode == 0


@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_text("{")])
def test_update_shows_what_it_rewrites_and_then_verify_passes(folder, spoil):
    golden = folder / "golden" / MINUTE.replace(".jsonl", ".json")
    before = golden.read_text()
    spoil(golden)
    assert verify(folder).returncode == 1
    done = verify(folder, "--update")
    assert (done.returncode, "golden summary" in done.stdout) == (0, True)
    assert golden.read_text() == before
    assert verify(folder).returncode == 0


def test_a_folder_without_recordings_is_refused(tmp_path):
    done = verify(tmp_path)
    assert done.returncode == 1
    assert "nothing to verify" in done.stderr
