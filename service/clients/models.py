"""A client's stored data: row, flags, consents, identity, audit entries."""

from typing import Annotated, Literal

import msgspec

from .consent_texts import Purpose


class ClientRow(msgspec.Struct, frozen=True, kw_only=True):
    """One client in the list of clients."""

    client: Annotated[str, msgspec.Meta(description="Pseudonym.")]
    created_utc: str
    last_visit_utc: str | None
    sessions: int
    flags: Annotated[int, msgspec.Meta(description="Number of open flags.")]
    may_record: Annotated[bool, msgspec.Meta(description="Whether the client agrees to be recorded.")]
    strap_address: Annotated[str | None, msgspec.Meta(description="Address of the strap worn last; null where none is known.")]
    strap_name: str | None


class FlagRow(msgspec.Struct, frozen=True, kw_only=True):
    """A flag: something to act on at the next visit."""

    flag: int
    session: int
    reason: str
    raised_utc: str
    cleared_utc: Annotated[str | None, msgspec.Meta(description="When it was cleared; null while it is open.")]
    cleared_by: str | None


class ConsentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A consent that a client gave."""

    consent: int
    purpose: Purpose
    session: Annotated[
        int | None,
        msgspec.Meta(
            description="Session that it covers, as for one without a client or an imported one; null: all of the client's."
        ),
    ]
    wording: Annotated[str, msgspec.Meta(description='Version of the text, or "imported".')]
    given_utc: str
    noted_by: str
    withdrawn_utc: str | None
    withdrawn_by: str | None


class ClientRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A client's record, without identity."""

    client: ClientRow
    flags: Annotated[list[FlagRow], msgspec.Meta(description="Open ones first, then cleared ones.")]
    consents: Annotated[list[ConsentRow], msgspec.Meta(description="Newest first.")]
    posture: Annotated[str | None, msgspec.Meta(description="Posture in the last session.")]
    technique: Annotated[str | None, msgspec.Meta(description="Technique planned last.")]
    screening_yes: Annotated[list[str], msgspec.Meta(description="Questions answered with yes in the last screening.")]
    identity: Annotated[
        Literal["none", "kept", "locked"],
        msgspec.Meta(description="Whether an identity is stored; locked where its key is missing."),
    ]


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """A client's identity."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    language: Annotated[str, msgspec.Meta(description="Language code with a catalogue (`speech.languages`).")] = "en"
    note: str | None = None


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """An audit entry: who did or viewed something, and when."""

    at_utc: str
    actor: str
    action: str
    session: int | None
    detail: str | None
