"""The pages and endpoints of clients, notes and settings, with a real database."""

import re

import pytest

from restbeat.sensors.recordings.recording import Header
from restbeat.service.clients.clients import Clients
from restbeat.service.clients.consent_texts import PURPOSES, TEXTS
from restbeat.service.sessions.session_store import NewSession
from restbeat.web.app import create_app

from ...practices import practice_of
from ...service.clients.test_clients import bench, records  # noqa: F401 fixtures
from ...service.practice_under_test import ended, open_room

ODD = "Frau X / 2 <b> ü.."


@pytest.fixture
async def client(aiohttp_client, bench, records: Clients):  # noqa: F811 fixtures
    return await aiohttp_client(create_app(practice_of(bench.rooms, bench.live_feed, clients=records), version="1.2.3"))


async def a_session(bench, client="M-014"):  # noqa: F811 the fixture
    await bench.storage.create_session(NewSession(header=Header(client=client), source="H10", consent="imported"))
    await bench.storage.end_session(1, bench.rooms._now_utc(), 90.0)


@pytest.mark.parametrize("path", ["/start", "/clients", "/clients/M-014", "/sessions/1/notes", "/settings"])
async def test_no_page_carries_an_inline_script_or_style(client, bench, path):  # noqa: F811 the fixture
    await a_session(bench)
    answer = await client.get(path)
    html = await answer.text()
    assert answer.status == 200
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", html)


async def test_a_browser_that_hides_clients_lists_none(client, bench):  # noqa: F811 the fixture
    await a_session(bench)
    assert "M-014" in await (await client.get("/clients")).text()
    hidden = await (await client.get("/clients", headers={"Cookie": "restbeat-hide=yes"})).text()
    assert "Clients are hidden on this screen" in hidden
    assert "M-014" not in hidden


async def test_an_imported_pseudonym_may_hold_any_character(client, bench):  # noqa: F811 the fixture
    await a_session(bench, ODD)
    html = await (await client.get("/clients")).text()
    address = re.search(r'class="open" href="([^"]+)"', html).group(1)
    page = await (await client.get(address)).text()
    assert "<h1" in page
    assert "Frau X / 2 &lt;b&gt; ü.." in page
    assert "<b> ü" not in page
    full = await (await client.get(f"/api/v1{address}")).json()
    assert full["client"]["client"] == ODD


async def test_views_by_page_and_by_api_are_noted_in_the_audit_log(client, bench):  # noqa: F811 the fixture
    await a_session(bench)
    for path in (
        "/clients/M-014",
        "/api/v1/clients/M-014",
        "/sessions/1",
        "/api/v1/sessions/1",
        "/sessions/1/picture.svg",
        "/sessions/1/notes",
    ):
        assert (await client.get(path)).status == 200
    log = await (await client.get("/api/v1/clients/M-014/audit")).json()
    assert [row["action"] for row in log] == [
        "notes looked at",
        "picture looked at",
        "summary looked at",
        "summary looked at",
        "client looked at",
        "client looked at",
    ]


async def test_a_client_is_created_and_gives_consent_by_the_api(client):
    assert await (await client.get("/api/v1/next-pseudonym")).json() == {"pseudonym": "M-001"}
    made = await client.post("/api/v1/clients", json={"pseudonym": None})
    assert (made.status, (await made.json())["client"]) == (201, "M-001")
    assert (await client.post("/api/v1/clients", json={"pseudonym": "M-001"})).status == 409
    given = await client.post("/api/v1/clients/M-001/consents", json={"purpose": "share"})
    assert given.status == 201
    consent = (await given.json())["consent"]
    back = await (await client.post(f"/api/v1/clients/M-001/consents/{consent}/withdraw")).json()
    assert back["withdrawn_by"] == "demo"
    assert (await client.post("/api/v1/clients/M-001/consents", json={"purpose": "fun"})).status == 400
    identity = {"name": " Erika ", "email": "", "language": "de"}
    kept = await (await client.put("/api/v1/clients/M-001/identity", json=identity)).json()
    assert kept == {"name": "Erika", "email": None, "phone": None, "language": "de", "note": None}
    assert await (await client.get("/api/v1/clients/M-001/identity")).json() == kept
    found = await (await client.post("/api/v1/client-search", json={"name": "erik"})).json()
    assert [row["client"] for row in found] == ["M-001"]


