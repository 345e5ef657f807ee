"""Access: pages and API need a login, changes need its token."""

import asyncio
from datetime import UTC, datetime

from argon2 import PasswordHasher
import pytest
from yarl import URL

from restbeat.service.accounts.accounts import Accounts
from restbeat.service.accounts.passwords import Passwords
from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.sessions.session_store import SessionStore
from restbeat.web.app import create_app
from restbeat.web.rooms.live_socket import Pace

from ...practices import practice_of
from ..fake_practice import FakePractice
from ..made_up import room_state

PASSWORD = "correct horse battery"
QUICK = Pace(heartbeat_s=0.05)


@pytest.fixture
async def accounts(tmp_path):
    async with await SessionStore.open(tmp_path) as storage:
        quick = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield await Accounts.open(storage, passwords=quick, now_utc=lambda: datetime.now(UTC))


@pytest.fixture
async def client(aiohttp_client, accounts):
    practice = FakePractice(LiveFeed(), [room_state(phase="settle", change_pct=None)])
    return await aiohttp_client(
        create_app(practice_of(practice, practice.live_feed, accounts=accounts), version="1.2.3", pace=QUICK)
    )


async def set_up(client, accounts, **headers):
    fields = {"code": accounts.setup_code, "name": "Ada", "password": PASSWORD}
    return await client.post("/setup", data=fields, allow_redirects=False, headers=headers)


async def token(client):
    return (await (await client.get("/api/v1/me")).json())["csrf"]


@pytest.mark.parametrize("path", ["/", "/rooms/room-1", "/sessions", "/sessions/7", "/sessions/7/picture.svg", "/accounts", "/x"])
async def test_a_page_without_a_login_redirects_to_the_login_and_back(client, path):
    answer = await client.get(path, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, f"/login?next={path}")


@pytest.mark.parametrize(
    "path", ["/api/v1/sessions", "/api/v1/rooms", "/api/v1/straps", "/api/v1/me", "/api/v1/accounts", "/api/v1/nothing"]
)
async def test_the_api_answers_401_as_json(client, path):
    answer = await client.get(path)
    assert answer.status == 401
    assert await answer.json() == {"error": "Log in first: this needs an account."}


async def test_the_live_socket_needs_a_login_too(client):
    answer = await client.get("/live", headers={"Upgrade": "websocket", "Connection": "Upgrade"})
    assert answer.status == 401


@pytest.mark.parametrize("path", ["/login", "/setup", "/healthz", "/api/v1/openapi.json", "/api/v1"])
async def test_open_paths_need_no_login(client, path):
    assert (await client.get(path, allow_redirects=False)).status == 200


async def test_the_live_socket_closes_when_the_login_that_opened_it_ends(client, accounts):
    await set_up(client, accounts)
    cookie = client.session.cookie_jar.filter_cookies(client.make_url("/"))["restbeat"].value
    async with asyncio.timeout(10), client.ws_connect("/live") as socket:
        assert (await socket.receive_json())["type"] == "snapshot"
        await accounts.log_out(cookie)
        async for _ in socket:
            pass
    assert socket.closed


async def test_the_first_account_logs_in_and_its_cookie_is_hidden_from_scripts_and_other_sites(client, accounts):
    answer = await set_up(client, accounts)
    cookie = answer.headers["Set-Cookie"]
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Strict", "Path=/"))
    assert "Secure" not in cookie
    assert (await client.get("/sessions")).status == 200
    assert (await client.get("/setup")).status == 404
    assert (await (await client.get("/api/v1/me")).json())["name"] == "Ada"


async def test_behind_tls_the_cookie_is_secure(client, accounts):
    answer = await set_up(client, accounts, **{"X-Forwarded-Proto": "https"})
    assert "Secure" in answer.headers["Set-Cookie"]


