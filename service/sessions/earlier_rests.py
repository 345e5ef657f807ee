"""Figures of a client's earlier rest-only sessions, from their reports by the current algorithm."""

from collections.abc import Callable

import msgspec

from ...analysis.figures import ALGORITHM
from ...analysis.response.earlier_rests import EarlierSession
from ..storage.sqlite import Database

MOST = 20
"""Number of newest rests that are used: older ones no longer show what is typical."""

_EARLIER = """
SELECT rest.id, report.figures FROM session AS own
JOIN session AS rest ON rest.client = own.client AND rest.kind = 'rest' AND rest.ended_utc IS NOT NULL
  AND rest.dated AND own.dated AND (rest.started_utc, rest.id) < (own.started_utc, own.id)
LEFT JOIN report ON report.session = rest.id AND report.algorithm = ?
WHERE own.id = ? AND own.kind != 'rest' ORDER BY rest.started_utc DESC, rest.id DESC LIMIT ?
"""


def earlier_rests_before(
    db: Database, session: int, compute: Callable[[int], EarlierSession | None] = lambda _: None
) -> list[EarlierSession]:
    """Return the figures of the client's rests before a massage, in order of time; empty for a session of rest or without a date.

    `compute` is called for a rest without a report by the current algorithm; by default that one is left out.
    """
    rows = db.execute(_EARLIER, (ALGORITHM, session, MOST)).fetchall()
    found = [_decoded(figures) or compute(rest) for rest, figures in reversed(rows)]
    return [rest for rest in found if rest]


def unreported_rests_before(db: Database, session: int) -> list[int]:
    """Return the rests before a massage that have no report by the current algorithm, in order of time."""
    rows = db.execute(_EARLIER, (ALGORITHM, session, MOST)).fetchall()
    return [rest for rest, figures in reversed(rows) if _decoded(figures) is None]


def _decoded(figures: str | None) -> EarlierSession | None:
    try:
        return None if figures is None else msgspec.json.decode(figures, type=EarlierSession)
    except msgspec.ValidationError:  # stored by an earlier version of the struct
        return None
