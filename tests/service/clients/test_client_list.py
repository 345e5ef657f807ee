"""The list of clients: pages, searches and the next free pseudonym, among many clients."""

from datetime import UTC, datetime, timedelta

import pytest

from restbeat.sensors.recordings.recording import Header
from restbeat.service.clients import client_store
from restbeat.service.clients.client_list import ClientsWanted, list_clients
from restbeat.service.clients.flags import set_flag
from restbeat.service.clients.strap_assignments import assign_strap
from restbeat.service.errors import RefusedError
from restbeat.service.sessions.session_store import NewSession, SessionStore

BEGIN = datetime(2026, 9, 7, 9, 30, tzinfo=UTC)


@pytest.fixture
async def storage(tmp_path):
    """Nine clients, added an hour apart, the fifth and the second of whom came later."""
    async with await SessionStore.open(tmp_path) as storage:
        for n in range(1, 10):
            at = BEGIN + timedelta(hours=n)
            await storage.run(lambda db, n=n, at=at: client_store.add(db, f"M-{n:03}", "Ada", at))
        for n in (5, 2):
            header = Header(client=f"M-{n:03}")
            await storage.create_session(NewSession(header=header, source="H10", began_utc=BEGIN + timedelta(days=10 - n)))
        yield storage


async def found(storage, **wanted):
    page = await storage.run(lambda db: list_clients(db, ClientsWanted(**wanted)))
    return [int(row.client.partition("-")[2]) for row in page.rows]


async def test_those_who_came_last_are_first_and_pages_hold_each_once(storage):
    for wanted, expected in (
        ({}, [2, 5, 9, 8, 7, 6, 4, 3, 1]),
        ({"by_name": True}, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ({"search": "m"}, [2, 5, 9, 8, 7, 6, 4, 3, 1]),
        ({"search": "m", "by_name": True}, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ):
        rows, after = [], None
        while True:
            page = await storage.run(lambda db, a=after, w=wanted: list_clients(db, ClientsWanted(limit=2, after=a, **w)))
            rows += [int(row.client.partition("-")[2]) for row in page.rows]
            if page.previous:
                back = ClientsWanted(limit=2, before=page.previous, **wanted)
                before = await storage.run(lambda db, back=back: list_clients(db, back))
                assert [int(row.client.partition("-")[2]) for row in before.rows] == rows[: -len(page.rows)][-2:]
            if page.next is None:
                break
            after = page.next
        assert rows == expected


async def test_a_visit_a_flag_and_a_strap_are_found_at_once(storage):
    await storage.create_session(NewSession(header=Header(client="M-007"), source="H10", began_utc=BEGIN + timedelta(days=20)))
    assert (await found(storage))[0] == 7
    assert (await found(storage, search="7")) == [7]
    await storage.run(lambda db: set_flag(db, 1, "note", "left hip", BEGIN))
    assert await found(storage, flagged=True) == await found(storage, flagged=True, search="m") == [5]
    await storage.run(lambda db: assign_strap(db, "M-003", "A0:01", "H10", None))
    assert await found(storage, worn=["A0:00", "A0:01"]) == [3]
    await storage.run(lambda db: db.execute("DELETE FROM session WHERE id = 1"))
    assert await found(storage, flagged=True) == []
    assert (await found(storage))[:2] == [7, 2]


async def test_the_next_pseudonym_follows_the_greatest_number_of_the_newest_pattern(storage):
    async def after(*names):
        for n, name in enumerate(names):
            at = BEGIN + timedelta(days=30, minutes=n)
            await storage.run(lambda db, name=name, at=at: client_store.add(db, name, "Ada", at))
        return await storage.run(client_store.next_pseudonym)

    assert await after() == "M-010"
    assert await after("M-999", "M-014") == "M-1000"
    assert await after("M-1000", "M-0020") == "M-1001"
    assert await after("K7-0500", "K7-0100", "demo-1", "1234567", "x") == "K7-0501"


async def test_a_pseudonym_that_differs_in_case_alone_is_taken(storage):
    with pytest.raises(RefusedError, match="There is a client m-003 already"):
        await storage.run(lambda db: client_store.add(db, "m-003", "Ada", BEGIN))
