"""Links to clients' own pages: what opens what, who is refused, and that nobody can tell why."""
# ruff: noqa: F811 what fixtures are is imported

from datetime import timedelta

from hypothesis import given, strategies as st
import pytest

from restbeat.service.accounts.models import TooOftenError
from restbeat.service.clients.models import Identity
from restbeat.service.errors import RefusedError, UnknownClientError, UnknownError
from restbeat.service.follow_up.link_tokens import LinkKeys
from restbeat.service.follow_up.models import LinkRefusedError, visible_sessions
from restbeat.service.storage.encryption import IdentityCipher

from ..own_pages import NOW, PUBLIC, practice, token_of  # noqa: F401 fixtures

HERE = "127.0.0.1"


async def refused(practice, token, session=None):
    with pytest.raises(LinkRefusedError):
        await practice.links.view(token, session, "page", peer=HERE)
    return True


async def test_a_link_opens_its_clients_sessions_and_no_others(practice):
    await practice.client("M-015")
    first, hidden, foreign = [await practice.session(client) for client in ("M-014", "M-014", "M-015")]
    link = await practice.link("M-014", first)
    token = token_of(link)
    page = await practice.links.view(token, first, "page", peer=HERE)
    assert [session.session for session in visible_sessions(page)] == [first]
    assert link.sessions == link.offered == [first]
    assert await refused(practice, token, hidden)
    assert await refused(practice, token, foreign)
    with pytest.raises(RefusedError, match=f"Session {foreign} is none of M-014’s that has ended"):
        await practice.link("M-014", foreign)


async def test_the_address_names_nobody_and_the_database_does_not_hold_it(practice, tmp_path):
    link = await practice.link("M-014", await practice.session())
    token = token_of(link)
    assert "014" not in token
    assert (len(token), token.count(".")) == (73, 2)
    dump = "\n".join(await practice.storage.run(lambda db: list(db.conn.iterdump())))
    handle, _, signature = token.split(".")
    assert handle in dump
    assert signature not in dump
    assert (tmp_path / "data.links.key").stat().st_mode & 0o777 == 0o600
    assert token_of(await practice.links.revoke(link.link, by="Ada")) == ""  # what is over is not shown again


async def test_later_sessions_are_shown_where_that_was_chosen(practice):
    before = await practice.session(ended_ago=timedelta(hours=1))
    some, coming = await practice.link("M-014", before), await practice.link("M-014", coming=True)
    practice.now += timedelta(days=7)
    later = await practice.session()
    assert [s.session for s in (await practice.links.view(token_of(some), None, "page", peer=HERE)).sessions] == [before]
    assert [s.session for s in (await practice.links.view(token_of(coming), None, "page", peer=HERE)).sessions] == [later]
    running = await practice.session()
    await practice.sql("UPDATE session SET ended_utc = NULL WHERE id = ?", running)
    assert await refused(practice, token_of(coming), running)


async def test_a_session_reassigned_to_another_client_is_not_shown_any_more(practice):
    await practice.client("M-015")
    session = await practice.session()
    token = token_of(await practice.link("M-014", session))
    await practice.links.view(token, session, "page", peer=HERE)
    await practice.sql("UPDATE session SET client = 'M-015' WHERE id = ?", session)
    assert await refused(practice, token, session)
    assert (await practice.links.view(token, None, "page", peer=HERE)).sessions == []


async def test_a_link_expires_on_its_day(practice):
    link = await practice.link("M-014", await practice.session(), days=60)
    practice.now = NOW + timedelta(days=60) - timedelta(seconds=1)
    await practice.links.view(token_of(link), None, "page", peer=HERE)
    practice.now += timedelta(seconds=1)
    assert await refused(practice, token_of(link))
    (row,) = (await practice.links.of_client("M-014", by="Ada")).links
    assert (row.state, row.address, row.uses) == ("expired", "", 1)
    await practice.sql(
        "UPDATE client_link SET expires_utc = '2099-01-01T00:00:00.000Z'"
    )  # a date that was put off in the database
    await practice.links.view(token_of(link), None, "page", peer=HERE)
    practice.now = NOW + timedelta(days=367)
    assert await refused(practice, token_of(link))


