"""The client's earlier rest-only sessions, as their reports by today's algorithm tell of them."""

from collections.abc import Callable

import msgspec

from ...analysis.figures import ALGORITHM
from ...analysis.response.earlier_rests import EarlierSession
from ..storage.sqlite import Database

MOST = 20
"""The newest so many are looked at: rests of long ago no longer tell what is usual."""

_EARLIER = """
SELECT rest.id, report.figures FROM session AS own
JOIN session AS rest ON rest.client = own.client AND rest.kind = 'rest' AND rest.ended_utc IS NOT NULL
  AND (rest.started_utc, rest.id) < (own.started_utc, own.id)
LEFT JOIN report ON report.session = rest.id AND report.algorithm = ?
WHERE own.id = ? AND own.kind != 'rest' ORDER BY rest.started_utc DESC, rest.id DESC LIMIT ?
"""


def past_before(
    db: Database, session: int, compute: Callable[[int], EarlierSession | None] = lambda _: None
) -> list[EarlierSession]:
    """Give what the client's rests before a massage tell, in order of time; a rest learns from nothing but itself.

    `compute` is asked for a rest that has no report by today's algorithm; by default that one is silent.
    """
    rows = db.execute(_EARLIER, (ALGORITHM, session, MOST)).fetchall()
    found = [_decoded(figures) or compute(rest) for rest, figures in reversed(rows)]
    return [past for past in found if past]


def unreported_before(db: Database, session: int) -> list[int]:
    """Those rests that have no report by today's algorithm, in order of time."""
    rows = db.execute(_EARLIER, (ALGORITHM, session, MOST)).fetchall()
    return [rest for rest, figures in reversed(rows) if _decoded(figures) is None]


def _decoded(figures: str | None) -> EarlierSession | None:
    try:
        return None if figures is None else msgspec.json.decode(figures, type=EarlierSession)
    except msgspec.ValidationError:  # an earlier shape of the same algorithm
        return None
