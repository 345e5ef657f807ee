"""The store of sessions, packets, marks and reports: raw data first, nothing is lost silently."""

from collections.abc import Callable, Container, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal

import msgspec

from ...analysis.response.earlier_rests import EarlierSession
from ...sensors.model import Device, Phase, same_address
from ...sensors.recordings.recording import Event, Header, Packet
from ..clients.consents import give_for_session
from ..clients.flags import flag_pain
from ..errors import NoSuchSessionError
from ..listing import Page
from ..packets.stored_packets import packets_of
from ..storage.event_rows import (
    EVENT_COLUMNS,
    EVENT_OF,
    correction_statements,
    device_columns,
    event_statement,
    header_columns,
    header_of,
    moment,
    stamp,
)
from ..storage.sqlite import Database
from ..storage.storage import Storage
from .earlier_rests import earlier_rests_before, unreported_rests_before
from .models import SessionRow, SessionSetup
from .session_list import NEWEST, SessionsWanted, all_sessions_of, last_event, list_sessions, session_row


class NewSession(SessionSetup, frozen=True, kw_only=True):
    """Data of a session that are known when it begins."""

    header: Header = Header()
    source: str
    """Strap name, or the recording's file name."""
    room: str | None = None
    speed: float | None = 1.0
    """Session seconds for each second of real time; None: as fast as possible."""
    began_utc: datetime | None = None
    """Start of a recording made earlier; None: now."""
    consent: Literal["asked", "imported"] | None = None
    """Origin of a consent to this session alone; None where the client's own consent covers it."""


class Interrupted(msgspec.Struct, frozen=True, kw_only=True):
    """A session that a crash cut off: it has no end, and no process writes to it."""

    session: int
    header: Header
    room: str | None
    source: str
    speed: float | None
    address: str | None
    """Address of its newest strap; None where there is none."""
    started_utc: datetime
    last_s: float
    """Session time of the last event; 0 where there is none."""
    last_utc: datetime
    """Date and time of the last event."""


