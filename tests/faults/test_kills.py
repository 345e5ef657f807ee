"""`kill -9` at random instants: what was answered is there, once, and every session can be resumed.

`RESTBEAT_KILLS` is the number of kills of each kind: 6 in `make test`, 100 in `make test-faults`.
"""

import asyncio
from contextlib import asynccontextmanager, closing
import os
from pathlib import Path
import random
import signal
import sqlite3
import subprocess
import sys
import time

import aiohttp
import pytest

from restbeat.sensors.recordings.recording import Packet
from restbeat.service.backups.backup import count, take_backup, verify
from restbeat.service.clients.client_store import add
from restbeat.service.privacy.erasure import erase
from restbeat.service.privacy.restore import restore_backup
from restbeat.service.sessions.session_store import SessionStore
from restbeat.service.storage.database import DATABASE, open_database
from restbeat.service.storage.migrations import migrations
from restbeat.service.storage.sqlite import Database

from ..service.stored import EVENTS, HEADER, NOON, stored
from .practice_child import ADDRESSES

KILLS = int(os.environ.get("RESTBEAT_KILLS", "6"))
HERE = Path(__file__).parent
SEED = int(os.environ.get("RESTBEAT_SEED", str(time.time_ns() % 100_000)))
pytestmark = pytest.mark.timeout(60 + 20 * KILLS)


@pytest.fixture
def chance(record_property):
    record_property("seed", SEED)
    return random.Random(SEED)


def whole(folder):
    """Open a database as a reader, and assert that it is sound."""
    db = sqlite3.connect(folder / DATABASE)
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    return db