async def test_withdrawing_the_consent_to_share_revokes_every_link(practice):
    session = await practice.session()
    links = [await practice.link("M-014", session) for _ in range(2)]
    full = await practice.records.client("M-014", by="Ada")
    (consent,) = [row.consent for row in full.consents if row.purpose == "share"]
    await practice.records.withdraw("M-014", consent, by="Bo")
    assert all([await refused(practice, token_of(link)) for link in links])
    everything = await practice.links.of_client("M-014", by="Ada")
    assert (everything.may_share, {row.state for row in everything.links}) == (False, {"revoked"})
    assert {row.revoked_by for row in everything.links} == {"Bo"}
    with pytest.raises(RefusedError, match="M-014 has not agreed to get a link"):
        await practice.link("M-014", session)
    await practice.records.agree("M-014", "share", by="Ada")  # given anew, it brings no old link back
    assert await refused(practice, token_of(links[0]))
    assert token_of(await practice.link("M-014", session)) != token_of(links[0])


async def test_without_consent_in_the_database_no_link_opens_even_if_none_was_revoked(practice):
    link = await practice.link("M-014", await practice.session())
    await practice.sql("UPDATE consent SET withdrawn_utc = '2026-11-23T09:00:00.000Z'")
    assert await refused(practice, token_of(link))


async def test_the_client_can_hide_and_show_only_what_the_link_may_show(practice):
    first, second, never = [await practice.session(ended_ago=timedelta(days=days)) for days in (3, 2, 1)]
    link = await practice.link("M-014", first, second)
    page = await practice.links.show(token_of(link), {first, never}, remind=False, peer=HERE)
    assert [session.session for session in visible_sessions(page)] == [first]
    assert [session.session for session in page.sessions] == [second, first]
    assert not page.remind
    assert await refused(practice, token_of(link), second)
    page = await practice.links.show(token_of(link), {first, second}, remind=True, peer=HERE)
    assert [session.session for session in visible_sessions(page)] == [second, first]
    assert await practice.sql("SELECT count(*) FROM audit WHERE actor = 'link' AND action = 'link changed'") == [(2,)]


async def test_the_therapist_can_choose_for_the_client(practice):
    first, second = [await practice.session(ended_ago=timedelta(days=days)) for days in (3, 2)]
    link = await practice.link("M-014", first)
    changed = await practice.links.choose(link.link, [second], coming=True, remind=False, by="Ada")
    assert (changed.sessions, changed.coming, changed.remind) == ([second], True, False)
    third = await practice.session()
    await practice.sql("UPDATE session SET started_utc = ended_utc WHERE id = ?", third)  # begun after the link was made
    assert await refused(practice, token_of(link), first)
    await practice.links.view(token_of(link), third, "page", peer=HERE)
    changed = await practice.links.choose(link.link, [second], coming=True, remind=False, by="Ada")
    assert changed.sessions == [second]  # what comes is shown until it is left out
    with pytest.raises(RefusedError, match="Choose a session, or those to come"):
        await practice.links.choose(link.link, [], coming=False, remind=True, by="Ada")
    await practice.links.revoke(link.link, by="Ada")
    with pytest.raises(RefusedError, match="This link is over"):
        await practice.links.choose(link.link, [second], coming=True, remind=True, by="Ada")
    with pytest.raises(UnknownError, match="There is no link 77"):
        await practice.links.revoke(77, by="Ada")
    with pytest.raises(UnknownClientError):
        await practice.links.of_client("M-9", by="Ada")


async def test_each_use_and_each_refusal_is_in_the_audit_log(practice):
    session = await practice.session()
    link = await practice.link("M-014", session)
    await practice.links.view(token_of(link), None, "page", peer=HERE)
    await practice.links.view(token_of(link), session, "picture", peer=HERE)
    await practice.links.revoke(link.link, by="Ada")
    await refused(practice, token_of(link))
    await refused(practice, "nonsense")
    log = await practice.sql("SELECT actor, action, client, session, detail FROM audit WHERE actor = 'link' ORDER BY id")
    assert log == [
        ("link", "page looked at", "M-014", session, "link 1"),
        ("link", "picture looked at", "M-014", session, "link 1"),
        ("link", "link refused", "M-014", None, None),
        ("link", "link refused", None, None, None),
    ]
    (row,) = (await practice.links.of_client("M-014", by="Ada")).links
    assert (row.uses, row.opened_utc) == (1, "2026-11-23T10:00:00.000Z")  # the picture is a part of the page
    assert [entry.actor for entry in await practice.records.audit("M-014", by="Ada")][:2] == ["Ada", "link"]


