"""Mail to clients through a real SMTP server: each once, over restarts and outages, and nothing of health in it."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest

from restbeat.service.clients.models import Identity
from restbeat.service.errors import RefusedError, StorageError, UnknownError
from restbeat.service.follow_up import mail_queue
from restbeat.service.follow_up.mail_sender import MailSender
from restbeat.service.follow_up.models import Answers

from ..own_pages import NOW, PUBLIC, own_pages, token_of
from .mail_server import Inbox, mail_server

DAY = timedelta(hours=24)
REASONS = ["answered", "no reminders", "hidden", "revoked", "consent", "no address", "no server", "no public address"]
ERIKA = "erika@example.org"


@pytest.fixture
def inbox():
    return Inbox()


@pytest.fixture
async def practice(tmp_path, inbox):
    async with own_pages(tmp_path, step_s=2.0) as made, mail_server(inbox) as port:
        await made.client()
        await made.records.set_identity("M-014", Identity(name="Erika", email=ERIKA, language="de"), new_key=False, by="Ada")
        await made.set_mail(port=port)
        made.port = port
        yield made


async def asked(practice, *, ago=DAY, **wanted):
    session = await practice.session(ended_ago=ago)
    return session, await practice.link("M-014", session, **{"language": None} | wanted)


async def states(practice):
    return await practice.sql("SELECT slot, state, tries FROM mail ORDER BY id")


UNDATED = """UPDATE session SET header_extra = '{"imported": {"format": "CSV"}}'"""


async def test_nobody_is_reminded_of_a_session_whose_date_nobody_knows(practice, inbox):
    await asked(practice)
    await practice.sql(UNDATED)
    assert await practice.mail_sender.send_due() == 0
    assert await practice.links.unanswered() == []


async def test_a_reminder_is_sent_once_in_the_clients_language_with_the_link_and_nothing_about_health(practice, inbox):
    session, link = await asked(practice)
    assert await practice.mail_sender.send_due() == 1
    ((to, message),) = inbox.mails
    assert (to, message["To"], message["From"]) == (ERIKA, ERIKA, "Practice Blue <blue@practice.example>")
    assert message["Subject"] == "Ein paar kurze Fragen"
    assert message["Auto-Submitted"] == "auto-generated"
    text = message.get_content()
    assert f"{PUBLIC}/c/{token_of(link)}" in text
    assert "Practice Blue" in text
    whole = (str(message["Subject"]) + text).lower()
    for word in ("pain", "schmerz", "massage", "sitzung", "session", "erika", "m-014", "herz", "therap"):
        assert word not in whole
    assert await states(practice) == [(24, "sent", 1)]
    for _ in range(3):
        practice.now += timedelta(minutes=30)
        assert await practice.mail_sender.send_due() == 0
    practice.now = NOW + DAY
    assert await practice.mail_sender.send_due() == 1
    assert await states(practice) == [(24, "sent", 1), (48, "sent", 1)]
    assert len({message["Message-ID"] for _, message in inbox.mails}) == 2
    log = await practice.sql("SELECT actor, action, client, session, detail FROM audit WHERE actor = 'restbeat' ORDER BY id")
    assert log[0] == ("restbeat", "mail sent", "M-014", session, "after 24 h")
    (row,) = (await practice.links.of_client("M-014", by="Ada")).links
    assert [(mail.slot, mail.state) for mail in row.mails] == [(48, "sent"), (24, "sent")]


@pytest.mark.parametrize("hours", [20, 23.9, 36, 47.9, 72, 100])
async def test_a_reminder_is_sent_when_due_and_not_after_the_follow_up_has_closed(practice, inbox, hours):
    await asked(practice, ago=timedelta(hours=hours))
    assert await practice.mail_sender.send_due() == 0
    assert await states(practice) == []


@pytest.mark.parametrize("reason", REASONS)
async def test_clients_who_are_not_to_be_reminded_get_no_mail(practice, inbox, reason):
    session, link = await asked(practice, remind=reason != "no reminders")
    token = token_of(link)
    match reason:
        case "answered":
            await practice.links.answer(token, session, 24, Answers(pain=2), peer="x")
        case "hidden":
            await practice.links.show(token, set(), remind=True, peer="x")
        case "revoked":
            await practice.links.revoke(link.link, by="Ada")
        case "consent":
            await practice.sql("UPDATE consent SET withdrawn_utc = '2026-11-23T09:00:00.000Z'")
        case "no address":
            await practice.records.set_identity("M-014", Identity(name="Erika"), new_key=False, by="Ada")
        case "no server":
            await practice.set_mail(host=None)
        case "no public address":
            await practice.set_mail(port=practice.port, public_address=None)
    assert await practice.mail_sender.send_due() == 0
    assert (inbox.mails, await states(practice)) == ([], [])


async def test_a_waiting_mail_is_removed_when_it_is_not_needed_any_more(practice, inbox):
    inbox.refuse["RCPT"] = "451 4.7.1 later"
    session, link = await asked(practice)
    await practice.mail_sender.send_due()
    assert await states(practice) == [(24, "waiting", 1)]
    inbox.refuse.clear()
    await practice.links.answer(token_of(link), session, 24, Answers(pain=2), peer="x")
    practice.now += timedelta(minutes=5)
    assert await practice.mail_sender.send_due() == 0
    assert (inbox.mails, await states(practice)) == ([], [])


async def test_an_outage_is_retried_with_growing_delays(practice, inbox):
    inbox.refuse["MAIL"] = "421 4.3.2 closing"
    await asked(practice)
    tried = []
    while practice.now < NOW + timedelta(hours=11):
        before = inbox.calls
        await practice.mail_sender.send_due()
        if inbox.calls > before:
            tried.append((practice.now - NOW) / timedelta(minutes=1))
        practice.now += timedelta(minutes=1)
    assert tried == [0, 1, 3, 7, 15, 31, 63, 127, 255, 495]  # doubled up to four hours
    inbox.refuse.clear()
    practice.now = NOW + timedelta(hours=11, minutes=59)
    # the next try is after the slot has closed: it was given up, and the therapist is told
    assert await states(practice) == [(24, "failed", 10)]
    (flag,) = (await practice.records.client("M-014", by="Ada")).flags
    assert flag.reason.startswith("The mail with the reminder after 24 h could not be sent. The mail server 127.0.0.1")
    assert await practice.mail_sender.send_due() == 0
    assert inbox.mails == []


async def test_a_mailed_link_is_given_up_after_three_days(practice, inbox):
    inbox.refuse["MAIL"] = "451 4.3.0 busy"
    session = await practice.session(ended_ago=timedelta(days=30))
    link = await practice.link("M-014", session)
    await practice.links.send(link.link, by="Ada")
    while practice.now < NOW + timedelta(days=4):
        await practice.mail_sender.send_due()
        practice.now += timedelta(minutes=20)
    ((state, done),) = await practice.sql("SELECT state, done_utc FROM mail")
    assert state == "failed"
    assert "2026-11-26T05" < done <= "2026-11-26T10:00:00.000Z"
    (flag,) = (await practice.records.client("M-014", by="Ada")).flags
    assert (flag.session, flag.reason.startswith("The mail with the link could not be sent.")) == (session, True)


async def test_an_unknown_mailbox_is_reported_at_once_and_its_address_is_stored_nowhere(practice, inbox):
    inbox.refuse["RCPT"] = f"550 5.1.1 <{ERIKA}>: no such user erika"
    await asked(practice)
    assert await practice.mail_sender.send_due() == 0
    assert await states(practice) == [(24, "failed", 1)]
    (flag,) = (await practice.records.client("M-014", by="Ada")).flags
    assert flag.reason.endswith("The mail server 127.0.0.1 takes no mail for this address (550 5.1.1).")
    dump = "\n".join(await practice.storage.run(lambda db: list(db.conn.iterdump())))
    assert "erika" not in dump


async def test_one_refused_mailbox_does_not_delay_the_others(practice, inbox):
    await practice.client("M-015")
    await practice.records.set_identity("M-015", Identity(email="otto@example.org"), new_key=False, by="Ada")
    for client in ("M-014", "M-015"):
        await practice.link(client, await practice.session(client, ended_ago=DAY))
    inbox.refuse["RCPT"] = "550 5.1.1 no"
    real = inbox.handle_RCPT

    async def only_erika(server, session, envelope, address, options):
        if address != ERIKA:
            inbox.refuse.clear()
        return await real(server, session, envelope, address, options)

    inbox.handle_RCPT = only_erika
    assert await practice.mail_sender.send_due() == 1
    assert [to for to, _ in inbox.mails] == ["otto@example.org"]


async def test_a_mail_is_not_sent_again_after_the_server_fell_silent_while_taking_it(practice, inbox):
    practice.mail_sender._step_s = 0.3
    inbox.stall = "DATA"
    await asked(practice)
    await practice.mail_sender.send_due()
    assert await states(practice) == [(24, "unsure", 1)]
    inbox.stall = None
    practice.now += timedelta(hours=2)
    assert await practice.mail_sender.send_due() == 0
    (row,) = (await practice.links.of_client("M-014", by="Ada")).links
    assert row.mails[0].state == "unsure"
    assert row.mails[0].trouble == "The mail server 127.0.0.1 fell silent while the mail was handed over."


async def test_a_restart_between_sending_and_storing_the_outcome_sends_nothing_twice(practice, inbox):
    await asked(practice)
    inbox.stall = "DATA"
    practice.mail_sender._step_s = 30.0
    round_ = asyncio.create_task(practice.mail_sender.send_due())
    async with asyncio.timeout(10):
        while await states(practice) != [(24, "sending", 0)]:  # noqa: ASYNC110 the database tells nobody
            await asyncio.sleep(0.01)
    round_.cancel()
    with suppress(asyncio.CancelledError):
        await round_
    inbox.stall = None
    again = MailSender(practice.storage, practice.cipher, practice.keys, now_utc=lambda: practice.now)
    async with again:
        await again.send_due()
    assert await states(practice) == [(24, "unsure", 1)]
    assert inbox.mails == []


async def test_mails_that_became_due_while_restbeat_was_off_are_sent_at_the_next_start(practice, inbox):
    await asked(practice, ago=timedelta(hours=30))
    async with MailSender(practice.storage, practice.cipher, practice.keys, now_utc=lambda: practice.now, every_s=3600):
        async with asyncio.timeout(10):
            while not inbox.mails:  # noqa: ASYNC110 the server tells nobody
                await asyncio.sleep(0.01)
    assert [task for task in asyncio.all_tasks() if task.get_name() == "restbeat-mail_sender"] == []


async def test_leaving_ends_the_task_even_where_the_mail_library_swallows_the_cancellation(practice, inbox, monkeypatch):
    begun = asyncio.Event()
    real = asyncio.wait_for

    async def as_up_to_python_3_11(waited_for, timeout):
        if not begun.is_set():
            begun.set()
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
        return await real(waited_for, timeout)

    await asked(practice)
    async with asyncio.timeout(20):
        async with MailSender(practice.storage, practice.cipher, practice.keys, now_utc=lambda: practice.now, every_s=3600):
            monkeypatch.setattr(asyncio, "wait_for", as_up_to_python_3_11)
            await begun.wait()
    assert (inbox.mails, await states(practice)) == ([], [(24, "waiting", 0)])


async def test_a_request_to_send_wakes_the_task(practice, inbox):
    mail_sender = practice.mail_sender
    mail_sender._every_s = 3600
    async with mail_sender:
        await asyncio.sleep(0)
        link = await practice.link("M-014", await practice.session(ended_ago=timedelta(days=9)))
        await practice.links.send(link.link, by="Ada")
        async with asyncio.timeout(10):
            while not inbox.mails:  # noqa: ASYNC110 the server tells nobody
                await asyncio.sleep(0.01)
    ((to, message),) = inbox.mails
    assert (to, message["Subject"]) == (ERIKA, "Your link")
    assert token_of(link) in message.get_content()


@pytest.mark.parametrize(
    ("error", "traceback"),
    [(ZeroDivisionError(), True), (UnknownError("There is no link 1."), True), (StorageError("The disk is full."), False)],
)
async def test_the_task_survives_a_failing_round(practice, inbox, monkeypatch, caplog, error, traceback):
    await asked(practice)
    real, broken = mail_queue.due, []

    def due(*args):
        if not broken:
            broken.append(True)
            raise error
        return real(*args)

    monkeypatch.setattr(mail_queue, "due", due)
    async with MailSender(practice.storage, practice.cipher, practice.keys, now_utc=lambda: practice.now, every_s=0.01):
        async with asyncio.timeout(10):
            while not inbox.mails:  # noqa: ASYNC110 the server tells nobody
                await asyncio.sleep(0.01)
    assert "Mail waits" in caplog.text
    assert ("Traceback" in caplog.text) == traceback


async def test_a_missing_identity_key_is_retried_and_reported(practice, inbox):
    await asked(practice)
    kept = practice.cipher.path.read_bytes()
    practice.cipher.path.unlink()
    assert await practice.mail_sender.send_due() == 0
    assert await states(practice) == [(24, "waiting", 1)]
    practice.cipher.path.write_bytes(kept)
    practice.now += timedelta(minutes=1)
    assert await practice.mail_sender.send_due() == 1


async def test_a_test_mail_reports_the_servers_reply(practice, inbox):
    await practice.links.test_mail("ada@practice.example", by="Ada")
    assert [to for to, _ in inbox.mails] == ["ada@practice.example"]
    inbox.refuse["RCPT"] = "550 5.7.1 no relaying"
    with pytest.raises(RefusedError, match=r"The test mail did not go\. .*550 5\.7\.1"):
        await practice.links.test_mail("ada@practice.example", by="Ada")
    for odd in ("ada", "ada@x>", "a b@x.y", "ada@practice.example\r\nRCPT TO:<x@y.z>", "ädä@x.example"):
        with pytest.raises(RefusedError, match="cannot be used"):
            await practice.links.test_mail(odd, by="Ada")
    await practice.set_mail(host=None)
    with pytest.raises(RefusedError, match="Set the mail server and the sender first"):
        await practice.links.test_mail("ada@practice.example", by="Ada")