async def test_each_consent_has_a_text_in_both_languages(client):
    texts = await (await client.get("/api/v1/consent-texts")).json()
    assert [text["purpose"] for text in texts] == list(PURPOSES)
    assert all(text[language]["title"] and text[language]["text"] for text in texts for language in ("en", "de"))
    assert {text.wording for text in TEXTS} == {"1"}


async def test_notes_require_contraindications_and_report_a_concurrent_save(client, bench):  # noqa: F811 the fixture
    await a_session(bench)
    notes = await (await client.get("/api/v1/sessions/1/notes")).json()
    soap = notes["draft"] | {"based_on": None, "mind": "slowly"}
    assert soap["contraindications"] == "Not asked before the session."
    empty = await client.put("/api/v1/sessions/1/notes", json=soap | {"contraindications": ""})
    assert empty.status == 400
    assert (await client.put("/api/v1/sessions/1/notes", json=soap)).status == 200
    late = await client.put("/api/v1/sessions/1/notes", json=soap)
    assert (late.status, "meanwhile" in (await late.json())["error"]) == (409, True)
    visit = await (await client.put("/api/v1/sessions/1/pain-after", json={"score": 7})).json()
    assert (visit["pain_after"], visit["mind"], visit["saved"]["therapist"]) == (7, "slowly", "demo")
    page = await (await client.get("/sessions/1/notes")).text()
    assert "Saved by demo" in page
    assert "it shows no medical necessity" in page


async def test_the_notes_of_a_finished_session_contain_its_figures(client, bench):  # noqa: F811 the fixture
    room = await open_room(bench, client="M-014", pain_before=4)
    for leaving in ("settle", "baseline", "massage", "recovery"):
        await bench.rooms.entries.advance(room, leaving)
    await ended(bench, 1)
    notes = await (await client.get("/api/v1/sessions/1/notes")).json()
    assert notes["session"]["state"] == "ended"
    assert notes["draft"]["subjective"] == "Pain, 0 to 10: 4 before, not asked after."
    assert "Signal: " in notes["draft"]["objective"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"techniques": ["Holding", "holding"]}, "The techniques name nothing, or the same thing twice."),
        ({"regions": ["  "]}, "The regions name nothing, or the same thing twice."),
        ({"next_keys": ["Space", "Digit3", "Enter"]}, "Digit3, Enter means something else in a room. Choose another key."),
    ],
)
async def test_invalid_settings_are_refused_with_a_sentence(client, change, sentence):
    answer = await client.put("/api/v1/settings", json=change)
    assert (answer.status, (await answer.json())["error"]) == (409, sentence)


async def test_settings_are_stored_as_sent(client):
    change = {
        "techniques": [" Swedish   massage "],
        "pressures": ["Soft"],
        "baseline_s": 600,
        "massage_s": None,
        "next_keys": ["F13"],
    }
    assert (await client.put("/api/v1/settings", json=change)).status == 200
    settings = await (await client.get("/api/v1/settings")).json()
    assert (settings["techniques"], settings["pressures"], settings["baseline_s"]) == (["Swedish massage"], ["Soft"], 600.0)
    assert settings["next_keys"] == ["F13"]
    for bad in ({"techniques": []}, {"techniques": ["x"] * 10}, {"settle_s": 1}, {"next_keys": ["a b"]}, {"colour": "red"}):
        assert (await client.put("/api/v1/settings", json=bad)).status == 400
