"""The rooms of a practice: opens, resumes and ends sessions in them, and reassigns clients and straps."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
import logging
from types import TracebackType
from typing import Self

import msgspec

from ...analysis.live.live_session import LiveSession
from ...sensors.clock import Clock, RunningClock
from ...sensors.errors import SensorError
from ...sensors.model import Device, Phase
from ...sensors.recordings.recording import ConnectionEvent, Event, Header
from ...sensors.source import Source
from ...sensors.task_cancellation import cancel_and_wait
from ..clients.consents import give_for_session, require_for_session
from ..clients.flags import flag_pain
from ..clients.strap_assignments import reassign_session, wearer_of
from ..errors import ConflictError, RefusedError, RequestError, ServiceError, WorkerError
from ..sessions.models import SessionSetup
from ..sessions.report_cache import SessionReports
from ..sessions.session_facts import verdict_of
from ..sessions.session_store import NewSession, SessionStore, stored_setup
from ..settings import read_settings
from ..storage.sqlite import Database
from ..worker.worker import Worker
from .live_feed import LiveFeed
from .messages import ClientView, Story
from .radio import AdapterState, Radio, StrapSeen
from .room import Room, compare_engines, estimate_change
from .room_entries import RoomEntries
from .room_registry import RoomRegistry
from .session_entries import SessionEntries, entries_by_key
from .session_runner import Session
from .session_start import Opening, admit, ensure_client, require_consent
from .strap_claims import StrapClaims, canonical

_LOG = logging.getLogger(__name__)


class Rooms:
    """Owner of every running session; leaving the context stops them all, each resumable as after a crash."""

    def __init__(
        self,
        storage: SessionStore,
        worker: Worker,
        live_feed: LiveFeed,
        radio: Radio,
        source_of: Callable[[str], Source],
        *,
        claims: StrapClaims | None = None,
        new_clock: Callable[[], Clock] = RunningClock,
        now_utc: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._storage = storage
        self._worker = worker
        self._reports = SessionReports(storage, worker)
        self._live_feed = live_feed
        self._radio = radio
        self._source_of = source_of
        self._new_clock = new_clock
        self._now_utc = now_utc
        self._rooms = RoomRegistry(claims)
        self.entries = RoomEntries(self._rooms, storage, now_utc)
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting = asyncio.Lock()  # two claims in the same moment would both find the strap, and the room, free

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await cancel_and_wait(*self._tasks)

    def adapter(self) -> AdapterState:
        """Return the state of the Bluetooth adapter, or of the storage where that keeps sessions from being recorded."""
        if self._storage.trouble:
            return AdapterState(ready=False, text=self._storage.trouble)
        return self._radio.adapter()

    def straps(self) -> Sequence[StrapSeen]:
        """Return the straps heard recently, each with the room that holds it."""
        return [
            msgspec.structs.replace(strap, room=room.identifier, room_name=room.name)
            if (room := self._rooms.holder(strap.address))
            else strap
            for strap in self._radio.straps()
        ]

    async def open_room(self, opening: Opening, *, by: str) -> str:
        """Start a session on a strap and return the room's identifier.

        `by` names the therapist who starts it.
        Raises `StrapTakenError` where a session holds the strap, here or in another process, and `RefusedError` where `admit`
        refuses the session.
        """
        address, now = opening.address, self._now_utc()
        heard = self._heard(address)
        device = Device(name=heard.name if heard else None, address=address)
        async with self._starting, self._rooms.claimed(address):
            await self._storage.run(lambda db: admit(db, opening, device.name, by, now))
            clock = self._new_clock()
            header = Header(device=device, client=opening.client, kind=opening.kind, arrival_speed=clock.speed)
            return await self._start(address, self._source_of(address), clock, header, opening, by)

    async def start(self, address: str, source: Source, clock: Clock, header: Header) -> str:
        """Start a session on a source that is simulated, or was recorded with consent elsewhere; return the room's identifier.

        Raises `StrapTakenError` where a session holds the strap.
        """
        async with self._starting, self._rooms.claimed(address):
            return await self._start(address, source, clock, header)

    async def _start(
        self, address: str, source: Source, clock: Clock, header: Header, opening: Opening | None = None, by: str | None = None
    ) -> str:
        given = opening or SessionSetup()
        setup = SessionSetup(**{name: getattr(given, name) for name in SessionSetup.__struct_fields__} | {"therapist": by})
        identifier = self._rooms.free_for(address)
        new = NewSession(
            header=header,
            source=header.device.name or address,
            room=identifier,
            speed=clock.speed,
            **msgspec.structs.asdict(setup),
            consent="imported" if opening is None else "asked" if opening.client is None else None,
        )
        number = await self._storage.create_session(new)
        return await self._open(number, identifier, address, source, clock, header, setup)

    async def undo(self, room: str, number: int, *, by: str = "") -> None:
        """Undo an entry. If it ended the session, the session continues, and the time in between is a gap.

        Raises `UnknownRoomError` where there is no such room, `RefusedError` where the entry cannot be undone any more or
        consent was withdrawn, and `StrapTakenError` where the strap is in another session by now.
        """
        if self.entries.of(room).ends(number):
            await self._reopen(self._rooms[room], number, by)
        else:
            await self.entries.undo(room, number, by=by)

    async def reassign(
        self, room: str, client: str | None, *, consent: bool = False, elsewhere_confirmed: bool = False, by: str = ""
    ) -> None:
        """Assign a room's session to another client, or to nobody named (None), and record it in the audit log.

        `consent`: the person was asked just now and agrees to be recorded. `elsewhere_confirmed`: the therapist knows that the
        client has a running session in another room too.
        Raises `UnknownRoomError` where there is no such room, `ConflictError` where the client has another running session that
        is not confirmed, and `RefusedError` where nobody has agreed to be recorded.
        """
        target, now = self._rooms[room], self._now_utc()
        elsewhere = [other for other in self._rooms.of(client) if other is not target and other.running] if client else []
        if elsewhere and not elsewhere_confirmed:
            other = elsewhere[0]
            text = f"{client} has a session in {other.name} too. Put that one right first, or confirm that both are meant."
            raise ConflictError(text, other.identifier)
        session = target.session.number

        def work(db: Database) -> str | None:
            require_consent(db, client, agreed=consent)
            with db.atomic():
                if client is None:
                    give_for_session(db, session, by, now)
                else:
                    ensure_client(db, client, by, now, agreed=consent)
                reassign_session(db, session, client, by, now)
            return wearer_of(db, target.address)

        async with self._starting:
            await self._storage.flush()
            target.wearer = await self._storage.run(work)
            target.header = msgspec.structs.replace(target.header, client=client)
        self._spawn(self._load_earlier_rests(target), f"earlier rests for {room}")
        self._live_feed.publish(target.state)

    def show_client(self, room: str, view: ClientView) -> None:
        """Set what the client's own screen of a room shows. Raises `UnknownRoomError` where there is no such room."""
        target = self._rooms[room]
        target.client_view = view
        self._live_feed.publish(target.state)

    async def end_sessions_of(self, client: str, by: str) -> None:
        """End the running sessions of a client who has withdrawn consent to be recorded; `by` names who noted it."""
        async with self._starting:
            for room in self._rooms.of(client):
                if room.entries and room.running:
                    room.end_notice = f"{client} took back the consent to be recorded. What was recorded until then is kept."
                    room.entries.close("consent to be recorded taken back", by)

    def forget(self, client: str) -> None:
        """Close the rooms of a client's ended sessions. Raises `RefusedError` while one of their sessions runs."""
        rooms = self._rooms.of(client)
        if running := next((room for room in rooms if room.running), None):
            raise RefusedError(f"{client} has a session in {running.name}. End it first.")
        for room in rooms:
            self._rooms.remove(room)
            self._live_feed.remove(room.identifier)

    def story(self, room: str) -> Story:
        """Return the course of a room's session from its beginning. Raises `UnknownRoomError` where there is no such room."""
        return self._rooms[room].story

    async def resume(self, session: int) -> str:
        """Resume an interrupted session on its strap and return the room's identifier; the time in between is a gap.

        Raises `RefusedError` where the session is not interrupted, has no strap, or consent was withdrawn, and `StrapTakenError`
        where the strap is in another session.
        """
        async with self._starting:
            interrupted = next((row for row in await self._storage.interrupted() if row.session == session), None)
            if interrupted is None:
                raise RefusedError(f"Session {session} is not interrupted: there is nothing to take up.")
            address = interrupted.header.device.address
            if address is None:
                raise RefusedError(f"Session {session} has no strap to take it up on. End it instead; its summary is kept.")
            async with self._rooms.claimed(address):
                await self._storage.run(lambda db: require_for_session(db, session))
                await self._storage.resume(session)
                away_s = max((self._now_utc() - interrupted.last_utc).total_seconds(), 0.0) * (interrupted.speed or 1.0)
                clock = RunningClock(interrupted.speed or 1.0, start_s=interrupted.last_s + away_s)
                return await self._continue(
                    session, self._rooms.free_for(address, interrupted.room), address, clock, interrupted.header
                )

    async def _reopen(self, room: Room, action: int, by: str) -> None:
        await asyncio.gather(*(task for task in self._tasks if task.get_name() == _task_of(room.identifier)))
        async with self._starting, self._rooms.claimed(room.address):
            session = room.session.number
            await self._storage.run(lambda db: require_for_session(db, session))
            await self._storage.reopen(session)
            self.entries.of(room.identifier).undo(action, by)
            await self._continue(session, room.identifier, room.address, room.session.clock, room.header)

    async def _continue(self, session: int, identifier: str, address: str, clock: Clock, header: Header) -> str:
        """Continue a session that is writable again; the time in between is a gap."""
        _, events = await self._storage.events(session)
        setup = await self._storage.run(lambda db: stored_setup(db, session))
        room = await self._open(session, identifier, address, self._source_of(address), clock, header, setup, events)
        self._rooms[room].session.take(ConnectionEvent(clock.now(), up=False))
        return room

    async def close(self, session: int) -> None:
        """End an interrupted session at its last event. Raises `RefusedError` where the session is not interrupted."""
        interrupted = next((row for row in await self._storage.interrupted() if row.session == session), None)
        if interrupted is None:
            raise RefusedError(f"Session {session} is not interrupted: it cannot be ended from here.")
        await self._storage.end_session(session, interrupted.last_utc, interrupted.last_s)
        await self._storage.run(lambda db: flag_pain(db, session, self._now_utc()))

    def _heard(self, address: str) -> StrapSeen | None:
        return next((strap for strap in self._radio.straps() if canonical(strap.address) == canonical(address)), None)

    async def _open(
        self,
        number: int,
        identifier: str,
        address: str,
        source: Source,
        clock: Clock,
        header: Header,
        setup: SessionSetup,
        stored: Sequence[Event] = (),
    ) -> str:
        settings, wearer = await self._storage.run(lambda db: (read_settings(db), wearer_of(db, address)))
        live = LiveSession(header.arrival_speed)
        live.set_device(header.device)
        session = Session(number, source, clock, self._storage, live=live, device=header.device)
        session.restore(stored)
        heard = self._heard(address)
        room = Room(
            identifier, self._rooms.name_of(identifier, heard.near if heard else None), address, header, session, self._live_feed
        )
        room.check = partial(self._worker.run, compare_engines)
        room.setup, room.settings = setup, settings
        room.wearer = wearer
        rest = header.kind == "rest"
        earlier = await self._storage.run(lambda db: entries_by_key(db, number, rest=rest))
        room.entries = SessionEntries(session, self._storage, rest=rest, earlier=earlier)
        room.estimate = partial(self._worker.run, estimate_change, ())
        self._spawn(self._load_earlier_rests(room), f"earlier rests for {identifier}")
        session.describe = lambda device: self._spawn(self._storage.set_device(number, device), f"device of session {number}")
        self._rooms.add(room)
        self._live_feed.publish(room.state)
        self._spawn(self._run_to_end(room), _task_of(identifier))
        return identifier

    def _spawn(self, coroutine: "asyncio._CoroutineLike[None]", name: str) -> None:
        task = asyncio.create_task(coroutine, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            expected = isinstance(error, SensorError | ServiceError) and not isinstance(error, RequestError)
            _LOG.error("%s: %s", task.get_name(), error, exc_info=None if expected else error)

    async def _run_to_end(self, room: Room) -> None:
        try:
            await room.run()
        finally:
            self._rooms.release(room.address)
        session = room.session
        if session.live.phase is not Phase.ENDED:
            return
        now = self._now_utc()
        await self._storage.end_session(session.number, now, session.end_s)
        await self._storage.run(lambda db: flag_pain(db, session.number, now))
        try:
            self._conclude(room, verdict_of(await self._reports.make(session.number)))
        except WorkerError:
            self._conclude(room, ("Session ended", "Its figures could not be computed now; its page tries again."))
            raise

    def _conclude(self, room: Room, verdict: tuple[str, str]) -> None:
        if room in self._rooms:  # by now the next session may be in its place
            room.conclude(verdict)

    async def _load_earlier_rests(self, room: Room) -> None:
        """Let the room's estimate of the change so far account for the client's earlier rest-only sessions."""
        earlier_rests = await self._storage.earlier_rests(room.session.number)
        room.estimate = partial(self._worker.run, estimate_change, earlier_rests)


def _task_of(identifier: str) -> str:
    return f"room {identifier}"
