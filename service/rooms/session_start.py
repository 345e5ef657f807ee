"""Whether a session may begin: the strap on the right client, each yes considered, and consent to be recorded."""

from datetime import datetime

import msgspec

from ...sensors.model import Phase
from ..clients import client_store
from ..clients.consents import NOBODY_ASKED, give, has_consent, of_client, refusal
from ..clients.strap_assignments import assign_strap, wearer_of
from ..errors import RefusedError
from ..sessions.screening import Screening
from ..settings import Settings
from ..storage.sqlite import Database


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What is settled before a session begins."""

    address: str
    """Of the strap."""
    client: str | None = None
    kind: str = "massage"
    posture: str | None = None
    technique: str | None = None
    pain_before: int | None = None
    screening: tuple[Screening, ...] = ()
    screening_confirmed: bool = False
    """The therapist has considered each yes and goes on."""
    strap_confirmed: bool = False
    """The therapist says that a strap known from another client is on this one."""
    consent: bool = False
    """The person on the table was asked just now, and agrees to be recorded."""


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
        assign_strap(db, client, opening.address, strap_name, opening.posture)


def demand_consent(db: Database, client: str | None, *, agreed: bool) -> None:
    """Raise `RefusedError` where nobody has agreed to be recorded; `agreed`: the person was asked just now."""
    if agreed or (client is not None and has_consent(db, client, "record")):
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


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Of one session; None where nothing was said."""

    posture: str | None = None
    technique: str | None = None
    therapist: str | None = None
    pain_before: int | None = None
    phases_s: dict[str, float] = {}

    def lasting(self, settings: Settings) -> "Plan":
        """The same, its phases as long as the practice has set."""
        of_phase = {
            Phase.SETTLE: settings.settle_s,
            Phase.BASELINE: settings.baseline_s,
            Phase.MASSAGE: settings.massage_s,
            Phase.RECOVERY: settings.recovery_s,
        }
        phases_s = {phase.value: seconds for phase, seconds in of_phase.items() if seconds is not None}
        return msgspec.structs.replace(self, phases_s=phases_s)

    def target_s(self, phase: Phase) -> float | None:
        """How long a phase is meant to last."""
        return self.phases_s.get(phase.value)


def plan_of(db: Database, session: int) -> Plan:
    """What was settled before a session that is on record."""
    row = db.execute("SELECT posture, technique, therapist, pain_before FROM session WHERE id = ?", (session,)).fetchone()
    return Plan(posture=row[0], technique=row[1], therapist=row[2], pain_before=row[3])
