"""What stands around a session's figures in the summary that its client takes home."""

from functools import partial

from ..storage.sqlite import Database
from . import co_interventions, soap_notes
from .baseline_range import usual_before
from .client_session import ClientSession
from .models import SessionRow


def around(db: Database, row: SessionRow) -> partial[ClientSession]:
    """Everything but the report, which is still to be given."""
    return partial(
        ClientSession,
        row=row,
        visit=soap_notes.visit_of(db, row.session),
        stopped=stopped(db, row.session),
        usual=usual_before(db, row.session, row.client),
        complements=tuple(co_interventions.of_session(db, row.session)),
    )


def stopped(db: Database, session: int) -> bool:
    """Whether the massage was stopped because of pain."""
    query = "SELECT 1 FROM flag WHERE session = ? AND rule = 'stop' UNION SELECT 1 FROM mark WHERE session = ? AND kind = 'stop'"
    return db.execute(query, (session, session)).fetchone() is not None
