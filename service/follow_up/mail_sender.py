"""Sends what is due to clients: a task of the server's own, whose list lies in the database and so outlives it."""

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
from .mail_texts import link_mail, reminder_mail, try_mail
from .smtp import STEP_S, send

_LOG = logging.getLogger(__name__)
_EVERY_S: Final = 60.0
_MAILBOX: Final = re.compile(r"[!#-'*+/-9=?A-Z^-~.-]+@[A-Za-z0-9.-]+\.?[A-Za-z0-9]", re.ASCII)


class MailSender:
    """Within its block a task looks every minute for what is due. Leaving the block ends it; what was not sent is sent later."""

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
        """`password`: of the SMTP server. `step_s`: limit of each step with it."""
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
        await self._storage.run(lambda db: mail_queue.interrupted(db, now))
        self._task = asyncio.create_task(self._run(), name="restbeat-postman")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._task:
            await cancel_and_wait(self._task)

    @property
    def has_password(self) -> bool:
        """Whether there is a password for the server."""
        return self._password is not None

    def wake(self) -> None:
        """Look now for what is due."""
        self._wake.set()

    async def round(self) -> int:
        """Send what is due, one after the other; gives how many went. Where the server cannot be used, the others wait."""
        now, sent = self._now_utc(), 0
        settings = await self._storage.run(read_mail_settings)
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
        """Send a mail now. Raises `RefusedError` with what the server said."""
        if not (settings.host and settings.sender):
            raise RefusedError("Set the mail server and the sender first, and save.")
        demand_mailbox(to)
        message = self._message(settings, to, *try_mail(settings.practice))
        try:
            await send(settings, self._password, message, tls=self._tls, step_s=self._step_s)
        except MailError as error:
            raise RefusedError(f"The test mail did not go. {error}") from error

    async def _run(self) -> None:
        while True:
            try:
                await self.round()
            except RequestError:  # nobody asked for anything here: a defect, logged whole
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
        """Send one, and note what came of it. Raises `MailError`, once that is noted."""
        now = self._now_utc()
        message = await self._storage.run(lambda db: self._written(db, mail, settings, now))
        if message is None:
            return False

        async def noted() -> None:
            await self._storage.run(lambda db: mail_queue.sending(db, mail.id))

        outcome: Callable[[Database], None]
        try:
            await send(settings, self._password, message, before_data=noted, tls=self._tls, step_s=self._step_s)
        except MailError as error:
            outcome = _outcome(mail, error, now)
            await self._storage.run(outcome)
            raise
        await self._storage.run(lambda db: mail_queue.ended(db, mail.id, "sent", now))
        return True

    def _reachable(self, db: Database, client: str) -> bool:
        """Whether there is an e-mail address to try; one that cannot be opened counts, so that this is told."""
        try:
            return bool(read_identity(db, self._cipher, client).email)
        except RefusedError:
            return True

    def _written(self, db: Database, mail: Due, settings: MailSettings, now: datetime) -> EmailMessage | None:
        """The mail, on the storage thread; None where it is not wanted any more, or cannot be written: then that is noted."""
        if not mail_queue.still_wanted(db, mail, now):
            mail_queue.drop(db, mail.id)
            return None
        link = link_of(db, mail.link)
        try:
            to = read_identity(db, self._cipher, mail.client).email or ""
            address = address_of(db, link, self._keys)
            demand_mailbox(to)
        except (RefusedError, CipherError) as error:
            mail_queue.try_later(db, mail, str(error), now)
            return None
        text = reminder_mail if mail.slot else link_mail
        message = self._message(settings, to, *text(link.language, address, settings.practice))
        name = sha256(f"{link.handle} {mail.id}".encode()).hexdigest()[:24]  # of every try the same
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


def demand_mailbox(text: str) -> None:
    """Raise `RefusedError` where a text is no e-mail address."""
    if not text:
        raise RefusedError("No e-mail address is written down.")
    if not _MAILBOX.fullmatch(text) or len(text) > 200:
        raise RefusedError("The e-mail address cannot be used: name@example.org is wanted.")


def _outcome(mail: Due, error: MailError, now: datetime) -> Callable[[Database], None]:
    if isinstance(error, MailUnsureError):
        return lambda db: mail_queue.ended(db, mail.id, "unsure", now, str(error))
    if isinstance(error, MailRefusedError):
        return lambda db: mail_queue.ended(db, mail.id, "failed", now, str(error))
    return lambda db: mail_queue.try_later(db, mail, str(error), now)
