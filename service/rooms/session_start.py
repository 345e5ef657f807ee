"""Preconditions of a session: the strap is on the right client, screening answers are confirmed, consent is given."""

from datetime import datetime

from ..clients import client_store
from ..clients.consents import NOBODY_ASKED, give, has_consent, of_client, refusal
from ..clients.strap_assignments import assign_strap, wearer_of
from ..errors import RefusedError, UnconfirmedError
from ..sessions.models import SessionSetup
from ..storage.sqlite import Database


class Opening(SessionSetup, frozen=True, kw_only=True):
    """Request for a new session: strap, client, answers and confirmations."""

    address: str
    """Bluetooth address of the strap."""
    client: str | None = None
    kind: str = "massage"
    strap_confirmed: bool = False
    """Whether the therapist says that a strap last worn by another client is on this one."""
    consent: bool = False
    """Whether the person on the table was asked just now and agrees to be recorded."""


def admit(db: Database, opening: Opening, strap_name: str | None, actor: str, now: datetime) -> None:
    """Check the preconditions of a session, then store the client's consent, strap and posture.

    `actor` names the therapist, for the audit log.
    Raises `RefusedError` where the strap was last worn by another client, an answer is not confirmed, or consent is missing.
    """
    _require_strap_of_client(db, opening.client, opening.address, confirmed=opening.strap_confirmed)
    unconfirmed = [answer.question for answer in opening.screening if answer.yes and not opening.screening_confirmed]
    if unconfirmed:
        raise RefusedError(f"Answered with yes: {', '.join(unconfirmed)}. Consider it, and confirm that you go on.")
    client = opening.client
    require_consent(db, client, agreed=opening.consent)
    if client is None:
        return
    with db.atomic():
        ensure_client(db, client, actor, now, agreed=opening.consent)
        assign_strap(db, client, opening.address, strap_name, opening.posture)


def require_consent(db: Database, client: str | None, *, agreed: bool) -> None:
    """Require consent to be recorded; `agreed`: the person was asked just now and agreed.

    Raises `RefusedError` where there is no consent.
    """
    if agreed or (client is not None and has_consent(db, client, "record")):
        return
    raise RefusedError(NOBODY_ASKED if client is None else refusal(of_client(db, client), client))


def ensure_client(db: Database, client: str, actor: str, now: datetime, *, agreed: bool) -> None:
    """Add the client where not yet stored, and record consent where it was given just now (`agreed`)."""
    if db.execute("SELECT 1 FROM client WHERE pseudonym = ?", (client,)).fetchone() is None:
        client_store.add(db, client, actor, now)
    if agreed:
        give(db, client, "record", actor, now)


def take_strap(db: Database, client: str | None, address: str, name: str | None, *, confirmed: bool) -> None:
    """Assign the strap that a running session goes on with to its client.

    Raises `RefusedError` where another client wore it last and it is not `confirmed` that this one does.
    """
    _require_strap_of_client(db, client, address, confirmed=confirmed)
    assign_strap(db, client, address, name, None)


def _require_strap_of_client(db: Database, client: str | None, address: str, *, confirmed: bool) -> None:
    wearer = wearer_of(db, address)
    if wearer is not None and wearer != client and not confirmed:
        raise UnconfirmedError(f"{wearer} wore this strap last. Look whose chest it is on, then confirm it, or choose another.")
