"""The data beside the report in the summary that a client takes home."""

from functools import partial

from ..settings import zone_of
from ..storage.sqlite import Database
from . import co_interventions, soap_notes
from .baseline_range import baseline_range_before
from .client_session import ClientSession
from .models import SessionRow


def client_session_of(db: Database, row: SessionRow) -> partial[ClientSession]:
    """Return a client's summary data as a `ClientSession` that lacks only the report: call it with `report=`.

    Raises `UnknownSessionError` where there is no such session.
    """
    return partial(
        ClientSession,
        row=row,
        visit=soap_notes.visit_of(db, row.session),
        baseline_range=baseline_range_before(db, row.session, row.client),
        zone=zone_of(db),
        earlier=_earlier(db, row),
        complements=tuple(co_interventions.of_session(db, row.session)),
    )


def _earlier(db: Database, row: SessionRow) -> int:
    """Return how many sessions the client had before this one."""
    query = (
        "SELECT count(*) FROM session WHERE client = ? AND dated"
        " AND (started_utc, id) < (SELECT started_utc, id FROM session WHERE id = ?)"
    )
    return int(db.execute(query, (row.client, row.session)).fetchone()[0])
