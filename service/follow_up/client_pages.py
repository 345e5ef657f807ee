"""Clients' own web pages: their links, follow-ups and mails; every use is recorded in the audit log."""

from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
import logging
import time
from typing import Final, Literal, Self, TypeVar

import msgspec

from ..accounts.models import TooOftenError
from ..accounts.rate_limits import FailedAttemptLimiter, TokenBucket
from ..clients import client_store, consents
from ..clients.identities import has_identity, language_of, read_identity
from ..errors import CipherError, RefusedError, RequestError
from ..rendering.translations import SOURCE
from ..storage.audit_log import note
from ..storage.encryption import IdentityCipher
from ..storage.event_rows import moment
from ..storage.sqlite import Database
from ..storage.storage import Storage
from . import answer_store, link_store, mail_queue
from .link_store import ClientLink
from .link_tokens import LinkKeys
from .mail_sender import MailSender, require_mailbox
from .mail_settings import MailSettings, host_of, normalise_public_address, read_mail_settings, write_mail_settings
from .models import (
    Answers,
    ClientLinks,
    LinkRefusedError,
    LinkRequest,
    LinkRow,
    OpenedPage,
    OpenFollowUps,
    initial_session,
    session_of_page,
)

T = TypeVar("T")

_LOG = logging.getLogger(__name__)
_BURST: Final = 60
"""Requests of one IP address in a burst; then one per second."""


@asynccontextmanager
async def open_client_pages(
    storage: Storage, cipher: IdentityCipher, password: str | None = None
) -> AsyncGenerator["ClientPages"]:
    """Open clients' own pages of a data folder; mail is sent within the block. `password` is that of the mail server."""
    keys = LinkKeys(cipher.path)
    async with MailSender(storage, cipher, keys, password=password) as mail_sender:
        yield await ClientPages.open(storage, cipher, keys, mail_sender)