class SessionStore(Storage):
    """The data folder with its sessions; open it with `await SessionStore.open(folder)`.

    Every coroutine raises `StorageError` where SQLite fails.
    """

    def __init__(self, folder: Path, *, now_utc: Callable[[], datetime], batch_s: float) -> None:
        super().__init__(folder, now_utc=now_utc, batch_s=batch_s)
        self._next_seq: dict[int, int] = {}
        """Next event number of each session that this process writes. The database thread adds a new session, so that it never
        appears interrupted."""

    async def create_session(self, new: NewSession) -> int:
        """Begin a session and return its number."""
        started = self._now_utc()
        return await self.run(lambda db: _create(db, new, started, self._next_seq))

    async def add_whole(
        self,
        new: NewSession,
        events: Sequence[Event],
        ended_utc: datetime,
        duration_s: float,
        also: Callable[[Database, int], None],
    ) -> int:
        """Store a session that was recorded elsewhere, all of it or nothing, and return its number; it is on the disk then.

        `also` is called with the session's number before the rows of its events are stored; what it raises undoes everything.
        """
        now = self._now_utc()
        return await self.run(lambda db: _add_whole(db, new, events, ended_utc, duration_s, now, also))

    def append(self, session: int, event: Event, key: str | None = None) -> int:
        """Queue an event without waiting, and return its number within the session.

        `key`: identifies the request that entered it. Raises `NoSuchSessionError` where this process does not write the
        session, `StorageError` after `close`.
        """
        self._require_writable(session)
        seq = self._next_seq[session]
        self._next_seq[session] = seq + 1
        self.put(event_statement(session, seq, event, key), droppable=isinstance(event, Packet))
        return seq

    def correct(self, session: int, seq: int, event: Event, became_s: float | None, therapist: str) -> None:
        """Correct an event without waiting; the event as it was is kept.

        `became_s`: its new time in s from the session's start; None: it is removed. Raises `StorageError` after `close`.
        """
        self.put(*correction_statements(session, seq, event, became_s, therapist, self._now_utc()))

    async def set_device(self, session: int, device: Device) -> None:
        """Store what a strap of the session reported about itself; fields that are None keep their stored value.

        Raises `NoSuchSessionError` where there is no such session.
        """
        await self.run(lambda db: _set_device(db, session, device))

    async def end_session(self, session: int, ended_utc: datetime, duration_s: float) -> None:
        """End a running or an interrupted session, `duration_s` after its start, and flag the next visit by the pain rule.

        Raises `NoSuchSessionError` where there is none, `StorageError` where earlier rows cannot be written to the disk.
        """
        await self.flush()
        now = self._now_utc()
        await self.run(lambda db: _end(db, session, ended_utc, duration_s, now))
        self._next_seq.pop(session, None)

    async def resume(self, session: int) -> Interrupted:
        """Resume an interrupted session: `append` continues after its last event.

        Raises `NoSuchSessionError` where there is no such session, or it is running or has ended.
        """
        self._require_not_running(session)
        interrupted, next_seq = await self.run(lambda db: _resume(db, session))
        self._require_not_running(session)
        self._next_seq[session] = next_seq
        return interrupted

    async def reopen(self, session: int) -> None:
        """Reopen an ended session: `append` continues after its last event, and its reports are deleted.

        Raises `NoSuchSessionError` where there is no such session, or it is running.
        """
        self._require_not_running(session)
        self._next_seq[session] = await self.run(lambda db: _reopen(db, session))

    async def interrupted(self) -> list[Interrupted]:
        """Return the interrupted sessions, newest first: those without an end that this process does not write."""
        return await self.read(lambda db: _interrupted(db, self._next_seq))

    async def ended_unstored(self) -> list[Interrupted]:
        """Return the interrupted sessions whose last phase is the end: a crash or a full disk came before the end was stored."""
        return await self.read(lambda db: [row for row in _interrupted(db, self._next_seq) if _is_over(db, row.session)])

    async def interrupted_session(self, session: int) -> Interrupted | None:
        """Return a session that is interrupted; None where there is none of that number, or it is running or has ended."""
        return await self.read(lambda db: _interrupted_alone(db, session, self.running))

    @property
    def running(self) -> frozenset[int]:
        """Numbers of the sessions that this process writes."""
        return frozenset(self._next_seq)

    async def session(self, session: int) -> SessionRow:
        """Return a session's row of the list of sessions. Raises `NoSuchSessionError` where there is no such session."""
        return await self.read(lambda db: session_row(db, session, self.running))

    async def sessions(self, wanted: SessionsWanted = NEWEST) -> Page[SessionRow]:
        """Return a page of the list of sessions: the newest where nothing else is wanted."""
        return await self.read(lambda db: list_sessions(db, wanted, self.running))

    async def all_sessions_of(self, client: str) -> list[SessionRow]:
        """Return every session of a client, in order of time."""
        return await self.read(lambda db: all_sessions_of(db, client, self.running))

    async def events(self, session: int) -> tuple[Header, list[Event]]:
        """Return a session as a recording, exactly as received. Raises `NoSuchSessionError` where there is no such session."""
        return await self.read(lambda db: events_of(db, session))

    async def put_report(self, session: int, algorithm: str, report_json: bytes) -> None:
        """Store a `SessionReport` as JSON in place of one by the same algorithm; those by others stay.

        Raises `NoSuchSessionError` where there is no such session.
        """
        row = (session, algorithm, stamp(self._now_utc()), report_json.decode())
        await self.run(lambda db: _put_report(db, row))

    async def put_reports(self, algorithm: str, reports: Sequence[tuple[int, bytes]]) -> None:
        """Store several reports, all or none. Raises `NoSuchSessionError` where a session does not exist."""
        made = stamp(self._now_utc())
        rows = [(session, algorithm, made, report_json.decode()) for session, report_json in reports]
        await self.run(lambda db: _put_reports(db, rows))

    async def without_report(self, algorithm: str) -> list[int]:
        """Return the ended sessions without a report by that algorithm, oldest first."""
        return await self.read(lambda db: _without_report(db, algorithm))

    async def report(self, session: int, algorithm: str | None = None) -> bytes | None:
        """Return the report by that algorithm, or with None the newest, as JSON; None where there is none."""
        return await self.read(lambda db: _report(db, session, algorithm))

    async def earlier_rests(self, session: int) -> list[EarlierSession]:
        """Return the figures of the client's rests before a massage, in order of time."""
        return await self.read(lambda db: earlier_rests_before(db, session))

    async def unreported_rests(self, session: int) -> list[int]:
        """Return the rests before a massage that have no report by the current algorithm, in order of time."""
        return await self.read(lambda db: unreported_rests_before(db, session))

    def _require_writable(self, session: int) -> None:
        if session not in self._next_seq:
            raise NoSuchSessionError(f"Session {session} is not running here, so nothing can be added to it.")

    def _require_not_running(self, session: int) -> None:
        if session in self._next_seq:
            raise NoSuchSessionError(f"Session {session} is running already.")


