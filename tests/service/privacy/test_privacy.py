"""A client's rights: all data in one zip, and all data erased from rows, free pages and the write-ahead log."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
import json
import re
import subprocess
import sys
import zipfile

from hypothesis import HealthCheck, given, settings, strategies as st
import msgspec
import pytest

from restbeat.sensors.model import Device
from restbeat.sensors.recordings.recording import Header, Mark, Packet, Pain, PhaseStart, read
from restbeat.service.backups.backup import take_backup
from restbeat.service.backups.backup_catalogue import BackupEntry, add_backup
from restbeat.service.clients import consents, identities
from restbeat.service.clients.models import Identity
from restbeat.service.commands.options import FIXTURES
from restbeat.service.courses import visit_plans
from restbeat.service.courses.visit_schedule import ClientPlan
from restbeat.service.errors import NoSuchClientError
from restbeat.service.exchange.formats import read_any
from restbeat.service.privacy.erasure import ERASURES, backups_holding, erase, erase_again
from restbeat.service.privacy.personal_data import client_records, tables_of_client
from restbeat.service.privacy.restore import restore_backup
from restbeat.service.sessions import co_interventions, soap_notes
from restbeat.service.sessions.models import Soap
from restbeat.service.sessions.screening import Screening
from restbeat.service.sessions.session_store import NewSession, SessionStore
from restbeat.service.settings import CoursePlan
from restbeat.service.storage.audit_log import note
from restbeat.service.storage.database import DATABASE, open_database
from restbeat.service.storage.encryption import IdentityCipher

from ..own_pages import plant

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def restbeat(*arguments, expected=0):
    command = [sys.executable, "-m", "restbeat.web", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == expected, done.stderr
    return done


async def visit(storage, cipher, client, word, *, address, packets=40, recording=None):
    """Store a whole visit of a client, with `word` in every field that people fill in."""
    device = Device(name=f"strap {word}", address=address)
    header = Header(device=device, client=client, extra={"from": word})
    asked = (Screening(f"Does it hurt, {word}?", yes=True),)
    opened = NewSession(header=header, source=f"H10 {word}", posture=word, technique=word, therapist="Ada", screening=asked)
    session = await storage.create_session(opened)
    events = recording or [Packet(float(n), "2a37", bytes.fromhex("1040ec03")) for n in range(packets)]
    for event in [*events, Mark(events[-1].t, note=f"note of {word}"), Pain(events[-1].t, 4)]:
        storage.append(session, event)
    seq = storage.append(session, Mark(events[-1].t, region=word))
    storage.correct(session, seq, Mark(events[-1].t, region=word), None, "Ada")
    await storage.end_session(session, NOW, events[-1].t)

    def more(db):
        identity = Identity(name=f"Name {word}", email=f"{word}@example.org", note=word, language="de")
        identities.write_identity(db, cipher, client, identity, "Ada", NOW, new_key=True)
        consents.give(db, client, "record", "Ada", NOW)
        soap = Soap(subjective=word, objective=word, assessment=word, contraindications=word, plan=word)
        soap_notes.save(db, session, soap, word, None, "Ada", NOW)
        plant(db, client, session, word, NOW)
        db.execute("INSERT INTO flag (session, reason, raised_utc) VALUES (?, ?, ?)", (session, f"mind {word}", "2026"))
        co_interventions.add(db, session, "heat", f"pack of {word}", "Ada", NOW)
        visit_plans.save_plan(db, client, ClientPlan(plan=CoursePlan(per_week=3), starts_on="2026-11-23"), f"Ada {word}", NOW)
        habits = (address, f"strap {word}", word, client)
        db.execute("UPDATE client SET strap_address = ?, strap_name = ?, posture = ? WHERE pseudonym = ?", habits)
        note(db, NOW, "Ada", "looked at", client=client, session=session, detail=word)
        note(db, NOW, "Ada", "session reassigned", client="M-other", detail=f"before: {client}")
        note(db, NOW, "Ada", "session reassigned", client="M-other", detail=f"before: {client}4")

    await storage.run(more)
    await storage.put_report(session, "restbeat-1", msgspec.json.encode({"words": word}))
    return session


def bytes_of(folder):
    """Return every byte of the live files of a data folder."""
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.name.startswith(DATABASE) or path.suffix == ".jsonl")


WORDS = st.text("abcdefghijklmnopqrstuvwxyzäöüß", min_size=8, max_size=24)
ADDRESSES = st.lists(st.integers(0, 255), min_size=6, max_size=6).map(lambda parts: ":".join(f"{part:02X}" for part in parts))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(word=WORDS, other=WORDS, address=ADDRESSES, packets=st.integers(1, 400), sessions=st.integers(1, 3))
def test_after_an_erasure_no_data_of_the_client_are_left(tmp_path_factory, word, other, address, packets, sessions):
    folder = tmp_path_factory.mktemp("data")

    async def fill():
        async with await SessionStore.open(folder) as storage:
            cipher = IdentityCipher(folder.with_suffix(".key"))
            for _ in range(sessions):
                await visit(storage, cipher, "M-1", f"Q{word}Z", address=address, packets=packets)
            await visit(storage, cipher, "M-2", f"X{other}Y", address="A0:9E:1A:00:00:99")
            live = bytes_of(folder)
            assert f"Q{word}Z".encode() in live
            assert address.encode() in live
            erased = await storage.run(lambda db: erase(db, folder, "M-1", "Ada", NOW))
            return erased, await storage.run(look)

    def look(db):
        left = {table: db.execute(f"SELECT count(*) FROM {table} WHERE {condition}", {"client": "M-1"}).fetchone()[0]
                for table, condition in tables_of_client(db)}  # fmt: skip
        orphans = [row[0] for row in db.execute("PRAGMA foreign_key_check")]
        log = [tuple(row) for row in db.execute("SELECT actor, action, client, detail FROM audit WHERE action = 'client erased'")]
        others = db.execute("SELECT count(*) FROM session WHERE client = 'M-2'").fetchone()[0]
        details = {row[0] for row in db.execute("SELECT detail FROM audit WHERE detail LIKE 'before%'")}
        return left, orphans, log, others, details

    erased, (left, orphans, log, others, details) = asyncio.run(fill())
    assert (erased.sessions, others, orphans) == (sessions, 1, [])
    assert set(left.values()) == {0}
    assert {
        "session",
        "screening",
        "flag",
        "mark",
        "pain",
        "correction",
        "report",
        "identity",
        "consent",
        "complement",
        "plan",
    } <= set(left)
    assert log == [("Ada", "client erased", None, None)]
    assert {"before: (erased)", "before: M-14"} <= details
    assert {"client_link", "client_link_session", "follow_up", "mail"} <= set(left)
    live = bytes_of(folder)
    for planted in (f"Q{word}Z", address, f"strap Q{word}Z", "M-1\x00"):
        assert planted.encode() not in live
    assert f"X{other}Y".encode() in live


async def test_an_old_backup_does_not_bring_an_erased_client_back_but_a_later_namesake_stays(tmp_path):
    folder, out = tmp_path / "data", tmp_path / "old.db"
    cipher = IdentityCipher(tmp_path / "key")
    async with await SessionStore.open(folder) as storage:
        await visit(storage, cipher, "M-1", "sentinel", address="A0:9E:1A:00:00:01")
        await visit(storage, cipher, "M-2", "somebody", address="A0:9E:1A:00:00:02")
    take_backup(folder, out)
    add_backup(folder, BackupEntry(str(out), NOW, NOW + timedelta(days=90)))
    done = json.loads(restbeat("erase", "M-1", "--data", folder, "--yes", "--json").stdout)
    assert done["sessions"] == 1
    assert [kept["file"] for kept in done["backups"]] == [str(out)]
    assert b"M-1" not in (folder / ERASURES).read_bytes()
    told = restbeat("restore", out, "--data", folder, "--yes").stdout
    assert "erased from it again: 1" in told
    assert f"{folder} now holds 1 session of 1 client." in told
    assert [row["client"] for row in json.loads(restbeat("clients", "--data", folder, "--json").stdout)] == ["M-2"]
    assert b"sentinel" not in (folder / DATABASE).read_bytes()
    assert [kept.file for kept in backups_holding(folder, "M-1")] == [str(out)]
    db = open_database(folder)
    later = datetime.now(UTC) + timedelta(days=1)
    db.execute("INSERT INTO client (pseudonym, created_utc) VALUES ('M-1', ?)", (later.isoformat(),))
    assert erase_again(db, folder, later) == 0
    db.close()


async def test_a_cut_right_after_the_restored_database_took_its_place_brings_nobody_back(tmp_path, monkeypatch):
    async with await SessionStore.open(tmp_path) as storage:
        await visit(storage, IdentityCipher(tmp_path / "key"), "M-001", "sentinel", address="A0:9E:1A:00:00:01")
    take_backup(tmp_path, tmp_path / "old.db")
    with closing(open_database(tmp_path)) as db:
        erase(db, tmp_path, "M-001", "Ada", datetime.now(UTC))

    def cut(folder, name=DATABASE, **options):
        if name == DATABASE:
            raise KeyboardInterrupt
        return open_database(folder, name, **options)

    monkeypatch.setattr("restbeat.service.privacy.restore.open_database", cut)
    with pytest.raises(KeyboardInterrupt):
        restore_backup(tmp_path / "old.db", tmp_path, NOW)
    with closing(open_database(tmp_path)) as db:
        assert db.execute("SELECT count(*) FROM client").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM packet").fetchone() == (0,)


async def test_a_cut_right_after_an_erasure_lets_no_backup_bring_the_client_back(tmp_path, monkeypatch):
    async with await SessionStore.open(tmp_path) as storage:
        await visit(storage, IdentityCipher(tmp_path / "key"), "M-001", "sentinel", address="A0:9E:1A:00:00:01")
    take_backup(tmp_path, tmp_path / "old.db")

    def cut(_db):
        raise KeyboardInterrupt

    monkeypatch.setattr("restbeat.service.privacy.erasure.wipe", cut)
    with closing(open_database(tmp_path)) as db, pytest.raises(KeyboardInterrupt):
        erase(db, tmp_path, "M-001", "Ada", datetime.now(UTC))
    monkeypatch.undo()
    assert restore_backup(tmp_path / "old.db", tmp_path, NOW).erased_again == 1


def test_an_erasure_record_that_a_crash_cut_off_spoils_no_other(tmp_path):
    db = open_database(tmp_path)
    with closing(db):
        for client in ("M-001", "M-002"):
            db.execute("INSERT INTO client (pseudonym, created_utc) VALUES (?, ?)", (client, "2026-01-01T00:00:00.000Z"))
        (tmp_path / ERASURES).write_bytes(b'{"salt": "ab')
        erase(db, tmp_path, "M-001", "Ada", datetime.now(UTC))
        db.execute("INSERT INTO client (pseudonym, created_utc) VALUES (?, ?)", ("M-001", "2026-01-01T00:00:00.000Z"))
        assert erase_again(db, tmp_path, NOW) == 1
        assert [row[0] for row in db.execute("SELECT pseudonym FROM client")] == ["M-002"]


def test_an_unknown_client_is_not_erased(tmp_path):
    db = open_database(tmp_path)
    with pytest.raises(NoSuchClientError, match="There is no client M-9"):
        erase(db, tmp_path, "M-9", "Ada", NOW)
    db.close()


async def test_all_data_of_a_client_are_in_one_zip_that_other_programs_read(tmp_path):
    folder, out, cipher = tmp_path / "data", tmp_path / "M-1.zip", IdentityCipher(tmp_path / "data.key")
    played = read(FIXTURES / "polar-h10_simulated_one-minute.jsonl")
    events = [event for event in played.events if not isinstance(event, PhaseStart)]
    async with await SessionStore.open(folder) as storage:
        await visit(storage, cipher, "M-1", "sentinel", address="A0:9E:1A:00:00:01", recording=events)
        await visit(storage, cipher, "M-2", "somebody", address="A0:9E:1A:00:00:02")
        done = await asyncio.to_thread(restbeat, "export", "M-1", out, "--data", folder, "--json")  # beside the writer
        log = await storage.run(lambda db: db.execute("SELECT client FROM audit WHERE action = 'client exported'").fetchall())
    assert json.loads(done.stdout) == {"client": "M-1", "file": str(out), "sessions": 1}
    assert [row[0] for row in log] == ["M-1"]
    with zipfile.ZipFile(out) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path / "out")
    records = json.loads((tmp_path / "out" / "records.json").read_text())
    assert records["identity"][0]["name"] == "Name sentinel"
    for table in (
        "client",
        "session",
        "screening",
        "consent",
        "flag",
        "mark",
        "pain",
        "correction",
        "complement",
        "plan",
        "audit",
    ):
        assert records[table], table
    assert "somebody" not in json.dumps(records)
    (session,) = (tmp_path / "out" / "sessions").iterdir()
    beats = {
        len([e for e in read_any(session / name).events if isinstance(e, Packet)]) > 30 for name in ("beats.csv", "session.edf")
    }
    assert beats == {True}
    recording = read_any(session / "recording.jsonl.gz")
    assert [e for e in recording.events if isinstance(e, Packet)] == [e for e in events if isinstance(e, Packet)]
    again = restbeat("replay", session / "recording.jsonl.gz", "--client", "M-7", "--data", tmp_path / "again", "--json")
    assert json.loads(again.stdout)["integrity"]["packets"] > 50
    (row,) = json.loads(restbeat("clients", "--data", tmp_path / "again", "--json").stdout)
    assert (row["client"], row["last_utc"]) == ("M-7", records["session"][0]["started_utc"])
    assert json.loads((session / "report.json").read_text())["figures"]["integrity"]["packets"] > 50
    assert len((session / "rr.txt").read_text().splitlines()) > 50
    about = (tmp_path / "out" / "README.txt").read_text()
    listed = set(re.findall(r"^  ([\w.-]+) ", about, re.MULTILINE))
    assert listed - {"summary.pdf"} <= {file.name for file in session.iterdir()} <= listed
    assert (session / "summary.pdf").read_bytes().startswith(b"%PDF") or find_spec("weasyprint") is None
    assert oct(out.stat().st_mode & 0o777) == "0o600"


async def test_an_export_with_a_lost_key_says_so(tmp_path):
    folder = tmp_path / "data"
    async with await SessionStore.open(folder) as storage:
        await visit(storage, IdentityCipher(tmp_path / "elsewhere.key"), "M-1", "sentinel", address="A0:9E:1A:00:00:01")
    done = restbeat("export", "M-1", tmp_path / "out.zip", "--data", folder, expected=1)
    assert "The key that opens names and addresses is not at" in done.stderr
    assert not (tmp_path / "out.zip").exists()


def test_an_erasure_needs_confirmation(tmp_path):
    open_database(tmp_path).close()
    done = subprocess.run(
        [sys.executable, "-m", "restbeat.web", "erase", "M-1", "--data", str(tmp_path)],
        input="n\n", capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 130
    assert "Erase everything of M-1, for good?" in done.stderr


def test_the_tables_of_a_client_are_found_by_their_foreign_keys(tmp_path):
    db = open_database(tmp_path)
    found = dict(tables_of_client(db))
    assert found["session"] == "client = :client"
    assert "packet" in found
    assert not {"account", "login", "setting", "audit"} & set(found)
    with pytest.raises(NoSuchClientError):
        client_records(db, IdentityCipher(tmp_path / "key"), "M-1", NOW)
    db.close()
