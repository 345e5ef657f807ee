"""Courses over a real database and a real worker: simulated sessions, stored packet by packet, through to the pages."""

from datetime import timedelta
import json
import re
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from restbeat.analysis.figures import ALGORITHM
from restbeat.service.consents import give, withdraw
from restbeat.service.courses import MOST_ANEW, PracticeCourses
from restbeat.service.journal import STOPPED
from restbeat.service.records import PracticeRecords
from restbeat.service.seal import Seal
from restbeat.service.storage import Storage
from restbeat.service.usual_days import usual_of
from restbeat.service.visits import set_flag
from restbeat.web.app import create_app
from restbeat.web.plan import ClientPlan, CoursePlan
from restbeat.web.ports import RefusedError, Settings, UnknownClientError, UnknownError, UnknownSessionError
from restbeat.web.records import Identity

from .courses_made import BEGIN, Clock, put_course, put_session
from .houses import Bench

TWELVE = (0, 3, 7, 10, 14, 21, 24, 28, 31, 35, 42, 49)
TREND = 0.07
"""Of ln RMSSD a week."""
PAINS = [(7, 5), (6, 5), (6, 4), (7, 4), (6, 4), (5, 4), (5, 3), (5, 3), (4, 3), (None, 3), (4, 2), (4, 2)]


@pytest.fixture
async def bench(tmp_path, worker_pool):
    clock = Clock()
    async with await Storage.open(tmp_path / "data", now_utc=clock) as storage:
        made = Bench(storage, worker_pool)
        made.clock, made.seal = clock, Seal(tmp_path / "data.key")
        made.records = PracticeRecords(storage, made.seal, made.house.end_sessions_of, now_utc=clock)
        made.courses = PracticeCourses(storage, worker_pool, made.seal, made.house, now_utc=clock)
        async with made.house:
            yield made


@pytest.fixture
async def pages(aiohttp_client, bench):
    app = create_app(bench.house, bench.hub, version="1.2.3", records=bench.records, courses=bench.courses)
    return await aiohttp_client(app)


async def a_course(bench, client="M-014", *, days=TWELVE, ratios=None, **more):
    await bench.records.add(client, by="Ada")
    return await put_course(bench.storage, bench.clock, client, days=days, ratios=ratios or [1.2] * len(days), **more)


async def audited(bench, client):
    return [(row.actor, row.action) for row in await bench.records.audit(client, by="test")][::-1]


# The course of a person, end to end


async def test_twelve_sessions_over_seven_weeks_show_a_known_trend_within_its_interval(bench, pages):
    weeks = np.array(TWELVE) / 7
    wander = 0.05 * np.random.default_rng(7).standard_normal(12)
    await a_course(bench, ratios=np.exp(0.02 + TREND * weeks + wander).tolist(), pains=PAINS, seed=7)
    bench.clock.now = BEGIN + timedelta(days=50)
    course = await (await pages.get("/api/v1/clients/M-014/course")).json()
    slope, mean = (course["figures"][name] for name in ("response_pct_per_week", "response_pct"))
    assert 0 < slope["low"] < 100 * np.expm1(TREND) < slope["high"]
    assert mean["low"] < 100 * np.expm1(0.02 + TREND * weeks.mean()) < mean["high"]
    assert (course["figures"]["sessions"], course["figures"]["weeks"], course["waiting"]) == (12, 7.0, 0)
    assert course["figures"]["pain_after"]["count"] == 11
    assert course["figures"]["pain_before_per_week"]["high"] < 0
    html = re.sub(r"\s+", " ", await (await pages.get("/clients/M-014/course/client")).text())
    assert "Over 12 sessions your heart rhythm varied more during the massage" in html
    said = re.search(r"From week to week this change rose by (\d+)% \(between (\d+)% and (\d+)%\)", html)
    assert [int(figure) for figure in said.groups()] == [round(slope[name]) for name in ("value", "low", "high")]
    assert html.count('class="point"') == 2 * 2 * 12  # response and level, each wide and narrow


async def test_twelve_sessions_in_which_nothing_happens_show_no_trend_and_no_change(bench, pages):
    await a_course(bench, ratios=[1.0] * 12, seed=11)
    bench.clock.now = BEGIN + timedelta(days=50)
    course = await (await pages.get("/api/v1/clients/M-014/course")).json()
    for name in ("response_pct", "response_pct_per_week", "baseline_pct_per_week"):
        assert course["figures"][name]["low"] < 0 < course["figures"][name]["high"], name
    html = await (await pages.get("/clients/M-014/course/client?lang=de")).text()
    assert "ist während der Massage im Mittel keine Änderung zu erkennen" in html
    assert "ist bei dieser Änderung kein Trend zu erkennen" in html
    assert "Nichts von dem, was getan wurde, hob sich bisher vom Übrigen ab" in html or "Noch ist nichts zu sagen" in html


