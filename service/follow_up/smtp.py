"""The door to aiosmtplib: one mail to one server, each step with a time limit, what came of it as typed errors."""

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
"""Limit of each step with the server."""
_WHOLE_S: Final = 90.0
"""Limit of all of them until the server agrees to take the mail."""
_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_ADDRESS: Final = re.compile(r"\S+@\S+")
_EXTENDED: Final = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_FINAL: Final = 500
"""Codes from here on: trying again does not help."""


async def send(
    settings: MailSettings,
    password: str | None,
    message: EmailMessage,
    *,
    before_data: Callable[[], Awaitable[None]] | None = None,
    tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
    step_s: float = STEP_S,
) -> None:
    """Hand a mail to the server. Raises `MailError`: `MailRefusedError` for good, `MailUnsureError` where it may have been taken.

    `before_data` is awaited when the server has agreed to take the mail, and from then on may have it.
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
        async with asyncio.timeout(_WHOLE_S):
            await _agree(server, settings, password, str(message["To"]))
        if cancellation_requested():
            raise asyncio.CancelledError
        if before_data:
            await before_data()
        await _hand_over(server, settings, message)
    except TimeoutError as error:
        raise MailError(f"The mail server {host} did not answer in time.") from error
    except (SMTPException, OSError, ValueError) as error:
        raise MailError(f"The mail server {host} could not be used: {_said(error)}.") from error
    finally:
        server.close()


async def _agree(server: "SMTP", settings: MailSettings, password: str | None, to: str) -> None:
    from aiosmtplib import SMTPAuthenticationError, SMTPRecipientRefused

    await server.connect()
    if settings.user and password:
        try:
            await server.login(settings.user, password)
        except SMTPAuthenticationError as error:
            raise MailError(f"The mail server {settings.host} did not take user and password: {_said(error)}.") from error
    await server.mail(settings.sender or "")
    try:
        await server.rcpt(to)
    except SMTPRecipientRefused as error:
        raise _refused(error.code)(f"The mail server {settings.host} takes no mail for this address ({_code(error)}).") from error


async def _hand_over(server: "SMTP", settings: MailSettings, message: EmailMessage) -> None:
    from aiosmtplib import SMTPDataError, SMTPException

    try:
        await server.data(message.as_bytes(policy=SMTP_LINES))
    except SMTPDataError as error:
        raise _refused(error.code)(f"The mail server {settings.host} did not take the mail ({_code(error)}).") from error
    except (SMTPException, OSError) as error:
        raise MailUnsureError(f"The mail server {settings.host} fell silent while the mail was handed over.") from error
    with suppress(SMTPException, OSError):  # it has the mail
        await server.quit()


def _refused(code: int) -> type[MailError]:
    return MailRefusedError if code >= _FINAL else MailError


def _said(error: Exception) -> str:
    """What a server or the system said, in one line; no address of anybody is in it."""
    code = getattr(error, "code", "")
    text = " ".join(str(getattr(error, "message", "") or error).split())
    return _ADDRESS.sub("…", f"{code} {text}".strip()[:200]).rstrip(".") or type(error).__name__


def _code(error: "SMTPResponseException") -> str:
    """The numbers of an answer alone: its words may name the person."""
    extended = _EXTENDED.match(error.message)
    return f"{error.code} {extended[0]}" if extended else str(error.code)
