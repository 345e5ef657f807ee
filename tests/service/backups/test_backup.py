"""Backups of a database that is being written: of one moment, complete, and restored exactly."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
import subprocess
import sys
import time

import pytest

from restbeat.sensors.recordings.recording import Header, Packet
from restbeat.service.backups.backup import holds_client, take_backup, verify
from restbeat.service.backups.backup_catalogue import CATALOGUE, BackupEntry, add_backup, delete_expired, listed_backups
from restbeat.service.errors import ForeignDatabaseError, OutputError, ServiceError
from restbeat.service.sessions.session_store import NewSession, SessionStore
from restbeat.service.storage.database import DATABASE, open_readonly

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ROOMS = 30


def restbeat(*arguments, expected=0):
    done = subprocess.run(
        [sys.executable, "-m", "restbeat.web", *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == expected, done.stderr
    return done


async def filled(folder, packets=200, client="M-014"):
    async with await SessionStore.open(folder) as storage:
        session = await storage.create_session(NewSession(header=Header(client=client), source="H10"))
        for n in range(packets):
            storage.append(session, Packet(float(n), "2a37", bytes(20)))
        await storage.end_session(session, NOW, float(packets))


def newest_s(file):
    with closing(open_readonly(file.parent) if file.name == DATABASE else opened(file)) as db:
        return db.execute("SELECT max(t_s) FROM packet").fetchone()[0] or 0.0


def opened(file):
    import sqlite3

    return sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)


@pytest.mark.alone
async def test_a_backup_each_second_of_thirty_rooms_is_complete_and_at_most_two_seconds_old(tmp_path):
    behind, counted = [], []
    async with await SessionStore.open(tmp_path / "data") as storage:
        sessions = [await storage.create_session(NewSession(header=Header(), source="H10")) for _ in range(ROOMS)]
        start = time.monotonic()

        async def record():
            while True:
                now_s = time.monotonic() - start
                for session in sessions:
                    storage.append(session, Packet(now_s, "2a37", bytes.fromhex("1040ec03")))
                await asyncio.sleep(0.1)

        recording = asyncio.create_task(record())
        for n in range(5):
            await asyncio.sleep(1.0)
            asked_s = time.monotonic() - start
            file = tmp_path / f"{n}.db"
            backup = await asyncio.to_thread(take_backup, tmp_path / "data", file)
            behind.append(asked_s - newest_s(file))
            counted.append(backup.counts.packets)
        recording.cancel()
    assert max(behind) < 2.0
    assert counted == sorted(counted)
    assert counted[0] > 0
    assert not list(tmp_path.glob(".*"))


async def test_a_backup_is_of_one_moment_even_if_rows_are_written_between_its_steps(tmp_path, monkeypatch):
    monkeypatch.setattr("restbeat.service.backups.backup._STEP_PAGES", 20)
    data = tmp_path / "data"
    await filled(data, packets=6_000)
    steps = []
    async with await SessionStore.open(data) as storage:
        session = await storage.create_session(NewSession(source="H10"))
        loop = asyncio.get_running_loop()

        async def write():
            storage.append(session, Packet(1.0, "2a37", bytes(20)))
            await storage.flush()

        def step(done, whole):
            steps.append((done, whole))
            asyncio.run_coroutine_threadsafe(write(), loop).result(20)

        backup = await asyncio.to_thread(take_backup, data, tmp_path / "out.db", step)
    assert len(steps) > 1
    assert len({whole for _, whole in steps}) == 1
    assert backup.counts.packets == 6_000


async def test_a_backup_is_restored_and_the_database_before_is_kept_aside(tmp_path):
    data, out = tmp_path / "data", tmp_path / "out.db"
    await filled(data, client="M-014")
    made = json.loads(restbeat("backup", out, "--data", data, "--json").stdout)
    assert made["backup"]["counts"] == {"sessions": 1, "packets": 200, "clients": 1, "reports": 0}
    await filled(data, client="M-015")
    told = restbeat("restore", out, "--data", data, "--yes").stdout
    assert f"{data} now holds 1 session of 1 client." in told
    rows = json.loads(restbeat("clients", "--data", data, "--json").stdout)
    assert [(row["client"], row["sessions"]) for row in rows] == [("M-014", 1)]
    (aside,) = (kept.file for kept in listed_backups(data) if "before" in kept.file)
    assert verify(type(out)(aside)).counts.sessions == 2
    assert [holds_client(type(out)(aside), client) for client in ("M-014", "M-015", "M-016")] == [True, True, False]
    assert "M-014" in restbeat("clients", "--data", data).stdout


@pytest.mark.parametrize("damage", ["in the middle", "whole"])
async def test_an_unreadable_database_is_kept_aside_unchanged_and_the_backup_takes_its_place(tmp_path, damage):
    data, out = tmp_path / "data", tmp_path / "out.db"
    await filled(data, client="M-014", packets=3000)
    restbeat("backup", out, "--data", data)
    spoilt = bytearray((data / DATABASE).read_bytes())
    spoilt[20_000 if damage == "in the middle" else 0 : 60_000] = b"\xff" * 40_000
    (data / DATABASE).write_bytes(spoilt)
    (data / f"{DATABASE}-wal").write_bytes(b"the log beside it")
    told = json.loads(restbeat("restore", out, "--data", data, "--yes", "--json").stdout)
    assert (told["damaged"], told["holds"]["sessions"]) == (True, 1)
    aside = data / Path(told["before"]).name
    assert aside.read_bytes() == bytes(spoilt)
    assert aside.with_name(f"{aside.name}-wal").read_bytes() == b"the log beside it"
    assert [row["client"] for row in json.loads(restbeat("clients", "--data", data, "--json").stdout)] == ["M-014"]
    assert str(aside) in json.dumps(json.loads(restbeat("erase", "M-014", "--data", data, "--yes", "--json").stdout)["backups"])
    delete_expired(data, NOW + timedelta(days=36_500))
    assert [path.name for path in data.iterdir() if "before" in path.name] == []


@pytest.mark.parametrize("command", [("erase", "M-1", "--yes"), ("export", "M-1", "out.zip"), ("clients",), ("backup", "out.db")])
def test_a_command_reports_a_folder_without_a_database_and_makes_none(tmp_path, command):
    done = restbeat(*command, "--data", tmp_path / "nowhere", expected=1)
    assert "There is no database in" in done.stderr
    assert not (tmp_path / "nowhere").exists()


async def test_no_backup_is_restored_while_restbeat_runs(tmp_path):
    data, out = tmp_path / "data", tmp_path / "out.db"
    await filled(data)
    restbeat("backup", out, "--data", data)
    async with await SessionStore.open(data):
        done = await asyncio.to_thread(restbeat, "restore", out, "--data", data, "--yes", expected=1)
    assert "Another running restbeat uses the data folder" in done.stderr


async def test_a_backup_replaces_a_file_only_after_confirmation(tmp_path):
    data, out = tmp_path / "data", tmp_path / "out.db"
    await filled(data)
    out.write_text("holiday pictures")
    assert "was left as it is" in restbeat("backup", out, "--data", data, expected=1).stderr
    assert out.read_text() == "holiday pictures"
    restbeat("backup", out, "--data", data, "--force")
    assert verify(out).counts.sessions == 1


@pytest.mark.parametrize("damage", [b"", b"no database at all", None])
async def test_an_incomplete_backup_is_refused_before_anything_is_changed(tmp_path, damage):
    data, out = tmp_path / "data", tmp_path / "out.db"
    await filled(data, packets=3000)
    if damage is None:
        take_backup(data, out)
        whole = bytearray(out.read_bytes())
        whole[20_000:60_000] = bytes(40_000)
        out.write_bytes(whole)
    else:
        out.write_bytes(damage)
    before = (data / DATABASE).read_bytes()
    done = restbeat("restore", out, "--data", data, "--yes", expected=1)
    assert "Traceback" not in done.stderr
    assert (data / DATABASE).read_bytes() == before
    with pytest.raises(ServiceError):
        verify(out)


def test_a_folder_without_a_database_cannot_be_backed_up(tmp_path):
    with pytest.raises(ForeignDatabaseError, match="no database in"):
        take_backup(tmp_path, tmp_path / "out.db")


async def test_a_path_that_cannot_be_written_is_reported(tmp_path):
    await filled(tmp_path / "data")
    with pytest.raises(OutputError, match=r"could not be written|cannot be written"):
        take_backup(tmp_path / "data", tmp_path / "nowhere" / "out.db")


def test_the_catalogue_drops_missing_backups_and_deletes_expired_ones(tmp_path):
    files = [tmp_path / name for name in ("old.db", "new.db", "lost.db")]
    for n, file in enumerate(files):
        file.touch()
        add_backup(tmp_path, BackupEntry(str(file), NOW + timedelta(days=n), NOW + timedelta(days=n + 90)))
    files[2].unlink()
    with (tmp_path / CATALOGUE).open("a") as lines:
        lines.write("not json\n")
    assert [kept.file for kept in listed_backups(tmp_path)] == [str(files[0]), str(files[1])]
    gone = delete_expired(tmp_path, NOW + timedelta(days=90))
    assert [kept.file for kept in gone] == [str(files[0])]
    assert [kept.file for kept in listed_backups(tmp_path)] == [str(files[1])]
    assert not files[0].exists()