@asynccontextmanager
async def practice(folder):
    """Run the practice that is killed at the end of the block; yield a client of its API."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, str(HERE / "practice_child.py"), str(folder), stdout=subprocess.PIPE, cwd=HERE.parents[1]
    )
    try:
        address = (await child.stdout.readline()).decode().strip()
        assert address, "the practice did not start"
        async with aiohttp.ClientSession(f"{address}/api/v1/") as client:
            yield client, child
    finally:
        if child.returncode is None:
            child.send_signal(signal.SIGKILL)
        await child.wait()


class Ledger:
    """What was sent, and what was answered, of the entries of one room."""

    def __init__(self):
        self.sent = {}
        """Notes by their text: the body that was sent."""
        self.answered, self.undoing, self.undone, self.redated = set(), set(), set(), {}


async def enter(client, room, session, ledger, chance, name):
    """Send entries of every kind one after the other until the practice is gone."""
    number = 0
    while True:
        number += 1
        note = f"{name}-{number}"
        body = {"note": note, "ago_s": 0.0, "session": session}
        if chance.random() < 0.5:
            body["key"] = f"key-{note}-0000"
        ledger.sent[note] = body
        try:
            async with client.post(f"rooms/{room}/marks", json=body) as answer:
                assert answer.status == 201, await answer.text()
                action = (await answer.json())["number"]
                ledger.answered.add(note)
            dice = chance.random()
            if dice < 0.25:
                ledger.undoing.add(note)
                async with client.post(f"rooms/{room}/actions/{action}/undo", json={}) as answer:
                    assert answer.status == 200, await answer.text()
                    ledger.undone.add(note)
            elif dice < 0.5:
                async with client.get(f"rooms/{room}") as answer:
                    now_s = (await answer.json())["now_s"]
                ago_s = min(now_s, 5.0) / 2
                ledger.redated[note] = None
                async with client.post(f"rooms/{room}/actions/{action}/redate", json={"ago_s": ago_s}) as answer:
                    if answer.status == 200:
                        ledger.redated[note] = now_s - ago_s
        except (aiohttp.ClientError, OSError):
            return


def check(folder, ledger):
    """Assert that every answered entry is stored once, as it was answered last."""
    with closing(whole(folder)) as db:
        rows = db.execute("SELECT note, t_s FROM mark WHERE note LIKE 'k%'").fetchall()
    times = {}
    for note, t_s in rows:
        assert note not in times, f"{note} is there twice"
        times[note] = t_s
    lost = [note for note in ledger.answered if note not in times and note not in ledger.undoing]
    back = [note for note in ledger.undone if note in times]
    old = [note for note, t_s in ledger.redated.items() if t_s is not None and abs(times[note] - t_s) > 1.5]
    assert (lost, back, old) == ([], [], [])
    assert set(times) <= set(ledger.sent)
    return len(ledger.answered), len(ledger.undone), sum(t_s is not None for t_s in ledger.redated.values())


async def test_no_answered_entry_is_lost_or_doubled_and_every_session_goes_on(tmp_path, chance, record_property):
    ledger, rooms, totals = Ledger(), 3, (0, 0, 0)
    for kill in range(KILLS):
        async with practice(tmp_path) as (client, child):
            if kill == 0:
                for address in ADDRESSES[:rooms]:
                    async with client.post("rooms", json={"address": address, "consent": True}) as answer:
                        assert answer.status == 201, await answer.text()
            else:
                async with client.get("sessions") as answer:
                    cut = [row["session"] for row in (await answer.json())["items"] if row["state"] == "interrupted"]
                assert len(cut) == rooms, "every session can be resumed"
                for session in cut:
                    async with client.post(f"sessions/{session}/resume", json={}) as answer:
                        assert answer.status == 200, await answer.text()
            async with client.get("rooms") as answer:
                room_of = {room["session"]: room["room"] for room in await answer.json()}
            unanswered = [note for note, body in ledger.sent.items() if note not in ledger.answered and "key" in body]
            for note in unanswered:  # as the outbox of a page does
                room = room_of[ledger.sent[note]["session"]]
                async with client.post(f"rooms/{room}/marks", json=ledger.sent[note]) as answer:
                    assert answer.status == 201, await answer.text()
                    ledger.answered.add(note)
            sending = [
                asyncio.create_task(enter(client, room, session, ledger, chance, f"k{kill}-{session}-{n}"))
                for session, room in room_of.items()
                for n in range(2)
            ]
            await asyncio.sleep(chance.uniform(0.05, 0.8))
            child.send_signal(signal.SIGKILL)
            await asyncio.gather(*sending)
        totals = check(tmp_path, ledger)
    record_property("answered_undone_redated", totals)
    assert totals[0] > KILLS
    assert totals[1] > 0


MIGRATE = (
    "import sys, pathlib; from restbeat.service.storage.database import open_database; open_database(pathlib.Path(sys.argv[1]))"
)
BACKUP = (
    "import sys, pathlib; from restbeat.service.backups.backup import take_backup;"
    "take_backup(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))"
)
RESTORE = (
    "import sys, pathlib; from datetime import datetime, UTC; from restbeat.service.privacy.restore import restore_backup;"
    "restore_backup(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[1]), datetime.now(UTC))"
)
ERASE = (
    "import sys, pathlib; from datetime import datetime, UTC; from restbeat.service.storage.database import open_database;"
    "from restbeat.service.privacy.erasure import erase; folder = pathlib.Path(sys.argv[1]);"
    "erase(open_database(folder), folder, sys.argv[2], 'Ada', datetime.now(UTC))"
)
PACK = (
    "import sys, pathlib; from datetime import datetime, timedelta, UTC;"
    "from restbeat.service.storage.database import open_database;"
    "from restbeat.service.packets.packing import next_piece, put_in_place;"
    "db = open_database(pathlib.Path(sys.argv[1])); later = datetime.now(UTC) + timedelta(days=9);"
    "exec('while (piece := next_piece(db, later)) and put_in_place(db, piece, later): pass')"
)
READY = "print('ready', flush=True);"


def killed(chance, program, *arguments, longest_s):
    """Run a program that says when its imports are done, and kill it at a random instant after; return whether it was done."""
    first = program.split(";", 1)[0] + ";"
    imports = "".join(f"{part};" for part in program.split(";") if part.strip().startswith("from "))
    command = [sys.executable, "-c", first + imports + READY + program, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        child.stdout.readline()
        try:
            child.wait(chance.uniform(0.0, longest_s))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            return False
    assert child.returncode == 0
    return True


async def filled(folder, sessions):
    async with await SessionStore.open(folder) as storage:
        for _ in range(sessions):
            await stored(storage)
        await storage.flush()


def copied(source, target):
    target.mkdir(exist_ok=True)
    for path in target.iterdir():
        path.unlink()
    for path in source.iterdir():
        (target / path.name).write_bytes(path.read_bytes())


async def test_a_migration_that_is_killed_is_done_whole_at_the_next_start(tmp_path, chance, record_property):
    old, data = tmp_path / "old", tmp_path / "data"
    old.mkdir()
    with closing(Database(old / DATABASE, execute_plugins=False)) as db:
        db.enable_wal()
        migrations.apply(db, stop_before="m011_screening_confirmed")
        with db.atomic():
            for number in range(3000):
                db.execute("INSERT INTO client (pseudonym, created_utc) VALUES (?, '2026-01-01T00:00:00.000Z')", (f"M-{number}",))
                db.execute(
                    "INSERT INTO session (client, kind, started_utc, source)"
                    " VALUES (?, 'massage', '2026-01-01T10:00:00.000Z', 'x')",
                    (f"M-{number}",),
                )
    done = 0
    for _ in range(KILLS):
        copied(old, data)
        done += killed(chance, MIGRATE, data, longest_s=0.6)
        open_database(data).close()
        with closing(whole(data)) as db:
            assert db.execute("SELECT count(*), min(sessions), max(sessions) FROM client").fetchone() == (3000, 1, 1)
            assert db.execute("SELECT count(*) FROM session_search").fetchone() == (3000,)
    record_property("done_before_the_kill", done)
    assert done < KILLS or KILLS < 20


async def test_a_backup_that_is_killed_is_whole_or_not_there(tmp_path, chance):
    data, out = tmp_path / "data", tmp_path / "out.db"
    await filled(data, 200)
    for _ in range(KILLS):
        out.unlink(missing_ok=True)
        killed(chance, BACKUP, data, out, longest_s=0.15)
        if out.exists():
            assert verify(out).counts.sessions == 200
        whole(data).close()
    assert take_backup(data, out).counts.sessions == 200


async def test_a_restore_that_is_killed_leaves_the_old_or_the_new_and_brings_nobody_back(tmp_path, chance):
    base, data, out = tmp_path / "base", tmp_path / "data", tmp_path / "out.db"
    await filled(base, 150)
    with closing(open_database(base)) as db:
        add(db, "M-EXTRA", "Ada", NOON)
    take_backup(base, out)
    with closing(open_database(base)) as db:
        erase(db, base, "M-EXTRA", "Ada", NOON.replace(year=2027))
        add(db, "M-NEW", "Ada", NOON)
    for _ in range(KILLS):
        copied(base, data)
        killed(chance, RESTORE, data, out, longest_s=0.5)
        open_database(data).close()
        with closing(whole(data)) as db:
            names = {row[0] for row in db.execute("SELECT pseudonym FROM client")}
        assert names in ({"c-7", "M-NEW"}, {"c-7"}), "the database before, or the backup with the erased client erased again"
        assert restore_backup(out, data, NOON).holds.sessions == 150


async def test_an_erasure_that_is_killed_is_done_or_not_and_done_when_it_is_asked_for_again(tmp_path, chance):
    base, data = tmp_path / "base", tmp_path / "data"
    await filled(base, 100)
    with closing(open_database(base)) as db:
        add(db, "M-KEPT", "Ada", NOON)
    for _ in range(KILLS):
        copied(base, data)
        killed(chance, ERASE, data, "c-7", longest_s=0.3)
        with closing(open_database(data)) as db:
            left = db.execute("SELECT count(*) FROM session WHERE client = 'c-7'").fetchone()[0]
            assert left in {0, 100}
            if left:
                erase(db, data, "c-7", "Ada", NOON.replace(year=2027))
        with closing(whole(data)) as db:
            assert db.execute("SELECT count(*) FROM packet").fetchone() == (0,)
            assert [row[0] for row in db.execute("SELECT pseudonym FROM client")] == ["M-KEPT"]


async def test_packing_that_is_killed_leaves_every_packet_once_bit_for_bit_and_goes_on(tmp_path, chance, record_property):
    base, data = tmp_path / "base", tmp_path / "data"
    async with await SessionStore.open(base) as storage:
        beats = [
            Packet(10 + n + chance.random() / 50, "2a37", chance.randbytes(2 + 2 * chance.randrange(3))) for n in range(5000)
        ]
        sessions = [await stored(storage, HEADER, [*EVENTS, *beats[: 1000 * n]]) for n in range(6)]
        for session in sessions:
            await storage.end_session(session, NOON, 10.0)
        before = [await storage.events(session) for session in sessions]
    met = set()
    copied(base, data)
    for _ in range(KILLS):
        done = killed(chance, PACK, data, longest_s=0.3)
        async with await SessionStore.open(data) as storage:
            assert [await storage.events(session) for session in sessions] == before
            assert (await storage.read(count)).packets == sum(
                isinstance(event, Packet) for _, events in before for event in events
            )
        with closing(whole(data)) as db:
            left = db.execute("SELECT count(*) FROM packet").fetchone()[0]
            met.add(left)
        if done:
            assert left == 0
            copied(base, data)
    record_property("packets_left_in_rows", sorted(met))
    assert len(met) > 1 or KILLS < 20
