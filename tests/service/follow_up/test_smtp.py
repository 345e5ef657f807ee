"""One mail handed to a real SMTP server: encryption, login, what a server may say, and where its password comes from."""
# ruff: noqa: F811 what fixtures are is imported

from email.message import EmailMessage
import ssl

import pytest

from restbeat.service.errors import MailError, MailRefusedError, MailUnsureError, ServiceError
from restbeat.service.follow_up.mail_settings import MailSettings, read_password
from restbeat.service.follow_up.smtp import send

from .mail_server import certificate, mail_server
from .test_mail_sender import ERIKA, inbox  # noqa: F401 a fixture


def a_mail():
    message = EmailMessage()
    message["To"], message["From"], message["Subject"] = ERIKA, "blue@practice.example", "x"
    message.set_content("Grüße")
    return message


def settings(port, **more):
    return MailSettings(**{"host": "127.0.0.1", "port": port, "security": "none", "sender": "blue@practice.example"} | more)


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_mail_is_sent_encrypted_with_user_and_password(tmp_path, inbox, security):
    server, trusted = certificate(tmp_path)
    async with mail_server(inbox, **{security: server}, login=security == "starttls") as port:
        given = settings(port, security=security, user="blue")
        await send(given, "secret" if security == "starttls" else None, a_mail(), tls=trusted)
        assert inbox.encrypted == [True]
        assert inbox.mails[0][1].get_content().strip() == "Grüße"
        if security == "starttls":
            assert inbox.logins == [("blue", "secret")]
            with pytest.raises(MailError, match="did not take user and password: 535"):
                await send(given, "wrong", a_mail(), tls=trusted)
        with pytest.raises(MailError, match="could not be used"):  # a certificate that nobody vouches for
            await send(given, "secret", a_mail(), tls=ssl.create_default_context)
        assert len(inbox.mails) == 1


async def test_a_server_without_encryption_gets_no_mail_where_encryption_is_set(inbox):
    async with mail_server(inbox) as port:
        with pytest.raises(MailError, match="could not be used"):
            await send(settings(port, security="starttls"), None, a_mail(), tls=ssl.create_default_context)
    assert inbox.mails == []


async def test_a_password_is_never_sent_unencrypted_to_another_computer():
    with pytest.raises(MailRefusedError, match="encrypted connection only"):
        await send(settings(25, host="smtp.example", user="u"), "secret", a_mail())


async def test_a_missing_or_silent_server_is_reported(inbox, unused_tcp_port):
    with pytest.raises(MailError, match="could not be used"):
        await send(settings(unused_tcp_port), None, a_mail())
    inbox.stall = "MAIL"
    async with mail_server(inbox) as port:
        with pytest.raises(MailError) as error:
            await send(settings(port), None, a_mail(), step_s=0.2)
    assert not isinstance(error.value, MailUnsureError)


@pytest.mark.parametrize(("answer", "kind"), [("554 5.7.1 spam", MailRefusedError), ("452 4.2.2 full", MailError)])
async def test_temporary_permanent_and_unsure_replies_are_distinguished(inbox, answer, kind):
    inbox.refuse["DATA"] = answer
    async with mail_server(inbox) as port:
        with pytest.raises(MailError, match="did not take the mail") as error:
            await send(settings(port), None, a_mail())
    assert type(error.value) is kind


def test_the_password_comes_from_a_file_or_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv("RESTBEAT_MAIL_PASSWORD", raising=False)
    assert read_password(None) is None
    monkeypatch.setenv("RESTBEAT_MAIL_PASSWORD", "from here")
    assert read_password(None) == "from here"
    (tmp_path / "password").write_text("a word \nmore\n")
    assert read_password(tmp_path / "password") == "a word "
    (tmp_path / "empty").write_text("")
    assert read_password(tmp_path / "empty") is None
    with pytest.raises(ServiceError, match="could not be read"):
        read_password(tmp_path / "none")
