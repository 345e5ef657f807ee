"""Sender of due mails to clients: a background task of the server, with its queue in the database to survive restarts."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from hashlib import sha256
import logging
import re
import ssl
from types import TracebackType
from typing import Final, Self

from ...sensors.task_cancellation import cancel_and_wait, cancellation_requested
from ..clients.identities import read_identity
from ..errors import CipherError, MailError, MailRefusedError, MailUnsureError, RefusedError, RequestError, ServiceError
from ..storage.encryption import IdentityCipher
from ..storage.sqlite import Database
from ..storage.storage import Storage
from . import mail_queue
from .link_store import address_of, link_of
from .link_tokens import LinkKeys
from .mail_queue import Due
from .mail_settings import MailSettings, read_mail_settings
from .mail_texts import link_mail, reminder_mail, settings_test_mail
from .smtp import STEP_S, send

_LOG = logging.getLogger(__name__)
_EVERY_S: Final = 60.0
_MAILBOX: Final = re.compile(r"[!#-'*+/-9=?A-Z^-~.-]+@[A-Za-z0-9.-]+\.?[A-Za-z0-9]", re.ASCII)


class MailSender:
    """Background task that sends due mails every minute within its context; mails left at its end are sent after a restart."""

    def __init__(
        self,
        storage: Storage,
        cipher: IdentityCipher,
        keys: LinkKeys,
        *,
        password: str | None = None,
        now_utc: Callable[[], datetime] = lambda: datetime.now(UTC),
        tls: Callable[[], ssl.SSLContext] = ssl.create_default_context,
        every_s: float = _EVERY_S,
        step_s: float = STEP_S,
    ) -> None:
        """`password`: that of the SMTP server; `every_s`: interval of the task; `step_s`: time limit of each SMTP step in s."""
        self._storage = storage
        self._cipher = cipher
        self._keys = keys
        self._password = password
        self._now_utc = now_utc
        self._tls = tls
        self._every_s = every_s
        self._step_s = step_s
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        now = self._now_utc()
        await self._storage.run(lambda db: mail_queue.mark_interrupted(db, now))
        self._task = asyncio.create_task(self._run(), name="restbeat-mail-sender")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._task:
            await cancel_and_wait(self._task)

    @property
    def has_password(self) -> bool:
        """Whether a password for the SMTP server is set."""
        return self._password is not None

    def wake(self) -> None:
        """Send due mails now rather than at the next interval."""
        self._wake.set()

    async def send_due(self) -> int:
        """Send the due mails one after the other and return how many were sent; where the server fails, the others wait."""
        now, sent = self._now_utc(), 0
        settings = await self._storage.read(read_mail_settings)
        if not settings.ready:
            return 0
        for mail in await self._storage.run(lambda db: mail_queue.due(db, now, lambda client: self._reachable(db, client))):
            if cancellation_requested():
                break
            try:
                sent += await self._deliver(mail, settings)
            except (MailRefusedError, MailUnsureError):
                continue
            except MailError:
                break
        return sent

    async def send_test(self, to: str, settings: MailSettings) -> None:
        """Send a test mail now. Raises `RefusedError` where it could not be sent, with the server's reply."""
        if not (settings.host and settings.sender):
            raise RefusedError("Set the mail server and the sender first, and save.")
        require_mailbox(to)
        message = self._message(settings, to, *settings_test_mail(settings.practice))
        try:
            await send(settings, self._password, message, tls=self._tls, step_s=self._step_s)
        except MailError as error:
            raise RefusedError(f"The test mail did not go. {error}") from error

    async def _run(self) -> None:
        while True:
            try:
                await self.send_due()
            except RequestError:  # no request is being answered here: a defect, logged with its traceback
                _LOG.exception("Mail waits")
            except ServiceError as error:
                _LOG.error("Mail waits: %s", error)
            except Exception:  # noqa: BLE001 - one odd row must not keep the others from being sent
                _LOG.exception("Mail waits")
            if cancellation_requested():
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await self._wake.wait()
            self._wake.clear()

    async def _deliver(self, mail: Due, settings: MailSettings) -> bool:
        """Send a mail and store the outcome; return whether it was sent. Raises `MailError` once the outcome is stored."""
        now = self._now_utc()
        message = await self._storage.run(lambda db: self._compose(db, mail, settings, now))
        if message is None:
            return False

        async def mark_sending() -> None:
            await self._storage.run(lambda db: mail_queue.mark_sending(db, mail.id))

        outcome: Callable[[Database], None]
        try:
            await send(settings, self._password, message, before_data=mark_sending, tls=self._tls, step_s=self._step_s)
        except MailError as error:
            outcome = _outcome(mail, error, now)
            await self._storage.run(outcome)
            raise
        await self._storage.run(lambda db: mail_queue.finish(db, mail.id, "sent", now))
        return True

    def _reachable(self, db: Database, client: str) -> bool:
        """Return whether there is an e-mail address; one that cannot be decrypted counts, so that the failure is reported."""
        try:
            return bool(read_identity(db, self._cipher, client).email)
        except RefusedError:
            return True

    def _compose(self, db: Database, mail: Due, settings: MailSettings, now: datetime) -> EmailMessage | None:
        """Compose a mail on the storage thread; None where it is not needed any more, or cannot be composed and is retried."""
        if not mail_queue.still_wanted(db, mail, now):
            mail_queue.remove(db, mail.id)
            return None
        link = link_of(db, mail.link)
        try:
            to = read_identity(db, self._cipher, mail.client).email or ""
            address = address_of(db, link, self._keys)
            require_mailbox(to)
        except (RefusedError, CipherError) as error:
            mail_queue.retry_later(db, mail, str(error), now)
            return None
        compose = reminder_mail if mail.slot else link_mail
        message = self._message(settings, to, *compose(link.language, address, settings.practice))
        name = sha256(f"{link.handle} {mail.id}".encode()).hexdigest()[
            :24
        ]  # the same for every try, so duplicates are recognised
        message["Message-ID"] = f"<{name}@{(settings.sender or '').rpartition('@')[2]}>"
        return message

    def _message(self, settings: MailSettings, to: str, subject: str, text: str) -> EmailMessage:
        message = EmailMessage()
        message["From"] = formataddr((settings.practice or "", settings.sender or ""))
        message["To"] = to
        message["Subject"] = subject
        message["Date"] = format_datetime(self._now_utc())
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text, cte="quoted-printable")
        return message


def require_mailbox(text: str) -> None:
    """Require that a text is an e-mail address. Raises `RefusedError` where it is not."""
    if not text:
        raise RefusedError("No e-mail address is written down.")
    if not _MAILBOX.fullmatch(text) or len(text) > 200:
        raise RefusedError("The e-mail address cannot be used: name@example.org is wanted.")


def _outcome(mail: Due, error: MailError, now: datetime) -> Callable[[Database], None]:
    if isinstance(error, MailUnsureError):
        return lambda db: mail_queue.finish(db, mail.id, "unsure", now, str(error))
    if isinstance(error, MailRefusedError):
        return lambda db: mail_queue.finish(db, mail.id, "failed", now, str(error))
    return lambda db: mail_queue.retry_later(db, mail, str(error), now)
