"""The API of files on a client's page: login, token, roles, bounds, refusals."""

from io import BytesIO
from urllib.parse import quote

from argon2 import PasswordHasher
import pytest

from restbeat.service.accounts.accounts import Accounts
from restbeat.service.accounts.passwords import Passwords
from restbeat.service.uploads.uploads import Limits
from restbeat.web.app import create_app

from ...practices import practice_of
from ...service.clients.test_clients import bench, records  # noqa: F401 fixtures
from ...service.uploads.waiting import SAMPLES, heart_rates, rr_list, uploads_of

# ruff: noqa: F811 what fixtures are is imported

FILES = "/api/v1/clients/M-014/uploads"
AS_IT_IS = {"Content-Type": "application/octet-stream", "X-File-Name": quote("Müllers Puls.txt")}
PASSWORD = "correct horse battery"


@pytest.fixture
async def uploads(bench, records):
    await records.add("M-014", by="Ada")
    await records.agree("M-014", "record", by="Ada")
    async with uploads_of(bench) as made:
        yield made


@pytest.fixture
async def client(aiohttp_client, bench, records, uploads):
    parts = {"clients": records, "uploads": uploads}
    return await aiohttp_client(create_app(practice_of(bench.rooms, bench.live_feed, **parts), version="1"))


async def test_a_file_is_sent_shown_and_added(client):
    sent = await client.post(FILES, data=rr_list(), headers=AS_IT_IS)
    upload = await sent.json()
    assert (sent.status, upload["name"], upload["contents"]["beats"]) == (201, "Müllers Puls.txt", 400)
    assert [one["upload"] for one in await (await client.get(FILES)).json()] == [upload["upload"]]
    added = await client.post(f"{FILES}/{upload['upload']}/add", json={"kind": "rest", "began_local": "2026-05-03T08:12"})
    assert (added.status, await added.json()) == (201, {"session": 1})
    full = await (await client.get("/api/v1/clients/M-014")).json()
    assert [(row["session"], row["imported"], row["dated"], row["kind"]) for row in full["sessions"]] == [
        (1, "RR text", True, "rest")
    ]
    page = await (await client.get("/sessions/1")).text()
    assert "Imported from a file (RR text): it was not recorded here." in page
    assert "Müller" not in page
    log = await (await client.get("/api/v1/clients/M-014/audit")).json()
    assert ("demo", "session imported", 1, "RR text") in [
        (row["actor"], row["action"], row["session"], row["detail"]) for row in log
    ]


async def test_a_refused_file_is_one_sentence(client):
    answer = await client.post(FILES, data=SAMPLES, headers=AS_IT_IS)
    assert answer.status == 409
    assert (await answer.json())["error"].startswith("Müllers Puls.txt seems to hold the samples of a pulse")
    assert await (await client.get(FILES)).json() == []


async def test_a_file_is_discarded(client):
    upload = (await (await client.post(FILES, data=heart_rates(), headers=AS_IT_IS)).json())["upload"]
    assert (await client.delete(f"{FILES}/{upload}")).status == 200
    assert (await client.delete(f"{FILES}/{upload}")).status == 404
    assert (await client.post(f"{FILES}/{upload}/add", json={})).status == 404


async def test_the_same_beats_ask_for_a_confirmation(client):
    for expected in (None, {"session": 1, "client": "M-014"}):
        upload = await (await client.post(FILES, data=rr_list(), headers=AS_IT_IS)).json()
        assert upload["twin"] == expected
        answer = await client.post(f"{FILES}/{upload['upload']}/add", json={})
    told = await answer.json()
    assert (answer.status, told["unconfirmed"]) == (409, True)
    assert (await client.post(f"{FILES}/{upload['upload']}/add", json={"confirmed": True})).status == 201


