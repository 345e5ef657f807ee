"""A client on record: row, flags, consents, identity, audit entries."""

from typing import Annotated, Literal

import msgspec

from .consent_texts import Purpose


class ClientRow(msgspec.Struct, frozen=True, kw_only=True):
    """One client of the list."""

    client: Annotated[str, msgspec.Meta(description="Pseudonym.")]
    created_utc: str
    last_visit_utc: str | None
    sessions: int
    flags: Annotated[int, msgspec.Meta(description="Still to be minded.")]
    may_record: Annotated[bool, msgspec.Meta(description="Whether the client agrees to be recorded.")]
    strap_address: Annotated[str | None, msgspec.Meta(description="The strap worn last.")]
    strap_name: str | None


class FlagRow(msgspec.Struct, frozen=True, kw_only=True):
    """Something to mind at the next visit."""

    flag: int
    session: int
    reason: str
    raised_utc: str
    cleared_utc: Annotated[str | None, msgspec.Meta(description="When somebody had seen it.")]
    cleared_by: str | None


class ConsentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A consent that was given."""

    consent: int
    purpose: Purpose
    session: Annotated[
        int | None, msgspec.Meta(description="Of one session only, as when nobody was named or a recording was imported.")
    ]
    wording: Annotated[str, msgspec.Meta(description='Version of the text, or "imported".')]
    given_utc: str
    noted_by: str
    withdrawn_utc: str | None
    withdrawn_by: str | None


class ClientRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a client but who they are."""

    client: ClientRow
    flags: Annotated[list[FlagRow], msgspec.Meta(description="Those to be minded first, then those that were seen.")]
    consents: Annotated[list[ConsentRow], msgspec.Meta(description="Newest first.")]
    posture: Annotated[str | None, msgspec.Meta(description="As in the last session.")]
    technique: Annotated[str | None, msgspec.Meta(description="Planned last.")]
    screening_yes: Annotated[
        list[str], msgspec.Meta(description="What was answered with yes before the last session that was asked.")
    ]
    identity: Annotated[
        Literal["none", "kept", "locked"],
        msgspec.Meta(description="Whether it is known who this is; locked where the key is missing."),
    ]


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """Who a client is."""

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    language: Annotated[str, msgspec.Meta(description="One that there is a catalogue for (`speech.languages`).")] = "en"
    note: str | None = None


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """Who did or saw what."""

    at_utc: str
    actor: str
    action: str
    session: int | None
    detail: str | None
