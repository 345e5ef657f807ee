"""A client's own page over HTTP: its content, its forms, its refusals, its headers."""
# ruff: noqa: F811 what fixtures are is imported

from datetime import timedelta
import re

import icalendar
import pytest

from restbeat.service.follow_up.link_tokens import LinkKeys

from ...service.own_pages import DAY, NOW, practice, token_of, visitor  # noqa: F401 fixtures


async def session_with_link(practice, **wanted):
    session = await practice.session(ended_ago=DAY)
    return session, token_of(await practice.link("M-014", session, **wanted))


def visible(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


async def test_the_page_shows_the_summary_and_the_questions(practice, visitor):
    session, token = await session_with_link(practice)
    answer = await visitor.get(f"/c/{token}")
    html = await answer.text()
    assert answer.status == 200
    text = visible(html)
    for wanted in (
        "Your session on",
        "Heart rhythm variability",
        "How are you, a day after?",
        "Pain now",
        "Medication changed",
    ):
        assert wanted in text
    assert re.search(r"\+22\W*%", text)
    assert f'action="/c/{token}/{session}/24"' in html
    assert "M-014" not in html
    assert "Rooms" not in text
    assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", html)


async def test_one_view_is_one_entry_of_the_audit_log_with_its_session(practice, visitor):
    session, token = await session_with_link(practice)
    await practice.set_mail()
    for path in (f"/c/{token}", f"/c/{token}/{session}", "/links/1/print"):
        assert (await visitor.get(path)).status == 200
    log = await practice.sql(
        "SELECT actor, action, session FROM audit WHERE detail = 'link 1' OR session = ? ORDER BY id", session
    )
    looks = [("link", "page looked at", session)] * 2
    assert log == [*looks, ("demo", "link printed", session)]


async def test_headers_keep_the_secret_address_private(practice, visitor):
    session, token = await session_with_link(practice)
    for path in (f"/c/{token}", f"/c/{token}/{session}/calendar.ics", "/c/nonsense", "/c/", "/c/a/b/c/d"):
        headers = (await visitor.get(path)).headers
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Robots-Tag"] == "noindex, nofollow"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
        assert "Set-Cookie" not in headers
    assert (await visitor.get("/sessions")).headers["Referrer-Policy"] == "same-origin"


async def test_every_refusal_is_byte_for_byte_the_same(practice, visitor, tmp_path):
    await practice.client("M-015")
    session, token = await session_with_link(practice)
    foreign = await practice.session("M-015", ended_ago=DAY)
    await practice.link("M-015", foreign)  # shown, but by another's link
    good = await practice.link("M-014", session)
    revoked = token_of(good)
    await practice.links.revoke(good.link, by="Ada")
    old = await practice.link("M-014", session)
    await practice.sql("UPDATE client_link SET expires_utc = '2026-11-23T09:00:00.000Z' WHERE id = ?", old.link)
    altered = token[:-1] + ("A" if token[-1] != "A" else "B")
    await practice.client("M-016")
    erased = token_of(await practice.link("M-016", await practice.session("M-016", ended_ago=DAY)))
    await practice.erase("M-016")
    never = practice.keys.token("A1b2C3d4E5f6G7h8I9j0Kk", NOW)
    elsewhere = LinkKeys(tmp_path / "other.key").token(token.split(".")[0], NOW)
    paths = [f"/c/{one}" for one in (altered, token_of(old), revoked, erased, never, elsewhere, "nonsense", "", "%00", "a/b/c/d")]
    paths += [f"/c/{token}/{foreign}", f"/c/{token}/77", f"/c/{token}/abc", f"/c/{token}/{session}/nothing/here"]
    paths += [
        f"/c/{token}/{foreign}/calendar.ics",
        f"/c/{revoked}/{session}/calendar.ics",
        f"/c/{altered}/{session}/calendar.ics",
    ]
    answers = [await visitor.get(path) for path in paths]
    answers += [await visitor.post(f"/c/{one}/{session}/24", data={"pain": "3"}) for one in (altered, revoked, erased, never)]
    answers += [await visitor.post(f"/c/{token}/{foreign}/24", data={"pain": "3"}), await visitor.post(f"/c/{revoked}/shown")]
    answers += [await visitor.put(f"/c/{token}"), await visitor.delete(f"/c/{revoked}")]
    seen = [
        (answer.status, await answer.read(), sorted((name, value) for name, value in answer.headers.items() if name != "Date"))
        for answer in answers
    ]
    assert {status for status, _, _ in seen} == {404}
    assert all(one == seen[0] for one in seen), [path for path, one in zip(paths, seen, strict=False) if one != seen[0]]
    text = visible(seen[0][1].decode())
    assert "ask your practice for a new one" in text
    assert not any(word in text for word in ("expired", "revoked", "invalid", "M-01"))
    german = await visitor.get(f"/c/{revoked}", headers={"Accept-Language": "fr, de-AT;q=0.8, en;q=0.5"})
    assert "Dieser Link öffnet nichts" in await german.text()


async def test_after_many_wrong_tries_a_page_asks_to_wait(practice, visitor):
    practice.patience_s = 0.0
    for _ in range(5):
        assert (await visitor.get("/c/nonsense")).status == 404
    answer = await visitor.get("/c/nonsense")
    assert (answer.status, answer.headers["Retry-After"], answer.headers["Referrer-Policy"]) == (429, "2", "no-referrer")
    assert "A moment, please" in await answer.text()


async def test_answers_are_sent_once_and_can_be_corrected_shortly_after(practice, visitor):
    session, token = await session_with_link(practice)
    path = f"/c/{token}/{session}"
    fields = {"pain": "3", "sleep": "better", "relief": "lasts", "done": ["heat", "cold"], "note": "two\r\nlines "}
    sent = await visitor.post(f"{path}/24", data=fields, allow_redirects=False)
    assert (sent.status, sent.headers["Location"]) == (303, f"{path}#after-24")
    assert sent.headers["Referrer-Policy"] == "no-referrer"
    html = await (await visitor.get(path)).text()
    assert "Thank you. Your answers are kept." in html
    assert 'name="pain" value="3" required checked' in html
    assert 'name="done" value="cold" checked' in html
    assert await practice.sql("SELECT pain, sleep, relief_h, done, note FROM follow_up") == [
        (3, "better", 24.0, '["heat","cold"]', "two\nlines")
    ]
    practice.now += timedelta(minutes=11)
    late = await visitor.post(f"{path}/24", data=fields | {"pain": "9"})
    assert (late.status, "answered already" in await late.text()) == (409, True)
    html = await (await visitor.get(path)).text()
    assert "Pain now" not in html
    assert "you said: pain 3" in visible(html)
    early = await visitor.post(f"{path}/48", data=fields)
    assert (early.status, "not open yet" in await early.text()) == (409, True)
    practice.now += timedelta(days=3)
    closed = await visitor.post(f"{path}/48", data=fields)
    assert (closed.status, "The time for these questions is over" in await closed.text()) == (409, True)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"pain": ""},
        {"pain": "11"},
        {"pain": "-1"},
        {"pain": "3.5"},
        {"pain": "many"},
        {"pain": "3", "sleep": "deep"},
        {"pain": "3", "relief": "9"},
        {"pain": "3", "done": "surgery"},
    ],
)
async def test_an_invalid_form_shows_what_is_missing_and_stores_nothing(practice, visitor, fields):
    session, token = await session_with_link(practice)
    answer = await visitor.post(f"/c/{token}/{session}/24", data=fields)
    assert answer.status == 400
    assert "Please choose a number for the pain" in await answer.text()
    assert await practice.sql("SELECT count(*) FROM follow_up") == [(0,)]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"pain=%ff%fe&pain=3", "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe", "application/x-www-form-urlencoded", 400),
        (b"pain=3", "application/x-www-form-urlencoded; charset=klingon", 400),
        (b"--x", "multipart/form-data", 400),
        (
            b"--x\r\nContent-Disposition: form-data; name=pain; filename=a\r\n\r\n3\r\n--x--\r\n",
            "multipart/form-data; boundary=x",
            400,
        ),
        (b'{"pain": 3}', "application/json", 400),
        (b"pain=3&note=" + b"x" * 70_000, "application/x-www-form-urlencoded", 413),
    ],
)
async def test_any_malformed_request_is_refused_and_breaks_nothing(practice, visitor, body, kind, status):
    session, token = await session_with_link(practice)
    answer = await visitor.post(f"/c/{token}/{session}/24", data=body, headers={"Content-Type": kind})
    assert answer.status == status
    assert await practice.sql("SELECT count(*) FROM follow_up") == [(0,)]


