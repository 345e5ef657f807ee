"""A client's record as the pages ask for it; `service` answers. Whoever looks into one is noted in the audit log."""

from collections.abc import Sequence
from typing import Protocol

from ..service.clients.consent_texts import Purpose
from ..service.clients.models import AuditRow, ClientFull, ClientRow, ConsentRow, FlagRow, Identity
from ..service.sessions.models import SavedSoap, Soap, Visit


class Records(Protocol):
    """The clients of this practice. `by` names who acts or looks; what is not there raises `UnknownError`."""

    async def clients(self, search: str = "", *, flagged: bool = False) -> Sequence[ClientRow]:
        """Clients whose pseudonym holds `search`, those of late first."""
        ...

    async def find(self, name: str, *, by: str) -> Sequence[ClientRow]:
        """Clients whose name, e-mail or phone holds `name`. Raises `RefusedError` where identities cannot be opened."""
        ...

    async def next_pseudonym(self) -> str:
        """The next free one."""
        ...

    async def add(self, pseudonym: str | None, *, by: str) -> ClientRow:
        """Make a client; without a pseudonym the next free one is taken. Raises `RefusedError` where it is taken."""
        ...

    async def client(self, client: str, *, by: str) -> ClientFull:
        """Everything of a client but who they are."""
        ...

    async def identity(self, client: str, *, by: str) -> Identity:
        """Who a client is; empty where nothing is known. Raises `RefusedError` where it cannot be opened."""
        ...

    async def set_identity(self, client: str, identity: Identity, *, new_key: bool, by: str) -> None:
        """Keep who a client is. Raises `RefusedError` where the key is missing, unless `new_key` says that it is lost."""
        ...

    async def seen(self, client: str, flag: int, *, by: str) -> FlagRow:
        """A flag was minded."""
        ...

    async def agree(self, client: str, purpose: Purpose, *, by: str) -> ConsentRow:
        """Note that a client agrees; what was agreed to before stays as it was."""
        ...

    async def withdraw(self, client: str, consent: int, *, by: str) -> ConsentRow:
        """Note that a client takes a consent back: that to record ends a running session, that to share every link."""
        ...

    async def audit(self, client: str, *, by: str) -> Sequence[AuditRow]:
        """Who did or saw what of a client, newest first."""
        ...

    async def saw(self, session: int, what: str, *, by: str) -> None:
        """Somebody looks at a session."""
        ...

    async def visit(self, session: int, *, by: str) -> Visit:
        """What was asked, done and written around a session."""
        ...

    async def write(self, session: int, soap: Soap, *, mind: str, based_on: str | None, by: str) -> SavedSoap:
        """Save notes; `based_on`: when those were saved that the writer saw. Raises `RefusedError` where others came between."""
        ...

    async def set_pain_after(self, session: int, score: int | None, *, by: str) -> None:
        """Keep the pain score after the session."""
        ...
