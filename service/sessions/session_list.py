"""The list of sessions: by time, in pages, searched and filtered by indexes."""

from collections.abc import Container, Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
import re
from typing import Any, Final

from ...analysis.figures import ResponseClass
from ..errors import NoSuchSessionError
from ..listing import LAST, Page, Wanted, begins, holds, page_of, words_of
from ..packets.stored_packets import last_packet
from ..settings import time_zone, zone_of
from ..storage.event_rows import EVENT_COLUMNS, moment
from ..storage.sqlite import Database
from .models import SessionRow

_COLUMNS: Final = (
    "session.id, session.started_utc, session.client, session.kind, session.room, session.source, session.duration_s,"
    " session.ended_utc, session.dated, json_extract(session.header_extra, '$.imported.format'), session.place"
)
_DATE: Final = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?", re.ASCII)
_PLACES_PER_MS: Final = 1 << 20
"""Places of sessions that begin in the same ms: see the column `session.place`."""
_CURSOR: Final = re.compile(r"-?\d{1,18}|[1-8]\d{18}", re.ASCII)
_LATEST: Final = 1 << 62


class SessionsWanted(Wanted, frozen=True, kw_only=True):
    """Which sessions, and which page of them; newest first."""

    search: str = ""
    """Beginnings of words of pseudonym, room, strap and flags; a date or month, such as 2026-11-23 or 2026-11."""
    client: str | None = None
    response: ResponseClass | None = None
    """Class of the response to the massage."""
    flagged: bool = False
    """Only those with an open flag."""
    since: date | None = None
    """The first day, in the practice's time zone."""
    until: date | None = None
    """The last day, itself included."""
    oldest_first: bool = False
    named: bool = True
    """Whether pseudonyms are searched too."""


NEWEST: Final = SessionsWanted()


def list_sessions(db: Database, wanted: SessionsWanted, running: Container[int]) -> Page[SessionRow]:
    """Return a page of the sessions; `running`: those that this process writes."""
    words = words_of(wanted.search)
    days = [span for word in words if (span := _days(word))]
    words = [word for word in words if _days(word) is None]
    if wanted.search.strip() and not words and not days:
        return Page([])
    match = _match(wanted, words)
    key = "session_search.rowid" if match else "session.place"
    dated = days or wanted.since or wanted.until
    zone = time_zone(zone_of(db) or "") if dated else None
    conditions, values = _conditions(wanted, days, zone, key, match=match)
    tables = (
        "session_search JOIN session ON session.place = session_search.rowid" if match else f"session INDEXED BY {_index(wanted)}"
    )
    down = wanted.oldest_first == wanted.backwards
    query = (
        f"SELECT {_COLUMNS} FROM {tables} WHERE {' AND '.join(conditions)}"  # noqa: S608 - names of our own
        f" ORDER BY {key} {'DESC' if down else 'ASC'} LIMIT :most"
    )
    found = page_of(db.execute(query, values | {"most": wanted.limit + 1}).fetchall(), wanted, lambda row: str(row[-1]))
    return Page([_session_row(db, row, running) for row in found.rows], found.next, found.previous)


def session_row(db: Database, session: int, running: Container[int] = ()) -> SessionRow:
    """Return a session's row of the list of sessions; `running`: those that a process writes.

    Raises `NoSuchSessionError` where there is no such session.
    """
    row = db.execute(f"SELECT {_COLUMNS} FROM session WHERE id = ?", (session,)).fetchone()  # noqa: S608 - names of our own
    if row is None:
        raise NoSuchSessionError(f"There is no session {session}.")
    return _session_row(db, row, running)


def all_sessions_of(db: Database, client: str, running: Container[int] = ()) -> list[SessionRow]:
    """Return every session of a client, in order of time."""
    query = f"SELECT {_COLUMNS} FROM session WHERE client = ? ORDER BY place"  # noqa: S608 - names of our own
    return [_session_row(db, row, running) for row in db.execute(query, (client,)).fetchall()]


def clients_of(db: Database, sessions: Iterable[int]) -> set[str]:
    """Return the clients of some sessions."""
    found = (db.execute("SELECT client FROM session WHERE id = ?", (session,)).fetchone() for session in sessions)
    return {row[0] for row in found if row and row[0] is not None}


