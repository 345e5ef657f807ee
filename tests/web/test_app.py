import re
import subprocess
import sys

import pytest

from restbeat.analysis.figures import ALGORITHM
from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.rooms.session_entries import RequestKey
from restbeat.service.rooms.session_start import Opening
from restbeat.service.settings import Settings
from restbeat.web.app import create_app

from ..practices import practice_of
from .fake_practice import FakePractice
from .made_up import LONG, room_state, row


@pytest.fixture
def practice():
    return FakePractice(LiveFeed(), [room_state(phase="settle", change_pct=None)])


@pytest.fixture
async def client(aiohttp_client, practice):
    return await aiohttp_client(create_app(practice_of(practice, practice.live_feed), version="1.2.3"))


@pytest.mark.parametrize("path", ["/", "/rooms/room-1", "/sessions", "/sessions/7", "/sessions/8", "/sessions/9", "/nothing"])
async def test_no_page_carries_an_inline_script_or_style(client, path):
    answer = await client.get(path)
    html = await answer.text()
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", html)


async def test_every_file_that_a_page_names_exists_and_may_be_cached(client):
    html = await (await client.get("/rooms/room-1")).text()
    files = set(re.findall(r'"(/static/[^"]+)"', html))
    assert len(files) > 5
    for file in files:
        answer = await client.get(file)
        assert answer.status == 200
        assert "immutable" in answer.headers["Cache-Control"]
        for imported in re.findall(r'from "\./([^"]+)"', await answer.text()):
            assert (await client.get(file.rpartition("/")[0] + "/" + imported)).status == 200
    assert (await client.get("/static/0123456789ab/live.js")).status == 404
    assert (await client.get("/static/..%2f..%2fapp.py/x")).status == 404


async def test_typed_text_is_escaped_on_pages(client, practice):
    practice.rows = [row(7, client="<script>alert(1)</script>", source='"><img src=x>')]
    html = await (await client.get("/sessions")).text()
    assert "&lt;script&gt;alert(1)" in html
    assert "<img src=x>" not in html


async def test_a_summary_is_shown_with_its_picture(client):
    html = await (await client.get("/sessions/7")).text()
    for words in (
        "+22 %",
        "(+3 to +45)",
        "It does not measure pain, health or treatment success.",
        "not a medical device",
        ALGORITHM,
    ):
        assert words in html
    picture = await client.get("/sessions/7/picture.svg")
    assert picture.content_type == "image/svg+xml"
    assert "sandbox" in picture.headers["Content-Security-Policy"]
    assert (await picture.text()).rstrip().endswith("</svg>")


async def test_the_list_of_sessions_offers_actions_and_has_a_text_when_empty(client, practice):
    html = await (await client.get("/sessions")).text()
    assert LONG in html
    assert 'data-act="resume" data-session="8"' in html
    assert 'href="/rooms/room-1"' in html
    practice.rows = []
    assert "No session yet" in await (await client.get("/sessions")).text()


async def test_the_health_check_names_the_version(client):
    assert await (await client.get("/healthz")).json() == {"status": "ok", "version": "1.2.3", "rooms": 1}


async def test_straps_and_the_adapter_can_be_requested(client):
    answer = await (await client.get("/api/v1/straps")).json()
    assert answer["adapter"] == {"ready": True, "text": "Bluetooth ready"}
    assert [strap["room"] for strap in answer["straps"]] == ["room-1", None]
    assert [(strap["near"], strap["room_name"]) for strap in answer["straps"]] == [("Green room", "Room 1"), (None, None)]


async def test_a_double_press_begins_one_phase(client, practice):
    first = await client.post("/api/v1/rooms/room-1/advance", json={"leaving": "settle"})
    second = await client.post("/api/v1/rooms/room-1/advance", json={"leaving": "settle"})
    assert (first.status, await first.json()) == (200, {"phase": "baseline"})
    assert second.status == 409
    assert await second.json() == {"error": "The phase settle is over already: this is baseline."}
    assert practice.states["room-1"].phase == "baseline"


async def test_an_entry_carries_its_key_its_session_and_how_long_ago_it_was(client, practice):
    body = {"score": 4, "ago_s": 12.5, "key": "0123456789abcdef", "session": 7}
    answer = await client.post("/api/v1/rooms/room-1/pain", json=body)
    assert (answer.status, (await answer.json())["at_s"]) == (201, 687.5)
    assert practice.presses == [RequestKey(key="0123456789abcdef", session=7)]
    await client.post("/api/v1/rooms/room-1/marks", json={"note": "Talking"})
    await client.post("/api/v1/rooms/room-1/stop", json={"ago_s": 3})
    assert practice.presses[1:] == [None, None]
    assert practice.calls[-1] == ("stop", "room-1", "Pain increased – stopped", 3, "demo")


