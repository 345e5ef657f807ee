"""The whole archive computed anew: the same figures, beside the old ones, resumable."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from restbeat.analysis.beats.beat_stream import judge
from restbeat.analysis.figures import ALGORITHM, SessionReport
from restbeat.analysis.golden_figures import differences
from restbeat.analysis.session_report import summarise
from restbeat.analysis.simulation.scenarios import simulate
from restbeat.sensors.recordings.recording import Header, read
from restbeat.service.commands import reanalyse
from restbeat.service.commands.reanalyse import reanalyse_folder
from restbeat.service.errors import DifferenceError
from restbeat.service.sessions.session_store import NewSession, SessionStore
from restbeat.service.storage.database import open_readonly

FIXTURES = sorted((Path(__file__).parents[3] / "fixtures").glob("*simulated*.jsonl*"))


@pytest.fixture
async def data(tmp_path):
    async with await SessionStore.open(tmp_path) as storage:
        for path in FIXTURES:
            recording = read(path)
            session = await storage.create_session(NewSession(header=recording.header, source=path.name))
            for event in recording.events:
                storage.append(session, event)
            await storage.end_session(session, datetime.now(UTC), recording.events[-1].t)
            await storage.put_report(session, "restbeat-0", b'{"old": true}')
    return tmp_path


async def test_every_session_is_recomputed_as_it_was_computed_live(data, capsys):
    await reanalyse_folder(data, 2, again=False)
    assert f"{len(FIXTURES)} sessions computed anew" in capsys.readouterr().out
    async with await SessionStore.open(data) as storage:
        for session, path in enumerate(FIXTURES, 1):
            recording = read(path)
            anew = msgspec.json.decode(await storage.report(session, ALGORITHM), type=SessionReport)
            live = summarise(path.name, recording.header, recording.events, end_s=recording.events[-1].t)
            assert differences(live.figures, anew.figures) == []
            assert (anew.segments, anew.stream, anew.intervals) == (live.segments, live.stream, live.intervals)
            assert await storage.report(session, "restbeat-0") == b'{"old": true}'
    await reanalyse_folder(data, 2, again=False)
    assert "already" in capsys.readouterr().out


async def test_an_interrupted_run_continues_where_it_stopped(data, capsys):
    async with await SessionStore.open(data) as storage:
        await storage.put_report(1, ALGORITHM, b"{}")
    await reanalyse_folder(data, 1, again=False)
    assert f"{len(FIXTURES) - 1} sessions computed anew" in capsys.readouterr().out


def test_a_sample_is_computed_by_neurokit2_and_beat_by_beat_as_well(data):
    db = open_readonly(data)
    assert reanalyse.recomputed(db, 1, sampled=True).differences == []
    assert reanalyse.recomputed(db, 2, sampled=False).differences is None
    told = [
        msgspec.json.decode(reanalyse.recomputed(db, 1, sampled=sampled).report, type=SessionReport) for sampled in (True, False)
    ]
    assert [report.parity.compared > 0 for report in told] == [True, False]
    db.close()


def test_a_difference_from_neurokit2_is_an_error_that_names_it(data, monkeypatch):
    from restbeat.analysis.hrv import time_domain

    honest = time_domain.numpy_time_domain
    monkeypatch.setattr(time_domain, "numpy_time_domain", lambda runs: _off(honest(runs)))
    db = open_readonly(data)
    assert any("rmssd_ms" in text for text in reanalyse.recomputed(db, 1, sampled=True).differences)
    db.close()


def test_a_beat_that_the_live_engine_judges_differently_is_an_error_that_names_it(data, monkeypatch):
    monkeypatch.setattr(reanalyse, "judge", lambda *given: judge(*given)[:-1])
    db = open_readonly(data)
    assert reanalyse.recomputed(db, 1, sampled=True).differences[0].startswith("beat ")
    db.close()


def _off(figures):
    return replace(figures, rmssd_ms=figures.rmssd_ms and figures.rmssd_ms * (1 + 1e-6))


async def test_a_difference_ends_the_command_with_an_error(data, monkeypatch):
    async def one_differs(storage, data, sessions, jobs, err):
        return 1, ["session 1 massage.rmssd_ms 40.1 against 40.0"]

    monkeypatch.setattr(reanalyse, "_all", one_differs)
    with pytest.raises(DifferenceError, match=r"massage\.rmssd_ms"):
        await reanalyse_folder(data, 1, again=False)


async def test_a_massage_is_compared_with_the_clients_rests_whether_recomputed_yet_or_not(tmp_path):
    async with await SessionStore.open(tmp_path) as storage:
        for seed, kind in enumerate(("rest", "rest", "rest", "massage"), 1):
            _, events = simulate("none", seed=seed, minutes=(5, 5, 1))
            session = await storage.create_session(NewSession(header=Header(client="M-014", kind=kind), source="x"))
            for event in events:
                storage.append(session, event)
            await storage.end_session(session, datetime.now(UTC), events[-1].t)
        db = open_readonly(tmp_path)
        before = msgspec.json.decode(reanalyse.recomputed(db, 4).report, type=SessionReport)
        db.close()
        await storage.put_reports(ALGORITHM, [(rest, b"{}") for rest in (1, 2)])  # of an earlier shape
        await reanalyse_all(storage, tmp_path)
        after = msgspec.json.decode(await storage.report(4, ALGORITHM), type=SessionReport)
        assert len(await storage.earlier_rests(4)) == 1
    assert before.context["massage"].usual_rests == 3
    assert after.context == before.context


async def reanalyse_all(storage, data):
    from rich.console import Console

    await reanalyse._all(storage, data, await storage.without_report(ALGORITHM), 2, Console(quiet=True))