async def test_sessions_without_a_report_by_todays_algorithm_are_analysed_anew_a_few_at_a_time(bench):
    await a_course(bench, days=(0, 3, 7, 10, 14), report=False)
    first = await bench.courses.course("M-014", "course", by="Ada")
    assert (first.waiting, sum(entry.counts for entry in first.entries), len(first.entries)) == (1, MOST_ANEW, 5)
    second = await bench.courses.course("M-014", "course", by="Ada")
    assert (second.waiting, sum(entry.counts for entry in second.entries)) == (0, 5)
    assert second.figures.response_pct.count == 5


async def test_a_report_of_an_earlier_algorithm_is_not_mixed_in(bench):
    (session,) = await a_course(bench, days=(0,), report=False)
    await bench.storage.put_report(session, "restbeat-0", b'{"odd": true}')
    course = await bench.courses.course("M-014", "course", by="Ada")
    assert course.figures.sessions == 1
    assert await bench.storage.report(session, ALGORITHM) is not None


async def test_rests_tell_the_massage_apart_and_are_no_visit_of_the_plan(bench):
    await a_course(bench, days=(0, 7, 14, 21), ratios=[1.5] * 4)
    for day in (1, 8, 15):
        at = BEGIN + timedelta(days=day)
        await put_session(bench.storage, bench.clock, "M-014", at, kind="rest", techniques=(), seed=70 + day)
    course = await bench.courses.course("M-014", "course", by="Ada")
    assert (course.figures.sessions, course.figures.rests) == (4, 3)
    assert course.figures.beyond_rest_pct.value == pytest.approx(50, abs=25)
    assert len(course.held()) == 4


async def test_a_session_that_runs_or_was_cut_off_is_listed_and_not_counted(bench):
    await a_course(bench, days=(0, 3))
    bench.clock.now = BEGIN + timedelta(days=7)
    from restbeat.sensors.recording import Header
    from restbeat.service.storage import NewSession

    await bench.storage.create_session(NewSession(header=Header(client="M-014"), source="H10"))
    course = await bench.courses.course("M-014", "course", by="Ada")
    assert [(entry.state, entry.counts) for entry in course.entries] == [("ended", True), ("ended", True), ("running", False)]
    assert course.figures.sessions == 2


async def test_without_consent_to_comparison_nothing_is_compared_and_nothing_usual_is_told(bench, pages):
    numbers = await a_course(bench, days=(0, 3, 7, 10))
    consent = await bench.storage.work(lambda db: give(db, "M-014", "trends", "Ada", BEGIN).consent)
    await bench.storage.work(lambda db: withdraw(db, "M-014", consent, "Ada", BEGIN))
    course = await bench.courses.course("M-014", "course", by="Ada")
    assert (course.agreed, course.figures) == (False, None)
    assert {entry.percent for entry in course.entries} == {None}
    session = await bench.courses.session(numbers[-1], "client's page", by="Ada")
    assert session.usual.compared is False
    html = await (await pages.get("/clients/M-014/course")).text()
    assert "has not agreed to have sessions compared over time" in html


# What is usual


async def test_the_usual_days_come_from_earlier_sessions_alone(bench):
    levels = [1.0, 1.1, 0.9, 1.2, 3.0]
    numbers = await a_course(bench, days=(0, 3, 7, 10, 14), levels=levels)
    days = [(await bench.courses.session(number, "client's page", by="Ada")).usual for number in numbers]
    assert [usual.days for usual in days] == [0, 1, 2, 3, 4]
    assert [usual.low_ms is None for usual in days] == [True, True, True, False, False]
    assert days[4].high_ms < 2 * days[4].low_ms  # the session's own level, three times as high, is not in it


def test_about_two_thirds_of_further_days_lie_in_the_usual_range():
    rng = np.random.default_rng(1)
    for days, share in ((3, 0.58), (5, 0.63), (12, 0.66)):
        inside = 0
        for _ in range(2000):
            *known, further = rng.normal(3.4, 0.2, days + 1)
            usual = usual_of(list(known))
            inside += usual.low_ms <= np.exp(further) <= usual.high_ms
        assert inside / 2000 == pytest.approx(share, abs=0.04)


# Pain


@pytest.mark.parametrize("way", ["flag", "mark"])
async def test_a_stop_is_known_by_its_flag_or_its_mark(bench, way):
    first, second = await a_course(bench, days=(0, 3))

    def stop(db):
        if way == "flag":
            set_flag(db, second, "stop", STOPPED, BEGIN)
        else:
            db.execute("INSERT INTO mark (session, seq, t_s, note) VALUES (?, 99999, 300, ?)", (second, STOPPED))

    await bench.storage.work(stop)
    assert [(await bench.courses.session(one, "client's page", by="Ada")).stopped for one in (first, second)] == [False, True]
    course = await bench.courses.course("M-014", "course", by="Ada")
    assert [entry.stopped for entry in course.entries] == [False, True]


