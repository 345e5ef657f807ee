import asyncio
from datetime import UTC, datetime, timedelta
import gc
import json
from pathlib import Path
import signal
import sqlite3
import subprocess
import sys
import time

import msgspec
import pytest

from restbeat.analysis.figures import (
    Integrity,
    PhaseFigures,
    ResponseFigures,
    SessionFigures,
    SessionReport,
)
from restbeat.sensors.model import Device, Phase
from restbeat.sensors.recording import Fault, Header, Link, Mark, Packet, Pain, PhaseStart, dump
from restbeat.service.database import DATABASE
from restbeat.service.errors import (
    DiskFullError,
    FolderNotWritableError,
    FolderTakenError,
    ForeignDatabaseError,
    NewerDatabaseError,
    NoSuchSessionError,
    StorageError,
)
from restbeat.service.migrations import migrations
from restbeat.service.sqlite import Database
from restbeat.service.storage import NewSession, Storage

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

HEADER = Header(
    device=Device(name="Polar H10", address="00:11:22:33:44:55", firmware="5.0.0", battery_pct=0),
    client="c-7",
    kind="rest",
    source="made for a test",
    licence="CC0-1.0",
    extra={"truth": {"z": 1, "a": [0.1, None, "ü"]}, "seed": 3},
    device_extra={"colour": "black"},
)
EVENTS = [
    Link(0.0, up=True),
    Packet(0.912345678901234, "2a37", bytes.fromhex("1648c003")),
    PhaseStart(1.0, Phase.BASELINE),
    Packet(1.0, "2a19", b"\x64"),
    Packet(1.0, "2a37", b""),
    Mark(1.0, technique="stroking", note="größer 🙂"),
    Mark(2.5),
    Pain(2.5, 4),
    Fault(2.5, "drop", 9.0, 3, "ü"),
    Link(3.0, up=False),
    Packet(1 / 3 + 3, "fb005c82-02e7-f387-1cad-8acd2d8df0c8", bytes(range(256))),
    PhaseStart(9.0, Phase.ENDED),
]


@pytest.fixture
async def storage(tmp_path):
    async with await Storage.open(tmp_path, now_utc=lambda: NOON) as opened:
        yield opened


async def stored(storage: Storage, header: Header = HEADER, events=EVENTS) -> int:
    session = await storage.create_session(NewSession(header=header, source="Polar H10", room="room-1"))
    for event in events:
        storage.append(session, event)
    return session


def report(algorithm: str, rmssd_ms: float) -> bytes:
    figures = SessionFigures(
        recording="x",
        device={},
        phases=[PhaseFigures(phase="baseline", start_s=0, end_s=300, beats=320, rmssd_ms=rmssd_ms)],
        responses=[ResponseFigures(phase="massage", delta_ln_rmssd=0.2, half_width=0.1, class_="clear", why="higher")],
        integrity=Integrity(),
        algorithm=algorithm,
    )
    return msgspec.json.encode(
        SessionReport(figures=figures, segments=[], reasons={}, notes=[], pain=[], duration_s=9.0, hrv=True)
    )


async def test_a_session_comes_back_bit_for_bit_also_after_a_restart(tmp_path):
    async with await Storage.open(tmp_path) as storage:
        session = await stored(storage)
        header, events = await storage.events(session)
        assert (header, events) == (HEADER, EVENTS)
    async with await Storage.open(tmp_path) as storage:
        header, events = await storage.events(session)
    assert (header, events) == (HEADER, EVENTS)
    assert dump(header, events) == dump(HEADER, EVENTS)


async def test_events_of_two_rooms_do_not_mix(storage):
    first, second = await stored(storage), await stored(storage, Header(), EVENTS[:3])
    storage.append(first, Pain(10.0, 1))
    assert (await storage.events(first))[1] == [*EVENTS, Pain(10.0, 1)]
    assert await storage.events(second) == (Header(), EVENTS[:3])


async def test_rows_reach_the_disk_by_themselves_within_the_batch_time(tmp_path):
    async with await Storage.open(tmp_path, batch_s=0.05) as storage:
        await stored(storage)
        with sqlite3.connect(tmp_path / DATABASE) as other:
            async with asyncio.timeout(5):
                while other.execute("SELECT count(*) FROM packet").fetchone()[0] < 4:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        other.close()