def _create(db: Database, new: NewSession, now: datetime, next_seq: dict[int, int]) -> int:
    session = 0
    try:
        with db.atomic():
            session = _insert(db, new, now)
            next_seq[session] = 0  # before the commit: a reader on another thread must not find it interrupted
    except BaseException:
        next_seq.pop(session, None)
        raise
    return session


def _add_whole(
    db: Database,
    new: NewSession,
    events: Sequence[Event],
    ended_utc: datetime,
    duration_s: float,
    now: datetime,
    also: Callable[[Database, int], None],
) -> int:
    with db.atomic():
        session = _insert(db, new, now)
        also(db, session)
        for seq, event in enumerate(events):
            db.execute(*event_statement(session, seq, event))
        _end(db, session, ended_utc, duration_s, now)
    return session


def _insert(db: Database, new: NewSession, now: datetime) -> int:
    own = {name: getattr(new, name) for name in ("room", "source", "speed", "posture", "technique", "therapist", "pain_before")}
    row: dict[str, Any] = own | {"started_utc": stamp(new.began_utc or now)} | header_columns(new.header)
    if new.header.client is not None:
        db.execute("INSERT OR IGNORE INTO client (pseudonym, created_utc) VALUES (?, ?)", (new.header.client, stamp(now)))
    names = ", ".join(row)
    cursor = db.execute(f"INSERT INTO session ({names}) VALUES (:{', :'.join(row)})", row)  # noqa: S608 - names of our own
    session = int(cursor.lastrowid or 0)
    for item in new.screening:
        confirmed = row["started_utc"] if new.screening_confirmed else None
        answer = (session, item.question, "yes" if item.yes else "no", confirmed)
        db.execute("INSERT OR REPLACE INTO screening VALUES (?, ?, ?, ?)", answer)
    if new.consent:
        give_for_session(db, session, new.therapist or "restbeat", now, imported=new.consent == "imported")
    return session


def _end(db: Database, session: int, ended_utc: datetime, duration_s: float, now: datetime) -> None:
    with db.atomic():
        _update(db, session, {"ended_utc": stamp(ended_utc), "duration_s": duration_s})
        flag_pain(db, session, now)


def _update(db: Database, session: int, columns: dict[str, Any]) -> None:
    _row(db, session)
    if columns:
        db.table("session").update(session, columns)


def _newest_strap(db: Database, session: int) -> tuple[int, str | None] | None:
    """Return number and address of the newest change of the strap; None where there was none."""
    query = "SELECT seq, address FROM strap WHERE session = ? ORDER BY seq DESC LIMIT 1"
    row: tuple[int, str | None] | None = db.execute(query, (session,)).fetchone()
    return row


def _set_device(db: Database, session: int, device: Device) -> None:
    newest, row = _newest_strap(db, session), _row(db, session)
    if newest is None or not same_address(device.address, newest[1]):
        # what the first strap said last before it was changed
        if newest is None or same_address(device.address, row["strap_address"]):
            _update(db, session, {name: value for name, value in device_columns(device).items() if value is not None})
        return
    told = {name: value for name, value in msgspec.structs.asdict(device).items() if value is not None}
    names = ", ".join(f"{name} = :{name}" for name in told)
    db.execute(f"UPDATE strap SET {names} WHERE session = :session AND seq = :seq", told | {"session": session, "seq": newest[0]})  # noqa: S608


def _row(db: Database, session: int) -> dict[str, Any]:
    row: dict[str, Any] | None = next(db.query("SELECT * FROM session WHERE id = ?", (session,)), None)
    if row is None:
        raise NoSuchSessionError(f"There is no session {session}.")
    return row