async def test_answers_of_the_days_after_are_read_once_they_are_kept(bench):
    first, second = await a_course(bench, days=(0, 3), pains=[(6, 4), (5, 4)])
    before = await bench.courses.course("M-014", "course", by="Ada")
    assert [entry.pain_24h for entry in before.entries] == [None, None]

    def keep(db):
        if "follow_up" not in db.table_names():
            db.execute("CREATE TABLE follow_up (session, slot, pain, relief_lasts, done, answered_utc)")
        columns = "session, slot, pain, relief_lasts, done, answered_utc"
        for slot, pain in ((24, 5), (48, 3)):
            db.execute(f"INSERT INTO follow_up ({columns}) VALUES (?, ?, ?, 0, '[]', '2026')", (first, slot, pain))

    await bench.storage.work(keep)
    course = await bench.courses.course("M-014", "course", by="Ada")
    assert [(entry.pain_24h, entry.pain_48h) for entry in course.entries] == [(5, 3), (None, None)]
    assert second == course.entries[1].session


# Beside the massage, and the plan


async def test_complements_are_noted_beside_a_session_and_taken_back(bench, pages):
    (session,) = await a_course(bench, days=(0,))
    path = f"/api/v1/sessions/{session}/complements"
    made = await pages.post(path, json={"kind": "heat", "detail": "  20 min,\n neck "})
    assert (made.status, (await made.json())["detail"]) == (201, "20 min, neck")
    await pages.post(path, json={"kind": "medication"})
    assert [row["kind"] for row in await (await pages.get(path)).json()] == ["heat", "medication"]
    left = await (await pages.delete(f"{path}/1")).json()
    assert [row["kind"] for row in left] == ["medication"]
    assert (await pages.delete(f"{path}/1")).status == 404
    assert (await pages.post(path, json={"kind": "leeches"})).status == 400
    assert (await pages.post("/api/v1/sessions/99/complements", json={"kind": "heat"})).status == 404
    html = await (await pages.get(f"/sessions/{session}/summary")).text()
    assert "Beside it: Medication changed." in html
    log = await audited(bench, "M-014")
    assert [action for _, action in log if action.startswith("complement")] == [
        "complement noted",
        "complement noted",
        "complement taken back",
    ]


async def test_a_client_follows_the_practices_plan_until_they_have_their_own(bench, pages):
    await bench.records.add("M-001", by="Ada")
    assert await bench.courses.plan("M-001") == ClientPlan(plan=CoursePlan())
    await bench.house.set_settings(Settings(plan=CoursePlan(per_week=1, weeks=8, then_every_weeks=4)), by="Ada")
    await a_course(bench, days=(2,))
    usual = await bench.courses.plan("M-014")
    assert (usual.plan.per_week, usual.starts_on, usual.own) == (1, str((BEGIN + timedelta(days=2)).date()), False)
    body = {"starts_on": "2026-09-14", "plan": {"per_week": 3, "weeks": 4, "then_every_weeks": None}}
    own = await (await pages.put("/api/v1/clients/M-014/plan", json=body)).json()
    assert own == {**body, "over": False, "own": True}
    assert (await pages.put("/api/v1/clients/M-014/plan", json={"starts_on": "2026-99-99"})).status == 409
    assert (await pages.put("/api/v1/clients/M-99/plan", json=body)).status == 404
    assert (await (await pages.delete("/api/v1/clients/M-014/plan")).json())["own"] is False


async def test_a_plan_that_says_no_day_is_refused_in_words(bench):
    await bench.records.add("M-001", by="Ada")
    with pytest.raises(RefusedError, match="A plan needs the day on which it begins"):
        await bench.courses.set_plan("M-001", ClientPlan(plan=CoursePlan()), by="Ada")


async def test_who_is_due_who_is_flagged_and_who_has_stayed_away(bench, pages):
    for client, days in (("M-due", (0, 40)), ("M-soon", (0, 44)), ("M-away", (0,)), ("M-flagged", (0, 48))):
        await a_course(bench, client, days=days, report=False)
    for client in ("M-new", "M-over"):
        await bench.records.add(client, by="Ada")
    over = ClientPlan(plan=CoursePlan(), starts_on="2026-09-07", over=True)
    await bench.courses.set_plan("M-over", over, by="Ada")
    flagged = next(row.session for row in await bench.storage.sessions() if row.client == "M-flagged")
    await bench.storage.work(lambda db: set_flag(db, flagged, "pain", "Pain 8 after the session.", BEGIN))
    bench.clock.now = BEGIN + timedelta(days=57)
    rows = await bench.courses.practice()
    assert [(row.client, row.state) for row in rows] == [
        ("M-flagged", "later"),
        ("M-due", "due"),
        ("M-soon", "soon"),
        ("M-away", "away"),
        ("M-new", "none"),
        ("M-over", "over"),
    ]
    assert rows[0].flags[0].reason == "Pain 8 after the session."
    assert (rows[1].days_late, rows[1].missed, rows[2].days_late) == (3, 5, -1)
    html = await (await pages.get("/practice")).text()
    assert html.index("Pain 8 after the session.") < html.index("M-due") < html.index("M-soon") < html.index("M-away")


