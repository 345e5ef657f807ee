"""A practice that has grown: what a request costs does not depend on how many sessions and clients there are."""

from datetime import timedelta
import re

import msgspec
import pytest

from bench.grown_practice import client_name, fill
from bench.growth import measure
from restbeat.sensors.recordings.recording import Header
from restbeat.service.clients.flags import set_flag
from restbeat.service.follow_up.mail_queue import due
from restbeat.service.follow_up.models import LinkRequest
from restbeat.service.practice import open_practice
from restbeat.service.privacy.retention import delete_outdated
from restbeat.service.sessions.session_store import NewSession
from restbeat.service.storage import database_file, reader
from restbeat.web.app import create_app

from ..service.practice_under_test import ADDRESS, NOW, Air, Strap

SMALL = {"setting", "account", "_sqlite_migrations", "main.session_search_config", "main.client_search_config"}
"""Tables that do not grow with the practice."""
PASSWORD = "correct horse battery"
DECRYPTED = "SELECT client, sealed FROM identity ORDER BY client"
"""Searching by name decrypts every identity, as an index would tell what they hold."""


@pytest.fixture
def said(monkeypatch):
    """Every statement that a connection of the practice runs, whichever thread's it is."""
    statements = set()

    def traced(open_one):
        def opened(*wanted, **more):
            db = open_one(*wanted, **more)
            db.conn.set_trace_callback(statements.add)
            return db

        return opened

    monkeypatch.setattr(database_file, "open_database", traced(database_file.open_database))
    monkeypatch.setattr(reader, "open_readonly", traced(reader.open_readonly))
    return statements


@pytest.fixture
async def grown(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    fill(data, 60, now=NOW)
    async with open_practice(data, tmp_path / "practice.key", Air(), Strap) as practice:
        yield practice


@pytest.fixture
async def visitor(aiohttp_client, grown):
    login = await grown.accounts.set_up(grown.accounts.setup_code, "Ada", PASSWORD, peer="here")
    client = await aiohttp_client(create_app(grown, version="1.2.3"))
    client.session.cookie_jar.update_cookies({"restbeat": login.token})
    client.session.headers["X-CSRF-Token"] = login.csrf
    client.session.headers["Origin"] = str(client.make_url("/")).rstrip("/")
    return client


def pages_of(app, **parts):
    """Return the address of every page and API endpoint that is read, each once."""
    found = {}
    for route in app.router.routes():
        path = route.resource.canonical
        if route.method == "GET" and path not in {"/live", "/static/{hash}/{name}"}:
            found[path] = path.format(**parts)
    return found


QUERIES = (
    "/sessions?search=polar",
    "/sessions?search=2026-11",
    "/sessions?search=M-0001&response=clear",
    "/sessions?response=clear",
    "/sessions?flagged=true",
    "/sessions?flagged=true&response=clear",
    "/sessions?client=M-0001",
    "/sessions?client=M-0001&search=polar&flagged=true",
    "/sessions?sort=oldest&since=2026-01-01&until=2026-12-01",
    "/clients?search=M",
    "/clients?search=M&flagged=true",
    "/clients?flagged=true",
    "/clients?sort=name",
    "/clients?sort=name&flagged=true",
    "/api/v1/clients?worn=A0:9E:1A:00:00:01",
    "/practice?state=away",
    "/api/v1/practice?limit=1",
)


async def changed(visitor, room):
    """Send every kind of change that a therapist makes."""
    soap = dict.fromkeys(("subjective", "objective", "assessment", "contraindications", "plan"), "x")
    one, session = f"/api/v1/clients/{client_name(1)}", "/api/v1/sessions/7"
    for method, path, body, status in (
        ("POST", "/api/v1/clients", {}, 201),
        ("POST", "/api/v1/clients", {"pseudonym": "m-0001"}, 409),
        ("PUT", f"{one}/identity", {"name": "Erika"}, 200),
        ("POST", "/api/v1/client-search", {"name": "erik"}, 200),
        ("PUT", f"{one}/plan", {"starts_on": "2026-11-01"}, 200),
        ("DELETE", f"{one}/plan", None, 200),
        ("POST", f"{one}/consents", {"purpose": "research"}, 201),
        ("POST", f"{one}/consents/5/withdraw", {}, 200),
        ("POST", f"{one}/links", {"days": 3}, 201),
        ("POST", f"/api/v1/clients/{client_name(0)}/flags/1/seen", {}, None),
        ("PUT", f"{session}/notes", soap | {"mind": "left hip"}, 200),
        ("PUT", f"{session}/pain-after", {"score": 9}, 200),
        ("POST", f"{session}/complements", {"kind": "heat"}, 201),
        ("DELETE", f"{session}/complements/1", None, None),
        ("POST", f"/api/v1/rooms/{room}/marks", {"technique": "Kneading"}, 201),
        ("POST", f"/api/v1/rooms/{room}/pain", {"score": 3}, 201),
        ("PUT", f"/api/v1/rooms/{room}/client", {"client": client_name(2)}, 200),
        ("POST", f"/api/v1/rooms/{room}/stop", {}, 201),
        ("POST", "/api/v1/sessions/9/close", {}, 409),
        ("POST", "/api/v1/sessions/9/resume", {}, 409),
        ("PUT", "/api/v1/settings", {"next_keys": ["Space"]}, None),
    ):
        answer = await visitor.request(method, path, json=body) if body is not None else await visitor.request(method, path)
        assert answer.status in ({status} if status else {200, 201, 400, 404, 409}), (path, await answer.text())


def scans(db, statement):
    """Return the parts of a statement's plan that read a whole table that grows."""
    plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()]
    return [
        line
        for line in plan
        if line.startswith("SCAN")
        and not re.match(r"SCAN (CONSTANT ROW|\(subquery|\d+ CONSTANT)", line)
        and not re.match(r"SCAN \w+ VIRTUAL TABLE INDEX (?!0:$)", line)
        and line.split()[1] not in SMALL
    ]


