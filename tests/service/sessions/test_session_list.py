"""The list of sessions: pages by keyset, searches and filters, over a database that is changed in every way there is."""

from datetime import UTC, datetime, timedelta

import pytest

from restbeat.analysis.figures import ALGORITHM
from restbeat.sensors.model import Device
from restbeat.sensors.recordings.recording import Header
from restbeat.service.clients.flags import set_flag
from restbeat.service.clients.strap_assignments import reassign_session
from restbeat.service.errors import NoSuchSessionError, UnknownSessionError
from restbeat.service.privacy.erasure import erase
from restbeat.service.sessions.session_list import SessionsWanted, list_sessions
from restbeat.service.sessions.session_store import NewSession, SessionStore
from restbeat.service.sessions.soap_notes import SessionNotes
from restbeat.service.storage.migrations import migrations
from restbeat.service.storage.sqlite import Database

BEGIN = datetime(2026, 9, 7, 9, 30, tzinfo=UTC)
CLIENTS = ("M-014", "M-002", "K-0098", None)
STRAPS = ("Polar H10 A1B2C3", "Polar Verity Sense", "Decathlon Belt")
WORDS = '{"figures": {"responses": [{"phase": "recovery", "class": "none"}, {"phase": "massage", "class": "%s"}]}}'


@pytest.fixture
async def storage(tmp_path):
    """Twelve sessions, a day apart; each odd one is imported: it began before the one stored before it."""
    async with await SessionStore.open(tmp_path) as storage:
        for n in range(12):
            began = BEGIN + timedelta(days=n + (0.5 if n % 2 == 0 else -1.2))
            header = Header(client=CLIENTS[n % 4], device=Device(name=STRAPS[n % 3]))
            room = f"room-{n % 2 + 1}"
            session = await storage.create_session(NewSession(header=header, source=STRAPS[n % 3], room=room, began_utc=began))
            await storage.end_session(session, began + timedelta(minutes=30), 1800.0)
            await storage.put_report(session, ALGORITHM, (WORDS % ("clear" if n % 3 == 0 else "slight")).encode())
        yield storage


async def found(storage, **wanted):
    return [row.session for row in (await storage.sessions(SessionsWanted(**wanted))).rows]


async def day_of(storage, session):
    return datetime.fromisoformat((await storage.session(session)).started_utc).astimezone().date()


async def in_time(storage):
    query = "SELECT id FROM session ORDER BY started_utc DESC"
    return await storage.run(lambda db: [row[0] for row in db.execute(query)])


@pytest.mark.parametrize("wanted", [{}, {"oldest_first": True}, {"search": "polar"}, {"response": "slight"}])
async def test_pages_forth_and_back_hold_each_session_once(storage, wanted):
    every = await found(storage, **wanted)
    pages, page = [], await storage.sessions(SessionsWanted(limit=3, **wanted))
    assert page.previous is None
    pages.append(page)
    while page.next:
        page = await storage.sessions(SessionsWanted(limit=3, after=page.next, **wanted))
        pages.append(page)
    assert [row.session for page in pages for row in page.rows] == every
    back = pages[-1]
    for before in reversed(pages[:-1]):
        back = await storage.sessions(SessionsWanted(limit=3, before=back.previous, **wanted))
        assert [row.session for row in back.rows] == [row.session for row in before.rows]
        assert back.next == before.next
    assert back.previous is None


async def test_the_order_is_that_of_time_whatever_was_stored_first(storage):
    assert await found(storage) == await in_time(storage)
    assert await found(storage, oldest_first=True) == (await in_time(storage))[::-1]


async def test_a_session_that_comes_meanwhile_moves_no_page(storage):
    first = await storage.sessions(SessionsWanted(limit=4))
    begun = NewSession(header=Header(), source="new", began_utc=BEGIN + timedelta(days=40))
    new = await storage.create_session(begun)
    second = await found(storage, limit=4, after=first.next)
    assert second == (await in_time(storage))[5:9]
    assert (await found(storage, limit=1)) == [new]


@pytest.mark.parametrize(
    ("search", "numbers"),
    [
        ("m-014", {1, 5, 9}),
        ("M-0", {1, 2, 5, 6, 9, 10}),
        ("14", {1, 5, 9}),
        ("98", {3, 7, 11}),
        ("verity", {2, 5, 8, 11}),
        ("decathlon", {3, 6, 9, 12}),
        ("polar room-2", {2, 4, 8, 10}),
        ("m-014 verity", {5}),
        ("a1b2", {1, 4, 7, 10}),
        ("2026-10", set()),
        ("nobody", set()),
        ('"', set()),
        ("NOT polar", set()),
    ],
)
async def test_words_are_searched_by_their_beginnings(storage, search, numbers):
    assert set(await found(storage, search=search)) == numbers


