"""The day-to-day range of a client's baseline RMSSD, from the sessions before one."""

from math import exp, sqrt
from statistics import fmean, stdev

from ...analysis.response.thresholds import LEAST_USED_PCT
from ..clients.consents import has_consent
from ..storage.sqlite import Database
from .client_session import FEWEST_DAYS, BaselineRange

MOST = 30
"""Number of newest sessions that are used: older ones no longer show what is typical."""

_EARLIER = """
SELECT phase_hrv.ln_rmssd FROM session AS own
JOIN session AS other ON other.client = own.client AND (other.started_utc, other.id) < (own.started_utc, own.id)
  AND other.dated AND own.dated
JOIN phase_hrv ON phase_hrv.session = other.id AND phase_hrv.phase = 'baseline'
  AND phase_hrv.algorithm = (SELECT algorithm FROM report WHERE session = other.id ORDER BY made_utc DESC, rowid DESC LIMIT 1)
WHERE own.id = ? AND phase_hrv.ln_rmssd IS NOT NULL AND phase_hrv.accepted_pct >= ?
ORDER BY other.started_utc DESC, other.id DESC LIMIT ?
"""


def baseline_range_before(db: Database, session: int, client: str | None) -> BaselineRange:
    """Return the client's typical range of baseline RMSSD before a session, from up to `MOST` earlier sessions.

    Only baselines of steady data count (`LEAST_USED_PCT`). Without a client, or without the consent "trends", it is empty.
    """
    if client is None:
        return BaselineRange()
    if not has_consent(db, client, "trends"):
        return BaselineRange(compared=False)
    return baseline_range_of([row[0] for row in db.execute(_EARLIER, (session, LEAST_USED_PCT, MOST))])


def baseline_range_of(ln_rmssd: list[float]) -> BaselineRange:
    """Return the range, in ms, in which about two thirds of further days lie: mean ± s·√(1 + 1/n) of ln RMSSD."""
    days = len(ln_rmssd)
    if days < FEWEST_DAYS:
        return BaselineRange(days=days)
    mean, half_width = fmean(ln_rmssd), stdev(ln_rmssd) * sqrt(1 + 1 / days)
    return BaselineRange(days=days, low_ms=exp(mean - half_width), high_ms=exp(mean + half_width))
