"""The API of clients' own pages, as a therapist and an admin use it."""
# ruff: noqa: F811 what fixtures are is imported

import pytest

from restbeat.service.clients.models import Identity
from restbeat.service.follow_up.models import Answers
from restbeat.service.privacy.erasure import erase
from restbeat.service.privacy.personal_data import client_records

from ...service.own_pages import DAY, PUBLIC, practice, token_of, visitor  # noqa: F401 fixtures


async def said(answer):
    return answer.status, (await answer.json())["error"]


async def test_a_link_is_created_changed_and_revoked(practice, visitor):
    session = await practice.session(ended_ago=DAY)
    path = "/api/v1/clients/M-014/links"
    made = await visitor.post(path, json={"sessions": [session]})
    link = await made.json()
    assert made.status == 201
    assert (link["state"], link["sessions"], link["language"]) == ("live", [session], "en")
    assert (link["coming"], link["remind"]) == (True, True)
    assert link["expires_utc"] == "2027-01-22T10:00:00.000Z"  # sixty days
    everything = await (await visitor.get(path)).json()
    assert (everything["may_share"], everything["mail"], everything["public"]) == (True, "no server", None)
    assert [slot["state"] for slot in everything["sessions"][0]["follow_ups"]] == ["open", "later"]
    changed = await visitor.put("/api/v1/links/1", json={"sessions": [], "coming": True, "remind": False})
    assert (await changed.json())["sessions"] == []
    over = await (await visitor.post("/api/v1/links/1/revoke", json={})).json()
    assert (over["state"], over["revoked_by"], over["address"]) == ("revoked", "demo", "")
    assert await (await visitor.get("/api/v1/unanswered")).json() == []
    assert (await visitor.get("/api/v1/clients/M-9/links")).status == 404
    assert (await visitor.post("/api/v1/links/9/revoke", json={})).status == 404


@pytest.mark.parametrize("body", [{"days": 0}, {"days": 366}, {"sessions": ["x"]}, {"language": "Deutsch"}, {"colour": "red"}])
async def test_an_invalid_link_request_is_refused(visitor, body):
    assert (await visitor.post("/api/v1/clients/M-014/links", json=body)).status == 400


async def test_a_link_in_a_language_without_pages_is_refused(visitor):
    answer = await visitor.post("/api/v1/clients/M-014/links", json={"language": "tlh"})
    assert await said(answer) == (409, "There are no pages in tlh; there are en, de.")


async def test_without_consent_no_link_is_created_and_the_refusal_explains_what_to_do(practice, visitor):
    await practice.client("M-015", agrees=False)
    answer = await visitor.post("/api/v1/clients/M-015/links", json={})
    assert await said(answer) == (409, "M-015 has not agreed to get a link. Ask, and note that M-015 agrees.")


async def test_mail_settings_are_stored_and_the_password_is_not_shown(practice, visitor):
    settings = {"public_address": "https://Practice.example/", "host": "smtp.example", "sender": "blue@practice.example"}
    kept = await (await visitor.put("/api/v1/mail-settings", json=settings)).json()
    assert (kept["public_address"], kept["port"], kept["security"], kept["has_password"]) == (PUBLIC, 587, "starttls", False)
    assert await (await visitor.get("/api/v1/mail-settings")).json() == kept
    assert (await visitor.get("/api/v1/clients/M-014/links")).status == 200
    for bad in ({"host": "a b"}, {"port": 0}, {"security": "ssl3"}, {"practice": "a\nBcc: x"}, {"password": "x"}):
        assert (await visitor.put("/api/v1/mail-settings", json=bad)).status == 400
    answer = await visitor.put("/api/v1/mail-settings", json={"sender": "blue, red@practice.example"})
    assert await said(answer) == (409, "The e-mail address cannot be used: name@example.org is wanted.")
    assert (await visitor.put("/api/v1/mail-settings", json={"host": ""})).status == 200
    assert await practice.sql("SELECT value FROM setting WHERE name = 'mail' AND value LIKE '%password%'") == []


async def test_a_link_is_mailed_only_where_mail_can_be_sent(practice, visitor):
    await visitor.post("/api/v1/clients/M-014/links", json={})
    send = "/api/v1/links/1/mail"
    assert (await said(await visitor.post(send, json={})))[1].startswith("No mail can be sent: an admin sets the server")
    await practice.set_mail()
    assert await said(await visitor.post(send, json={})) == (409, "No e-mail address is written down.")
    assert (await (await visitor.get("/api/v1/clients/M-014/links")).json())["mail"] == "no address"
    await practice.records.set_identity("M-014", Identity(email="erika@example.org"), new_key=False, by="Ada")
    assert (await (await visitor.get("/api/v1/clients/M-014/links")).json())["mail"] == "ready"
    row = await (await visitor.post(send, json={})).json()
    assert [(mail["session"], mail["state"], mail["tries"]) for mail in row["mails"]] == [(None, "waiting", 0)]
    await visitor.post("/api/v1/links/1/revoke", json={})
    assert await said(await visitor.post(send, json={})) == (409, "This link is over. Make a new one.")


async def test_the_clients_own_page_is_exported_and_erased_with_the_client(practice):
    session = await practice.session(ended_ago=DAY)
    link = await practice.link("M-014", session)
    await practice.links.answer(token_of(link), session, 24, Answers(pain=3, note="sentinel-note"), peer="here")
    await practice.set_mail()
    await practice.records.set_identity("M-014", Identity(email="erika@example.org"), new_key=False, by="Ada")
    await practice.links.send(link.link, by="Ada")
    held = await practice.storage.run(lambda db: client_records(db, practice.cipher, "M-014", practice.now))
    assert {name: len(held.rows[name]) for name in ("client_link", "client_link_session", "follow_up", "mail")} == {
        "client_link": 1,
        "client_link_session": 1,
        "follow_up": 1,
        "mail": 1,
    }
    handle = held.rows["client_link"][0]["handle"]
    await practice.storage.run(lambda db: erase(db, practice.storage.folder, "M-014", "Ada", practice.now))
    for table in ("client_link", "client_link_session", "follow_up", "mail"):
        assert await practice.sql(f"SELECT count(*) FROM {table}") == [(0,)]
    kept = b"".join(path.read_bytes() for path in practice.storage.folder.iterdir() if path.is_file())
    for sentinel in (handle.encode(), b"sentinel-note", b"M-014"):
        assert sentinel not in kept
