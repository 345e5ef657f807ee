"""Salvage of a damaged database: what can be read is kept, what cannot is told, and the damaged file stays."""

from contextlib import closing
import json
import sqlite3
import subprocess
import sys

import msgspec
import pytest

from restbeat.service.backups.salvage import salvage_database
from restbeat.service.errors import ForeignDatabaseError
from restbeat.service.sessions.session_store import SessionStore
from restbeat.service.storage.database import DATABASE, open_database

from ..stored import EVENTS, HEADER, stored

SESSIONS = 60


@pytest.fixture
async def folder(tmp_path):
    data = tmp_path / "data"
    async with await SessionStore.open(data) as storage:
        for number in range(SESSIONS):
            await stored(storage, msgspec.structs.replace(HEADER, client=f"M-{number:03}"))
        await storage.flush()
    return data


def damage(folder, page):
    with (folder / DATABASE).open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 2000)


def root_of(folder, table):
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        return db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]


def leaf_of(folder, table):
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        query = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY pageno DESC LIMIT 1"
        return db.execute(query, (table,)).fetchone()[0]


def counts(file):
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        return tuple(
            db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("session", "packet", "mark", "client")
        )


async def test_a_sound_database_is_salvaged_whole_and_goes_on(folder, tmp_path):
    (tmp_path / "new").mkdir()
    salvaged = salvage_database(folder, tmp_path / "new" / DATABASE)
    assert (salvaged.lost_in, salvaged.orphans) == ([], 0)
    assert counts(tmp_path / "new" / DATABASE) == counts(folder / DATABASE)
    async with await SessionStore.open(tmp_path / "new") as storage:
        header, events = await storage.events(7)
        assert (header.client, events) == ("M-006", EVENTS)


@pytest.mark.parametrize("table", ["packet", "mark", "phase"])
async def test_one_damaged_page_costs_the_rows_on_it_alone(folder, tmp_path, table):
    before = counts(folder / DATABASE)
    damage(folder, leaf_of(folder, table))
    with pytest.raises(ForeignDatabaseError, match="restbeat salvage"):
        await SessionStore.open(folder)
    salvaged = salvage_database(folder, tmp_path / "new.db")
    assert salvaged.lost_in == [table]
    after = counts(tmp_path / "new.db")
    assert (after[0], after[3]) == (before[0], before[3])
    assert (0.1 * before[1] < after[1] < before[1]) if table == "packet" else after[1] == before[1]


async def test_a_table_lost_whole_takes_what_belongs_to_it_and_nothing_else(folder, tmp_path):
    before = counts(folder / DATABASE)
    damage(folder, root_of(folder, "mark"))
    salvaged = salvage_database(folder, tmp_path / "new.db")
    assert salvaged.lost_in == ["mark"]
    assert counts(tmp_path / "new.db") == (before[0], before[1], 0, before[3])


def test_the_command_tells_what_was_read_and_what_was_lost(folder, tmp_path):
    damage(folder, leaf_of(folder, "mark"))
    before = (folder / DATABASE).read_bytes()
    command = [sys.executable, "-m", "restbeat.web", "salvage", str(tmp_path / "new.db"), "--data", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{SESSIONS} sessions of {SESSIONS} clients" in done.stdout
    assert "Not all of it could be read: mark" in done.stdout
    assert f"restbeat restore {tmp_path / 'new.db'}" in done.stdout
    assert (folder / DATABASE).read_bytes() == before
    again = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=120, check=False)
    assert (again.returncode, "is there already" in again.stderr) == (1, True)
    forced = subprocess.run([*command, "--json", "--force"], capture_output=True, text=True, timeout=120, check=False)
    assert json.loads(forced.stdout)["lost_in"] == ["mark"]
    open_database(tmp_path, "new.db").close()