async def test_files_are_compressed_for_browsers_that_accept_gzip(client):
    html = await (await client.get("/rooms/room-1")).text()
    file = next(file for file in re.findall(r'"(/static/[^"]+)"', html) if file.endswith("rooms/room/room_page.js"))
    packed = await client.get(file, headers={"Accept-Encoding": "gzip"})
    plain = await client.get(file, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 2
    assert await packed.text() == await plain.text()


async def test_the_room_page_uses_the_practices_settings(client, practice):
    practice.set = Settings(techniques=("<Swedish>", "Thai"), regions=("Jaw",), pressures=(), next_keys=("F13",))
    html = await (await client.get("/rooms/room-1")).text()
    assert 'data-value="&lt;Swedish&gt;" data-key="1"' in html
    assert 'data-value="Jaw" data-key="1"' in html
    assert 'data-next-keys="F13"' in html


async def test_a_session_starts_on_a_strap(client, practice):
    answer = await client.post("/api/v1/rooms", json={"address": "C3:D4", "client": "M-014", "kind": "rest"})
    assert (answer.status, await answer.json()) == (201, {"room": "room-2"})
    assert practice.calls == [("open", Opening(address="C3:D4", client="M-014", kind="rest"), "demo")]
    refusal = await client.post("/api/v1/rooms", json={"address": "A1:B2"})
    refusal_body = await refusal.json()
    assert (refusal.status, refusal_body["error"][:20], refusal_body["room"]) == (409, "Room 1 holds this st", "room-1")


async def test_an_interrupted_session_is_resumed_or_ended(client, practice):
    assert await (await client.post("/api/v1/sessions/8/resume")).json() == {"room": "room-1"}
    assert await (await client.post("/api/v1/sessions/8/close")).json() == {"session": 8}
    assert (await client.post("/api/v1/sessions/7/resume")).status == 409
    assert practice.calls == [("resume", 8), ("close", 8), ("resume", 7)]


@pytest.mark.parametrize(
    ("method", "path", "json", "status"),
    [
        ("post", "/api/v1/rooms/cellar/advance", {"leaving": "settle"}, 404),
        ("post", "/api/v1/rooms/room-1/advance", {"leaving": "ended"}, 400),
        ("post", "/api/v1/rooms/room-1/advance", {"leaving": "settle", "and": 1}, 400),
        ("post", "/api/v1/rooms", {}, 400),
        ("post", "/api/v1/rooms", {"address": "x" * 90}, 400),
        ("post", "/api/v1/rooms", {"address": "A", "kind": "surgery"}, 400),
        ("post", "/api/v1/rooms", None, 415),
        ("post", "/api/v1/sessions/x/close", {}, 404),
        ("post", "/api/v1/sessions/99999999999999999999/close", {}, 404),
        ("delete", "/api/v1/rooms", None, 405),
        ("post", "/api/v1/rooms/room-1/marks", {}, 409),
        ("post", "/api/v1/rooms/room-1/marks", {"note": "x" * 501}, 400),
        ("post", "/api/v1/rooms/room-1/pain", {"score": 11}, 400),
        ("post", "/api/v1/rooms/room-1/pain", {"score": 5, "ago_s": -1}, 400),
        ("post", "/api/v1/rooms/room-1/pain", {"score": 5, "key": "short"}, 400),
        ("post", "/api/v1/rooms/room-1/stop", {"session": 0}, 400),
        ("post", "/api/v1/rooms/room-1/actions/x/undo", {}, 404),
        ("post", "/api/v1/rooms/room-1/actions/1/undo", {}, 409),
        ("get", "/api/v1/rooms/cellar/story", None, 404),
        ("get", "/api/v1/nothing", None, 404),
    ],
)
async def test_a_refusal_under_api_is_json_with_a_sentence(client, method, path, json, status):
    answer = await client.request(method, path, json=json)
    assert answer.status == status
    assert (await answer.json())["error"].endswith(".")


@pytest.mark.parametrize("path", ["/sessions/99", "/sessions/x", "/rooms/cellar", "/nothing", "/sessions/99/picture.svg"])
async def test_a_missing_page_has_the_practices_design(client, path):
    answer = await client.get(path)
    assert (answer.status, answer.content_type) == (404, "text/html")
    assert "To the rooms" in await answer.text()


async def test_an_unexpected_error_is_logged_and_shown_as_a_sentence(client, practice, caplog):
    async def broken(wanted):
        raise RuntimeError("the details")

    practice.sessions = broken
    answer = await client.get("/sessions")
    assert answer.status == 500
    html = await answer.text()
    assert "What was measured is kept" in html
    assert "the details" not in html
    assert "the details" in caplog.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example:80"},
    ],
)
async def test_another_sites_page_changes_nothing(client, practice, headers):
    answer = await client.post("/api/v1/rooms/room-1/advance", json={"leaving": "settle"}, headers=headers)
    assert answer.status == 403
    assert practice.states["room-1"].phase == "settle"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST:1"])
async def test_a_loopback_address_accepts_only_its_own_host_names(client, host):
    assert (await client.get("/healthz", headers={"Host": host})).status == 200


async def test_a_host_name_can_be_allowed(aiohttp_client, practice):
    client = await aiohttp_client(create_app(practice_of(practice, practice.live_feed), version="0", hosts=["practice.example"]))
    assert (await client.get("/healthz", headers={"Host": "practice.example"})).status == 200
    assert (await client.get("/healthz", headers={"Host": "evil.example"})).status == 403


def test_the_server_imports_nothing_heavy():
    heavy = "{'scipy', 'pandas', 'matplotlib', 'neurokit2'}"
    code = f"import sys, restbeat.web.app; print(sorted({heavy} & {{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
