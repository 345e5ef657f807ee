"""Whether a session may begin: the strap on the right client, each yes considered, and consent to be recorded."""

from datetime import datetime

from ...web.ports import Opening, RefusedError
from ..clients import client_store
from ..clients.consents import NOBODY_ASKED, give, holds, of_client, refusal
from ..clients.flags import remember, wearer_of
from ..storage.sqlite import Database


def admit(db: Database, opening: Opening, strap_name: str | None, actor: str, now: datetime) -> None:
    """Check all that must be settled before a session, then note what was settled of the client. Raises `RefusedError`."""
    _demand_strap(db, opening)
    unconfirmed = [asked.question for asked in opening.screening if asked.yes and not opening.screening_confirmed]
    if unconfirmed:
        raise RefusedError(f"Answered with yes: {', '.join(unconfirmed)}. Consider it, and confirm that you go on.")
    client = opening.client
    demand_consent(db, client, agreed=opening.consent)
    if client is None:
        return
    with db.atomic():
        settle_client(db, client, actor, now, agreed=opening.consent)
        remember(db, client, opening.address, strap_name, opening.posture)


def demand_consent(db: Database, client: str | None, *, agreed: bool) -> None:
    """Raise `RefusedError` where nobody has agreed to be recorded; `agreed`: the person was asked just now."""
    if agreed or (client is not None and holds(db, client, "record")):
        return
    raise RefusedError(NOBODY_ASKED if client is None else refusal(of_client(db, client), client))


def settle_client(db: Database, client: str, actor: str, now: datetime, *, agreed: bool) -> None:
    """Note a consent that was given just now; a client who is not there yet is made."""
    if db.execute("SELECT 1 FROM client WHERE pseudonym = ?", (client,)).fetchone() is None:
        client_store.add(db, client, actor, now)
    if agreed:
        give(db, client, "record", actor, now)


def _demand_strap(db: Database, opening: Opening) -> None:
    wearer = wearer_of(db, opening.address)
    if wearer is not None and wearer != opening.client and not opening.strap_confirmed:
        raise RefusedError(f"{wearer} wore this strap last. Look whose chest it is on, then confirm it, or choose another.")