async def test_a_login_redirects_to_the_wanted_page_of_this_server_only(client, accounts):
    await set_up(client, accounts)
    for wanted, place in (
        ("/sessions/7", "/sessions/7"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil", "/"),
        ("/\t/evil.example/x", "/"),
        ("/%09/evil.example/x", "/%09/evil.example/x"),
        ("\t//evil.example", "/"),
        ("/\n/evil.example", "/"),
        (" //evil.example", "/"),
        ("///evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("//[", "/"),
        ("/sessions?next=//evil.example", "/sessions?next=//evil.example"),
    ):
        client.session.cookie_jar.clear()
        fields = {"name": "Ada", "password": PASSWORD, "next": wanted}
        answer = await client.post("/login", data=fields, allow_redirects=False)
        assert (answer.status, answer.headers["Location"]) == (303, place)


async def test_who_is_logged_in_is_not_led_elsewhere_by_an_address(client, accounts):
    await set_up(client, accounts)
    for wanted, place in (("/%09/evil.example/x", "/"), ("/sessions", "/sessions")):
        answer = await client.get(URL(f"/login?next={wanted}", encoded=True), allow_redirects=False)
        assert answer.headers["Location"] == place


async def test_a_new_login_in_the_same_browser_ends_the_former_one_and_knows_the_device(client, accounts):
    await set_up(client, accounts)
    cookies = client.session.cookie_jar.filter_cookies(client.make_url("/"))
    former, device = cookies["restbeat"].value, cookies["restbeat_device"].value
    answer = await client.post("/login", data={"name": "Ada", "password": PASSWORD, "next": "/"}, allow_redirects=False)
    assert answer.status == 303
    assert accounts.login_of(former) is None
    assert client.session.cookie_jar.filter_cookies(client.make_url("/"))["restbeat_device"].value == device
    assert all("HttpOnly" in value and "SameSite=Strict" in value for value in answer.headers.getall("Set-Cookie"))


async def test_a_refused_login_shows_the_reason_and_keeps_the_name(client, accounts):
    await set_up(client, accounts)
    client.session.cookie_jar.clear()
    for _ in range(5):
        answer = await client.post("/login", data={"name": "Ada", "password": "wrong password", "next": "/"})
        html = await answer.text()
        assert answer.status == 403
        assert "Name and password do not fit together." in html
        assert 'value="Ada"' in html
    throttled = await client.post("/login", data={"name": "Ada", "password": PASSWORD})
    assert throttled.status == 429
    assert int(throttled.headers["Retry-After"]) >= 1


async def test_a_change_without_its_token_is_refused(client, accounts):
    await set_up(client, accounts)
    press = {"path": "/api/v1/rooms/room-1/advance", "json": {"leaving": "settle"}}
    bare = await client.post(**press)
    wrong = await client.post(**press, headers={"X-CSRF-Token": "0" * 64})
    right = await client.post(**press, headers={"X-CSRF-Token": await token(client)})
    assert [answer.status for answer in (bare, wrong, right)] == [403, 403, 200]
    assert "too old" in (await bare.json())["error"]


async def test_pages_carry_the_token_and_the_logout_form(client, accounts):
    await set_up(client, accounts)
    csrf = await token(client)
    html = await (await client.get("/")).text()
    assert f'<meta name="csrf" content="{csrf}">' in html
    assert (await client.post("/logout", data={"csrf": "0"}, allow_redirects=False)).status in {303, 403}
    left = await client.post("/logout", data={"csrf": csrf}, allow_redirects=False)
    assert (left.status, left.headers["Location"]) == (303, "/login")
    assert (await client.get("/api/v1/sessions")).status == 401


async def test_only_an_admin_sees_and_creates_accounts(client, accounts):
    await set_up(client, accounts)
    headers = {"X-CSRF-Token": await token(client)}
    made = await client.post("/api/v1/accounts", json={"name": "Bo", "password": PASSWORD}, headers=headers)
    assert (made.status, (await made.json())["role"]) == (201, "therapist")
    assert "Bo" in await (await client.get("/accounts")).text()
    client.session.cookie_jar.clear()
    await client.post("/login", data={"name": "Bo", "password": PASSWORD})
    assert (await client.get("/accounts")).status == 403
    assert (await client.get("/api/v1/accounts")).status == 403
    assert (await client.get("/sessions")).status == 200


async def test_only_an_admin_changes_the_settings_and_everybody_reads_them(client, accounts):
    await set_up(client, accounts)
    headers = {"X-CSRF-Token": await token(client)}
    await client.post("/api/v1/accounts", json={"name": "Bo", "password": PASSWORD}, headers=headers)
    assert (await client.put("/api/v1/settings", json={"techniques": ["Swedish"]}, headers=headers)).status == 200
    client.session.cookie_jar.clear()
    await client.post("/login", data={"name": "Bo", "password": PASSWORD})
    headers = {"X-CSRF-Token": await token(client)}
    assert (await client.put("/api/v1/settings", json={}, headers=headers)).status == 403
    assert (await (await client.get("/api/v1/settings")).json())["techniques"] == ["Swedish"]
    assert "An admin may change these." in await (await client.get("/settings")).text()


async def test_another_site_cannot_submit_a_login(client, accounts):
    await set_up(client, accounts)
    fields = {"name": "Ada", "password": PASSWORD}
    answer = await client.post("/login", data=fields, headers={"Origin": "https://evil.example"}, allow_redirects=False)
    assert answer.status == 403


async def test_a_program_logs_in_by_json_and_gets_its_token_at_once(client, accounts):
    await set_up(client, accounts)
    client.session.cookie_jar.clear()
    wrong = await client.post("/api/v1/login", json={"name": "Ada", "password": "wrong password"})
    assert (wrong.status, await wrong.json()) == (403, {"error": "Name and password do not fit together."})
    right = await client.post("/api/v1/login", json={"name": "Ada", "password": PASSWORD})
    me = await right.json()
    assert (right.status, me["name"], me["role"]) == (200, "Ada", "admin")
    assert all(part in right.headers["Set-Cookie"] for part in ("HttpOnly", "SameSite=Strict"))
    press = {"json": {"leaving": "settle"}, "headers": {"X-CSRF-Token": me["csrf"]}}
    assert (await client.post("/api/v1/rooms/room-1/advance", **press)).status == 200
    assert (await client.get("/api/v1/login")).status == 405
    form = await client.post("/api/v1/login", data={"name": "Ada", "password": PASSWORD})
    assert form.status == 415, "no form of another site can log somebody in"


async def test_the_api_description_covers_login_admin_endpoints_and_fields(client):
    api = await (await client.get("/api/v1/openapi.json")).json()
    login = api["paths"]["/api/v1/login"]["post"]
    assert "security" not in login
    assert "401" not in login["responses"]
    assert api["paths"]["/api/v1/accounts"]["get"]["description"] == "For admins."
    fields = {name: schema.get("properties", {}) for name, schema in api["components"]["schemas"].items()}
    assert fields["RoomState"]["change_pct"]["description"] == "RMSSD of the last 60 s against the baseline of this session."
    assert fields["EnterPain"]["key"]["description"] == "Chosen by the sender, a new one for each entry.", "an inherited field"
    assert [item["title"] for item in api["components"]["schemas"]["BeatRow"]["prefixItems"]] == [
        "end_s",
        "rr_ms",
        "accepted",
        "gap_before",
    ]
    html = await (await client.get("/api/v1")).text()
    for text in ("RMSSD of the last 60 s against the baseline of this session.", "integer from 0 to 10", 'id="Snapshot"'):
        assert text in html


@pytest.mark.parametrize("text", ["", "   ", "two\nlines", "a\u0000b", "x" * 81])
async def test_a_mark_of_unreadable_text_is_refused(client, accounts, text):
    await set_up(client, accounts)
    headers = {"X-CSRF-Token": await token(client)}
    answer = await client.post("/api/v1/rooms/room-1/marks", json={"technique": text}, headers=headers)
    assert answer.status == 400


async def test_a_stranger_does_not_learn_which_versions_run_here(client, accounts):
    for path in ("/healthz", "/api/v1", "/api/v1/openapi.json", "/login", "/setup"):
        answer = await client.get(path)
        assert "1.2.3" not in await answer.text(), path
        assert answer.headers["Server"] == "restbeat"
    await set_up(client, accounts)
    assert (await (await client.get("/healthz")).json())["version"] == "1.2.3"
    assert (await (await client.get("/api/v1/openapi.json")).json())["info"]["version"] == "1.2.3"
    assert "restbeat 1.2.3" in await (await client.get("/sessions")).text()
