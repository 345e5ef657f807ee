"""Consents in the database: for one purpose, to one version of the text, dated, and withdrawable.

A client's consent covers all of their sessions. A session without a client, or an imported one, has a consent of its own.
"""

from collections.abc import Sequence
from datetime import datetime

from ..errors import RefusedError, UnknownError
from ..storage.audit_log import note
from ..storage.event_rows import stamp
from ..storage.sqlite import Database
from .consent_texts import IMPORTED, WORDING, Purpose
from .models import ConsentRow

_COLUMNS = "id, purpose, session, wording, given_utc, noted_by, withdrawn_utc, withdrawn_by"
_OF_CLIENT = "(client = :client OR session IN (SELECT id FROM session WHERE client = :client))"


def has_consent(db: Database, client: str, purpose: Purpose) -> bool:
    """Return whether a client agrees to a purpose now."""
    query = "SELECT 1 FROM consent WHERE client = ? AND purpose = ? AND withdrawn_utc IS NULL"
    return db.execute(query, (client, purpose)).fetchone() is not None


def give(db: Database, client: str, purpose: Purpose, actor: str, now: datetime) -> ConsentRow:
    """Note that a client gives a consent, and return it; one that is in force already stays unchanged."""
    if not has_consent(db, client, purpose):
        with db.atomic():
            row = (client, purpose, WORDING, stamp(now), actor)
            db.execute("INSERT INTO consent (client, purpose, wording, given_utc, noted_by) VALUES (?, ?, ?, ?, ?)", row)
            note(db, now, actor, "consent given", client=client, detail=purpose)
    return next(row for row in of_client(db, client) if row.purpose == purpose and row.session is None)


def give_for_session(db: Database, session: int, actor: str, now: datetime, *, imported: bool = False) -> None:
    """Note the consent to record this session alone; `imported`: the recording was made elsewhere."""
    row = (session, "record", IMPORTED if imported else WORDING, stamp(now), actor)
    db.execute("INSERT INTO consent (session, purpose, wording, given_utc, noted_by) VALUES (?, ?, ?, ?, ?)", row)


def withdraw(db: Database, client: str, consent: int, actor: str, now: datetime) -> ConsentRow:
    """Note that a client withdraws a consent, and return it; that to record is withdrawn for each of their sessions too.

    Raises `UnknownError` where the client has given no such consent.
    """
    row = next((row for row in of_client(db, client) if row.consent == consent), None)
    if row is None:
        raise UnknownError(f"{client} has given no consent {consent}.")
    if row.withdrawn_utc is None:
        which = _OF_CLIENT + " AND purpose = 'record'" if row.purpose == "record" else "id = :consent"
        values = {"client": client, "consent": consent, "now": stamp(now), "actor": actor}
        with db.atomic():
            db.execute(
                f"UPDATE consent SET withdrawn_utc = :now, withdrawn_by = :actor WHERE withdrawn_utc IS NULL AND {which}",  # noqa: S608
                values,
            )
            note(db, now, actor, "consent withdrawn", client=client, detail=row.purpose)
    return next(row for row in of_client(db, client) if row.consent == consent)


def of_client(db: Database, client: str) -> list[ConsentRow]:
    """Return every consent of a client and of their sessions, newest first."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM consent WHERE {_OF_CLIENT} ORDER BY id DESC", {"client": client})  # noqa: S608
    return [
        ConsentRow(
            consent=number,
            purpose=purpose,
            session=session,
            wording=wording,
            given_utc=given,
            noted_by=noted_by,
            withdrawn_utc=withdrawn,
            withdrawn_by=withdrawn_by,
        )
        for number, purpose, session, wording, given, noted_by, withdrawn, withdrawn_by in rows
    ]


def require_for_session(db: Database, session: int) -> None:
    """Raise `RefusedError` where there is no consent to record a session, or it was withdrawn."""
    (client,) = db.execute("SELECT client FROM session WHERE id = ?", (session,)).fetchone()
    own = db.execute("SELECT 1 FROM consent WHERE session = ? AND withdrawn_utc IS NULL", (session,)).fetchone()
    if own is None and not (client and has_consent(db, client, "record")):
        raise RefusedError(refusal(of_client(db, client), client) if client else NOBODY_ASKED)


NOBODY_ASKED = "Nothing is recorded without consent. Ask whoever lies on the table, and note that they agree."


def refusal(consents: Sequence[ConsentRow], client: str) -> str:
    """Return the sentence that says why a client is not recorded, and what to do."""
    last = next((row.withdrawn_utc for row in consents if row.purpose == "record" and row.withdrawn_utc), None)
    why = f"took back the consent to be recorded on {last[:10]}" if last else "has not agreed to be recorded yet"
    return f"{client} {why}. Nothing is recorded without it: ask, and note that {client} agrees."