async def test_the_language_is_the_clients_own_unless_another_is_chosen(practice):
    await practice.records.set_identity("M-014", Identity(name="Erika", language="de"), new_key=False, by="Ada")
    session = await practice.session()
    assert (await practice.link("M-014", session, language=None)).language == "de"
    link = await practice.link("M-014", session, language="en")
    assert (await practice.links.set_language(token_of(link), "de", peer=HERE)).language == "de"
    (practice.cipher.path).unlink()
    assert (await practice.link("M-014", session, language=None)).language == "en"


async def test_addresses_are_full_urls_where_the_practice_has_a_public_address(practice):
    session = await practice.session()
    assert (await practice.link("M-014", session)).address.startswith("/c/")
    await practice.set_mail(public_address="HTTPS://Practice.example/")
    assert (await practice.link("M-014", session)).address.startswith(f"{PUBLIC}/c/")
    assert practice.links.public_host == "practice.example"
    for odd in (
        "practice.example",
        "ftp://x",
        "https://x/y",
        "https://u@x",
        "https://",
        "https://x?y",
        "https://x:0",
        "https://[x",
    ):
        with pytest.raises(RefusedError, match=r"such as https://practice\.example"):
            await practice.set_mail(public_address=odd)


async def test_failed_attempts_delay_the_next_one_even_with_a_valid_link(practice):
    practice.patience_s = 0.0  # the clock stands
    token = token_of(await practice.link("M-014", await practice.session()))
    for _ in range(5):
        await refused(practice, "nonsense")
    with pytest.raises(TooOftenError) as error:
        await practice.links.view("nonsense", None, "page", peer=HERE)
    assert error.value.wait_s == 1.0
    with pytest.raises(TooOftenError):
        await practice.links.view(token, None, "page", peer=HERE)
    await practice.links.view(token, None, "page", peer="10.0.0.9")  # elsewhere nobody waits
    assert await practice.sql("SELECT count(*) FROM audit WHERE action = 'link refused'") == [(5,)]


async def test_one_ip_address_gets_sixty_requests_at_once_then_one_per_second(practice):
    practice.patience_s = 0.0
    token = token_of(await practice.link("M-014", await practice.session()))
    for _ in range(60):
        await practice.links.view(token, None, "page", peer=HERE)
    with pytest.raises(TooOftenError) as error:
        await practice.links.view(token, None, "page", peer=HERE)
    assert error.value.wait_s == pytest.approx(1.0)


# Keys


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    keys = LinkKeys(tmp_path_factory.mktemp("keys") / "data.key")
    return keys, keys.token("A1b2C3d4E5f6G7h8I9j0Kk", NOW)


@given(st.data())
def test_a_token_with_any_altered_letter_is_refused(signed, data):
    keys, token = signed
    place = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.characters(codec="ascii", categories=("L", "N", "P", "S")).filter(lambda one: one != token[place]))
    assert keys.handle_of(token, NOW) == "A1b2C3d4E5f6G7h8I9j0Kk"
    assert keys.handle_of(token[:place] + letter + token[place + 1 :], NOW) is None


@given(st.text())
def test_any_text_is_refused(signed, text):
    keys, token = signed
    assert keys.handle_of(text, NOW) is None
    assert keys.handle_of(token + text, NOW) is None or not text


def test_a_lost_key_invalidates_old_addresses_and_a_new_key_is_created(signed, tmp_path):
    keys, token = LinkKeys(tmp_path / "data.key"), signed[1]
    assert keys.handle_of(token, NOW) is None
    assert not keys.path.exists()  # asking makes no key
    again = keys.token("A1b2C3d4E5f6G7h8I9j0Kk", NOW)
    assert (again != token, keys.handle_of(again, NOW)) == (True, "A1b2C3d4E5f6G7h8I9j0Kk")
    keys.path.write_bytes(b"a new key\n" + keys.path.read_bytes())  # the first line signs, each opens
    assert keys.handle_of(again, NOW) is not None
    assert keys.token("A1b2C3d4E5f6G7h8I9j0Kk", NOW) != again


def test_the_key_of_links_is_not_that_of_identities(tmp_path):
    cipher = IdentityCipher(tmp_path / "identity.key")
    cipher.encrypt(b"x")
    keys = LinkKeys(cipher.path)
    keys.token("x" * 22, NOW)
    assert keys.path.read_bytes() != cipher.path.read_bytes()
    assert keys.path.name == "identity.links.key"