def last_event(db: Database, session: int) -> tuple[int, float]:
    """Return the greatest number and latest time, in s, of a session's events; -1 and 0 where there is none."""
    newest = [
        db.execute(f"SELECT seq, t_s FROM {table} WHERE session = ? ORDER BY seq DESC LIMIT 1", (session,)).fetchone()  # noqa: S608
        for table in EVENT_COLUMNS
        if table != "packet"
    ]
    found = [row for row in (last_packet(db, session), *newest) if row]
    return max((row[0] for row in found), default=-1), max((row[1] for row in found), default=0.0)


def _match(wanted: SessionsWanted, words: list[str]) -> str:
    """Return the FTS5 query; empty where an index of the table itself serves."""
    columns = ("client", "words") if wanted.named else ("words",)
    marks = ["flagged"] * wanted.flagged + [f"response{wanted.response}"] * (wanted.response is not None)
    if not words and len(marks) + (wanted.client is not None) < 2:
        return ""
    of_client = [holds(wanted.client, "client")] if wanted.client is not None and words_of(wanted.client) else []
    return " AND ".join([*(begins(word, *columns) for word in words), *(holds(mark, "marks") for mark in marks), *of_client])


def _conditions(
    wanted: SessionsWanted, days: list[tuple[date, date]], zone: tzinfo | None, key: str, *, match: str
) -> tuple[list[str], dict[str, Any]]:
    conditions: list[str] = []
    values: dict[str, Any] = {}
    if match:
        conditions.append("session_search MATCH :match")
        values["match"] = match
    elif wanted.flagged:
        conditions.append("open_flags > 0")
    elif wanted.response is not None:
        conditions.append("response_class = :response")
        values["response"] = wanted.response
    if wanted.client is not None:
        conditions.append("session.client = :client")
        values["client"] = wanted.client
    least = [_place(first, zone) for first, _ in days] + ([_place(wanted.since, zone)] if wanted.since else [])
    most = [_place(last, zone, 1) for _, last in days] + ([_place(wanted.until, zone, 1)] if wanted.until else [])
    if wanted.key is not None:
        at = int(wanted.key) if _CURSOR.fullmatch(wanted.key) else 0
        if wanted.oldest_first == wanted.backwards:
            most.append(at)
        else:
            least.append(at + 1)
    if least:
        conditions.append(f"{key} >= :least")
        values["least"] = max(least)
    conditions.append(f"{key} < :below")
    values["below"] = min(most, default=LAST)
    return conditions, values


def _index(wanted: SessionsWanted) -> str:
    """Return the index that finds and orders what is wanted: SQLite would have to guess."""
    if wanted.flagged:
        return "session_flagged"
    if wanted.response is not None:
        return "session_response"
    return "session_place" if wanted.client is None else "session_client"


def _days(word: str) -> tuple[date, date] | None:
    """Return the first and last day of a date or month; None where it is another word."""
    match = _DATE.fullmatch(word)
    try:
        if match is None:
            return None
        year, month, day = int(match[1]), int(match[2]), match[3]
        if day is not None:
            return date(year, month, int(day)), date(year, month, int(day))
        following = date(year + month // 12, month % 12 + 1, 1)
        return date(year, month, 1), following - timedelta(days=1)
    except ValueError:
        return None


def _place(day: date, zone: tzinfo | None, days: int = 0) -> int:
    """Return the place of the first session that could begin on a day, some days later; `zone` None: the computer's."""
    try:
        begin = datetime.combine(day + timedelta(days=days), time(), zone).astimezone(UTC)
    except (OverflowError, ValueError):
        return -_LATEST if day.year < 1970 else _LATEST
    return max(min(int(begin.timestamp() * 1000) * _PLACES_PER_MS, _LATEST), -_LATEST)


def _session_row(db: Database, row: tuple[Any, ...], running: Container[int]) -> SessionRow:
    session, started, client, kind, room, source, duration_s, ended, dated, imported, _ = row
    return SessionRow(
        session=session,
        started_utc=moment(started).isoformat(timespec="seconds").replace("+00:00", "Z"),
        client=client,
        kind=kind,
        room=room,
        source=source,
        duration_s=duration_s if ended is not None else last_event(db, session)[1],
        state="ended" if ended is not None else "running" if session in running else "interrupted",
        dated=bool(dated),
        imported=None if imported is None else str(imported),
    )