async def test_no_request_reads_a_whole_table(said, grown, visitor):
    store = grown.reports._store
    room = await grown.rooms.open_room(_opening(), by="Ada")
    await store.run(lambda db: set_flag(db, 3, "note", "left hip", NOW))
    said.clear()
    session = (await store.all_sessions_of(client_name(0)))[-1].session
    request = LinkRequest(sessions=[session], coming=True, days=60, language=None, remind=True)
    made = await grown.client_pages.make(client_name(0), request, by="Ada")
    token = made.address.rpartition("/")[2]
    paths = pages_of(
        visitor.app, session=session, client=client_name(0), room=room, token=token, link=made.link, slot=24, rest=token
    )
    for path in [*paths.values(), *QUERIES]:
        answer = await visitor.get(path, allow_redirects=False)
        assert answer.status < 400 or path == "/setup" or path.endswith(".pdf"), (path, answer.status, await answer.text())
    await changed(visitor, room)
    await store.run(lambda db: due(db, NOW, lambda client: True))
    await store.run(lambda db: delete_outdated(db, NOW))
    statements = {text for text in set(said) if re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)", text)}
    assert len(statements) > 150
    found = await store.run(lambda db: {text: lines for text in statements if (lines := scans(db, text))})
    found = {text: lines for text, lines in found.items() if text != DECRYPTED}
    assert found == {}, "\n\n".join(f"{lines}\n{text[:700]}" for text, lines in found.items())


LISTS = (
    *("/sessions", "/sessions?search=polar", "/sessions?response=clear", "/clients", "/clients?search=m", "/practice", "/start"),
    *("/api/v1/sessions", "/api/v1/clients", "/api/v1/practice", "/api/v1/unanswered"),
)


async def test_a_practice_of_thousands_costs_no_more_than_one_whose_lists_fill_a_page(tmp_path):
    costs = []
    for sessions in (1100, 4400):
        (tmp_path / str(sessions)).mkdir()
        costs.append(await measure(tmp_path / str(sessions), sessions, runs=9, lists=LISTS))
    some, many = costs
    assert {path: cost.kb for path, cost in many.items() if cost.kb > 100} == {}
    grown = sum(many[path].cpu_ms for path in LISTS) / sum(some[path].cpu_ms for path in LISTS)
    assert grown <= 2
    assert {
        path: (some[path].cpu_ms, cost.cpu_ms) for path, cost in many.items() if cost.cpu_ms > 3 * some[path].cpu_ms + 3
    } == {}


