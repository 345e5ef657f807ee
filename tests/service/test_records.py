"""Clients, consent, identity, flags and notes over a real database, with sessions that really run."""

import asyncio

import pytest

from restbeat.sensors.clock import RunningClock
from restbeat.sensors.recording import Header
from restbeat.service.clients import flags_of
from restbeat.service.migrations import migrations
from restbeat.service.records import PracticeRecords
from restbeat.service.seal import Seal, key_file_of
from restbeat.service.sqlite import Database
from restbeat.service.storage import NewSession, Storage
from restbeat.service.visits import flag_pain, set_flag
from restbeat.web.consent import WORDING
from restbeat.web.ports import Note, Opening, RefusedError, Screening, UnknownClientError, UnknownError, UnknownSessionError
from restbeat.web.records import Identity, Soap

from .houses import ADDRESS, NOW, Bench, Strap, audit, ended, open_room

OTHER = "A0:9E:1A:00:00:02"


@pytest.fixture
async def bench(tmp_path, worker_pool):
    async with await Storage.open(tmp_path / "data") as storage:
        made = Bench(storage, worker_pool)
        made.seal = Seal(tmp_path / "data.key")
        made.records = PracticeRecords(storage, made.seal, made.house.end_sessions_of, now_utc=lambda: NOW)
        async with made.house:
            yield made


@pytest.fixture
def records(bench):
    return bench.records


async def stored(bench, query, *values):
    return await bench.storage.work(lambda db: [tuple(row) for row in db.execute(query, values)])


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


async def test_the_list_tells_last_visit_sessions_flags_and_consent(bench, records):
    await records.add("M-001", by="Ada")
    await records.add("M-002", by="Ada")
    room = await open_room(bench, client="M-001")
    await bench.house.stop(room, by="Ada")
    first, second = await records.clients()
    assert (first.client, first.sessions, first.flags, first.may_record) == ("M-001", 1, 1, True)
    assert (first.strap_address, first.strap_name) == (ADDRESS, "H10")
    assert first.last_visit_utc is not None
    assert (second.client, second.sessions, second.last_visit_utc, second.may_record) == ("M-002", 0, None, False)
    assert [row.client for row in await records.clients("m-00")] == ["M-001", "M-002"]
    assert [row.client for row in await records.clients("2")] == ["M-002"]
    assert [row.client for row in await records.clients(flagged=True)] == ["M-001"]


async def test_every_look_at_a_client_is_in_the_audit_log(bench, records):
    await records.add("M-001", by="Ada")
    room = await open_room(bench, client="M-001")
    session = bench.hub.rooms()[0].session
    await records.client("M-001", by="Bo")
    await records.identity("M-001", by="Bo")
    await records.visit(session, by="Cy")
    await records.saw(session, "summary", by="Cy")
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


async def test_what_is_not_there_is_said(records):
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
        records.visit(7, by="Ada"),
        records.set_pain_after(7, 3, by="Ada"),
        records.write(7, Soap(), mind="", based_on=None, by="Ada"),
    ):
        with pytest.raises(UnknownSessionError):
            await asked


# Identity


WHO = Identity(name="Erika Mustermann", email="erika@example.org", phone="030 123", language="de", note="by tram")


async def test_an_identity_is_stored_sealed_and_its_key_lies_outside_the_database_for_this_user_alone(bench, records, tmp_path):
    await records.add("M-001", by="Ada")
    assert await records.identity("M-001", by="Ada") == Identity()
    assert not bench.seal.path.exists()
    await records.set_identity("M-001", WHO, new_key=False, by="Ada")
    assert await records.identity("M-001", by="Ada") == WHO
    assert bench.seal.path.parent == tmp_path
    assert bench.seal.path.stat().st_mode & 0o777 == 0o600
    await bench.storage.flush()
    held = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir())
    key = bench.seal.path.read_bytes().strip()
    for secret in (b"Erika", b"Mustermann", b"example.org", b"030 123", b"by tram", key):
        assert secret not in held
    assert not [detail for *_, detail in await audit(bench) if detail]


async def test_a_client_is_found_by_name_and_the_log_tells_whose_was_opened_but_not_what_was_sought(bench, records):
    for who in (WHO, Identity(name="Jean Dupont"), Identity()):
        row = await records.add(None, by="Ada")
        await records.set_identity(row.client, who, new_key=False, by="Ada")
    assert [row.client for row in await records.find("musterm", by="Bo")] == ["M-001"]
    assert [row.client for row in await records.find("ERIKA@", by="Bo")] == ["M-001"]
    assert await records.find("nobody", by="Bo") == []
    found = [(client, detail) for actor, action, client, _, detail in await audit(bench) if action == "found by name"]
    assert found == [("M-001", None), ("M-001", None)]


