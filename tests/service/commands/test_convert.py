"""A stored session out into any format, a past recording of another program in, as a person types it."""

import asyncio
from contextlib import nullcontext
import json
from pathlib import Path
import subprocess
import sys

import pytest

from restbeat.analysis.figures import SessionFigures
from restbeat.sensors.recordings.recording import PhaseStart, read
from restbeat.service.commands.convert import convert
from restbeat.service.commands.replay import replay_file
from restbeat.service.errors import FormatError, NoSuchSessionError, OutputError
from restbeat.service.sessions.session_store import NewSession, SessionStore
from restbeat.service.worker.worker import Worker

from ..exchange.programs.test_fit import activity_of
from ..exchange.sessions import CLEAR, FIXTURES, GAPS

MINUTE = FIXTURES / "polar-h10_simulated_one-minute.jsonl"


@pytest.fixture(scope="module")
def worker():
    """One analysis process for all: it starts slowly."""
    worker = Worker()
    yield worker
    asyncio.run(worker.__aexit__(None, None, None))


@pytest.fixture(autouse=True)
def _one_worker(monkeypatch, worker):
    for module in ("convert", "replay"):
        monkeypatch.setattr(f"restbeat.service.commands.{module}.Worker", lambda: nullcontext(worker))


async def replayed(path, data, capsys):
    """The figures that a replay prints."""
    capsys.readouterr()
    await replay_file(path, None, data, as_json=True)
    return json.loads(capsys.readouterr().out)


async def to(out, source, data, *, minutes=None, force=False):
    await convert(str(source), out, data, minutes=minutes, force=force)
    return out


@pytest.mark.parametrize("ending", [".csv", ".edf"])
async def test_an_exported_session_can_be_imported_with_the_same_figures(tmp_path, capsys, ending):
    data = tmp_path / "data"
    first = await replayed(FIXTURES / GAPS, data, capsys)
    out = await to(tmp_path / f"session{ending}", 1, data)
    second = await replayed(out, data, capsys)
    assert list(second) == list(SessionFigures.__struct_fields__)
    for ours, theirs in zip(second["phases"], first["phases"], strict=True):
        for figure in ("phase", "beats", "accepted_pct"):
            assert ours[figure] == theirs[figure]
        for figure in ("mean_rr_ms", "rmssd_ms", "sdnn_ms", "pnn50_pct", "sd2_ms"):
            assert ours[figure] == (None if theirs[figure] is None else pytest.approx(theirs[figure], rel=1e-9))
    assert second["integrity"]["gaps"] == first["integrity"]["gaps"]


async def test_a_session_is_read_while_another_restbeat_holds_the_folder(tmp_path, capsys):
    data = tmp_path / "data"
    await replay_file(MINUTE, None, data, as_json=True)
    async with await SessionStore.open(data) as storage:
        running = await storage.create_session(NewSession(source="Polar H10"))
        await storage.flush()
        out = await to(tmp_path / "session.txt", 1, data)
        with pytest.raises(NoSuchSessionError, match="has not ended"):
            await to(tmp_path / "running.txt", running, data)
    assert len(out.read_text().splitlines()) == 63
    assert "from session 1" in capsys.readouterr().out


async def test_a_fit_file_becomes_a_session_with_the_phases_it_is_given(tmp_path, capsys):
    ride = tmp_path / "ride.fit"
    ride.write_bytes(activity_of(CLEAR))
    out = await to(tmp_path / "past.jsonl.gz", ride, tmp_path, minutes=(5, 10, 5))
    assert "does not say when packets arrived" in capsys.readouterr().err
    assert [(event.phase.value, event.t) for event in read(out).events if isinstance(event, PhaseStart)] == [
        ("baseline", 0.0),
        ("massage", 300.0),
        ("recovery", 900.0),
        ("ended", 1200.0),
    ]
    figures = await replayed(out, tmp_path / "data", capsys)
    whole = await replayed(FIXTURES / CLEAR, tmp_path / "data", capsys)
    for ours, theirs in zip(figures["phases"], whole["phases"], strict=True):
        assert ours["rmssd_ms"] == pytest.approx(theirs["rmssd_ms"], rel=0.03)
    assert [r["class"] for r in figures["responses"]] == [r["class"] for r in whole["responses"]]


async def test_a_session_that_was_imported_keeps_the_date_of_its_file(tmp_path, capsys):
    ride = tmp_path / "ride.fit"
    ride.write_bytes(activity_of(GAPS))
    await replay_file(ride, None, tmp_path / "data", as_json=True)
    out = await to(tmp_path / "session.fhir.json", 1, tmp_path / "data")
    starts = {
        entry["resource"]["effectivePeriod"]["start"]
        for entry in json.loads(out.read_text())["entry"]
        if "effectivePeriod" in entry["resource"]
    }
    assert starts == {"2026-03-01T10:00:00.000+00:00"}


async def test_an_unknown_date_is_reported(tmp_path, capsys):
    await to(tmp_path / "minute.omh.json", MINUTE, tmp_path)
    assert "1 January 1970" in capsys.readouterr().err


async def test_no_file_is_replaced_without_force(tmp_path):
    out = tmp_path / "there.csv"
    out.write_text("mine")
    with pytest.raises(OutputError, match="--force"):
        await to(out, MINUTE, tmp_path)
    assert out.read_text() == "mine"
    await to(out, MINUTE, tmp_path, force=True)
    assert out.read_text().startswith("end_s,rr_ms")


@pytest.mark.parametrize(
    ("source", "out", "minutes", "error", "words"),
    [
        ("nothing.fit", "x.csv", None, OutputError, "neither a file nor the number"),
        ("7", "x.csv", None, NoSuchSessionError, "holds no database"),
        (MINUTE, "x.docx", None, FormatError, "fhir.json"),
        (MINUTE, "x.jsonl", (5, 10, 5), FormatError, "has phases already"),
        (FIXTURES / "verity-sense_simulated_optical.jsonl.gz", "x.txt", None, FormatError, "heart rate only"),
        (MINUTE, "no/folder/x.csv", None, OutputError, "could not be written"),
    ],
)
async def test_impossible_conversions_are_refused_and_nothing_is_written(tmp_path, source, out, minutes, error, words):
    with pytest.raises(error, match=words):
        await to(tmp_path / out, source, tmp_path, minutes=minutes)
    assert list(tmp_path.iterdir()) == []


async def test_an_unknown_session_is_reported(tmp_path):
    await replay_file(MINUTE, None, tmp_path, as_json=True)
    with pytest.raises(NoSuchSessionError, match="no session 9"):
        await to(tmp_path / "x.csv", 9, tmp_path)


def test_the_command_line_converts_and_analyses_another_programs_file(tmp_path):
    def restbeat(*arguments):
        command = [sys.executable, "-m", "restbeat.web", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False, timeout=120)

    done = restbeat("convert", MINUTE, "minute.csv")
    assert (done.returncode, done.stdout.startswith("Wrote minute.csv: table of beats")) == (0, True), done.stderr
    figures = json.loads(restbeat("analyse", "minute.csv", "--json").stdout)
    assert figures["beats"] == 63
    Path(tmp_path / "bad.fit").write_bytes(b"\x0e\x10\x00\x00\x00\x00\x00\x00.FIT\x00\x00")
    done = restbeat("replay", "bad.fit", "--data", tmp_path / "data")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("restbeat: bad.fit")
    assert "Traceback" not in done.stderr
