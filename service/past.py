"""The client's earlier sessions, as their reports by today's algorithm tell of them."""

from collections.abc import Mapping, Sequence
from itertools import groupby

import msgspec

from ..analysis.figures import ALGORITHM
from ..analysis.past import Past
from .sqlite import Database

MOST = 40
"""The newest so many are looked at: rests of long ago no longer tell what is usual."""

_EARLIER = """
SELECT before.id, report.figures FROM session AS own
JOIN session AS before ON before.client = own.client AND before.ended_utc IS NOT NULL
  AND (before.started_utc, before.id) < (own.started_utc, own.id)
LEFT JOIN report ON report.session = before.id AND report.algorithm = ?
WHERE own.id = ? ORDER BY before.started_utc DESC, before.id DESC LIMIT ?
"""


def past_before(db: Database, session: int, anew: Mapping[int, Past] | None = None) -> list[Past]:
    """Give what the client's sessions before a session tell, in order of time; one without a report is silent.

    `anew`: what has been computed again and is not stored yet, by session.
    """
    rows = db.execute(_EARLIER, (ALGORITHM, session, MOST)).fetchall()
    found = [(anew or {}).get(earlier) or _decoded(figures) for earlier, figures in reversed(rows)]
    return [past for past in found if past]


def by_client(db: Database, sessions: Sequence[int], size: int) -> list[list[int]]:
    """Split sessions into batches of about `size` that can be computed side by side: a client's lie in one, in order of time."""
    wanted = set(sessions)
    rows = db.execute("SELECT id, client FROM session ORDER BY client, started_utc, id").fetchall()
    known = [(client, session) for session, client in rows if session in wanted]
    batches: list[list[int]] = [[]]
    for client, group in groupby(known, key=lambda row: row[0]):
        for part in [[session for _, session in group]] if client is not None else [[session] for _, session in group]:
            if batches[-1] and len(batches[-1]) + len(part) > size:
                batches.append([])
            batches[-1] += part
    return [batch for batch in batches if batch]


def _decoded(figures: str | None) -> Past | None:
    try:
        return None if figures is None else msgspec.json.decode(figures, type=Past)
    except msgspec.ValidationError:  # an earlier shape of the same algorithm
        return None