class ClientPages:
    """Clients' own pages; created by `await ClientPages.open(...)`.

    Every method raises `PortError` where the key of the links or of the identities cannot be read. `by` names the therapist,
    `peer` is the IP address of a client's browser. Methods that take a token act by a client's link: they return its page, and
    raise `LinkRefusedError` where the link does not allow it, and `TooOftenError` after too many requests or failures.
    """

    def __init__(
        self,
        storage: Storage,
        cipher: IdentityCipher,
        keys: LinkKeys,
        mail_sender: MailSender,
        now_utc: Callable[[], datetime],
        monotonic_s: Callable[[], float],
    ) -> None:
        self._storage = storage
        self._cipher = cipher
        self._keys = keys
        self._mail_sender = mail_sender
        self._now_utc = now_utc
        self._failed_attempts = FailedAttemptLimiter(monotonic_s)
        self._bucket = TokenBucket(monotonic_s, _BURST)
        self._settings = MailSettings()

    @classmethod
    async def open(
        cls,
        storage: Storage,
        cipher: IdentityCipher,
        keys: LinkKeys,
        mail_sender: MailSender,
        *,
        now_utc: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> Self:
        """Create the pages with the stored mail settings."""
        instance = cls(storage, cipher, keys, mail_sender, now_utc, monotonic_s)
        instance._settings = await storage.run(read_mail_settings)
        return instance

    @property
    def public_host(self) -> str | None:
        """Public host name of the practice; None where none is set."""
        return host_of(self._settings)

    async def of_client(self, client: str, *, by: str) -> ClientLinks:
        """Return everything about a client's own page. Raises `UnknownClientError` where there is no such client."""

        def work(db: Database, now: datetime) -> ClientLinks:
            client_store.row_of(db, client)
            rows = [link_store.row_of(db, link, self._keys, now) for link in link_store.of_client(db, client)]
            found = ClientLinks(
                client=client,
                may_share=consents.has_consent(db, client, "share"),
                mail=self._mail_of(db, client),
                public=self._settings.public_address,
                links=sorted(rows, key=lambda row: row.state != "live"),
                sessions=answer_store.sessions_of(db, client, now),
            )
            note(db, now, by, "links and follow-ups looked at", client=client)
            return found

        return await self._work(work)

    async def unanswered(self) -> Sequence[OpenFollowUps]:
        """Return the clients with follow-ups that are not answered."""
        return await self._work(answer_store.unanswered)

    async def make(self, client: str, request: LinkRequest, *, by: str) -> LinkRow:
        """Create a link for a client.

        Raises `UnknownClientError` where there is no such client, and `RefusedError` where the client has not consented, a
        session is not the client's, or nothing would be shown.
        """

        def work(db: Database, now: datetime) -> LinkRow:
            client_store.row_of(db, client)
            with db.atomic():
                link = link_store.make(
                    db, client, request, request.language or language_of(db, self._cipher, client) or SOURCE, by, now
                )
                return link_store.row_of(db, link_store.link_of(db, link), self._keys, now)

        return await self._work(work)

    async def choose(self, link: int, sessions: Collection[int], *, coming: bool, remind: bool, by: str) -> LinkRow:
        """Set what a client's link shows: `sessions`, and with `coming` later ones; `remind`: mail reminders are sent.

        Raises `UnknownError` where there is no such link, and `RefusedError` where it is over or would show nothing.
        """
        return await self._change_link(
            link, lambda db, row, now: link_store.choose(db, row, sessions, coming=coming, remind=remind, actor=by, now=now)
        )

    async def revoke(self, link: int, *, by: str) -> LinkRow:
        """Revoke a link. Raises `UnknownError` where there is no such link."""
        return await self._change_link(link, lambda db, row, now: link_store.revoke(db, row, by, now))

    async def send(self, link: int, *, by: str) -> LinkRow:
        """Queue a mail with a link to its client.

        Raises `UnknownError` where there is no such link, and `RefusedError` where it is over, no mail can be sent, or the
        client has no usable e-mail address.
        """

        def change(db: Database, row: ClientLink, now: datetime) -> None:
            link_store.require_live(db, row, now)
            if not read_mail_settings(db).ready:
                raise RefusedError(
                    "No mail can be sent: an admin sets the server, the sender and the public address in Settings."
                )
            require_mailbox(read_identity(db, self._cipher, row.client).email or "")
            mail_queue.put_link(db, row.id, row.client, by, now)

        sent = await self._change_link(link, change)
        self._mail_sender.wake()
        return sent

    async def to_print(self, link: int, session: int | None, *, by: str) -> OpenedPage:
        """Return the page of a link for printing, and record that in the audit log.

        Raises `UnknownError` where there is no such link, and `RefusedError` where it is over.
        """

        def work(db: Database, now: datetime) -> OpenedPage:
            row = link_store.link_of(db, link)
            link_store.require_live(db, row, now)
            page = link_store.page_of(db, row, self._keys, now)
            shown = initial_session(page, session if session in {one.session for one in page.sessions} else None)
            about = shown.session if shown else None
            note(db, now, by, "link printed", client=row.client, session=about, detail=f"link {link}")
            return page

        return await self._work(work)

    async def mail_settings(self) -> tuple[MailSettings, bool]:
        """Return the mail settings, and whether a password is set."""
        return self._settings, self._mail_sender.has_password

    async def set_mail_settings(self, settings: MailSettings, *, by: str) -> None:
        """Store the mail settings. Raises `RefusedError` where the public address or the sender is malformed."""
        settings = msgspec.structs.replace(settings, public_address=normalise_public_address(settings.public_address))
        if settings.sender:
            require_mailbox(settings.sender)
        await self._work(lambda db, now: write_mail_settings(db, settings, by, now))
        self._settings = settings
        self._mail_sender.wake()

    async def test_mail(self, to: str, *, by: str) -> None:
        """Send a test mail now. Raises `RefusedError` where it could not be sent, with the server's reply."""
        await self._mail_sender.send_test(to, self._settings)
        await self._work(lambda db, now: note(db, now, by, "test mail sent"))

    async def view(self, token: str, session: int | None, what: str, *, peer: str) -> OpenedPage:
        """View `what`, such as "page" or "calendar", by a link; `session` is the requested one, None for the page's choice."""
        return await self._act_by_link(token, session, f"{what} looked at", peer, lambda *_: None)

    async def answer(self, token: str, session: int, slot: int, answers: Answers, *, peer: str) -> OpenedPage:
        """Store a client's answers. Raises `LateError` where the follow-up cannot be answered now."""

        def change(db: Database, link: ClientLink, now: datetime) -> None:
            session_shown = session_of_page(link_store.page_of(db, link, self._keys, now), session)
            follow_up = next((one for one in session_shown.follow_ups if one.slot == slot), None)
            if follow_up is None:
                raise LinkRefusedError
            (ended,) = db.execute("SELECT ended_utc FROM session WHERE id = ?", (session,)).fetchone()
            answer_store.store_answers(db, follow_up, answers, moment(ended), now)

        return await self._act_by_link(token, session, "form sent", peer, change)

    async def show(self, token: str, sessions: Collection[int], *, remind: bool, peer: str) -> OpenedPage:
        """Set which of the sessions that a link may show it does show, and whether mail reminders are sent."""

        def change(db: Database, link: ClientLink, now: datetime) -> None:
            link_store.show(db, link, sessions, remind=remind, now=now)

        return await self._act_by_link(token, None, "form sent", peer, change)

    async def set_language(self, token: str, language: str, *, peer: str) -> OpenedPage:
        """Set the language of the page."""

        def change(db: Database, link: ClientLink, _: datetime) -> None:
            db.execute("UPDATE client_link SET language = ? WHERE id = ?", (language, link.id))

        return await self._act_by_link(token, None, "form sent", peer, change)

    async def _act_by_link(
        self, token: str, session: int | None, action: str, peer: str, change: Callable[[Database, ClientLink, datetime], None]
    ) -> OpenedPage:
        """Open a link, apply `change` by it, and return its page after that."""
        attempt_key = f"link {peer}"
        wait_s = max(self._failed_attempts.wait_s(attempt_key), self._bucket.wait_s(peer))
        if wait_s > 0:
            raise TooOftenError("Too many tries.", wait_s)
        self._bucket.take(peer)

        def work(db: Database, now: datetime) -> OpenedPage | None:
            link = link_store.open_link(db, self._keys.handle_of(token, now), session, now)
            if link is None:
                return None
            shown = (
                initial_session(link_store.page_of(db, link, self._keys, now), session) if action == link_store.OPENED else None
            )
            link_store.note_use(db, link, shown.session if shown else session, action, now)
            change(db, link, now)
            return link_store.page_of(db, link_store.link_of(db, link.id), self._keys, now)

        page = await self._work(work)
        if page is None:
            self._failed_attempts.failed(attempt_key)
            raise LinkRefusedError
        return page

    async def _change_link(self, link: int, change: Callable[[Database, ClientLink, datetime], None]) -> LinkRow:
        def work(db: Database, now: datetime) -> LinkRow:
            change(db, link_store.link_of(db, link), now)
            return link_store.row_of(db, link_store.link_of(db, link), self._keys, now)

        return await self._work(work)

    async def _work(self, job: Callable[[Database, datetime], T]) -> T:
        now = self._now_utc()
        try:
            return await self._storage.run(lambda db: job(db, now))
        except CipherError as error:
            _LOG.error("%s", error)
            raise RequestError(str(error)) from error

    def _mail_of(self, db: Database, client: str) -> Literal["ready", "no server", "no address"]:
        if not self._settings.ready:
            return "no server"
        try:
            return "ready" if has_identity(db, client) and read_identity(db, self._cipher, client).email else "no address"
        except RefusedError:
            return "no address"
