"""A client on record: row, flags, consents, identity, audit entries."""

from typing import Literal

import msgspec

from .consent_texts import Purpose


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


class ClientRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of a client but who they are."""

    client: ClientRow
    flags: list[FlagRow]
    """Those to be minded first, then those that were seen."""
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