async def test_no_trigger_reads_a_whole_table(grown):
    def explained(db):
        found = {}
        for name, text in db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall():
            for statement in text.partition(" BEGIN ")[2].removesuffix(" END").rpartition("END")[0].split(";"):
                plain = re.sub(r"\b(NEW|OLD)\.\w+", "'1'", statement).strip()
                if plain and (lines := scans(db, plain)):
                    found[name] = (lines, plain)
        return found

    assert await grown.reports._store.run(explained) == {}


def _opening():
    from restbeat.service.rooms.session_start import Opening

    return Opening(address=ADDRESS, client=client_name(1), consent=True, strap_confirmed=True)


@pytest.fixture
async def pages(aiohttp_client, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    fill(data, 120, now=NOW)
    async with open_practice(data, tmp_path / "practice.key", Air(), Strap, login=False) as practice:
        yield await aiohttp_client(create_app(practice, version="1.2.3"))


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("/api/v1/sessions", 120),
        ("/api/v1/sessions?search=polar&sort=oldest&limit=7", 120),
        ("/api/v1/clients?limit=1", 6),
        ("/api/v1/practice?limit=4", 6),
    ],
)
async def test_the_next_link_leads_through_the_whole_list(pages, path, number):
    found = []
    while path:
        answer = await pages.get(path)
        told = await answer.json()
        found += [msgspec.json.encode(item) for item in told["items"]]
        link = re.search(r'<([^>]+)>; rel="next"', ", ".join(answer.headers.getall("Link", [])))
        assert (link and link.group(1)) == told["next"]
        path = told["next"]
    assert len(set(found)) == len(found) == number


async def test_a_page_of_more_than_two_hundred_is_refused(pages):
    assert (await pages.get("/api/v1/sessions?limit=201")).status == 400
    assert (await pages.get("/sessions?limit=0")).status == 400
    assert (await pages.get("/practice?after=zz")).status == 404


async def test_lists_are_searched_and_turned_without_a_script(pages):
    html = await (await pages.get("/sessions?search=&response=clear&sort=")).text()
    assert html.count('<li class="session">') == 24
    assert '<option value="clear" selected>' in html
    first = await (await pages.get("/sessions?sort=oldest")).text()
    (older,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = await (await pages.get(older.replace("&amp;", "&"))).text()
    (newer,) = re.findall(r'rel="prev" href="([^"]+)"', second)
    assert "sort=oldest" in newer
    again = await (await pages.get(newer.replace("&amp;", "&"))).text()
    numbers = re.compile(r'href="/sessions/(\d+)"')
    assert numbers.findall(again) == numbers.findall(first)
    assert not set(numbers.findall(first)) & set(numbers.findall(second))
    assert "No client fits." in await (await pages.get("/clients?search=nobody")).text()


async def test_hidden_clients_cannot_be_searched_for(pages):
    hidden = {"Cookie": "restbeat-hide=yes"}
    assert '<li class="session">' in await (await pages.get("/sessions?search=M-0001")).text()
    assert "No session fits." in await (await pages.get("/sessions?search=M-0001", headers=hidden)).text()
    everyone = await (await pages.get("/sessions?client=M-0001", headers=hidden)).text()
    assert everyone.count('<li class="session">') == 50
    assert "M-0001 ·" not in everyone


async def test_a_client_of_many_sessions_has_the_newest_fifty_and_a_way_to_the_others(aiohttp_client, tmp_path):
    async with open_practice(tmp_path / "data", tmp_path / "practice.key", Air(), Strap, login=False) as practice:
        pages = await aiohttp_client(create_app(practice, version="1.2.3"))
        for n in range(53):
            new = NewSession(header=Header(client="Ö & Co"), source="H10", began_utc=NOW - timedelta(days=n))
            await practice.reports._store.create_session(new)
        record = await (await pages.get("/api/v1/clients/Ö%20&%20Co")).json()
        assert len(record["sessions"]) == 50
        rest = await (await pages.get(record["more_sessions"])).json()
        assert [row["session"] for row in rest["items"]] == [51, 52, 53]
        html = await (await pages.get("/clients/Ö%20&%20Co")).text()
        assert 'href="/sessions?client=%C3%96%20%26%20Co"' in html