# Pages


async def test_the_pages_speak_the_clients_language_unless_another_is_asked_for(bench, pages):
    (session,) = await a_course(bench, days=(0,))
    path = f"/sessions/{session}/summary"

    async def language(address, accept=""):
        html = await (await pages.get(address, headers={"Accept-Language": accept})).text()
        return re.search(r'<html lang="(\w+)"', html).group(1)

    assert [await language(path), await language(path, "de-AT,de;q=0.9"), await language(f"{path}?lang=de")] == ["en", "de", "de"]
    await bench.records.set_identity("M-014", Identity(name="Erika", language="de"), new_key=False, by="Ada")
    assert [await language(path, "en"), await language(f"{path}?lang=en", "de")] == ["de", "en"]
    assert await language("/clients/M-014/course/client", "en") == "de"
    bench.seal.path.unlink()  # the key is lost: the page is there all the same
    assert await language(path, "en") == "en"


async def test_a_language_that_there_are_no_pages_in_is_refused(bench, pages):
    await bench.records.add("M-001", by="Ada")
    answer = await pages.put("/api/v1/clients/M-001/identity", json={"language": "tlh"})
    assert (answer.status, (await answer.json())["error"]) == (409, "There are no pages in tlh; there are en, de.")


async def test_who_looks_at_a_summary_or_a_course_is_noted(bench, pages):
    (session,) = await a_course(bench, days=(0,))
    for path in (
        f"/sessions/{session}/summary",
        "/clients/M-014/course",
        "/clients/M-014/course/client",
        "/api/v1/clients/M-014/course",
    ):
        assert (await pages.get(path)).status == 200
    assert [action for _, action in await audited(bench, "M-014") if action.endswith("looked at")][:4] == [
        "client's page looked at",
        "course looked at",
        "client's course looked at",
        "course looked at",
    ]


@pytest.mark.parametrize("path", ["/sessions/1/summary", "/clients/M-014/course", "/clients/M-014/course/client", "/practice"])
async def test_no_page_carries_an_inline_script_or_style(bench, pages, path):
    await a_course(bench, days=(0, 3))
    answer = await pages.get(path)
    html = await answer.text()
    assert answer.status == 200
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", html)
    assert "Rest alone can do this." in html or "Rest alone can change" in html or path == "/practice"


async def test_what_is_not_there_is_said(bench, pages):
    for asked, error in (
        (bench.courses.session(9, "client's page", by="Ada"), UnknownSessionError),
        (bench.courses.course("M-9", "course", by="Ada"), UnknownClientError),
        (bench.courses.plan("M-9"), UnknownClientError),
        (bench.courses.complements(9), UnknownSessionError),
        (bench.courses.remove_complement(9, 1, by="Ada"), UnknownError),
    ):
        with pytest.raises(error):
            await asked
    for path in ("/sessions/9/summary", "/sessions/9/summary.pdf", "/clients/M-9/course", "/clients/M-9/course/client"):
        assert (await pages.get(path)).status == 404


async def test_everything_of_a_course_goes_with_its_client(bench):
    from restbeat.service.collect import of_client, tables_of_client

    (session,) = await a_course(bench, days=(0,))
    await bench.courses.add_complement(session, "heat", "20 min", by="Ada")
    await bench.courses.set_plan("M-014", ClientPlan(plan=CoursePlan(), starts_on="2026-09-07"), by="Ada")
    held = await bench.storage.work(
        lambda db: (of_client(db, bench.seal, "M-014").rows, [name for name, _ in tables_of_client(db)])
    )
    assert {"complement", "plan"} <= set(held[1])
    assert json.dumps(held[0]["complement"][0]["detail"]) == '"20 min"'
    assert held[0]["plan"][0]["per_week"] == 2


def test_a_course_can_leave_as_json():
    """The structs carry all that the API tells."""
    from tests.web.take_home import a_course as made

    told = msgspec.json.decode(msgspec.json.encode(made()))
    assert told["entries"][0]["class"] == "slight"
    assert SimpleNamespace(**told["figures"]).sessions == 12
