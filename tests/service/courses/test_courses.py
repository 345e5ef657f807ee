"""Courses over a real database and a real worker: simulated sessions, stored packet by packet, through to the pages."""
# ruff: noqa: F811 what fixtures are is imported

from datetime import timedelta
import re
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from restbeat.analysis.figures import ALGORITHM
from restbeat.sensors.recordings.recording import STOP_NOTE, Header
from restbeat.service.clients.consents import give, withdraw
from restbeat.service.clients.flags import set_flag
from restbeat.service.courses.courses import MAX_RECOMPUTED
from restbeat.service.sessions.baseline_range import baseline_range_of
from restbeat.service.sessions.session_store import NewSession

from .courses_made import BEGIN, TWELVE, a_course, bench, pages, put_session  # noqa: F401 fixtures

TREND = 0.07
"""Trend of ln RMSSD per week."""
PAINS = [(7, 5), (6, 5), (6, 4), (7, 4), (6, 4), (5, 4), (5, 3), (5, 3), (4, 3), (None, 3), (4, 2), (4, 2)]


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
    said = re.search(r"From week to week this change rose by ([\d.]+)% \(between ([\d.]+)% and ([\d.]+)%\)", html)
    assert [float(figure) for figure in said.groups()] == [round(slope[name], 1) for name in ("value", "low", "high")]
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


async def test_sessions_without_a_current_report_are_analysed_anew_a_few_at_a_time(bench):
    await a_course(bench, days=(0, 3, 7, 10, 14), report=False)
    first = await bench.courses.course("M-014", "course", by="Ada")
    assert (first.waiting, sum(entry.counts for entry in first.entries), len(first.entries)) == (1, MAX_RECOMPUTED, 5)
    second = await bench.courses.course("M-014", "course", by="Ada")
    assert (second.waiting, sum(entry.counts for entry in second.entries)) == (0, 5)
    assert second.figures.response_pct.count == 5


async def test_a_report_of_an_earlier_algorithm_is_not_mixed_in(bench):
    (session,) = await a_course(bench, days=(0,), report=False)
    await bench.storage.put_report(session, "restbeat-0", b'{"odd": true}')
    course = await bench.courses.course("M-014", "course", by="Ada")
    assert course.figures.sessions == 1
    assert await bench.storage.report(session, ALGORITHM) is not None


async def test_rests_are_compared_with_massages_and_are_no_visits_of_the_plan(bench):
    await a_course(bench, days=(0, 7, 14, 21), ratios=[1.5] * 4)
    for day in (1, 8, 15):
        at = BEGIN + timedelta(days=day)
        await put_session(bench.storage, bench.clock, "M-014", at, kind="rest", techniques=(), seed=70 + day)
    course = await bench.courses.course("M-014", "course", by="Ada")
    assert (course.figures.sessions, course.figures.rests) == (4, 3)
    assert course.figures.beyond_rest_pct.value == pytest.approx(50, abs=25)
    assert len(course.massage_days()) == 4


async def test_a_running_or_interrupted_session_is_listed_and_not_counted(bench):
    await a_course(bench, days=(0, 3))
    bench.clock.now = BEGIN + timedelta(days=7)
    await bench.storage.create_session(NewSession(header=Header(client="M-014"), source="H10"))
    course = await bench.courses.course("M-014", "course", by="Ada")
    assert [(entry.state, entry.counts) for entry in course.entries] == [("ended", True), ("ended", True), ("running", False)]
    assert course.figures.sessions == 2


async def test_without_consent_nothing_is_compared_and_no_typical_range_is_stated(bench, pages):
    numbers = await a_course(bench, days=(0, 3, 7, 10))
    consent = await bench.storage.run(lambda db: give(db, "M-014", "trends", "Ada", BEGIN).consent)
    await bench.storage.run(lambda db: withdraw(db, "M-014", consent, "Ada", BEGIN))
    course = await bench.courses.course("M-014", "course", by="Ada")
    assert (course.agreed, course.figures) == (False, None)
    assert {entry.percent for entry in course.entries} == {None}
    session = await bench.courses.session(numbers[-1], "client's page", by="Ada")
    assert session.baseline_range.compared is False
    html = await (await pages.get("/clients/M-014/course")).text()
    assert "has not agreed to have sessions compared over time" in html


# What is usual


async def test_the_baseline_range_comes_from_earlier_sessions_alone(bench):
    levels = [1.0, 1.1, 0.9, 1.2, 3.0]
    numbers = await a_course(bench, days=(0, 3, 7, 10, 14), levels=levels)
    days = [(await bench.courses.session(number, "client's page", by="Ada")).baseline_range for number in numbers]
    assert [usual.days for usual in days] == [0, 1, 2, 3, 4]
    assert [usual.low_ms is None for usual in days] == [True, True, True, False, False]
    assert days[4].high_ms < 2 * days[4].low_ms  # the session's own level, three times as high, is not in it


def test_about_two_thirds_of_further_days_lie_in_the_baseline_range():
    rng = np.random.default_rng(1)
    for days, share in ((3, 0.58), (5, 0.63), (12, 0.66)):
        inside = 0
        for _ in range(2000):
            *known, further = rng.normal(3.4, 0.2, days + 1)
            usual = baseline_range_of(list(known))
            inside += usual.low_ms <= np.exp(further) <= usual.high_ms
        assert inside / 2000 == pytest.approx(share, abs=0.04)


# Pain


@pytest.mark.parametrize("way", ["flag", "mark"])
async def test_a_stop_is_known_by_its_flag_or_its_mark(bench, way):
    first, second = await a_course(bench, days=(0, 3))

    def stop(db):
        if way == "flag":
            set_flag(db, second, "stop", STOP_NOTE, BEGIN)
        else:
            db.execute("INSERT INTO mark (session, seq, t_s, note, kind) VALUES (?, 99999, 300, ?, 'stop')", (second, STOP_NOTE))

    await bench.storage.run(stop)
    visits = [(await bench.courses.session(one, "client's page", by="Ada")).visit for one in (first, second)]
    assert [visit.stopped for visit in visits] == [False, True]
    course = await bench.courses.course("M-014", "course", by="Ada")
    assert [entry.stopped for entry in course.entries] == [False, True]


async def test_follow_up_answers_are_read_once_stored(bench):
    first, second = await a_course(bench, days=(0, 3), pains=[(6, 4), (5, 4)])
    before = await bench.courses.course("M-014", "course", by="Ada")
    assert [entry.pain_24h for entry in before.entries] == [None, None]

    def keep(db):
        columns = "session, slot, pain, relief_lasts, done, answered_utc"
        for slot, pain in ((24, 5), (48, 3)):
            db.execute(f"INSERT INTO follow_up ({columns}) VALUES (?, ?, ?, 0, '[]', '2026')", (first, slot, pain))

    await bench.storage.run(keep)
    course = await bench.courses.course("M-014", "course", by="Ada")
    assert [(entry.pain_24h, entry.pain_48h) for entry in course.entries] == [(5, 3), (None, None)]
    assert second == course.entries[1].session


def test_a_course_can_be_encoded_as_json():
    """The structs hold every field of the API."""
    from tests.web.take_home import a_course as made

    told = msgspec.json.decode(msgspec.json.encode(made()))
    assert told["entries"][0]["class"] == "slight"
    assert SimpleNamespace(**told["figures"]).sessions == 12
