"""The items that studies report are optional, kept with client and session, and go with each export."""
# ruff: noqa: F811 what fixtures are is imported

import csv
import io
import json
import zipfile

from playwright.async_api import expect
import pytest

from restbeat.service.commands.convert import convert
from restbeat.service.privacy.data_requests import DataRequests
from restbeat.service.settings import Settings, write_settings
from restbeat.web.server import serving

from ...practices import practice_of
from ...service.courses.courses_made import BEGIN, a_course, audited, bench, pages  # noqa: F401 fixtures
from ..screen import chromium

TOLD = {"birth_year": 1971, "sex": "female", "medication": "Bisoprolol 2.5 mg", "caffeine": "one coffee, 3 h before"}
AT = {"time_of_day": "11:30"}
"""9:30 UTC in September, on a clock in Berlin."""


@pytest.fixture
async def session(bench, pages):
    (session,) = await a_course(bench, days=(0,), report=False)
    await bench.storage.run(lambda db: write_settings(db, Settings(time_zone="Europe/Berlin"), "Ada", BEGIN))
    return session


async def converted(bench, session, folder, ending):
    out = folder / f"session{ending}"
    await convert(str(session), out, bench.storage.folder, minutes=None, force=True)
    return out.read_text()


def at_the_beginning(table):
    return {row["what"]: row["value"] for row in csv.DictReader(io.StringIO(table)) if row["t_s"] == "0.000"}


async def test_what_is_told_is_kept_and_drafted_into_the_notes(bench, pages, session):
    path = f"/api/v1/sessions/{session}"
    before = await (await pages.get(f"{path}/notes")).json()
    assert before["visit"]["reported"] == {"birth_year": None, "sex": None, "medication": "", "caffeine": ""} | AT
    answer = await pages.put(f"{path}/reported", json=TOLD)
    assert (answer.status, await answer.json()) == (200, TOLD | AT)
    notes = await (await pages.get(f"{path}/notes")).json()
    assert notes["visit"]["reported"] == TOLD | AT
    assert "Medication: Bisoprolol 2.5 mg.\nCaffeine: one coffee, 3 h before." in notes["draft"]["subjective"]
    page = await (await pages.get(f"/sessions/{session}/notes")).text()
    assert 'value="Bisoprolol 2.5 mg"' in page
    assert '<option value="female" selected>' in page
    assert any("reporting items written" in row for row in await audited(bench, "M-014"))


async def test_age_and_sex_are_the_clients_and_what_was_taken_is_the_sessions(bench, pages):
    first, second = await a_course(bench, days=(0, 3), report=False)
    await pages.put(f"/api/v1/sessions/{first}/reported", json=TOLD)
    other = (await (await pages.get(f"/api/v1/sessions/{second}/notes")).json())["visit"]["reported"]
    assert (other["birth_year"], other["sex"], other["medication"], other["caffeine"]) == (1971, "female", "", "")
    await pages.put(f"/api/v1/sessions/{second}/reported", json={})
    left = (await (await pages.get(f"/api/v1/sessions/{first}/notes")).json())["visit"]["reported"]
    assert (left["birth_year"], left["sex"], left["medication"]) == (None, None, TOLD["medication"])


@pytest.mark.parametrize("wrong", [{"birth_year": 1850}, {"sex": "f"}, {"caffeine": "x" * 301}, {"weight": 70}])
async def test_what_cannot_be_is_refused(pages, session, wrong):
    assert (await pages.put(f"/api/v1/sessions/{session}/reported", json=wrong)).status == 400


async def test_a_session_of_nobody_has_no_age(bench, pages, session):
    await bench.storage.run(lambda db: db.execute("UPDATE session SET client = NULL WHERE id = ?", (session,)))
    answer = await pages.put(f"/api/v1/sessions/{session}/reported", json=TOLD)
    assert answer.status == 409
    assert "this session names none" in (await answer.json())["error"]
    assert (await pages.put(f"/api/v1/sessions/{session}/reported", json={"caffeine": "none"})).status == 200
    assert "Year of birth</span>" not in await (await pages.get(f"/sessions/{session}/notes")).text()


async def test_they_go_with_the_table_of_events_and_with_fhir(bench, pages, session, tmp_path):
    nothing = at_the_beginning(await converted(bench, session, tmp_path, ".events.csv"))
    assert nothing["time_of_day"] == "11:30"
    assert not nothing.keys() & TOLD.keys()
    await pages.put(f"/api/v1/sessions/{session}/reported", json=TOLD | {"caffeine": "=none"})
    told = at_the_beginning(await converted(bench, session, tmp_path, ".events.csv"))
    assert {name: told[name] for name in TOLD} == TOLD | {"birth_year": "1971", "caffeine": "'=none"}

    entries = json.loads(await converted(bench, session, tmp_path, ".fhir.json"))["entry"]
    patient, *others = (entry["resource"] for entry in entries)
    assert (patient["gender"], patient["birthDate"]) == ("female", "1971")
    said = {one["code"]["coding"][0]["code"]: one for one in others if "valueString" in one}
    assert said["medication"]["valueString"] == "Bisoprolol 2.5 mg"
    assert said["time_of_day"]["valueString"] == "11:30"
    assert said["caffeine"]["effectiveDateTime"].startswith("2026-09-07T09:30")


async def test_a_clients_export_holds_them(bench, pages, session):
    await pages.put(f"/api/v1/sessions/{session}/reported", json=TOLD)
    rights = DataRequests(bench.storage, bench.worker, bench.cipher, bench.rooms, now_utc=bench.clock)
    with zipfile.ZipFile(io.BytesIO((await rights.export("M-014", by="Ada")).content)) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("reported.json"))
        assert json.loads(archive.read(name)) == TOLD | AT
        records = json.loads(archive.read("records.json"))
        assert records["client"][0]["birth_year"] == 1971
        assert records["session"][0]["caffeine"] == TOLD["caffeine"]


@pytest.mark.browser
async def test_they_are_filled_in_beside_the_notes_and_are_there_again(bench, session):
    practice = practice_of(bench.rooms, bench.live_feed, clients=bench.records)
    async with serving(practice, "127.0.0.1", 0) as address, chromium() as browser:
        page = await browser.new_page()
        await page.goto(f"{address}/sessions/{session}/notes")
        await page.get_by_text("For a report or a study").click()
        await page.get_by_label("Year of birth").fill("1971")
        await page.get_by_label("Sex").select_option("other")
        await page.get_by_label("Caffeine").fill("none")
        await page.get_by_role("button", name="Save the notes").click()
        await expect(page.locator("#said")).to_have_text("Saved.")
        await page.reload()
        await expect(page.get_by_label("Caffeine")).to_have_value("none")
        await expect(page.get_by_label("Year of birth")).to_have_value("1971")
        await expect(page.get_by_label("Sex")).to_have_value("other")
