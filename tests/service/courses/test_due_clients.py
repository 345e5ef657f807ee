"""The list of who is due is kept up: whatever changes a visit, a plan or the settings, it is as if computed anew."""

from datetime import UTC, date, datetime, timedelta

import pytest

from restbeat.sensors.recordings.recording import Header
from restbeat.service.clients import client_store
from restbeat.service.clients.flags import set_flag
from restbeat.service.clients.strap_assignments import reassign_session
from restbeat.service.courses.due_clients import DueWanted, due_page, due_unknown, refresh_due
from restbeat.service.courses.models import local_day
from restbeat.service.courses.visit_plans import delete_plan, save_plan
from restbeat.service.courses.visit_schedule import ClientPlan, due_on, periods
from restbeat.service.errors import UnknownError
from restbeat.service.sessions.session_store import NewSession, SessionStore
from restbeat.service.settings import CoursePlan, Settings, write_settings

BEGIN = datetime(2026, 9, 7, 12, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
USUAL = CoursePlan()
NAMES = [f"M-{n:03}" for n in range(1, 25)]


@pytest.fixture
async def storage(tmp_path):
    """Clients with a visit on some days, so that each state is there."""
    async with await SessionStore.open(tmp_path) as storage:
        for n, name in enumerate(NAMES):
            await storage.run(lambda db, name=name: client_store.add(db, name, "Ada", BEGIN))
            for day in range(0, 3 * n, 3):
                await visit(storage, name, day)
        yield storage


async def visit(storage, client, day):
    began = BEGIN + timedelta(days=day)
    return await storage.create_session(NewSession(header=Header(client=client), source="H10", began_utc=began))


async def listed(storage, limit=200, **wanted):
    while await storage.run(refresh_due):
        pass
    rows, after = [], None
    while True:
        page = await storage.run(lambda db, a=after: due_page(db, DueWanted(after=a, limit=limit, **wanted), TODAY, set()))
        rows += page.rows
        if page.next is None:
            return rows
        after = page.next


async def plain(storage, usual=USUAL):
    """Compute every client's line from their visits, as a list that is not kept up would."""

    def work(db):
        lines = {}
        for (client,) in db.execute("SELECT pseudonym FROM client").fetchall():
            query = "SELECT started_utc FROM session WHERE client = ? AND kind = 'massage' ORDER BY started_utc"
            days = [local_day(row[0]) for row in db.execute(query, (client,))]
            own = db.execute("SELECT starts_on, per_week, weeks, then_every_weeks, over FROM plan WHERE client = ?", (client,))
            row = own.fetchone()
            plan = CoursePlan(per_week=row[1], weeks=row[2], then_every_weeks=row[3]) if row else usual
            start = date.fromisoformat(row[0]) if row else days[0] if days else None
            day = due_on(plan, start, days) if start and not (row and row[4]) else None
            missed = sum(one.missed for one in periods(plan, start, days, TODAY)) if start and not (row and row[4]) else 0
            flags = db.execute(
                "SELECT count(*) FROM flag JOIN session ON session.id = flag.session WHERE client = ? AND cleared_utc IS NULL",
                (client,),
            ).fetchone()[0]
            lines[client] = (day.isoformat() if day else None, len(days), missed, flags)
        return lines

    return await storage.run(work)


async def agrees(storage, usual=USUAL):
    rows = await listed(storage)
    assert {row.client: (row.due_on, row.sessions, row.missed, len(row.flags)) for row in rows} == await plain(storage, usual)
    order = ("due", "soon", "later", "away", "none", "over")
    assert rows == sorted(rows, key=lambda row: (not row.flags, order.index(row.state), -row.days_late, row.client))
    return rows


async def test_the_list_is_as_computed_anew_after_each_kind_of_change(storage):
    rows = await agrees(storage)
    assert {row.state for row in rows} >= {"due", "away", "none"}
    await visit(storage, "M-002", 75)
    await agrees(storage)
    await storage.run(lambda db: set_flag(db, 3, "note", "left hip", BEGIN))
    await storage.run(lambda db: set_flag(db, 40, "pain", "Pain 8.", BEGIN))
    assert len((await agrees(storage))[0].flags) == 1
    await storage.run(lambda db: db.execute("UPDATE flag SET cleared_utc = '2026' WHERE session = 3"))
    await agrees(storage)
    plan = ClientPlan(plan=CoursePlan(per_week=1, weeks=3, then_every_weeks=None), starts_on="2026-11-01")
    await storage.run(lambda db: save_plan(db, "M-005", plan, "Ada", BEGIN))
    await agrees(storage)
    over = ClientPlan(plan=CoursePlan(), starts_on="2026-11-01", over=True)
    await storage.run(lambda db: save_plan(db, "M-006", over, "Ada", BEGIN))
    assert {row.client: row.state for row in await agrees(storage)}["M-006"] == "over"
    await storage.run(lambda db: delete_plan(db, "M-006", "Ada", BEGIN))
    await agrees(storage)
    usual = CoursePlan(per_week=3, weeks=2, then_every_weeks=1)
    await storage.run(lambda db: write_settings(db, Settings(plan=usual), "Ada", BEGIN))
    await agrees(storage, usual)
    await storage.run(lambda db: reassign_session(db, 60, "M-001", "Ada", BEGIN))
    await agrees(storage, usual)
    await storage.run(lambda db: db.execute("DELETE FROM session WHERE id > 100"))
    await agrees(storage, usual)


async def test_only_clients_who_changed_are_computed(storage):
    await listed(storage)
    assert not await storage.run(due_unknown)
    await visit(storage, "M-009", 80)
    query = "SELECT pseudonym FROM client WHERE due_kind IS NULL"
    assert await storage.run(lambda db: [row[0] for row in db.execute(query)]) == ["M-009"]


@pytest.mark.parametrize("limit", [1, 4, 7])
async def test_pages_hold_each_client_once(storage, limit):
    for session in (3, 40, 90):
        await storage.run(lambda db, session=session: set_flag(db, session, "note", "left hip", BEGIN))
    every = [row.client for row in await listed(storage)]
    assert [row.client for row in await listed(storage, limit)] == every
    assert sorted(every) == NAMES


async def test_a_state_can_be_asked_for_alone(storage):
    every = await listed(storage)
    for state in {row.state for row in every}:
        assert await listed(storage, 3, state=state) == [row for row in every if row.state == state]


async def test_a_page_that_is_none_is_refused(storage):
    with pytest.raises(UnknownError, match="no such page"):
        await storage.run(lambda db: due_page(db, DueWanted(after="00ff"), TODAY, set()))
