"""Sending of one mail over SMTP, each step with a time limit; the only module that imports aiosmtplib."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from email.message import EmailMessage
from email.policy import SMTP as SMTP_LINES
import re
import ssl
from typing import TYPE_CHECKING, Final

from ...sensors.task_cancellation import cancellation_requested
from ..errors import MailError, MailRefusedError, MailUnsureError
from .mail_settings import MailSettings

if TYPE_CHECKING:
    from aiosmtplib import SMTP, SMTPResponseException

STEP_S: Final = 20.0
"""Time limit of each step with the server."""
_TOTAL_S: Final = 90.0
"""Time limit of all steps until the server accepts sender and recipient."""
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_ADDRESS: Final = re.compile(r"\S+@\S+")
_EXTENDED: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_PERMANENT: Final = 500
"""Reply codes from here on are permanent: trying again does not help."""


async def send(
    settings: MailSettings,
    password: str | None,
    message: EmailMessage,
    *,
    before_data: Callable[[], Awaitable[None]] | None = None,
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    step_s: float = STEP_S,
) -> None:
    """Hand a mail to the server.

    `before_data` is awaited when the server has accepted sender and recipient; from then on it may have the mail.
    Raises `MailError` where trying again may help, `MailRefusedError` where it does not, and `MailUnsureError` where the server
    may have taken the mail.
    """
    from aiosmtplib import SMTP, SMTPException

    host = settings.host or ""
    if password and settings.security == "none" and host.lower() not in _LOCAL:
        raise MailRefusedError("A password is sent over an encrypted connection only. Choose STARTTLS or TLS.")
    context = None if settings.security == "none" else await asyncio.to_thread(tls)
    server = SMTP(
        hostname=host,
        port=settings.port,
        timeout=step_s,
        local_hostname="localhost",
        use_tls=settings.security == "tls",
        start_tls=settings.security == "starttls",
        tls_context=context,
    )
    try:
        async with asyncio.timeout(_TOTAL_S):
            await _negotiate(server, settings, password, str(message["To"]))
        if cancellation_requested():
            raise asyncio.CancelledError
        if before_data:
            await before_data()
        await _hand_over(server, settings, message)
    except TimeoutError as error:
        raise MailError(f"The mail server {host} did not answer in time.") from error
    except (SMTPException, OSError, ValueError) as error:
        raise MailError(f"The mail server {host} could not be used: {_server_text(error)}.") from error
    finally:
        server.close()


async def _negotiate(server: "SMTP", settings: MailSettings, password: str | None, to: str) -> None:
    from aiosmtplib import SMTPAuthenticationError, SMTPRecipientRefused

    await server.connect()
    if settings.user and password:
        try:
            await server.login(settings.user, password)
        except SMTPAuthenticationError as error:
            raise MailError(f"The mail server {settings.host} did not take user and password: {_server_text(error)}.") from error
    await server.mail(settings.sender or "")
    try:
        await server.rcpt(to)
    except SMTPRecipientRefused as error:
        raise _refused(error.code)(
            f"The mail server {settings.host} takes no mail for this address ({_reply_codes(error)})."
        ) from error


async def _hand_over(server: "SMTP", settings: MailSettings, message: EmailMessage) -> None:
    from aiosmtplib import SMTPDataError, SMTPException

    try:
        await server.data(message.as_bytes(policy=SMTP_LINES))
    except SMTPDataError as error:
        raise _refused(error.code)(f"The mail server {settings.host} did not take the mail ({_reply_codes(error)}).") from error
    except (SMTPException, OSError) as error:
        raise MailUnsureError(f"The mail server {settings.host} fell silent while the mail was handed over.") from error
    with suppress(SMTPException, OSError):  # it has the mail
        await server.quit()


def _refused(code: int) -> type[MailError]:
    return MailRefusedError if code >= _PERMANENT else MailError


def _server_text(error: Exception) -> str:
    """Return the text of a server's or system error in one line, without e-mail addresses."""
    code = getattr(error, "code", "")
    text = " ".join(str(getattr(error, "message", "") or error).split())
    return _ADDRESS.sub("…", f"{code} {text}".strip()[:200]).rstrip(".") or type(error).__name__


def _reply_codes(error: "SMTPResponseException") -> str:
    """Return only the codes of a reply, as its text may name the person."""
    extended = _EXTENDED.match(error.message)
    return f"{error.code} {extended[0]}" if extended else str(error.code)