@pytest.mark.parametrize(
    "choice",
    [
        {"began_local": "yesterday"},
        {"parts": [5, 0, 5]},
        {"parts": [5, 5]},
        {"kind": "sport"},
        {"client": "M-015"},
    ],
)
async def test_a_choice_that_is_none_is_refused(client, choice):
    upload = (await (await client.post(FILES, data=rr_list(), headers=AS_IT_IS)).json())["upload"]
    assert (await client.post(f"{FILES}/{upload}/add", json=choice)).status == 400


async def test_a_client_without_consent_or_unknown_gets_nothing(client, records):
    await records.add("M-015", by="Ada")
    answer = await client.post("/api/v1/clients/M-015/uploads", data=rr_list(), headers=AS_IT_IS)
    assert (answer.status, "has not agreed to be recorded" in (await answer.json())["error"]) == (409, True)
    assert (await client.post("/api/v1/clients/M-9/uploads", data=rr_list(), headers=AS_IT_IS)).status == 404
    assert (await client.get("/api/v1/clients/M-9/uploads")).status == 404
    page = await (await client.get("/clients/M-015")).text()
    assert "M-015 does not agree to be recorded, so nothing is stored." in page
    assert 'id="choose"' not in page
    assert 'id="choose"' in await (await client.get("/clients/M-014")).text()


async def test_a_form_of_another_site_is_refused(client):
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert (await client.post(FILES, data=rr_list(), headers=AS_IT_IS | headers)).status == 403
    assert (await client.post(FILES, data={"file": BytesIO(rr_list())})).status == 415
    assert await (await client.get(FILES)).json() == []


async def test_only_a_login_with_its_token_sends_adds_and_discards(aiohttp_client, bench, records, uploads):
    accounts = await Accounts.open(bench.storage, passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)))
    login = await accounts.set_up(accounts.setup_code, "Ada", PASSWORD, peer="here")
    parts = {"clients": records, "uploads": uploads, "accounts": accounts}
    browser = await aiohttp_client(create_app(practice_of(bench.rooms, bench.live_feed, **parts), version="1"))
    assert (await browser.post(FILES, data=rr_list(), headers=AS_IT_IS)).status == 401
    assert (await browser.get(FILES)).status == 401
    browser.session.cookie_jar.update_cookies({"restbeat": login.token})
    token = {"X-CSRF-Token": login.csrf}
    assert (await browser.post(FILES, data=rr_list(), headers=AS_IT_IS)).status == 403
    sent = await browser.post(FILES, data=rr_list(), headers=AS_IT_IS | token)
    upload = (await sent.json())["upload"]
    assert (await browser.post(f"{FILES}/{upload}/add", json={})).status == 403
    assert (await browser.delete(f"{FILES}/{upload}")).status == 403
    assert (await browser.post(f"{FILES}/{upload}/add", json={}, headers=token)).status == 201
    log = await (await browser.get("/api/v1/clients/M-014/audit")).json()
    assert ("Ada", "session imported") in [(row["actor"], row["action"]) for row in log]


async def test_a_body_larger_than_a_file_may_be_is_refused_however_it_comes(aiohttp_client, bench, records, uploads):
    async with uploads_of(bench, limits=Limits(file_bytes=1 << 20)) as small:
        parts = {"clients": records, "uploads": small}
        client = await aiohttp_client(create_app(practice_of(bench.rooms, bench.live_feed, **parts), version="1"))

        async def in_pieces():
            for _ in range(40):
                yield b"800\n" * (1 << 14)

        for body in (BytesIO(b"800\n" * (1 << 19)), in_pieces()):
            answer = await client.post(FILES, data=body, headers=AS_IT_IS)
            assert (answer.status, "is larger than 1 MiB" in (await answer.json())["error"]) == (409, True)


async def test_the_description_tells_how_a_file_is_sent(client):
    api = await (await client.get("/api/v1/openapi.json")).json()
    sending = api["paths"]["/api/v1/clients/{client}/uploads"]["post"]
    assert sending["requestBody"]["content"] == {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    assert {"X-File-Name"} <= {one["name"] for one in sending["parameters"]}
