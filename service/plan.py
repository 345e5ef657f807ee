"""What was settled before a session: posture, technique, pain, and how long the phases are meant to last."""

import msgspec

from ..sensors.model import Phase
from ..web.ports import Settings
from .storage.sqlite import Database


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
