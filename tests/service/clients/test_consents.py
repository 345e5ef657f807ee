"""Consent: without it nothing is recorded, and withdrawing it ends a running session."""
# ruff: noqa: F811 what fixtures are is imported

import asyncio

import pytest

from restbeat.sensors.clock import RunningClock
from restbeat.sensors.recordings.recording import Header
from restbeat.service.clients.clients import Clients
from restbeat.service.clients.consent_texts import WORDING
from restbeat.service.errors import RefusedError
from restbeat.service.follow_up.link_store import revoke_all
from restbeat.service.sessions.session_store import SessionStore
from restbeat.service.storage.encryption import IdentityCipher

from ..practice_under_test import PracticeUnderTest, Strap, ended, open_room
from .test_clients import OTHER, bench, records, stored  # noqa: F401 fixtures


async def test_without_consent_nothing_is_recorded(bench, records):
    await records.add("M-001", by="Ada")
    with pytest.raises(RefusedError, match=r"M-001 has not agreed to be recorded yet\. Nothing is recorded without it"):
        await open_room(bench, client="M-001", consent=False)
    with pytest.raises(RefusedError, match=r"Nothing is recorded without consent\. Ask whoever lies on the table"):
        await open_room(bench, consent=False)
    assert (await bench.storage.sessions()).rows == []
    assert bench.live_feed.rooms() == []
    assert await stored(bench, "SELECT strap_address FROM client") == [(None,)]
    await records.agree("M-001", "trends", by="Ada")
    with pytest.raises(RefusedError, match="has not agreed to be recorded"):
        await open_room(bench, client="M-001", consent=False)
    given = await records.agree("M-001", "record", by="Ada")
    assert (given.wording, given.noted_by, given.given_utc) == (WORDING, "Ada", "2026-11-23T10:00:00.000Z")
    assert await records.agree("M-001", "record", by="Bo") == given
    await open_room(bench, client="M-001", consent=False)


async def test_consent_at_the_start_covers_a_clients_later_sessions_and_without_a_client_that_session_alone(bench, records):
    await open_room(bench, client="M-001")
    assert (await records.clients()).rows[0].may_record
    await open_room(bench, OTHER)
    session = bench.live_feed.rooms()[1].session
    assert await stored(bench, "SELECT client, session, purpose, wording FROM consent ORDER BY id") == [
        ("M-001", None, "record", WORDING),
        (None, session, "record", WORDING),
    ]
    with pytest.raises(RefusedError, match="Nothing is recorded without consent"):
        await open_room(bench, "A0:9E:1A:00:00:03", consent=False)


async def test_withdrawn_consent_ends_the_running_session_and_refuses_new_ones(bench, records):
    room = await open_room(bench, client="M-001")
    await open_room(bench, OTHER, client="M-002")
    await bench.rooms.entries.advance(room, "settle")
    (given,) = await stored(bench, "SELECT id FROM consent WHERE client = 'M-001'")
    session = bench.live_feed.rooms()[0].session
    await records.withdraw("M-001", given[0], by="Ada")
    first, second = bench.live_feed.rooms()
    assert (first.phase, second.phase) == ("ended", "settle")
    assert first.hint == "M-001 took back the consent to be recorded. What was recorded until then is kept."
    with pytest.raises(RefusedError, match="M-001 took back the consent to be recorded on 2026-11-23"):
        await bench.rooms.undo(room, first.actions[0].number, by="Ada")
    await ended(bench, session)
    row, report = await bench.reports.of(session)
    assert (row.state, [note.text for note in report.notes]) == ("ended", ["consent to be recorded taken back"])
    with pytest.raises(RefusedError, match="took back the consent"):
        await open_room(bench, client="M-001", consent=False)
    with pytest.raises(RefusedError, match="took back the consent"):
        await bench.rooms.reassign("room-2", "M-001", by="Ada")
    await open_room(bench, client="M-001")  # asked anew, and agreed
    rows = (await records.client("M-001", by="Ada")).consents
    assert [(row.purpose, row.withdrawn_by) for row in rows] == [("record", None), ("record", "Ada")]


async def test_other_consents_can_be_withdrawn_without_ending_a_session(bench, records):
    await open_room(bench, client="M-001")
    shared = await records.agree("M-001", "share", by="Ada")
    await records.withdraw("M-001", shared.consent, by="Bo")
    assert bench.live_feed.rooms()[0].phase == "settle"
    assert (await records.withdraw("M-001", shared.consent, by="Cy")).withdrawn_by == "Bo"
    assert (await records.clients()).rows[0].may_record


async def test_the_consent_of_an_imported_session_is_noted_as_imported(bench, records):
    await bench.rooms.start("virtual", Strap("virtual"), RunningClock(), Header(client="demo-1"))
    (row,) = (await records.client("demo-1", by="Ada")).consents
    assert (row.session, row.wording, row.noted_by) == (1, "imported", "restbeat")
    with pytest.raises(RefusedError, match="demo-1 has not agreed"):
        await open_room(bench, client="demo-1", consent=False)
    given = await records.agree("demo-1", "record", by="Ada")
    await records.withdraw("demo-1", given.consent, by="Ada")
    assert bench.live_feed.rooms()[0].phase == "ended"
    assert all(row.withdrawn_utc for row in (await records.client("demo-1", by="Ada")).consents)


@pytest.mark.parametrize("first", ["open", "withdraw"])
async def test_consent_withdrawn_while_a_session_starts_leaves_nothing_running(bench, records, first):
    await records.add("M-001", by="Ada")
    given = await records.agree("M-001", "record", by="Ada")
    opening, taking = open_room(bench, client="M-001", consent=False), records.withdraw("M-001", given.consent, by="Ada")
    await asyncio.gather(*((opening, taking) if first == "open" else (taking, opening)), return_exceptions=True)
    assert [state.phase for state in bench.live_feed.rooms() if state.phase != "ended"] == []


async def test_an_interrupted_session_is_not_resumed_without_consent(tmp_path, worker_pool):
    async with await SessionStore.open(tmp_path) as storage:
        first = PracticeUnderTest(storage, worker_pool)
        async with first.rooms:
            await open_room(first, client="M-001")
    async with await SessionStore.open(tmp_path) as storage:
        bench = PracticeUnderTest(storage, worker_pool)
        records = Clients(storage, IdentityCipher(tmp_path / "key"), bench.rooms.end_sessions_of, revoke_all)
        (given,) = (await records.client("M-001", by="Ada")).consents
        await records.withdraw("M-001", given.consent, by="Ada")
        with pytest.raises(RefusedError, match="took back the consent"):
            await bench.rooms.resume(1)
        await bench.rooms.close(1)
        assert [row.state for row in (await bench.reports.sessions()).rows] == ["ended"]
