"""How a client's quiet minutes vary from day to day: from the baselines of the sessions before one."""

from math import exp, sqrt
from statistics import fmean, stdev

from ...analysis.response.thresholds import LEAST_USED_PCT
from ..clients.consents import holds
from ..storage.sqlite import Database
from .client_session import FEWEST_DAYS, UsualDays

MOST = 30
"""The newest so many days are looked at: those of long ago no longer tell what is usual."""

_EARLIER = """
SELECT phase_hrv.ln_rmssd FROM session AS own
JOIN session AS other ON other.client = own.client AND (other.started_utc, other.id) < (own.started_utc, own.id)
JOIN phase_hrv ON phase_hrv.session = other.id AND phase_hrv.phase = 'baseline'
  AND phase_hrv.algorithm = (SELECT algorithm FROM report WHERE session = other.id ORDER BY made_utc DESC, rowid DESC LIMIT 1)
WHERE own.id = ? AND phase_hrv.ln_rmssd IS NOT NULL AND phase_hrv.accepted_pct >= ?
ORDER BY other.started_utc DESC, other.id DESC LIMIT ?
"""


def usual_before(db: Database, session: int, client: str | None) -> UsualDays:
    """What is usual for the client before a session; nothing where they have not agreed to have sessions compared."""
    if client is None:
        return UsualDays()
    if not holds(db, client, "trends"):
        return UsualDays(compared=False)
    return usual_of([row[0] for row in db.execute(_EARLIER, (session, LEAST_USED_PCT, MOST))])


def usual_of(ln_rmssd: list[float]) -> UsualDays:
    """The range in which about two thirds of further days lie: mean ± s·√(1 + 1/n) of ln RMSSD."""
    days = len(ln_rmssd)
    if days < FEWEST_DAYS:
        return UsualDays(days=days)
    middle, reach = fmean(ln_rmssd), stdev(ln_rmssd) * sqrt(1 + 1 / days)
    return UsualDays(days=days, low_ms=exp(middle - reach), high_ms=exp(middle + reach))