async def test_a_day_or_a_month_is_found_as_it_is_in_the_time_zone_of_the_practice(storage):
    day = await day_of(storage, 3)
    of_day = {number for number in range(1, 13) if await day_of(storage, number) == day}
    assert set(await found(storage, search=day.isoformat())) == of_day
    assert set(await found(storage, search=f"{day} polar")) <= of_day
    assert len(await found(storage, search="2026-09")) == 12
    assert await found(storage, search="2026-13") == []


async def test_filters_go_together_with_words_and_with_each_other(storage):
    await storage.run(lambda db: set_flag(db, 4, "note", "left hip", BEGIN))
    await storage.run(lambda db: set_flag(db, 5, "pain", "Pain 8 after the session.", BEGIN))
    assert set(await found(storage, flagged=True)) == {4, 5}
    assert await found(storage, search="hip") == [4]
    assert await found(storage, flagged=True, response="clear") == [4]
    assert await found(storage, flagged=True, client="M-014") == [5]
    assert await found(storage, flagged=True, client="M-014", response="clear") == []
    assert set(await found(storage, response="clear")) == {1, 4, 7, 10}
    assert set(await found(storage, client="M-014", search="polar")) == {1, 5}
    last, first = await day_of(storage, (await in_time(storage))[0]), await day_of(storage, (await in_time(storage))[-1])
    assert 12 > len(await found(storage, since=last)) > 0
    assert await found(storage, since=last + timedelta(days=1)) == []
    assert 12 > len(await found(storage, until=first)) > 0
    assert await found(storage, until=first - timedelta(days=1)) == []
    assert await found(storage, search="m-014", named=False) == []


async def test_every_change_is_found_at_once(storage):
    now = BEGIN
    await storage.run(lambda db: reassign_session(db, 1, "M-002", "Ada", now))
    assert 1 in await found(storage, client="M-002")
    assert 1 not in await found(storage, search="m-014")
    await storage.set_device(2, Device(name="Coospo H6"))
    assert await found(storage, search="coospo") == [2]
    await storage.run(lambda db: set_flag(db, 3, "note", "sore", now))
    await storage.run(lambda db: db.execute("UPDATE flag SET cleared_utc = '2026' WHERE session = 3"))
    assert await found(storage, flagged=True) == []
    await storage.put_report(3, "restbeat-9", (WORDS % "opposite").encode())
    assert await found(storage, response="opposite") == [3]
    await storage.reopen(3)
    assert await found(storage, response="opposite") == []
    await storage.run(lambda db: db.execute("DELETE FROM session WHERE id = 4"))
    assert 4 not in await found(storage, search="polar")


async def test_an_erased_client_is_in_no_index_of_words(storage, tmp_path):
    await storage.run(lambda db: set_flag(db, 1, "note", "Xylophonist", BEGIN))
    assert b"ylophon" in (tmp_path / "restbeat.db").read_bytes() + (tmp_path / "restbeat.db-wal").read_bytes()
    await storage.run(lambda db: erase(db, tmp_path, "M-014", "Ada", BEGIN))
    left = b"".join(path.read_bytes() for path in tmp_path.glob("restbeat.db*"))
    assert b"ylophon" not in left
    assert b"M-014" not in left


async def test_a_database_of_before_is_listed_like_a_new_one(storage, tmp_path):
    old = Database(memory=True)
    migrations.apply(old, stop_before="m013_lists")
    old.execute("INSERT INTO client (pseudonym, created_utc) VALUES ('M-014', '2026-09-01T00:00:00.000Z')")
    for n in range(3):
        columns = (
            "INSERT INTO session (client, kind, started_utc, ended_utc, source) VALUES ('M-014', 'massage', ?, ?, 'Polar H10')"
        )
        old.execute(columns, [f"2026-09-0{n + 1}T10:00:00.000Z"] * 2)
    old.execute("INSERT INTO flag (session, reason, raised_utc, rule) VALUES (2, 'left hip', '2026', 'note')")
    old.execute("INSERT INTO report VALUES (3, 'restbeat-1', '2026', ?)", (WORDS % "clear",))
    migrations.apply(old)

    def listed(**wanted):
        return [row.session for row in list_sessions(old, SessionsWanted(**wanted), ()).rows]

    assert listed() == [3, 2, 1]
    assert (listed(flagged=True), listed(response="clear"), listed(search="hip")) == ([2], [3], [2])
    (row,) = old.query("SELECT sessions, open_flags, last_visit_utc FROM client")
    assert tuple(row.values()) == (3, 1, "2026-09-03T10:00:00.000Z")


async def test_a_session_that_is_not_there_is_said_so(storage):
    with pytest.raises(NoSuchSessionError, match="There is no session 99"):
        await storage.session(99)
    with pytest.raises(UnknownSessionError, match="There is no session 99"):
        await SessionNotes(storage).viewed(99, "summary", by="Ada")


async def test_the_key_of_a_page_that_never_was_gives_an_empty_one(storage):
    assert await found(storage, after="nonsense") == []
    assert await found(storage, after="9" * 30) == []
