"""The pages of a course with a real database: co-interventions, the plan, the clients who are due, the audit log."""
# ruff: noqa: F811 what fixtures are is imported

from datetime import timedelta
import json
import re

import pytest

from restbeat.sensors.recordings.recording import Header
from restbeat.service.clients.flags import set_flag
from restbeat.service.clients.models import Identity
from restbeat.service.courses.visit_schedule import ClientPlan
from restbeat.service.errors import RefusedError, UnknownClientError, UnknownError, UnknownSessionError
from restbeat.service.privacy.personal_data import client_records, tables_of_client
from restbeat.service.sessions.session_store import NewSession
from restbeat.service.settings import CoursePlan, Settings

from ...service.courses.courses_made import BEGIN, a_course, audited, bench, pages  # noqa: F401 fixtures

# Beside the massage, and the plan


async def test_co_interventions_are_added_to_a_session_and_removed(bench, pages):
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
    await bench.settings.write(Settings(plan=CoursePlan(per_week=1, weeks=8, then_every_weeks=4)), by="Ada")
    await a_course(bench, days=(2,))
    usual = await bench.courses.plan("M-014")
    assert (usual.plan.per_week, usual.starts_on, usual.own) == (1, str((BEGIN + timedelta(days=2)).date()), False)
    body = {"starts_on": "2026-09-14", "plan": {"per_week": 3, "weeks": 4, "then_every_weeks": None}}
    own = await (await pages.put("/api/v1/clients/M-014/plan", json=body)).json()
    assert own == {**body, "over": False, "own": True}
    assert (await pages.put("/api/v1/clients/M-014/plan", json={"starts_on": "2026-99-99"})).status == 409
    assert (await pages.put("/api/v1/clients/M-99/plan", json=body)).status == 404
    assert (await (await pages.delete("/api/v1/clients/M-014/plan")).json())["own"] is False


async def test_a_plan_without_a_valid_day_is_refused_with_a_sentence(bench):
    await bench.records.add("M-001", by="Ada")
    with pytest.raises(RefusedError, match="A plan needs the day on which it begins"):
        await bench.courses.set_plan("M-001", ClientPlan(plan=CoursePlan()), by="Ada")


async def test_the_due_list_shows_due_flagged_and_overdue_clients(bench, pages):
    for client, days in (("M-due", (0, 40)), ("M-soon", (0, 44)), ("M-away", (0,)), ("M-flagged", (0, 48))):
        await a_course(bench, client, days=days, report=False)
    for client in ("M-new", "M-over"):
        await bench.records.add(client, by="Ada")
    over = ClientPlan(plan=CoursePlan(), starts_on="2026-09-07", over=True)
    await bench.courses.set_plan("M-over", over, by="Ada")
    flagged = next(row.session for row in (await bench.storage.sessions()).rows if row.client == "M-flagged")
    await bench.storage.run(lambda db: set_flag(db, flagged, "pain", "Pain 8 after the session.", BEGIN))
    bench.clock.now = BEGIN + timedelta(days=57)
    await bench.storage.create_session(NewSession(header=Header(client="M-new", kind="rest"), source="H10"))
    cut_off = (
        "INSERT INTO session (client, kind, started_utc, source) VALUES ('M-over', 'rest', '2026-10-01T10:00:00.000Z', 'H10')"
    )
    await bench.storage.run(lambda db: db.execute(cut_off))
    rows = (await bench.courses.practice()).rows
    assert [row.client for row in rows if row.running] == ["M-new"]
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
    hidden = await (await pages.get("/practice", headers={"Cookie": "restbeat-hide=yes"})).text()
    assert "Clients are hidden on this screen" in hidden
    assert not [row.client for row in rows if row.client in hidden]
    assert html.index("Pain 8 after the session.") < html.index("M-due") < html.index("M-soon") < html.index("M-away")


# Pages


async def test_pages_are_in_the_clients_language_unless_another_is_requested(bench, pages):
    (session,) = await a_course(bench, days=(0,))
    path = f"/sessions/{session}/summary"

    async def language(address, accept=""):
        html = await (await pages.get(address, headers={"Accept-Language": accept})).text()
        return re.search(r'<html lang="(\w+)"', html).group(1)

    assert [await language(path), await language(path, "de-AT,de;q=0.9"), await language(f"{path}?lang=de")] == ["en", "de", "de"]
    await bench.records.set_identity("M-014", Identity(name="Erika", language="de"), new_key=False, by="Ada")
    assert [await language(path, "en"), await language(f"{path}?lang=en", "de")] == ["de", "en"]
    assert await language("/clients/M-014/course/client", "en") == "de"
    bench.cipher.path.unlink()  # the key is lost: the page is there all the same
    assert await language(path, "en") == "en"


async def test_a_language_without_pages_is_refused(bench, pages):
    await bench.records.add("M-001", by="Ada")
    answer = await pages.put("/api/v1/clients/M-001/identity", json={"language": "tlh"})
    assert (answer.status, (await answer.json())["error"]) == (409, "There are no pages in tlh; there are en, de.")


async def test_views_of_summaries_and_courses_are_noted_in_the_audit_log(bench, pages):
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


async def test_missing_sessions_and_clients_are_answered_with_a_sentence(bench, pages):
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


async def test_erasing_a_client_erases_the_whole_course(bench):
    (session,) = await a_course(bench, days=(0,))
    await bench.courses.add_complement(session, "heat", "20 min", by="Ada")
    await bench.courses.set_plan("M-014", ClientPlan(plan=CoursePlan(), starts_on="2026-09-07"), by="Ada")
    held = await bench.storage.run(
        lambda db: (client_records(db, bench.cipher, "M-014", BEGIN).rows, [name for name, _ in tables_of_client(db)])
    )
    assert {"complement", "plan"} <= set(held[1])
    assert json.dumps(held[0]["complement"][0]["detail"]) == '"20 min"'
    assert held[0]["plan"][0]["per_week"] == 2
