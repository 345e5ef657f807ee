"""A session whose date nobody knows: it is shown as what it is, and counts in nothing that goes by dates."""

from datetime import timedelta
import io
import json
import re
import zipfile

import msgspec

from restbeat.sensors.recordings.recording import Header
from restbeat.service.clients.reporting_store import stored_items
from restbeat.service.commands.replay import replay_file
from restbeat.service.courses.visit_schedule import ClientPlan
from restbeat.service.exchange.packet_reconstruction import dated
from restbeat.service.follow_up.answer_store import sessions_of
from restbeat.service.privacy.data_requests import DataRequests
from restbeat.service.sessions.earlier_rests import earlier_rests_before, unreported_rests_before
from restbeat.service.sessions.session_store import NewSession, SessionStore
from restbeat.service.storage.database import DATABASE
from restbeat.service.storage.event_rows import stamp
from restbeat.service.storage.migrations import migrations
from restbeat.service.storage.sqlite import Database

from ..courses.courses_made import BEGIN, DEVICE, END_S, a_course, bench, events_of, pages  # noqa: F401 fixtures
from ..uploads.waiting import rr_list

# ruff: noqa: F811 what fixtures are is imported

IMPORTED = Header(device=DEVICE, client="M-014", extra={"imported": {"format": "RR text"}})


async def imported(bench, began=None, kind="massage"):
    """Store a session from a file, as its page does."""
    header = msgspec.structs.replace(IMPORTED, kind=kind)
    header = dated(header, began) if began else header
    new = NewSession(header=header, source="RR text file", speed=None, began_utc=began or bench.clock())
    ended = (began or bench.clock()) + timedelta(seconds=END_S if began else 0)
    return await bench.storage.add_whole(new, events_of(1.2, 1.0, 5), ended, END_S, lambda *_: None)


async def test_the_course_leaves_it_out_and_says_so(bench, pages):
    numbers = await a_course(bench, days=(0, 3, 7))
    known = await imported(bench, BEGIN + timedelta(days=10))
    undated = await imported(bench)
    course = await bench.courses.course("M-014", "course", by="Ada")
    assert [entry.session for entry in course.entries] == [*numbers, known]
    assert course.undated == 1
    page = await (await pages.get("/clients/M-014/course")).text()
    assert "1 imported session is left out: nobody knows when it was." in page
    assert f"/sessions/{undated}" not in page


async def test_it_is_no_visit_and_begins_no_plan(bench):
    await bench.records.add("M-014", by="Ada")
    await imported(bench)
    (row,) = (await bench.courses.practice()).rows
    assert (row.sessions, row.last_visit_utc, row.state) == (0, None, "none")
    assert (await bench.courses.plan("M-014")) == ClientPlan(plan=row.plan.plan)
    visit = await imported(bench, BEGIN - timedelta(days=3))
    (row,) = (await bench.courses.practice()).rows
    assert (row.sessions, row.last_visit_utc) == (1, stamp(BEGIN - timedelta(days=3)))
    await bench.storage.run(lambda db: db.execute("DELETE FROM session WHERE id = ?", (visit,)))
    (row,) = (await bench.courses.practice()).rows
    assert (row.sessions, row.last_visit_utc) == (0, None)


async def test_nothing_is_compared_with_it(bench):
    numbers = await a_course(bench, days=(0, 3, 7))
    for number in (await imported(bench), await imported(bench, kind="rest")):
        await bench.reports.make(number)
    bench.clock.now = BEGIN + timedelta(days=90)
    last = await imported(bench, BEGIN + timedelta(days=80))
    session = await bench.courses.session(last, "client's page", by="Ada")
    assert (session.baseline_range.days, session.earlier) == (len(numbers), len(numbers))
    assert await bench.storage.read(lambda db: earlier_rests_before(db, last)) == []
    assert await bench.storage.read(lambda db: unreported_rests_before(db, last)) == []


async def test_nobody_is_asked_how_it_was_a_day_later(bench):
    await bench.records.add("M-014", by="Ada")
    await imported(bench)
    known = await imported(bench, BEGIN)
    now = BEGIN + timedelta(days=1)
    assert [one.session for one in await bench.storage.read(lambda db: sessions_of(db, "M-014", now))] == [known]


async def test_its_pages_tell_no_date_and_no_time_of_day(bench, pages):
    await bench.records.add("M-014", by="Ada")
    session = await imported(bench)
    assert (await bench.storage.read(lambda db: stored_items(db, session))).time_of_day == ""
    for path in (f"/sessions/{session}", f"/sessions/{session}/notes", f"/sessions/{session}/summary"):
        html = (await (await pages.get(path)).text()).partition("<main")[2]
        text = " ".join(re.sub(r"<(style|svg).*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL).split())
        assert not re.search(r"7 September|2026-09-07|11:30|9:30", text), path
    assert "Your session" in text
    assert "Session of an unknown date" in await (await pages.get(f"/sessions/{session}")).text()


async def test_an_export_tells_no_date(bench):
    await bench.records.add("M-014", by="Ada")
    session = await imported(bench)
    rights = DataRequests(bench.storage, bench.worker, bench.cipher, bench.rooms, now_utc=bench.clock)
    exported = await rights.export("M-014", by="Ada")
    with zipfile.ZipFile(io.BytesIO(exported.content)) as archive:
        names = [name for name in archive.namelist() if name.endswith("fhir.json")]
        assert names == [f"sessions/undated-{session}/fhir.json"]
        assert "2026-09-07" not in json.dumps(json.loads(archive.read(names[0])))


async def test_what_was_told_when_it_was_replayed_is_kept_in_an_older_database(tmp_path):
    db = Database(tmp_path / DATABASE)
    migrations.apply(db, stop_before="m022_known_dates")
    db.table("client").insert({"pseudonym": "M-1", "created_utc": "2026-01-01T00:00:00.000Z"})
    extra = json.dumps({"imported": {"format": "RR text"}})
    for began, ended in (
        ("2025-05-03T08:00:00.000Z", "2025-05-03T08:10:00.250Z"),
        ("2026-01-02T08:00:00.000Z", "2026-01-02T08:00:03.100Z"),
    ):
        row = {
            "kind": "massage",
            "client": "M-1",
            "source": "rr.txt",
            "duration_s": 600.25,
            "header_extra": extra,
            "device_extra": "{}",
        }
        db.table("session").insert(row | {"started_utc": began, "ended_utc": ended})
    db.close()
    async with await SessionStore.open(tmp_path) as storage:
        rows = (await storage.sessions()).rows
        (last,) = await storage.read(lambda db: db.execute("SELECT last_visit_utc FROM client").fetchone())
    assert [(row.started_utc[:4], row.dated) for row in rows] == [("2026", False), ("2025", True)]
    assert last == "2025-05-03T08:00:00.000Z"


async def test_a_replayed_file_is_dated_by_whoever_replays_it_or_by_nobody(tmp_path, capsys):
    file = tmp_path / "rr.txt"
    file.write_bytes(rr_list(100))
    for began in (None, BEGIN):
        await replay_file(file, None, tmp_path / "data", as_json=True, client="M-014", began=began)
    async with await SessionStore.open(tmp_path / "data") as storage:
        rows = {row.session: row for row in (await storage.sessions()).rows}
    assert (rows[1].dated, rows[1].imported) == (False, "RR text")
    assert (rows[2].dated, rows[2].started_utc) == (True, "2026-09-07T09:30:00Z")
