"""A client's record as the pages ask for it; `service` answers. Whoever looks into one is noted in the audit log."""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from ..service.clients.consent_texts import Purpose
from .ports import SessionRow


class ClientRow(msgspec.Struct, frozen=True, kw_only=True):
    """One client of the list."""

    client: str
    """Pseudonym."""
    created_utc: str
    last_visit_utc: str | None
    sessions: int
    flags: int
    """Still to be minded."""
    may_record: bool
    """Whether the client agrees to be recorded."""
    strap_address: str | None
    """The strap worn last."""
    strap_name: str | None


class FlagRow(msgspec.Struct, frozen=True, kw_only=True):
    """Something to mind at the next visit."""

    flag: int
    session: int
    reason: str
    raised_utc: str
    cleared_utc: str | None
    """When somebody had seen it."""
    cleared_by: str | None


class ConsentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A consent that was given."""

    consent: int
    purpose: Purpose
    session: int | None
    """Of one session only, as when nobody was named or a recording was imported."""
    wording: str
    """Version of the text, or "imported"."""
    given_utc: str
    noted_by: str
    withdrawn_utc: str | None
    withdrawn_by: str | None


class ClientFull(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a client but who they are."""

    client: ClientRow
    flags: list[FlagRow]
    """Those to be minded first, then those that were seen."""
    sessions: list[SessionRow]
    consents: list[ConsentRow]
    """Newest first."""
    posture: str | None
    """As in the last session."""
    technique: str | None
    """Planned last."""
    screening_yes: list[str]
    """What was answered with yes before the last session that was asked."""
    identity: Literal["none", "kept", "locked"]
    """Whether it is known who this is; locked where the key is missing."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who a client is."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    language: str = "en"
    """One that there is a catalogue for (`speech.languages`)."""
    note: str | None = None


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """Who did or saw what."""

    at_utc: str
    actor: str
    action: str
    session: int | None
    detail: str | None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A question before the session, and its answer."""

    question: str
    yes: bool
    confirmed_utc: str | None
    """Of a yes: when the therapist chose to go on."""


class Worked(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done in the massage, and for how long."""

    what: str
    minutes: float


class Soap(msgspec.Struct, frozen=True, kw_only=True):
    """Notes of one session in SOAP form."""

    subjective: str = ""
    objective: str = ""
    assessment: str = ""
    contraindications: str = ""
    plan: str = ""


class SavedSoap(msgspec.Struct, frozen=True, kw_only=True):
    """Notes as somebody saved them."""

    soap: Soap
    therapist: str
    updated_utc: str


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What was noted in the session."""

    at_s: float
    technique: str | None = None
    region: str | None = None
    pressure: str | None = None
    note: str | None = None


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked, done and written around one session, beside its figures."""

    session: int
    client: str | None
    therapist: str | None
    posture: str | None
    technique: str | None
    pain_before: int | None
    pain_after: int | None
    screening: list[Answer]
    """Empty where nothing was asked."""
    marks: list[Mark]
    saved: SavedSoap | None
    mind: str
    """What the therapist wants to be minded at the next visit."""


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
