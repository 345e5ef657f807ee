"""Sessions, their events and reports: stored, and read back exactly."""

from datetime import timedelta
import json
import subprocess
import sys

import msgspec
import pytest

from restbeat.analysis.figures import (
    PhaseFigures,
    ResponseFigures,
)
from restbeat.sensors.model import Device
from restbeat.sensors.recordings.recording import Header, Pain, dump
from restbeat.service.errors import (
    NoSuchSessionError,
)
from restbeat.service.sessions.session_store import SessionStore

from ..stored import EVENTS, HEADER, NOON, report, stored


@pytest.fixture
async def storage(tmp_path):
    async with await SessionStore.open(tmp_path, now_utc=lambda: NOON) as opened:
        yield opened


async def test_a_session_is_read_back_exactly_even_after_a_restart(tmp_path):
    async with await SessionStore.open(tmp_path) as storage:
        session = await stored(storage)
        header, events = await storage.events(session)
        assert (header, events) == (HEADER, EVENTS)
    async with await SessionStore.open(tmp_path) as storage:
        header, events = await storage.events(session)
    assert (header, events) == (HEADER, EVENTS)
    assert dump(header, events) == dump(HEADER, EVENTS)


async def test_events_of_two_rooms_do_not_mix(storage):
    first, second = await stored(storage), await stored(storage, Header(), EVENTS[:3])
    storage.append(first, Pain(10.0, 1))
    assert (await storage.events(first))[1] == [*EVENTS, Pain(10.0, 1)]
    assert await storage.events(second) == (Header(), EVENTS[:3])


async def test_the_list_shows_running_ended_and_interrupted_sessions(tmp_path):
    async with await SessionStore.open(tmp_path, now_utc=lambda: NOON) as storage:
        cut = await stored(storage)
    async with await SessionStore.open(tmp_path, now_utc=lambda: NOON + timedelta(hours=1)) as storage:
        ended, running = await stored(storage), await stored(storage, Header())
        await storage.end_session(ended, NOON + timedelta(hours=1, seconds=9), 9.5)
        rows = (await storage.sessions()).rows
    assert [(row.session, row.state) for row in rows] == [(running, "running"), (ended, "ended"), (cut, "interrupted")]
    assert rows[1].duration_s == 9.5
    assert rows[2].duration_s == 9.0
    assert rows[2].started_utc == "2026-03-01T12:00:00Z"
    assert (rows[2].client, rows[2].kind, rows[2].room, rows[2].source) == ("c-7", "rest", "room-1", "Polar H10")


async def test_an_interrupted_session_resumes_after_its_last_event(tmp_path):
    async with await SessionStore.open(tmp_path, now_utc=lambda: NOON) as storage:
        session = await stored(storage)
        assert await storage.interrupted() == []
    async with await SessionStore.open(tmp_path) as storage:
        (cut,) = await storage.interrupted()
        assert (cut.session, cut.last_s, cut.last_utc) == (session, 9.0, NOON + timedelta(seconds=9))
        assert cut.header.device.address == "00:11:22:33:44:55"
        with pytest.raises(NoSuchSessionError, match="not running"):
            storage.append(session, Pain(10.0, 1))
        assert await storage.resume(session) == cut
        storage.append(session, Pain(60.0, 1))
        assert await storage.interrupted() == []
        with pytest.raises(NoSuchSessionError, match="running already"):
            await storage.resume(session)
        assert (await storage.events(session))[1] == [*EVENTS, Pain(60.0, 1)]


async def test_an_interrupted_session_can_be_ended_where_it_was_cut_off(tmp_path):
    async with await SessionStore.open(tmp_path, now_utc=lambda: NOON) as storage:
        session = await stored(storage)
    async with await SessionStore.open(tmp_path) as storage:
        (cut,) = await storage.interrupted()
        await storage.end_session(session, cut.last_utc, cut.last_s)
        assert await storage.interrupted() == []
        with pytest.raises(NoSuchSessionError, match="has ended"):
            await storage.resume(session)


async def test_details_that_the_strap_sends_later_are_added(storage):
    session = await stored(storage, Header(device=Device(name="Polar H10", address="A")))
    await storage.set_device(session, Device(model="H10", battery_pct=80))
    assert (await storage.events(session))[0].device == Device(name="Polar H10", address="A", model="H10", battery_pct=80)
    with pytest.raises(NoSuchSessionError):
        await storage.set_device(99, Device(name="x"))


async def test_reports_of_an_older_algorithm_stay_beside_the_new_ones(tmp_path):
    now = NOON
    async with await SessionStore.open(tmp_path, now_utc=lambda: now) as storage:
        session = await stored(storage)
        assert await storage.report(session) is None
        await storage.put_report(session, "restbeat-1", report("restbeat-1", 40.0))
        await storage.put_report(session, "restbeat-1", report("restbeat-1", 41.5))
        now += timedelta(days=1)
        await storage.put_report(session, "restbeat-2", report("restbeat-2", 42.0))
        assert await storage.report(session) == report("restbeat-2", 42.0)
        assert await storage.report(session, "restbeat-1") == report("restbeat-1", 41.5)

        def views(db):
            return (
                db.execute("SELECT algorithm, phase, rmssd_ms, lf_ms2 FROM phase_hrv ORDER BY 1").fetchall(),
                db.execute("SELECT DISTINCT phase, class, why FROM response").fetchall(),
            )

        assert await storage._writer.call(views) == (
            [("restbeat-1", "baseline", 41.5, None), ("restbeat-2", "baseline", 42.0, None)],
            [("massage", "clear", "higher")],
        )


async def test_the_views_name_every_figure(storage):
    columns = await storage._writer.call(lambda db: {view.name: {c.name for c in view.columns} for view in db.views})
    assert set(json.loads(msgspec.json.encode(PhaseFigures(phase="", start_s=0, end_s=0, beats=0)))) <= columns["phase_hrv"]
    assert set(json.loads(msgspec.json.encode(ResponseFigures(phase="")))) <= columns["response"]


async def test_marks_and_pain_are_readable_in_one_view(storage):
    await stored(storage)
    rows = await storage._writer.call(lambda db: db.execute("SELECT kind, text FROM event ORDER BY seq").fetchall())
    assert rows == [
        ("link", "up"),
        ("phase", "baseline"),
        ("mark", "stroking größer 🙂"),
        ("mark", ""),
        ("pain", "4"),
        ("link", "lost"),
        ("phase", "ended"),
    ]


async def test_a_missing_session_gives_a_sentence(storage):
    for call in (storage.events(5), storage.resume(5), storage.end_session(5, NOON, 1.0), storage.put_report(5, "a", b"{}")):
        with pytest.raises(NoSuchSessionError, match="no session 5"):
            await call


def test_the_server_does_not_import_pandas():
    program = "import sys, restbeat.service.sessions.session_store; sys.exit('pandas' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
