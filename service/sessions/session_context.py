"""The data beside the report in the summary that a client takes home."""

from functools import partial

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
        stopped=stopped_for_pain(db, row.session),
        baseline_range=baseline_range_before(db, row.session, row.client),
        complements=tuple(co_interventions.of_session(db, row.session)),
    )


def stopped_for_pain(db: Database, session: int) -> bool:
    """Return whether the massage was stopped because of pain."""
    query = "SELECT 1 FROM flag WHERE session = ? AND rule = 'stop' UNION SELECT 1 FROM mark WHERE session = ? AND kind = 'stop'"
    return db.execute(query, (session, session)).fetchone() is not None