async def test_a_lost_key_is_said_kindly_and_breaks_nothing_else(bench, records):
    await records.add("M-001", by="Ada")
    await records.set_identity("M-001", WHO, new_key=False, by="Ada")
    kept = bench.seal.path.read_bytes()
    bench.seal.path.unlink()
    for asked in (records.identity("M-001", by="Ada"), records.find("Erika", by="Ada")):
        with pytest.raises(RefusedError, match=r"is not at .*Put it back from your copy\. Sessions, figures and notes"):
            await asked
    assert (await records.client("M-001", by="Ada")).identity == "locked"
    await open_room(bench, client="M-001")
    with pytest.raises(RefusedError, match="If the key is lost for good, say so"):
        await records.set_identity("M-001", WHO, new_key=False, by="Ada")
    assert not bench.seal.path.exists()
    bench.seal.path.write_bytes(kept)
    assert await records.identity("M-001", by="Ada") == WHO
    assert (await records.client("M-001", by="Ada")).identity == "kept"


async def test_after_a_new_key_the_old_one_still_opens_what_it_sealed_once_it_is_found(bench, records):
    for who in (WHO, Identity(name="Jean Dupont")):
        row = await records.add(None, by="Ada")
        await records.set_identity(row.client, who, new_key=False, by="Ada")
    old = bench.seal.path.read_bytes()
    bench.seal.path.unlink()
    await records.set_identity("M-002", Identity(name="Jean D."), new_key=True, by="Ada")
    with pytest.raises(RefusedError, match=r"Another key than that in .* sealed this"):
        await records.identity("M-001", by="Ada")
    assert [row.client for row in await records.find("jean", by="Ada")] == ["M-002"]
    bench.seal.path.write_bytes(bench.seal.path.read_bytes() + old)
    assert await records.identity("M-001", by="Ada") == WHO
    bench.seal.path.write_bytes(b"not a key")
    with pytest.raises(RefusedError, match="holds no key"):
        await records.identity("M-001", by="Ada")


async def test_a_key_that_cannot_be_made_is_said(bench, records, tmp_path):
    (tmp_path / "file").write_text("")
    bench.seal.path = tmp_path / "file" / "x.key"
    await records.add("M-001", by="Ada")
    with pytest.raises(RefusedError, match="choose another place with --key-file"):
        await records.set_identity("M-001", WHO, new_key=False, by="Ada")


def test_the_key_lies_beside_the_data_that_was_chosen_or_in_the_configuration(tmp_path, monkeypatch):
    assert key_file_of(tmp_path / "k", tmp_path / "data") == tmp_path / "k"
    assert key_file_of(None, tmp_path / "data") == tmp_path / "data.key"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    assert key_file_of(None, None).parts[-2:] == ("restbeat", "identity.key")


# Consent


async def test_without_consent_nothing_is_recorded(bench, records):
    await records.add("M-001", by="Ada")
    with pytest.raises(RefusedError, match=r"M-001 has not agreed to be recorded yet\. Nothing is recorded without it"):
        await open_room(bench, client="M-001", consent=False)
    with pytest.raises(RefusedError, match=r"Nothing is recorded without consent\. Ask whoever lies on the table"):
        await open_room(bench, consent=False)
    assert await bench.storage.sessions() == []
    assert bench.hub.rooms() == []
    assert await stored(bench, "SELECT strap_address FROM client") == [(None,)]
    await records.agree("M-001", "trends", by="Ada")
    with pytest.raises(RefusedError, match="has not agreed to be recorded"):
        await open_room(bench, client="M-001", consent=False)
    given = await records.agree("M-001", "record", by="Ada")
    assert (given.wording, given.noted_by, given.given_utc) == (WORDING, "Ada", "2026-11-23T10:00:00.000Z")
    assert await records.agree("M-001", "record", by="Bo") == given
    await open_room(bench, client="M-001", consent=False)


