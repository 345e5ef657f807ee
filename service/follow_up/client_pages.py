"""Clients' own pages, as the pages ask for them: links, follow-ups, mails; every use is noted."""

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
from .mail_sender import MailSender, demand_mailbox
from .mail_settings import MailSettings, host_of, read_mail_settings, whole_address, write_mail_settings
from .models import (
    Answers,
    ClientLinks,
    LinkRefusedError,
    LinkRequest,
    LinkRow,
    OpenedPage,
    OpenFollowUps,
    current_on,
    session_on,
)

T = TypeVar("T")

_LOG = logging.getLogger(__name__)
_BURST: Final = 60
"""Requests of one address at once; then one a second."""


@asynccontextmanager
async def open_client_pages(
    storage: Storage, cipher: IdentityCipher, password: str | None = None
) -> AsyncGenerator["ClientPages"]:
    """Clients' own pages of a data folder; within the block mail is sent. `password`: of the mail server."""
    keys = LinkKeys(cipher.path)
    async with MailSender(storage, cipher, keys, password=password) as postman:
        yield await ClientPages.open(storage, cipher, keys, postman)


class ClientPages:
    """What `web.links.Links` asks for; open it with `await PracticeLinks.open(...)`."""

    def __init__(
        self,
        storage: Storage,
        cipher: IdentityCipher,
        keys: LinkKeys,
        postman: MailSender,
        now_utc: Callable[[], datetime],
        monotonic_s: Callable[[], float],
    ) -> None:
        self._storage = storage
        self._cipher = cipher
        self._keys = keys
        self._postman = postman
        self._now_utc = now_utc
        self._wrong = FailedAttemptLimiter(monotonic_s)
        self._bucket = TokenBucket(monotonic_s, _BURST)
        self._settings = MailSettings()

    @classmethod
    async def open(
        cls,
        storage: Storage,
        cipher: IdentityCipher,
        keys: LinkKeys,
        postman: MailSender,
        *,
        now_utc: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> Self:
        """Read what is set."""
        made = cls(storage, cipher, keys, postman, now_utc, monotonic_s)
        made._settings = await storage.run(read_mail_settings)
        return made

    @property
    def public_host(self) -> str | None:
        """The name under which the practice is reached from outside."""
        return host_of(self._settings)

    async def of_client(self, client: str, *, by: str) -> ClientLinks:
        """Everything about a client's own page."""

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
        """Clients who were asked and have not answered."""
        return await self._work(answer_store.unanswered)

    async def make(self, client: str, wanted: LinkRequest, *, by: str) -> LinkRow:
        """Make a link."""

        def work(db: Database, now: datetime) -> LinkRow:
            client_store.row_of(db, client)
            with db.atomic():
                link = link_store.make(
                    db, client, wanted, wanted.language or language_of(db, self._cipher, client) or SOURCE, by, now
                )
                return link_store.row_of(db, link_store.link_of(db, link), self._keys, now)

        return await self._work(work)

    async def choose(self, link: int, sessions: Collection[int], *, coming: bool, remind: bool, by: str) -> LinkRow:
        """Choose for the client what a link shows."""
        return await self._changed(
            link, lambda db, row, now: link_store.choose(db, row, sessions, coming=coming, remind=remind, actor=by, now=now)
        )

    async def revoke(self, link: int, *, by: str) -> LinkRow:
        """End a link."""
        return await self._changed(link, lambda db, row, now: link_store.revoke(db, row, by, now))

    async def send(self, link: int, *, by: str) -> LinkRow:
        """Have a link sent to its client by mail."""

        def change(db: Database, row: ClientLink, now: datetime) -> None:
            link_store.demand_live(db, row, now)
            if not read_mail_settings(db).ready:
                raise RefusedError(
                    "No mail can be sent: an admin sets the server, the sender and the public address in Settings."
                )
            demand_mailbox(read_identity(db, self._cipher, row.client).email or "")
            mail_queue.put_link(db, row.id, row.client, by, now)

        sent = await self._changed(link, change)
        self._postman.wake()
        return sent

    async def to_print(self, link: int, session: int | None, *, by: str) -> OpenedPage:
        """What a link opens, for paper."""

        def work(db: Database, now: datetime) -> OpenedPage:
            row = link_store.link_of(db, link)
            link_store.demand_live(db, row, now)
            page = link_store.page_of(db, row, self._keys, now)
            shown = current_on(page, session if session in {one.session for one in page.sessions} else None)
            about = shown.session if shown else None
            note(db, now, by, "link printed", client=row.client, session=about, detail=f"link {link}")
            return page

        return await self._work(work)

    async def mail_settings(self) -> tuple[MailSettings, bool]:
        """The settings, and whether there is a password."""
        return self._settings, self._postman.has_password

    async def set_mail_settings(self, settings: MailSettings, *, by: str) -> None:
        """Set them anew."""
        settings = msgspec.structs.replace(settings, public_address=whole_address(settings.public_address))
        if settings.sender:
            demand_mailbox(settings.sender)
        await self._work(lambda db, now: write_mail_settings(db, settings, by, now))
        self._settings = settings
        self._postman.wake()

    async def test_mail(self, to: str, *, by: str) -> None:
        """Send a mail now."""
        await self._postman.send_test(to, self._settings)
        await self._work(lambda db, now: note(db, now, by, "test mail sent"))

    async def look(self, token: str, session: int | None, what: str, *, peer: str) -> OpenedPage:
        """Look at `what` by a link."""
        return await self._used(token, session, f"{what} looked at", peer, lambda *_: None)

    async def answer(self, token: str, session: int, slot: int, said: Answers, *, peer: str) -> OpenedPage:
        """Keep a client's answers."""

        def change(db: Database, link: ClientLink, now: datetime) -> None:
            asked = session_on(link_store.page_of(db, link, self._keys, now), session)
            follow_up = next((one for one in asked.follow_ups if one.slot == slot), None)
            if follow_up is None:
                raise LinkRefusedError
            (ended,) = db.execute("SELECT ended_utc FROM session WHERE id = ?", (session,)).fetchone()
            answer_store.keep(db, follow_up, said, moment(ended), now)

        return await self._used(token, session, "form sent", peer, change)

    async def show(self, token: str, sessions: Collection[int], *, remind: bool, peer: str) -> OpenedPage:
        """Choose what the link shows, among what it may show."""

        def change(db: Database, link: ClientLink, now: datetime) -> None:
            link_store.show(db, link, sessions, remind=remind, now=now)

        return await self._used(token, None, "form sent", peer, change)

    async def speak(self, token: str, language: str, *, peer: str) -> OpenedPage:
        """Choose the language of the page."""

        def change(db: Database, link: ClientLink, _: datetime) -> None:
            db.execute("UPDATE client_link SET language = ? WHERE id = ?", (language, link.id))

        return await self._used(token, None, "form sent", peer, change)

    async def _used(
        self, token: str, session: int | None, action: str, peer: str, change: Callable[[Database, ClientLink, datetime], None]
    ) -> OpenedPage:
        """Open a link, do something by it, and give its page as it is then."""
        wrong = f"link {peer}"
        wait_s = max(self._wrong.wait_s(wrong), self._bucket.wait_s(peer))
        if wait_s > 0:
            raise TooOftenError("Too many tries.", wait_s)
        self._bucket.take(peer)

        def work(db: Database, now: datetime) -> OpenedPage | None:
            link = link_store.opened(db, self._keys.handle_of(token, now), session, now)
            if link is None:
                return None
            shown = current_on(link_store.page_of(db, link, self._keys, now), session) if action == link_store.OPENED else None
            link_store.note_use(db, link, shown.session if shown else session, action, now)
            change(db, link, now)
            return link_store.page_of(db, link_store.link_of(db, link.id), self._keys, now)

        page = await self._work(work)
        if page is None:
            self._wrong.failed(wrong)
            raise LinkRefusedError
        return page

    async def _changed(self, link: int, change: Callable[[Database, ClientLink, datetime], None]) -> LinkRow:
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
