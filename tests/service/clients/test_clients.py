"""Clients, flags and notes over a real database, with real sessions."""

import pytest

from restbeat.sensors.recordings.recording import Header, Mark
from restbeat.service.clients.client_list import ClientsWanted
from restbeat.service.clients.client_store import flags_of
from restbeat.service.clients.clients import Clients
from restbeat.service.clients.flags import flag_pain, set_flag
from restbeat.service.clients.models import Identity
from restbeat.service.errors import RefusedError, UnknownClientError, UnknownError, UnknownSessionError
from restbeat.service.follow_up.link_store import revoke_all
from restbeat.service.rooms.session_start import Opening
from restbeat.service.sessions.models import Soap
from restbeat.service.sessions.screening import Screening
from restbeat.service.sessions.session_store import NewSession, SessionStore
from restbeat.service.storage.encryption import IdentityCipher
from restbeat.service.storage.migrations import migrations
from restbeat.service.storage.sqlite import Database

from ..practice_under_test import ADDRESS, NOW, PracticeUnderTest, audit, ended, open_room

OTHER = "A0:9E:1A:00:00:02"


@pytest.fixture
async def bench(tmp_path, worker_pool):
    async with await SessionStore.open(tmp_path / "data") as storage:
        made = PracticeUnderTest(storage, worker_pool)
        made.cipher = IdentityCipher(tmp_path / "data.key")
        made.records = Clients(storage, made.cipher, made.rooms.end_sessions_of, revoke_all, now_utc=lambda: NOW)
        async with made.rooms:
            yield made


@pytest.fixture
def records(bench):
    return bench.records


async def stored(bench, query, *values):
    return await bench.storage.run(lambda db: [tuple(row) for row in db.execute(query, values)])


async def test_a_client_has_a_pseudonym_and_the_next_free_one_is_proposed(records):
    assert await records.next_pseudonym() == "M-001"
    await records.add("M-014", by="Ada")
    assert await records.next_pseudonym() == "M-015"
    await records.add("demo-1", by="Ada")  # a name of another manner changes nothing
    assert (await records.add(None, by="Ada")).client == "M-015"
    await records.add("K-0098", by="Ada")
    assert await records.next_pseudonym() == "K-0099"
    with pytest.raises(RefusedError, match=r"There is a client m-014 already\. The next free pseudonym is K-0099"):
        await records.add("m-014", by="Ada")
    with pytest.raises(RefusedError, match="it names nobody"):
        await records.add("Ada Lovelace\n", by="Ada")


async def test_the_list_shows_last_visit_sessions_flags_and_consent(bench, records):
    await records.add("M-001", by="Ada")
    await records.add("M-002", by="Ada")
    room = await open_room(bench, client="M-001")
    await bench.rooms.entries.stop(room, by="Ada")
    first, second = (await records.clients()).rows
    assert (first.client, first.sessions, first.flags, first.may_record) == ("M-001", 1, 1, True)
    assert (first.strap_address, first.strap_name) == (ADDRESS, "H10")
    assert first.last_visit_utc is not None
    assert (second.client, second.sessions, second.last_visit_utc, second.may_record) == ("M-002", 0, None, False)
    assert [row.client for row in (await records.clients(ClientsWanted(search="m-00"))).rows] == ["M-001", "M-002"]
    assert [row.client for row in (await records.clients(ClientsWanted(search="2"))).rows] == ["M-002"]
    assert [row.client for row in (await records.clients(ClientsWanted(flagged=True))).rows] == ["M-001"]


async def test_every_view_of_a_client_is_in_the_audit_log(bench, records):
    await records.add("M-001", by="Ada")
    room = await open_room(bench, client="M-001")
    session = bench.live_feed.rooms()[0].session
    await records.client("M-001", by="Bo")
    await records.identity("M-001", by="Bo")
    await bench.notes.visit(session, by="Cy")
    await bench.notes.viewed(session, "summary", by="Cy")
    await records.audit("M-001", by="Bo")
    assert [(actor, action) for actor, action, client, *_ in await audit(bench) if client == "M-001"] == [
        ("Ada", "client added"),
        ("Ada", "consent given"),
        ("Bo", "client looked at"),
        ("Bo", "identity looked at"),
        ("Cy", "notes looked at"),
        ("Cy", "summary looked at"),
        ("Bo", "log looked at"),
    ]
    assert (await records.audit("M-001", by="Bo"))[0].action == "log looked at"
    assert room


async def test_an_unknown_client_session_or_flag_is_refused(records, bench):
    for asked in (
        records.client("M-9", by="Ada"),
        records.identity("M-9", by="Ada"),
        records.set_identity("M-9", Identity(), new_key=False, by="Ada"),
        records.agree("M-9", "record", by="Ada"),
        records.audit("M-9", by="Ada"),
    ):
        with pytest.raises(UnknownClientError, match="There is no client M-9"):
            await asked
    await records.add("M-1", by="Ada")
    with pytest.raises(UnknownError, match="M-1 has no flag 7"):
        await records.seen("M-1", 7, by="Ada")
    with pytest.raises(UnknownError, match="M-1 has given no consent 7"):
        await records.withdraw("M-1", 7, by="Ada")
    for asked in (
        bench.notes.visit(7, by="Ada"),
        bench.notes.set_pain_after(7, 3, by="Ada"),
        bench.notes.write(7, Soap(), mind="", based_on=None, by="Ada"),
    ):
        with pytest.raises(UnknownSessionError):
            await asked


# Flags


async def flags(bench):
    return [flag[0] for flag in await stored(bench, "SELECT reason FROM flag ORDER BY id")]


