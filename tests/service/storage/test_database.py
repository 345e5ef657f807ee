"""The data folder and its database: locked by one process, migrated, left unchanged where they are another program's."""

import asyncio
from contextlib import closing
from functools import partial
import gc
from pathlib import Path
import stat
import sys

import pytest

from restbeat.service.errors import (
    FolderNotWritableError,
    FolderTakenError,
    ForeignDatabaseError,
    NewerDatabaseError,
)
from restbeat.service.sessions.session_store import SessionStore
from restbeat.service.sessions.soap_notes import visit_of
from restbeat.service.storage.database import DATABASE, read_alongside, take_folder
from restbeat.service.storage.migrations import migrations
from restbeat.service.storage.sqlite import Database

from ..stored import NOON, report, writing_child


@pytest.fixture
async def storage(tmp_path):
    async with await SessionStore.open(tmp_path, now_utc=lambda: NOON) as opened:
        yield opened


async def test_the_database_runs_in_wal_with_every_commit_on_the_disk(storage):
    def pragmas(db):
        return [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")]

    assert await storage._writer.call(pragmas) == ["wal", 2, 1]


async def test_a_new_data_folder_is_closed_to_other_users(tmp_path):
    async with await SessionStore.open(tmp_path / "practice" / "data"):
        pass
    assert stat.S_IMODE((tmp_path / "practice" / "data").stat().st_mode) == 0o700


async def test_a_second_process_on_the_folder_is_refused(tmp_path):
    child = writing_child(tmp_path)
    with child:
        child.stdout.readline()
        with pytest.raises(FolderTakenError, match=r"Another running restbeat uses .* --data"):
            await SessionStore.open(tmp_path)
        child.kill()
    async with await SessionStore.open(tmp_path) as storage:
        with pytest.raises(FolderTakenError):
            await SessionStore.open(tmp_path)
        assert len(await storage.interrupted()) == 1


async def test_a_folder_that_cannot_be_made_gives_a_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for folder in (tmp_path / "file", tmp_path / "file" / "data"):
        with pytest.raises(FolderNotWritableError, match=r"cannot be written .* --data"):
            await SessionStore.open(folder)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is read-only to everybody, root too")
async def test_a_read_only_folder_gives_a_sentence():
    with pytest.raises(FolderNotWritableError, match=r"/proc cannot be written .* --data"):
        await SessionStore.open(Path("/proc"))


@pytest.mark.parametrize("content", [b"these are notes, not a database" * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
async def test_a_file_that_is_no_database_is_left_unchanged(tmp_path, content):
    (tmp_path / DATABASE).write_bytes(content)
    with pytest.raises(ForeignDatabaseError, match="left as it is"):
        await SessionStore.open(tmp_path)
    assert (tmp_path / DATABASE).read_bytes() == content


async def test_another_programs_database_is_left_unchanged(tmp_path):
    db = Database(tmp_path / DATABASE)
    db.table("photo").insert({"id": 1})
    db.close()
    before = (tmp_path / DATABASE).read_bytes()
    with pytest.raises(ForeignDatabaseError, match="another program"):
        await SessionStore.open(tmp_path)
    assert (tmp_path / DATABASE).read_bytes() == before


async def test_a_newer_database_is_refused_and_left_unchanged(tmp_path):
    await (await SessionStore.open(tmp_path)).close()
    db = Database(tmp_path / DATABASE)
    db.table(migrations.migrations_table).insert({"migration_set": "restbeat", "name": "m999_telepathy", "applied_at": "2030"})
    db.close()
    before = (tmp_path / DATABASE).read_bytes()
    with pytest.raises(NewerDatabaseError, match=r"later restbeat .*m999_telepathy.* update restbeat"):
        await SessionStore.open(tmp_path)
    assert (tmp_path / DATABASE).read_bytes() == before


async def test_an_older_database_is_migrated_with_its_sessions(tmp_path):
    db = Database(tmp_path / DATABASE)
    migrations.apply(db, stop_before="m002_reports")
    db.table("session").insert({"kind": "rest", "started_utc": "2026-01-01T00:00:00.000Z", "source": "strap"})
    assert "report" not in db.table_names()
    db.close()
    async with await SessionStore.open(tmp_path) as storage:
        (row,) = (await storage.sessions()).rows
        await storage.put_report(row.session, "restbeat-1", report("restbeat-1", 40.0))
        assert await storage.report(row.session) == report("restbeat-1", 40.0)


async def test_a_database_without_its_first_migration_is_completed(tmp_path):
    db = Database(tmp_path / DATABASE)
    migrations.ensure_migrations_table(db)
    db.close()
    async with await SessionStore.open(tmp_path) as storage:
        assert (await storage.sessions()).rows == []


async def test_cancelling_the_opening_releases_the_folder(tmp_path, caplog):
    gc.collect()  # what other tests left is none of ours
    caplog.clear()
    opening = asyncio.create_task(SessionStore.open(tmp_path))
    await asyncio.sleep(0)
    opening.cancel()
    async with asyncio.timeout(5):
        while True:
            try:
                storage = await SessionStore.open(tmp_path)
                break
            except FolderTakenError:
                await asyncio.sleep(0.01)
    await storage.close()
    del opening, storage
    gc.collect()
    assert "never retrieved" not in caplog.text


async def test_a_stop_in_an_older_database_becomes_a_kind_of_mark(tmp_path):
    db = Database(tmp_path / DATABASE)
    migrations.apply(db, stop_before="m010_mark_kind")
    db.table("session").insert({"kind": "massage", "started_utc": "2026-01-01T00:00:00.000Z", "source": "strap"})
    for seq, note in enumerate(("Pain increased – stopped", "talking")):
        db.table("mark").insert({"session": 1, "seq": seq, "t_s": 60.0 + seq, "note": note})
    db.close()
    async with await SessionStore.open(tmp_path) as storage:
        _, events = await storage.events(1)
    assert [(event.note, event.kind) for event in events] == [("Pain increased – stopped", "stop"), ("talking", None)]


async def test_a_screening_that_nobody_pressed_is_not_confirmed_in_an_older_database(tmp_path):
    """An older page sent a no for every question that nobody had touched; a yes had to be confirmed."""
    db = Database(tmp_path / DATABASE)
    migrations.apply(db, stop_before="m011_screening_confirmed")
    for session, answers in ((1, {"Fracture": "no", "Open skin": "no"}), (2, {"Fracture": "yes", "Open skin": "no"})):
        db.table("session").insert({"kind": "massage", "started_utc": "2026-01-01T00:00:00.000Z", "source": "strap"})
        for question, answer in answers.items():
            confirmed = "2026-01-01T00:00:00.000Z" if answer == "yes" else None
            row = {"session": session, "question": question, "answer": answer, "confirmed_utc": confirmed}
            db.table("screening").insert(row)
    db.close()
    async with await SessionStore.open(tmp_path) as storage:
        untouched, pressed = [await storage.run(partial(visit_of, session=session)) for session in (1, 2)]
    assert [(visit.screened, [answer.yes for answer in visit.screening]) for visit in (untouched, pressed)] == [
        ("not confirmed", [False, False]),
        ("asked", [True, False]),
    ]


def test_a_database_of_an_older_restbeat_can_be_read_without_serving_it_first(tmp_path):
    db = Database(tmp_path / DATABASE)
    migrations.apply(db, stop_before="m010_mark_kind")
    db.table("session").insert({"kind": "massage", "started_utc": "2026-01-01T00:00:00.000Z", "source": "strap"})
    db.close()
    assert read_alongside(tmp_path, lambda db: db.execute("SELECT count(kind) FROM mark").fetchone()[0]) == 0


def test_a_database_that_an_older_restbeat_still_writes_is_left_as_it_is(tmp_path):
    db = Database(tmp_path / DATABASE)
    migrations.apply(db, stop_before="m010_mark_kind")
    db.close()
    with closing(take_folder(tmp_path)), pytest.raises(FolderTakenError):
        read_alongside(tmp_path, lambda db: None)
    assert "kind" not in Database(tmp_path / DATABASE).table("mark").columns_dict