async def test_who_is_asked_at_the_start_has_agreed_from_then_on_and_nobody_named_for_that_session_alone(bench, records):
    await open_room(bench, client="M-001")
    assert (await records.clients())[0].may_record
    await open_room(bench, OTHER)
    session = bench.hub.rooms()[1].session
    assert await stored(bench, "SELECT client, session, purpose, wording FROM consent ORDER BY id") == [
        ("M-001", None, "record", WORDING),
        (None, session, "record", WORDING),
    ]
    with pytest.raises(RefusedError, match="Nothing is recorded without consent"):
        await open_room(bench, "A0:9E:1A:00:00:03", consent=False)


async def test_consent_taken_back_ends_the_running_session_kindly_and_refuses_new_ones(bench, records):
    room = await open_room(bench, client="M-001")
    await open_room(bench, OTHER, client="M-002")
    await bench.house.advance(room, "settle")
    (given,) = await stored(bench, "SELECT id FROM consent WHERE client = 'M-001'")
    session = bench.hub.rooms()[0].session
    await records.withdraw("M-001", given[0], by="Ada")
    first, second = bench.hub.rooms()
    assert (first.phase, second.phase) == ("ended", "settle")
    assert first.hint == "M-001 took back the consent to be recorded. What was recorded until then is kept."
    await ended(bench, session)
    row, report = await bench.house.report(session)
    assert (row.state, [note.text for note in report.notes]) == ("ended", ["consent to be recorded taken back"])
    with pytest.raises(RefusedError, match="M-001 took back the consent to be recorded on 2026-11-23"):
        await bench.house.undo(room, first.actions[0].number, by="Ada")
    with pytest.raises(RefusedError, match="took back the consent"):
        await open_room(bench, client="M-001", consent=False)
    with pytest.raises(RefusedError, match="took back the consent"):
        await bench.house.reassign("room-2", "M-001", by="Ada")
    await open_room(bench, client="M-001")  # asked anew, and agreed
    rows = (await records.client("M-001", by="Ada")).consents
    assert [(row.purpose, row.withdrawn_by) for row in rows] == [("record", None), ("record", "Ada")]


async def test_other_consents_can_be_taken_back_without_ending_anything(bench, records):
    await open_room(bench, client="M-001")
    shared = await records.agree("M-001", "share", by="Ada")
    await records.withdraw("M-001", shared.consent, by="Bo")
    assert bench.hub.rooms()[0].phase == "settle"
    assert (await records.withdraw("M-001", shared.consent, by="Cy")).withdrawn_by == "Bo"
    assert (await records.clients())[0].may_record


async def test_what_was_recorded_elsewhere_notes_its_consent_as_imported(bench, records):
    await bench.house.start("virtual", Strap("virtual"), RunningClock(), Header(client="demo-1"))
    (row,) = (await records.client("demo-1", by="Ada")).consents
    assert (row.session, row.wording, row.noted_by) == (1, "imported", "restbeat")
    with pytest.raises(RefusedError, match="demo-1 has not agreed"):
        await open_room(bench, client="demo-1", consent=False)
    given = await records.agree("demo-1", "record", by="Ada")
    await records.withdraw("demo-1", given.consent, by="Ada")
    assert bench.hub.rooms()[0].phase == "ended"
    assert all(row.withdrawn_utc for row in (await records.client("demo-1", by="Ada")).consents)


@pytest.mark.parametrize("first", ["open", "withdraw"])
async def test_consent_taken_back_in_the_moment_of_the_start_leaves_nothing_running(bench, records, first):
    await records.add("M-001", by="Ada")
    given = await records.agree("M-001", "record", by="Ada")
    opening, taking = open_room(bench, client="M-001", consent=False), records.withdraw("M-001", given.consent, by="Ada")
    await asyncio.gather(*((opening, taking) if first == "open" else (taking, opening)), return_exceptions=True)
    assert [state.phase for state in bench.hub.rooms() if state.phase != "ended"] == []


async def test_an_interrupted_session_is_not_taken_up_without_consent(tmp_path, worker_pool):
    async with await Storage.open(tmp_path) as storage:
        first = Bench(storage, worker_pool)
        async with first.house:
            await open_room(first, client="M-001")
    async with await Storage.open(tmp_path) as storage:
        bench = Bench(storage, worker_pool)
        records = PracticeRecords(storage, Seal(tmp_path / "key"), bench.house.end_sessions_of)
        (given,) = (await records.client("M-001", by="Ada")).consents
        await records.withdraw("M-001", given.consent, by="Ada")
        with pytest.raises(RefusedError, match="took back the consent"):
            await bench.house.resume(1)
        await bench.house.close(1)
        assert [row.state for row in await bench.house.sessions()] == ["ended"]


