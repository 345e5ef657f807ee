"""The clients of the practice, for the pages: every view and every change is noted in the audit log."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from ..listing import PAGE, Page
from ..storage.audit_log import audit_statement
from ..storage.encryption import IdentityCipher
from ..storage.sqlite import Database
from ..storage.storage import Storage
from . import client_store, consents, identities
from .client_list import LATEST, ClientsWanted, list_clients
from .consent_texts import Purpose
from .models import AuditRow, ClientRecord, ClientRow, ConsentRow, FlagRow, Identity

T = TypeVar("T")


class Clients:
    """The practice's clients. `by`: name of the account that acts, for the audit log."""

    def __init__(
        self,
        storage: Storage,
        cipher: IdentityCipher,
        end_sessions_of: Callable[[str, str], Awaitable[None]],
        on_share_withdrawn: Callable[[Database, str, str, datetime], None],
        *,
        now_utc: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Keep the functions that a withdrawn consent calls.

        `end_sessions_of(client, by)` ends the running sessions of a client who no longer agrees to be recorded;
        `on_share_withdrawn(db, client, by, now)` ends everything that was shared, in the same transaction.
        """
        self._storage = storage
        self._cipher = cipher
        self._end_sessions_of = end_sessions_of
        self._on_share_withdrawn = on_share_withdrawn
        self._now_utc = now_utc

    async def clients(self, wanted: ClientsWanted = LATEST) -> Page[ClientRow]:
        """Return a page of the clients: those who came last where nothing else is wanted."""
        return await self._storage.read(lambda db: list_clients(db, wanted))

    async def find(self, name: str, *, by: str) -> Sequence[ClientRow]:
        """Return the first clients, by pseudonym, whose name, e-mail or phone contains `name`.

        Every identity is decrypted for it, as an index would tell what they hold. The audit log notes the clients found, not the
        text searched for. Raises `RefusedError` where the key is missing.
        """
        now = self._now_utc()

        def work(db: Database) -> list[ClientRow]:
            return [client_store.row_of(db, client) for client in identities.find_clients(db, self._cipher, name)[:PAGE]]

        found = await self._storage.read(work)
        for row in found:
            self._storage.put(audit_statement(now, by, "found by name", client=row.client))
        return found

    async def next_pseudonym(self) -> str:
        """Return the next free pseudonym."""
        return await self._storage.read(client_store.next_pseudonym)

    async def add(self, pseudonym: str | None, *, by: str) -> ClientRow:
        """Add a client; with None, the next free pseudonym is used. Raises `RefusedError` where it is taken or not valid."""
        now = self._now_utc()
        return await self._storage.run(lambda db: client_store.add(db, pseudonym, by, now))

    async def client(self, client: str, *, by: str) -> ClientRecord:
        """Return a client's record, without identity. Raises `UnknownClientError` where there is no such client."""
        now = self._now_utc()

        def work(db: Database) -> ClientRecord:
            row = client_store.row_of(db, client)
            posture, technique = client_store.last_posture_and_technique(db, client)
            stored = identities.has_identity(db, client)
            return ClientRecord(
                client=row,
                flags=client_store.flags_of(db, client),
                consents=consents.of_client(db, client),
                posture=posture,
                technique=technique,
                screening_yes=client_store.screening_yes(db, client),
                identity="none" if not stored else "locked" if self._cipher.key_missing else "kept",
            )

        record = await self._storage.read(work)
        self._storage.put(audit_statement(now, by, "client looked at", client=client))
        return record

    async def identity(self, client: str, *, by: str) -> Identity:
        """Return a client's identity; empty where none is stored.

        Raises `UnknownClientError` where there is no such client, `RefusedError` where it cannot be decrypted.
        """
        now = self._now_utc()

        def work(db: Database) -> Identity:
            client_store.row_of(db, client)
            return identities.read_identity(db, self._cipher, client)

        identity = await self._storage.read(work)
        self._storage.put(audit_statement(now, by, "identity looked at", client=client))
        return identity

    async def set_identity(self, client: str, identity: Identity, *, new_key: bool, by: str) -> None:
        """Store a client's identity; `new_key`: give up a missing key and make a new one.

        Raises `UnknownClientError` where there is no such client, `RefusedError` where the key is missing or fails.
        """
        now = self._now_utc()

        def work(db: Database) -> None:
            client_store.row_of(db, client)
            identities.write_identity(db, self._cipher, client, identity, by, now, new_key=new_key)

        await self._storage.run(work)

    async def seen(self, client: str, flag: int, *, by: str) -> FlagRow:
        """Clear a flag. Raises `UnknownError` where there is no such client or flag."""
        now = self._now_utc()
        return await self._of(client, lambda db: client_store.mark_seen(db, client, flag, by, now))

    async def agree(self, client: str, purpose: Purpose, *, by: str) -> ConsentRow:
        """Note that a client gives a consent. Raises `UnknownClientError` where there is no such client."""
        now = self._now_utc()
        return await self._of(client, lambda db: consents.give(db, client, purpose, by, now))

    async def withdraw(self, client: str, consent: int, *, by: str) -> ConsentRow:
        """Note that a client withdraws a consent: to record ends their running sessions, to share revokes every link.

        Raises `UnknownError` where there is no such client or consent.
        """
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
        """Return the newest audit entries about a client. Raises `UnknownClientError` where there is no such client."""
        now = self._now_utc()

        def work(db: Database) -> Sequence[AuditRow]:
            client_store.row_of(db, client)
            return client_store.audit_of(db, client)

        found = await self._storage.read(work)
        self._storage.put(audit_statement(now, by, "log looked at", client=client))
        return found

    async def _of(self, client: str, job: Callable[[Database], T]) -> T:
        def work(db: Database) -> T:
            client_store.row_of(db, client)
            return job(db)

        return await self._storage.run(work)