async def test_a_form_of_a_page_without_referrer_is_accepted_and_another_sites_is_not(practice, visitor):
    session, token = await session_with_link(practice)
    for headers, status in (
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 303),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "https://elsewhere.example"}, 403),
    ):
        answer = await visitor.post(f"/c/{token}/{session}/24", data={"pain": "3"}, headers=headers, allow_redirects=False)
        assert answer.status == status, headers
    changed = await visitor.put("/api/v1/settings", json={}, headers={"Origin": "null"})
    assert changed.status == 403  # elsewhere it stays a stranger


async def test_the_client_chooses_sessions_and_language(practice, visitor):
    first, second = [await practice.session(ended_ago=timedelta(days=days)) for days in (9, 8)]
    token = token_of(await practice.link("M-014", first, second))
    html = await (await visitor.get(f"/c/{token}")).text()
    assert f'href="/c/{token}/{first}"' in html
    assert (await visitor.post(f"/c/{token}/shown", data={"session": [str(first), "x"]}, allow_redirects=False)).status == 303
    assert (await visitor.get(f"/c/{token}/{second}")).status == 404
    assert (await visitor.get(f"/c/{token}/{first}")).status == 200
    await visitor.post(f"/c/{token}/shown", data={})
    assert "Nothing is shown at the moment" in await (await visitor.get(f"/c/{token}")).text()
    await visitor.post(f"/c/{token}/shown", data={"session": [str(second)]})
    await visitor.post(f"/c/{token}/language", data={"language": "de"})
    html = await (await visitor.get(f"/c/{token}")).text()
    assert '<html lang="de" class="own">' in html
    assert "Ihre Sitzung vom" in html
    await visitor.post(f"/c/{token}/language", data={"language": "tlh"})
    assert '<html lang="en" class="own">' in await (await visitor.get(f"/c/{token}")).text()