# Flags


async def flags(bench):
    return [flag[0] for flag in await stored(bench, "SELECT reason FROM flag ORDER BY id")]


async def test_pain_over_the_stop_rules_flags_the_next_visit_once_the_session_has_ended(bench, records):
    room = await open_room(bench, client="M-001", pain_before=3)
    await bench.house.advance(room, "settle")
    await bench.house.pain(room, 9, by="Ada")  # before the massage: the rules are about what the massage does
    await bench.house.advance(room, "baseline")
    await bench.house.pain(room, 5, by="Ada")
    await bench.house.pain(room, 4, by="Ada")
    for leaving in ("massage", "recovery"):
        await bench.house.advance(room, leaving)
    await ended(bench, 1)
    assert await flags(bench) == ["Pain 5 during the session, 3 before it."]
    full = await records.client("M-001", by="Ada")
    assert [flag.cleared_utc for flag in full.flags] == [None]
    seen = await records.seen("M-001", full.flags[0].flag, by="Ada")
    assert (seen.cleared_by, (await records.clients())[0].flags) == ("Ada", 0)
    assert (await records.seen("M-001", full.flags[0].flag, by="Bo")).cleared_by == "Ada"
    await records.set_pain_after(1, 4, by="Ada")
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
    await records.set_pain_after(1, after, by="Ada")
    assert await flags(bench) == ([reason] if reason else [])
    await records.set_pain_after(1, None, by="Ada")
    assert await flags(bench) == []


# Notes


async def test_notes_are_saved_with_who_and_when_and_the_word_to_mind_is_a_flag(bench, records):
    settled = {"client": "M-001", "posture": "prone", "technique": "Kneading", "pain_before": 6}
    asked = (Screening("Fracture", yes=False), Screening("Blood thinners", yes=True))
    room = await open_room(bench, **settled, screening=asked, screening_confirmed=True)
    await bench.house.mark(room, Note(technique="Kneading", region="Neck"), ago_s=0.0, by="Ada")
    await bench.storage.flush()
    visit = await records.visit(1, by="Ada")
    assert (visit.client, visit.posture, visit.technique, visit.therapist, visit.pain_before) == (
        *("M-001", "prone", "Kneading", "Ada", 6),
    )
    assert [(answer.question, answer.yes, answer.confirmed_utc is not None) for answer in visit.screening] == [
        ("Fracture", False, False),
        ("Blood thinners", True, True),
    ]
    assert [(mark.technique, mark.region) for mark in visit.marks] == [("Kneading", "Neck")]
    assert (visit.saved, visit.mind) == (None, "")
    saved = await records.write(1, Soap(subjective="tired"), mind=" left hip ", based_on=None, by="Ada")
    assert (saved.therapist, saved.updated_utc) == ("Ada", "2026-11-23T10:00:00.000Z")
    again = await records.visit(1, by="Ada")
    assert (again.saved, again.mind) == (saved, "left hip")
    with pytest.raises(RefusedError, match="Ada has saved these notes meanwhile"):
        await records.write(1, Soap(), mind="", based_on=None, by="Bo")
    await records.write(1, Soap(subjective="rested"), mind="right hip", based_on=saved.updated_utc, by="Bo")
    assert await flags(bench) == ["right hip"]
    full = await records.client("M-001", by="Ada")
    assert (full.posture, full.technique, full.screening_yes) == ("prone", "Kneading", ["Blood thinners"])


async def test_a_flag_that_a_rule_takes_back_leaves_the_others(bench, records):
    await bench.storage.create_session(NewSession(header=Header(client="M-001"), source="H10", pain_before=2))
    await records.set_pain_after(1, 8, by="Ada")
    await records.write(1, Soap(), mind="slowly", based_on=None, by="Ada")
    await records.set_pain_after(1, 2, by="Ada")
    await bench.storage.work(lambda db: flag_pain(db, 1, NOW))
    assert await flags(bench) == ["slowly"]


def test_a_database_of_before_keeps_its_flags():
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
    await bench.house.open_room(opening, by="Ada")
    assert [row.client for row in await records.clients()] == ["M-001"]
    with pytest.raises(RefusedError, match="it names nobody"):
        await bench.house.open_room(Opening(address=OTHER, client="Erika Mustermann", consent=True), by="Ada")
