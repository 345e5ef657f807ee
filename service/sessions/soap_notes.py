"""Notes of a session: screening, marks, pain scores, and the SOAP notes that a therapist writes."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from ...analysis.reporting_items import Reported, ReportingItems
from ...sensors.recordings.recording import MarkContent
from ..clients.flags import flag_pain, set_flag
from ..clients.pain_scores import stored_pain
from ..clients.reporting_store import store_items, stored_items
from ..errors import RefusedError, UnknownSessionError
from ..storage.audit_log import audit_statement, note
from ..storage.event_rows import stamp
from ..storage.sqlite import Database
from ..storage.storage import Storage
from .models import Answer, SavedSoap, Soap, Visit, VisitMark
from .session_facts import screened

_SESSION_COLUMNS = ("client", "therapist", "posture", "technique", "pain_before", "pain_after")


def visit_of(db: Database, session: int) -> Visit:
    """Return a session's screening, marks, pain scores and notes. Raises `UnknownSessionError` where there is no such session."""
    fields = _session(db, session)
    answers = db.execute("SELECT question, answer, confirmed_utc FROM screening WHERE session = ? ORDER BY rowid", (session,))
    content = MarkContent.__struct_fields__
    marks = db.execute(f"SELECT t_s, {', '.join(content)} FROM mark WHERE session = ? ORDER BY t_s, seq", (session,))  # noqa: S608
    mind = db.execute("SELECT reason FROM flag WHERE session = ? AND rule = 'note'", (session,)).fetchone()
    screening = [Answer(question=text, yes=answer == "yes", confirmed_utc=at) for text, answer, at in answers]
    return Visit(
        session=session,
        **fields,
        screening=screening,
        screened=screened(screening),
        pain=stored_pain(db, session),
        reported=stored_items(db, session),
        stopped=stopped_for_pain(db, session),
        marks=[VisitMark(at_s, **dict(zip(content, values, strict=True))) for at_s, *values in marks],
        saved=saved_notes(db, session),
        mind=mind[0] if mind else "",
    )


def stopped_for_pain(db: Database, session: int) -> bool:
    """Return whether the massage was stopped because of pain."""
    query = "SELECT 1 FROM flag WHERE session = ? AND rule = 'stop' UNION SELECT 1 FROM mark WHERE session = ? AND kind = 'stop'"
    return db.execute(query, (session, session)).fetchone() is not None


def saved_notes(db: Database, session: int) -> SavedSoap | None:
    """Return the SOAP notes as last saved; None where there are none."""
    names = ", ".join(Soap.__struct_fields__)
    row = db.execute(f"SELECT therapist, updated_utc, {names} FROM soap WHERE session = ?", (session,)).fetchone()  # noqa: S608
    return (
        None
        if row is None
        else SavedSoap(
            soap=Soap(**dict(zip(names.split(", "), row[2:], strict=True))), therapist=row[0] or "", updated_utc=row[1]
        )
    )


def save(db: Database, session: int, soap: Soap, mind: str, based_on: str | None, actor: str, now: datetime) -> SavedSoap:
    """Save SOAP notes; `mind`: a reminder for the next visit, empty for none.

    `based_on`: `updated_utc` of the notes that were edited; None where there were none. Raises `RefusedError` where the notes
    were saved since, `UnknownSessionError` where there is no such session.
    """
    client = _session(db, session)["client"]
    before = saved_notes(db, session)
    if before is not None and before.updated_utc != based_on:
        raise RefusedError(
            f"{before.therapist} has saved these notes meanwhile. Open them anew; what you wrote is still on this page."
        )
    fields = {"session": session, **msgspec.structs.asdict(soap), "therapist": actor, "updated_utc": stamp(now)}
    with db.atomic():
        db.execute(f"INSERT OR REPLACE INTO soap ({', '.join(fields)}) VALUES (:{', :'.join(fields)})", fields)  # noqa: S608
        set_flag(db, session, "note", mind.strip() or None, now)
        note(db, now, actor, "notes written", client=client, session=session)
    return SavedSoap(soap=soap, therapist=actor, updated_utc=fields["updated_utc"])


def set_pain_after(db: Database, session: int, score: int | None, actor: str, now: datetime) -> None:
    """Store the pain score after the session, and flag the next visit where the pain rule asks for it.

    Raises `UnknownSessionError` where there is no such session.
    """
    client = _session(db, session)["client"]
    with db.atomic():
        db.execute("UPDATE session SET pain_after = ? WHERE id = ?", (score, session))
        flag_pain(db, session, now)
        note(db, now, actor, "pain after written", client=client, session=session)


def _session(db: Database, session: int) -> dict[str, Any]:
    row = db.execute(f"SELECT {', '.join(_SESSION_COLUMNS)} FROM session WHERE id = ?", (session,)).fetchone()  # noqa: S608
    if row is None:
        raise UnknownSessionError(f"There is no session {session}.")
    return dict(zip(_SESSION_COLUMNS, row, strict=True))


class SessionNotes:
    """Notes of the stored sessions: every view and every change is in the audit log. `by`: the account's name."""

    def __init__(self, storage: Storage, *, now_utc: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._storage = storage
        self._now_utc = now_utc

    async def viewed(self, session: int, what: str, *, by: str) -> None:
        """Note in the audit log that a part of a session was viewed.

        Raises `UnknownSessionError` where there is no such session.
        """
        now = self._now_utc()
        client = await self._storage.read(lambda db: _session(db, session)["client"])
        self._storage.put(audit_statement(now, by, f"{what} looked at", client=client, session=session))

    async def visit(self, session: int, *, by: str, what: str = "notes") -> Visit:
        """Return a session's screening, marks, pain scores and notes; `what` of it is viewed, for the audit log.

        Raises `UnknownSessionError` where there is no such session.
        """
        now = self._now_utc()

        visit, client = await self._storage.read(lambda db: (visit_of(db, session), _session(db, session)["client"]))
        self._storage.put(audit_statement(now, by, f"{what} looked at", client=client, session=session))
        return visit

    async def write(self, session: int, soap: Soap, *, mind: str, based_on: str | None, by: str) -> SavedSoap:
        """Save SOAP notes, as `save` does.

        Raises `RefusedError` where they were saved since `based_on`, `UnknownSessionError` where there is no such session.
        """
        now = self._now_utc()
        return await self._storage.run(lambda db: save(db, session, soap, mind, based_on, by, now))

    async def set_pain_after(self, session: int, score: int | None, *, by: str) -> None:
        """Store the pain score after the session. Raises `UnknownSessionError` where there is no such session."""
        now = self._now_utc()
        await self._storage.run(lambda db: set_pain_after(db, session, score, by, now))

    async def set_reported(self, session: int, items: ReportingItems, *, by: str) -> Reported:
        """Store the reporting items of a session and its client, and return what is known.

        Raises `UnknownSessionError` where there is no such session, `RefusedError` where it has no client to be of an age or sex.
        """
        now = self._now_utc()

        def work(db: Database) -> Reported:
            store_items(db, session, items, by, now)
            return stored_items(db, session)

        return await self._storage.run(work)