async def test_the_database_runs_in_wal_with_every_commit_on_the_disk(storage):
    def pragmas(db):
        return [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")]

    assert await storage._writer.call(pragmas) == ["wal", 2, 1]


async def test_the_list_tells_running_ended_and_interrupted(tmp_path):
    async with await Storage.open(tmp_path, now_utc=lambda: NOON) as storage:
        cut = await stored(storage)
    async with await Storage.open(tmp_path, now_utc=lambda: NOON + timedelta(hours=1)) as storage:
        ended, running = await stored(storage), await stored(storage, Header())
        await storage.end_session(ended, NOON + timedelta(hours=1, seconds=9), 9.5)
        rows = await storage.sessions()
    assert [(row.session, row.state) for row in rows] == [(running, "running"), (ended, "ended"), (cut, "interrupted")]
    assert rows[1].duration_s == 9.5
    assert rows[2].duration_s == 9.0
    assert rows[2].started_utc == "2026-03-01T12:00:00Z"
    assert (rows[2].client, rows[2].kind, rows[2].room, rows[2].source) == ("c-7", "rest", "room-1", "Polar H10")


async def test_an_interrupted_session_is_taken_up_behind_its_last_event(tmp_path):
    async with await Storage.open(tmp_path, now_utc=lambda: NOON) as storage:
        session = await stored(storage)
        assert await storage.interrupted() == []
    async with await Storage.open(tmp_path) as storage:
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
    async with await Storage.open(tmp_path, now_utc=lambda: NOON) as storage:
        session = await stored(storage)
    async with await Storage.open(tmp_path) as storage:
        (cut,) = await storage.interrupted()
        await storage.end_session(session, cut.last_utc, cut.last_s)
        assert await storage.interrupted() == []
        with pytest.raises(NoSuchSessionError, match="has ended"):
            await storage.resume(session)


async def test_the_strap_fills_in_what_it_says_later(storage):
    session = await stored(storage, Header(device=Device(name="Polar H10", address="A")))
    await storage.set_device(session, Device(model="H10", battery_pct=80))
    assert (await storage.events(session))[0].device == Device(name="Polar H10", address="A", model="H10", battery_pct=80)
    with pytest.raises(NoSuchSessionError):
        await storage.set_device(99, Device(name="x"))


async def test_figures_of_an_older_algorithm_stay_beside_the_new_ones(tmp_path):
    now = NOON
    async with await Storage.open(tmp_path, now_utc=lambda: now) as storage:
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


async def test_marks_and_pain_read_well_in_one_view(storage):
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


async def test_a_full_disk_loses_nothing_and_says_so_until_there_is_room(tmp_path, caplog):
    async with await Storage.open(tmp_path, batch_s=0.02) as storage:
        session = await storage.create_session(NewSession(source="x"))

        def cap(pages):
            return lambda db: db.execute(f"PRAGMA max_page_count = {pages}").fetchone()[0]

        used = await storage._writer.call(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
        await storage._writer.call(cap(used))
        events = [Packet(float(i), "2a37", bytes(500)) for i in range(100)]
        for event in events[:60]:
            storage.append(session, event)
        with pytest.raises(StorageError, match=r"disk .* is full.*60 entries wait in memory"):
            await storage.flush()
        assert "leave restbeat running" in storage.trouble
        assert "Rows wait in memory" in caplog.text
        with pytest.raises(DiskFullError, match="free some space"):
            await storage.put_report(session, "restbeat-1", b'"' + b"x" * 9999 + b'"')
        with pytest.raises(StorageError, match="is full"):
            await storage.end_session(session, NOON, 100.0)
        for event in events[60:]:
            storage.append(session, event)
        await storage._writer.call(cap(100_000))
        await storage.flush()
        assert storage.trouble is None
        assert (await storage.events(session))[1] == events


async def test_closing_on_a_full_disk_tells_how_much_is_gone(tmp_path):
    storage = await Storage.open(tmp_path)
    session = await storage.create_session(NewSession(source="x"))
    await storage._writer.call(lambda db: db.execute("PRAGMA max_page_count = 1").fetchone())
    for i in range(60):
        storage.append(session, Packet(float(i), "2a37", bytes(500)))
    with pytest.raises(StorageError, match="60 entries could not be stored"):
        await storage.close()
    with pytest.raises(StorageError, match="closed"):
        storage.append(session, Pain(60.0, 1))
    with pytest.raises(StorageError, match="closed"):
        await storage.sessions()


async def test_an_odd_row_does_not_hold_up_the_others(storage, caplog):
    session = await storage.create_session(NewSession(source="x"))
    for event in [Pain(1.0, 3), Pain(2.0, 2**70), Pain(3.0, 11), Mark(4.0, note="\ud800"), Pain(5.0, 4)]:
        storage.append(session, event)
    assert (await storage.events(session))[1] == [Pain(1.0, 3), Pain(5.0, 4)]
    assert storage.trouble == "3 odd entries could not be stored; all others are."
    assert caplog.text.count("A row was refused") == 3


async def test_a_cancelled_caller_neither_loses_nor_doubles_a_row(storage):
    session = await stored(storage)
    flush = asyncio.create_task(storage.flush())
    await asyncio.sleep(0)
    flush.cancel()
    assert (await storage.events(session))[1] == EVENTS


async def test_appending_does_not_wait_for_a_busy_disk(storage):
    session = await storage.create_session(NewSession(source="x"))
    slow = asyncio.create_task(storage._writer.call(lambda _db: time.sleep(0.5)))
    await asyncio.sleep(0.02)
    start = time.perf_counter()
    for event in EVENTS * 100:
        storage.append(session, event)
    assert time.perf_counter() - start < 0.25
    assert not slow.done()
    await slow


async def test_two_hundred_rows_a_commit_stay_far_below_a_second(tmp_path, record_property):
    async with await Storage.open(tmp_path) as storage:
        session = await storage.create_session(NewSession(source="x"))
        took_ms = []
        for batch in range(100):
            for i in range(200):
                storage.append(session, Packet(batch + i / 200, "2a37", bytes(8)))
            start = time.perf_counter()
            await storage.flush()
            took_ms.append(1000 * (time.perf_counter() - start))
    p50, p99 = sorted(took_ms)[50], sorted(took_ms)[99 - 1]
    record_property("commit_p50_ms", round(p50, 2))
    record_property("commit_p99_ms", round(p99, 2))
    assert p99 < 500


WRITES_UNTIL_KILLED = """
import asyncio, sys, time
from pathlib import Path
from restbeat.sensors.recording import Packet
from restbeat.service.storage import NewSession, Storage

async def main():
    storage = await Storage.open(Path(sys.argv[1]))
    session = await storage.create_session(NewSession(source="strap", room="room-1"))
    start = time.time()
    for i in range(100_000):
        storage.append(session, Packet(time.time() - start, "2a37", i.to_bytes(4, "little")))
        print(i, time.time(), flush=True)
        await asyncio.sleep(0.01)

asyncio.run(main())
"""


def writing_child(folder):
    command = [sys.executable, "-c", WRITES_UNTIL_KILLED, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


async def test_a_killed_process_has_everything_up_to_its_last_second(tmp_path):
    child = writing_child(tmp_path)
    with child:
        lines = [child.stdout.readline() for _ in range(150)]
        child.send_signal(signal.SIGKILL)
        killed = time.time()
        lines += child.stdout.readlines()
    appended = [(int(number), float(at)) for number, at in (line.split() for line in lines)]
    must_be_there = [number for number, at in appended if at < killed - 1.0]
    assert len(must_be_there) > 20
    async with await Storage.open(tmp_path) as storage:
        (cut,) = await storage.interrupted()
        _, events = await storage.events(cut.session)
        numbers = [int.from_bytes(event.payload, "little") for event in events]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) >= len(must_be_there)
        assert cut.last_s == events[-1].t
        await storage.resume(cut.session)
        storage.append(cut.session, Link(cut.last_s + 5, up=False))
        assert len((await storage.events(cut.session))[1]) == len(numbers) + 1


async def test_a_second_process_on_the_folder_is_told_so(tmp_path):
    child = writing_child(tmp_path)
    with child:
        child.stdout.readline()
        with pytest.raises(FolderTakenError, match=r"Another running restbeat uses .* --data"):
            await Storage.open(tmp_path)
        child.kill()
    async with await Storage.open(tmp_path) as storage:
        with pytest.raises(FolderTakenError):
            await Storage.open(tmp_path)
        assert len(await storage.interrupted()) == 1


async def test_a_folder_that_cannot_be_made_gives_a_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "data"):
        with pytest.raises(FolderNotWritableError, match=r"cannot be written .* --data"):
            await Storage.open(folder)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is read-only to everybody, root too")
async def test_a_read_only_folder_gives_a_sentence():
    with pytest.raises(FolderNotWritableError, match=r"/proc cannot be written .* --data"):
        await Storage.open(Path("/proc"))


@pytest.mark.parametrize("content", [b"these are notes, not a database" * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
async def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path, content):
    (tmp_path / DATABASE).write_bytes(content)
    with pytest.raises(ForeignDatabaseError, match="left as it is"):
        await Storage.open(tmp_path)
    assert (tmp_path / DATABASE).read_bytes() == content


async def test_another_programs_database_is_left_as_it_is(tmp_path):
    db = Database(tmp_path / DATABASE)
    db.table("photo").insert({"id": 1})
    db.close()
    before = (tmp_path / DATABASE).read_bytes()
    with pytest.raises(ForeignDatabaseError, match="another program"):
        await Storage.open(tmp_path)
    assert (tmp_path / DATABASE).read_bytes() == before


async def test_a_newer_database_is_refused_and_left_as_it_is(tmp_path):
    await (await Storage.open(tmp_path)).close()
    db = Database(tmp_path / DATABASE)
    db.table(migrations.migrations_table).insert({"migration_set": "restbeat", "name": "m999_telepathy", "applied_at": "2030"})
    db.close()
    before = (tmp_path / DATABASE).read_bytes()
    with pytest.raises(NewerDatabaseError, match=r"later restbeat .*m999_telepathy.* update restbeat"):
        await Storage.open(tmp_path)
    assert (tmp_path / DATABASE).read_bytes() == before


async def test_an_older_database_is_brought_up_to_date_with_its_sessions(tmp_path):
    db = Database(tmp_path / DATABASE)
    migrations.apply(db, stop_before="m002_reports")
    db.table("session").insert({"kind": "rest", "started_utc": "2026-01-01T00:00:00.000Z", "source": "strap"})
    assert "report" not in db.table_names()
    db.close()
    async with await Storage.open(tmp_path) as storage:
        (row,) = await storage.sessions()
        await storage.put_report(row.session, "restbeat-1", report("restbeat-1", 40.0))
        assert await storage.report(row.session) == report("restbeat-1", 40.0)


async def test_a_database_that_was_cut_off_before_its_first_step_is_finished(tmp_path):
    db = Database(tmp_path / DATABASE)
    migrations.ensure_migrations_table(db)
    db.close()
    async with await Storage.open(tmp_path) as storage:
        assert await storage.sessions() == []


async def test_a_missing_session_gives_a_sentence(storage):
    for call in (storage.events(5), storage.resume(5), storage.end_session(5, NOON, 1.0), storage.put_report(5, "a", b"{}")):
        with pytest.raises(NoSuchSessionError, match="no session 5"):
            await call


async def test_giving_up_while_opening_lets_go_of_the_folder(tmp_path, caplog):
    gc.collect()  # what other tests left is none of ours
    caplog.clear()
    opening = asyncio.create_task(Storage.open(tmp_path))
    await asyncio.sleep(0)
    opening.cancel()
    async with asyncio.timeout(5):
        while True:
            try:
                storage = await Storage.open(tmp_path)
                break
            except FolderTakenError:
                await asyncio.sleep(0.01)
    await storage.close()
    del opening, storage
    gc.collect()
    assert "never retrieved" not in caplog.text


def test_the_server_does_not_pay_for_pandas():
    program = "import sys, restbeat.service.storage; sys.exit('pandas' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
