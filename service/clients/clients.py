"""The clients of this practice, as the pages ask for them: every look and every change is noted."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from ..storage.audit_log import note
from ..storage.encryption import IdentityCipher
from ..storage.sqlite import Database
from ..storage.storage import Storage
from . import client_store, consents, identities
from .consent_texts import Purpose
from .models import AuditRow, ClientRecord, ClientRow, ConsentRow, FlagRow, Identity

T = TypeVar("T")


class Clients:
    """What `web.records.Records` asks for."""

    def __init__(
        self,
        storage: Storage,
        seal: IdentityCipher,
        end_sessions_of: Callable[[str, str], Awaitable[None]],
        on_share_withdrawn: Callable[[Database, str, str, datetime], None],
        *,
        now_utc: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Take what a withdrawn consent ends.

        `end_sessions_of(client, by)` ends the running sessions of a client who no longer agrees to be recorded;
        `on_share_withdrawn(db, client, by, now)` ends everything that was shared, in the same transaction.
        """
        self._storage = storage
        self._seal = seal
        self._end_sessions_of = end_sessions_of
        self._on_share_withdrawn = on_share_withdrawn
        self._now_utc = now_utc

    async def clients(self, search: str = "", *, flagged: bool = False) -> Sequence[ClientRow]:
        """Clients whose pseudonym holds `search`, those of late first."""
        return await self._storage.work(lambda db: client_store.rows(db, search, flagged=flagged))

    async def find(self, name: str, *, by: str) -> Sequence[ClientRow]:
        """Clients whose name, e-mail or phone holds `name`; whose they are is noted, what was sought is not."""
        now = self._now_utc()

        def work(db: Database) -> list[ClientRow]:
            found = [client_store.row_of(db, client) for client in identities.clients_named(db, self._seal, name)]
            with db.atomic():
                for row in found:
                    note(db, now, by, "found by name", client=row.client)
            return found

        return await self._storage.work(work)

    async def next_pseudonym(self) -> str:
        """The next free one."""
        return await self._storage.work(client_store.next_pseudonym)

    async def add(self, pseudonym: str | None, *, by: str) -> ClientRow:
        """Make a client."""
        now = self._now_utc()
        return await self._storage.work(lambda db: client_store.add(db, pseudonym, by, now))

    async def client(self, client: str, *, by: str) -> ClientRecord:
        """Everything of a client but who they are."""
        now = self._now_utc()

        def work(db: Database) -> ClientRecord:
            row = client_store.row_of(db, client)
            posture, technique = client_store.habits_of(db, client)
            kept = identities.is_kept(db, client)
            note(db, now, by, "client looked at", client=client)
            return ClientRecord(
                client=row,
                flags=client_store.flags_of(db, client),
                consents=consents.of_client(db, client),
                posture=posture,
                technique=technique,
                screening_yes=client_store.screening_yes(db, client),
                identity="none" if not kept else "locked" if self._seal.missing else "kept",
            )

        return await self._storage.work(work)

    async def identity(self, client: str, *, by: str) -> Identity:
        """Who a client is."""
        now = self._now_utc()

        def work(db: Database) -> Identity:
            client_store.row_of(db, client)
            identity = identities.open_identity(db, self._seal, client)
            note(db, now, by, "identity looked at", client=client)
            return identity

        return await self._storage.work(work)

    async def set_identity(self, client: str, identity: Identity, *, new_key: bool, by: str) -> None:
        """Keep who a client is."""
        now = self._now_utc()

        def work(db: Database) -> None:
            client_store.row_of(db, client)
            identities.seal_identity(db, self._seal, client, identity, by, now, new_key=new_key)

        await self._storage.work(work)

    async def seen(self, client: str, flag: int, *, by: str) -> FlagRow:
        """A flag was minded."""
        now = self._now_utc()
        return await self._of(client, lambda db: client_store.mark_seen(db, client, flag, by, now))

    async def agree(self, client: str, purpose: Purpose, *, by: str) -> ConsentRow:
        """Note that a client agrees."""
        now = self._now_utc()
        return await self._of(client, lambda db: consents.give(db, client, purpose, by, now))

    async def withdraw(self, client: str, consent: int, *, by: str) -> ConsentRow:
        """Note that a client takes a consent back: that to record ends a running session, that to share every link."""
        now = self._now_utc()

        def work(db: Database) -> ConsentRow:
            with db.atomic():
                row = consents.withdraw(db, client, consent, by, now)
                if row.purpose == "share":
                    self._on_share_withdrawn(db, client, by, now)
            return row

        row = await self._of(client, work)
        if row.purpose == "record":
            await self._end_sessions_of(client, by)
        return row

    async def audit(self, client: str, *, by: str) -> Sequence[AuditRow]:
        """Who did or saw what of a client, newest first."""
        now = self._now_utc()

        def work(db: Database) -> Sequence[AuditRow]:
            found = client_store.audit_of(db, client)
            note(db, now, by, "log looked at", client=client)
            return found

        return await self._of(client, work)

    async def _of(self, client: str, job: Callable[[Database], T]) -> T:
        def work(db: Database) -> T:
            client_store.row_of(db, client)
            return job(db)

        return await self._storage.work(work)
