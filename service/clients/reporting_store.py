"""Reporting items in the database: of the client, who was born when, and of the session, what was taken before."""

from datetime import datetime
from typing import Any

from ...analysis.reporting_items import Reported, ReportingItems
from ..errors import RefusedError, UnknownSessionError
from ..settings import time_zone, zone_of
from ..storage.audit_log import note
from ..storage.event_rows import moment
from ..storage.sqlite import Database

_ITEMS = """
SELECT client, started_utc, dated, birth_year, sex, medication, caffeine FROM session
LEFT JOIN client ON client.pseudonym = session.client WHERE session.id = ?
"""


def stored_items(db: Database, session: int) -> Reported:
    """Return the items of a stored session. Raises `UnknownSessionError` where there is no such session."""
    _, started_utc, dated, birth_year, sex, medication, caffeine = _row(db, session)
    zone = zone_of(db)
    began = moment(started_utc).astimezone(time_zone(zone) if zone else None)
    return Reported(
        birth_year=birth_year,
        sex=sex,
        medication=medication or "",
        caffeine=caffeine or "",
        time_of_day=f"{began:%H:%M}" if dated else "",
    )


def store_items(db: Database, session: int, items: ReportingItems, actor: str, now: datetime) -> None:
    """Store the items of a session and its client; what is empty is forgotten.

    Raises `UnknownSessionError` where there is no such session, `RefusedError` where it has no client to be of an age or sex.
    """
    client, *_ = _row(db, session)
    if client is None and (items.birth_year or items.sex):
        raise RefusedError("Year of birth and sex are kept with a client, and this session names none.")
    taken = (_text(items.medication), _text(items.caffeine), session)
    with db.atomic():
        db.execute("UPDATE session SET medication = ?, caffeine = ? WHERE id = ?", taken)
        db.execute("UPDATE client SET birth_year = ?, sex = ? WHERE pseudonym = ?", (items.birth_year, items.sex, client))
        note(db, now, actor, "reporting items written", client=client, session=session)


def _row(db: Database, session: int) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = db.execute(_ITEMS, (session,)).fetchone()
    if row is None:
        raise UnknownSessionError(f"There is no session {session}.")
    return row


def _text(text: str) -> str | None:
    return " ".join(text.split()) or None