def _interrupted(db: Database, running: Container[int]) -> list[Interrupted]:
    rows = db.query("SELECT * FROM session WHERE ended_utc IS NULL ORDER BY ended_utc, id DESC")
    return [_interrupted_session(db, row) for row in list(rows) if row["id"] not in running]


def _interrupted_alone(db: Database, session: int, running: Container[int]) -> Interrupted | None:
    row = next(db.query("SELECT * FROM session WHERE id = ? AND ended_utc IS NULL", (session,)), None)
    return None if row is None or session in running else _interrupted_session(db, row)


def _is_over(db: Database, session: int) -> bool:
    newest = db.execute("SELECT phase FROM phase WHERE session = ? ORDER BY t_s DESC, seq DESC LIMIT 1", (session,)).fetchone()
    return newest is not None and newest[0] == Phase.ENDED.value


def _interrupted_session(db: Database, row: dict[str, Any]) -> Interrupted:
    started, last_s = moment(row["started_utc"]), last_event(db, row["id"])[1]
    newest = _newest_strap(db, row["id"])
    return Interrupted(
        session=row["id"],
        header=header_of(row),
        room=row["room"],
        source=row["source"],
        speed=row["speed"],
        address=newest[1] if newest else row["strap_address"],
        started_utc=started,
        last_s=last_s,
        last_utc=started + timedelta(seconds=last_s / (row["speed"] or 1.0)),
    )


def _resume(db: Database, session: int) -> tuple[Interrupted, int]:
    row = _row(db, session)
    if row["ended_utc"] is not None:
        raise NoSuchSessionError(f"Session {session} has ended and cannot be taken up again.")
    return _interrupted_session(db, row), last_event(db, session)[0] + 1


def _reopen(db: Database, session: int) -> int:
    _row(db, session)
    with db.atomic():
        db.execute("UPDATE session SET ended_utc = NULL, duration_s = NULL, packed_utc = NULL WHERE id = ?", (session,))
        db.execute("DELETE FROM report WHERE session = ?", (session,))
    return last_event(db, session)[0] + 1


def events_of(db: Database, session: int) -> tuple[Header, list[Event]]:
    """Return a session's recording header, and its events in order.

    Raises `NoSuchSessionError` where there is no such session, `DamagedChunkError` where packed packets are damaged.
    """
    header = header_of(_row(db, session))
    numbered: list[tuple[float, int, Event]] = [
        (t_s, seq, Packet(t_s, char, payload)) for seq, t_s, char, payload in packets_of(db, session)
    ]
    for table, columns in EVENT_COLUMNS.items():
        if table == "packet":
            continue
        rows = db.execute(f"SELECT seq, t_s, {', '.join(columns)} FROM {table} WHERE session = ?", (session,))  # noqa: S608
        make = EVENT_OF[table]
        numbered += [(row[1], row[0], make(*row[1:])) for row in rows]
    numbered.sort(key=itemgetter(0, 1))
    return header, [event for _, _, event in numbered]


def _put_report(db: Database, row: tuple[int, str, str, str]) -> None:
    _row(db, row[0])
    db.execute("INSERT OR REPLACE INTO report (session, algorithm, made_utc, figures) VALUES (?, ?, ?, ?)", row)


def _put_reports(db: Database, rows: list[tuple[int, str, str, str]]) -> None:
    with db.atomic():
        for row in rows:
            _put_report(db, row)


def _without_report(db: Database, algorithm: str) -> list[int]:
    found = db.execute(
        "SELECT id FROM session WHERE ended_utc IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM report WHERE report.session = session.id AND algorithm = ?) ORDER BY id",
        (algorithm,),
    )
    return [row[0] for row in found]


def _report(db: Database, session: int, algorithm: str | None) -> bytes | None:
    found = db.execute(
        "SELECT figures FROM report WHERE session = ? AND algorithm = coalesce(?, algorithm) ORDER BY made_utc DESC, rowid DESC",
        (session, algorithm),
    ).fetchone()
    return None if found is None else found[0].encode()


def stored_setup(db: Database, session: int) -> SessionSetup:
    """Return the set-up that was stored with a session, without the screening answers. Raises `NoSuchSessionError`."""
    row = _row(db, session)
    return SessionSetup(**{name: row[name] for name in ("posture", "technique", "therapist", "pain_before")})