async def test_pain_over_the_stop_rules_flags_the_next_visit_once_the_session_has_ended(bench, records):
    room = await open_room(bench, client="M-001", pain_before=3)
    await bench.rooms.entries.advance(room, "settle")
    await bench.rooms.entries.pain(room, 9, by="Ada")  # before the massage: the rules are about what the massage does
    await bench.rooms.entries.advance(room, "baseline")
    await bench.rooms.entries.pain(room, 5, by="Ada")
    await bench.rooms.entries.pain(room, 4, by="Ada")
    for leaving in ("massage", "recovery"):
        await bench.rooms.entries.advance(room, leaving)
    await ended(bench, 1)
    assert await flags(bench) == ["Pain 5 during the session, 3 before it."]
    full = await records.client("M-001", by="Ada")
    assert [flag.cleared_utc for flag in full.flags] == [None]
    seen = await records.seen("M-001", full.flags[0].flag, by="Ada")
    assert (seen.cleared_by, (await records.clients()).rows[0].flags) == ("Ada", 0)
    assert (await records.seen("M-001", full.flags[0].flag, by="Bo")).cleared_by == "Ada"
    await bench.notes.set_pain_after(1, 4, by="Ada")
    assert [flag.cleared_by for flag in (await records.client("M-001", by="Ada")).flags] == ["Ada"]


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (3, 4, None),
        (3, 5, "Pain 5 after the session, 3 before it."),
        (7, 7, "Pain 7 after the session, 7 before it."),
        (None, 6, None),
        (None, 8, "Pain 8 after the session."),
        (0, None, None),
    ],
)
async def test_pain_after_flags_by_the_same_rules(bench, records, before, after, reason):
    await bench.storage.create_session(NewSession(header=Header(client="M-001"), source="H10", pain_before=before))
    await bench.notes.set_pain_after(1, after, by="Ada")
    assert await flags(bench) == ([reason] if reason else [])
    await bench.notes.set_pain_after(1, None, by="Ada")
    assert await flags(bench) == []


# Notes


async def test_notes_are_saved_with_author_and_time_and_the_reminder_becomes_a_flag(bench, records):
    settled = {"client": "M-001", "posture": "prone", "technique": "Kneading", "pain_before": 6}
    asked = (Screening("Fracture", yes=False), Screening("Blood thinners", yes=True))
    room = await open_room(bench, **settled, screening=asked, screening_confirmed=True)
    await bench.rooms.entries.mark(room, Mark(0.0, technique="Kneading", region="Neck"), ago_s=0.0, by="Ada")
    await bench.storage.flush()
    visit = await bench.notes.visit(1, by="Ada")
    assert (visit.client, visit.posture, visit.technique, visit.therapist, visit.pain_before) == (
        *("M-001", "prone", "Kneading", "Ada", 6),
    )
    assert [(answer.question, answer.yes, answer.confirmed_utc is not None) for answer in visit.screening] == [
        ("Fracture", False, True),
        ("Blood thinners", True, True),
    ]
    assert [(mark.technique, mark.region) for mark in visit.marks] == [("Kneading", "Neck")]
    assert (visit.saved, visit.mind) == (None, "")
    saved = await bench.notes.write(1, Soap(subjective="tired"), mind=" left hip ", based_on=None, by="Ada")
    assert (saved.therapist, saved.updated_utc) == ("Ada", "2026-11-23T10:00:00.000Z")
    again = await bench.notes.visit(1, by="Ada")
    assert (again.saved, again.mind) == (saved, "left hip")
    with pytest.raises(RefusedError, match="Ada has saved these notes meanwhile"):
        await bench.notes.write(1, Soap(), mind="", based_on=None, by="Bo")
    await bench.notes.write(1, Soap(subjective="rested"), mind="right hip", based_on=saved.updated_utc, by="Bo")
    assert await flags(bench) == ["right hip"]
    full = await records.client("M-001", by="Ada")
    assert (full.posture, full.technique, full.screening_yes) == ("prone", "Kneading", ["Blood thinners"])


async def test_removing_a_rules_flag_leaves_the_others(bench, records):
    await bench.storage.create_session(NewSession(header=Header(client="M-001"), source="H10", pain_before=2))
    await bench.notes.set_pain_after(1, 8, by="Ada")
    await bench.notes.write(1, Soap(), mind="slowly", based_on=None, by="Ada")
    await bench.notes.set_pain_after(1, 2, by="Ada")
    await bench.storage.run(lambda db: flag_pain(db, 1, NOW))
    assert await flags(bench) == ["slowly"]


def test_an_older_database_keeps_its_flags():
    db = Database(memory=True)
    migrations.apply(db, stop_before="m005_clients")
    db.execute("INSERT INTO client (pseudonym, created_utc) VALUES ('M-001', '2026')")
    db.execute("INSERT INTO session (client, kind, started_utc, source) VALUES ('M-001', 'massage', '2026', 'H10')")
    db.execute("INSERT INTO flag (session, reason, raised_utc) VALUES (1, 'slowly', '2026')")
    migrations.apply(db)
    set_flag(db, 1, "note", "left hip", NOW)
    assert [flag.reason for flag in flags_of(db, "M-001")] == ["left hip", "slowly"]


async def test_a_room_is_opened_for_a_client_in_one_request(bench, records):
    opening = Opening(address=ADDRESS, client="M-001", consent=True)
    await bench.rooms.open_room(opening, by="Ada")
    assert [row.client for row in (await records.clients()).rows] == ["M-001"]
    with pytest.raises(RefusedError, match="it names nobody"):
        await bench.rooms.open_room(Opening(address=OTHER, client="Erika Mustermann", consent=True), by="Ada")