async def test_of_two_sessions_the_one_with_open_questions_is_shown(practice, visitor):
    older = await practice.session(ended_ago=timedelta(hours=44))
    newer = await practice.session(ended_ago=timedelta(hours=2))
    token = token_of(await practice.link("M-014", older, newer))
    assert f"/c/{token}/{older}/48" in await (await visitor.get(f"/c/{token}")).text()
    html = await (await visitor.get(f"/c/{token}/{newer}")).text()
    assert "A few short questions wait for you." in html
    assert f'<a href="/c/{token}/{older}">Answer them</a>' in html


async def test_the_calendar_file_has_both_follow_ups_and_mentions_no_health(practice, visitor):
    session, token = await session_with_link(practice)
    answer = await visitor.get(f"/c/{token}/{session}/calendar.ics")
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="restbeat.ics"'
    text = await answer.read()
    again = await (await visitor.get(f"/c/{token}/{session}/calendar.ics")).read()
    assert text == again
    calendar = icalendar.Calendar.from_ical(text)
    events = calendar.events
    assert [event["DTSTART"].dt - NOW for event in events] == [timedelta(0), DAY]
    assert all(str(event["URL"]).endswith(f"/c/{token}") for event in events)


async def test_the_print_view_has_the_qr_code_and_no_form(practice, visitor):
    session, _ = await session_with_link(practice)
    html = await (await visitor.get("/links/1/print")).text()
    assert "No phone can open the address of this computer" in html
    assert "<path" not in html
    await practice.set_mail()
    answer = await visitor.get(f"/links/1/print?session={session}")
    html = await answer.text()
    assert answer.status == 200
    assert "no code is printed" not in html
    assert '<svg viewBox="0 0 ' in html
    assert 'action="/c/' not in html
    assert "open your page with the camera" in html
    assert await practice.sql("SELECT DISTINCT actor FROM audit WHERE action = 'link printed'") == [("demo",)]
    assert (await visitor.get("/links/77/print")).status == 404
    await practice.links.revoke(1, by="Ada")
    assert (await visitor.get("/links/1/print")).status == 409


async def test_under_the_public_host_name_only_clients_pages_are_served(practice, visitor):
    _, token = await session_with_link(practice)
    public = {"Host": "practice.example"}
    assert (await visitor.get(f"/c/{token}", headers=public)).status == 403
    await practice.set_mail()
    assert (await visitor.get(f"/c/{token}", headers=public)).status == 200
    for path in ("/", "/clients", "/api/v1/clients", "/links/1/print", "/settings"):
        assert (await visitor.get(path, headers=public)).status == 403
        assert (await visitor.get(path)).status == 200
