"""The rooms of a practice: opens, resumes and ends sessions in them, and reassigns clients and straps."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
import logging
from types import TracebackType
from typing import Final, Self

import msgspec

from ...analysis.live.live_session import LiveSession
from ...sensors.clock import Clock, RunningClock
from ...sensors.computer_sleep import SleepWatch
from ...sensors.dbus.sleep_inhibitor import SleepInhibitor
from ...sensors.errors import SensorError
from ...sensors.model import Device, Phase, same_address
from ...sensors.recordings.recording import ConnectionEvent, Event, Header
from ...sensors.source import Source
from ...sensors.task_cancellation import cancel_and_wait
from ..clients.consents import give_for_session, require_for_session
from ..clients.strap_assignments import reassign_session, wearer_of
from ..errors import (
    ConflictError,
    NoSuchSessionError,
    RefusedError,
    RequestError,
    ServiceError,
    StorageError,
    UnconfirmedError,
    WorkerError,
)
from ..radio.radio import AdapterState, Radio, StrapSeen
from ..radio.strap_claims import StrapClaims
from ..sessions.models import SessionSetup
from ..sessions.report_cache import SessionReports
from ..sessions.session_facts import verdict_of
from ..sessions.session_store import NewSession, SessionStore, stored_setup
from ..settings import read_settings
from ..storage.audit_log import audit_statement
from ..storage.sqlite import Database
from ..storage.trouble import StorageTrouble, space_for_an_hour
from ..worker.freed_memory import release_freed_memory
from ..worker.worker import Worker
from .live_feed import LiveFeed
from .messages import ClientView, Story
from .room import Room, compare_engines, estimate_change
from .room_entries import RoomEntries
from .room_registry import RoomRegistry
from .session_entries import RequestKey, SessionEntries, entries_by_key
from .session_runner import Session
from .session_start import Opening, admit, ensure_client, require_consent, take_strap
from .sleep_guard import SleepGuard

_LOG = logging.getLogger(__name__)
_RESUMED_S: Final = 24 * 3600.0
"""Age in s up to which an interrupted session is resumed without a question."""
_END_AGAIN_S: Final = 1.0
"""How often the end of a session is tried again that the disk did not take."""


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
        sleep_watch: SleepWatch | None = None,
        sleep_inhibitor: SleepInhibitor | None = None,
        now_utc: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`sleep_inhibitor`: holds off the computer's sleep while a session runs; None: nothing does."""
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
        self._sleep_guard = SleepGuard(self._rooms, sleep_watch or SleepWatch(), sleep_inhibitor)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        for over in await self._storage.ended_unstored():
            await self._storage.end_session(over.session, over.last_utc, over.last_s)
        self._spawn(self._sleep_guard.run(), "sleep guard")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await cancel_and_wait(*self._tasks)

    @property
    def trouble(self) -> StorageTrouble | None:
        """Trouble that keeps sessions from being stored; None where all is well."""
        return self._storage.trouble

    def adapter(self) -> AdapterState:
        """Return the state of the Bluetooth adapter."""
        return self._radio.adapter()

    def straps(self) -> Sequence[StrapSeen]:
        """Return the devices heard recently, straps first, each with the room that holds it."""
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
        refuses the session, or less space is left on the disk than the open rooms and this one need for an hour.
        """
        address, now = opening.address, self._now_utc()
        heard = self._heard(address)
        device = Device(name=heard.name if heard else None, address=address)
        self._require_space()
        async with self._rooms.claimed(address):
            await self._storage.run(lambda db: admit(db, opening, device.name, by, now))
            clock = self._new_clock()
            header = Header(device=device, client=opening.client, kind=opening.kind, arrival_speed=clock.speed)
            return await self._start(address, self._source_of(address), clock, header, opening, by)

    async def start(self, address: str, source: Source, clock: Clock, header: Header) -> str:
        """Start a session on a source that is simulated, or was recorded with consent elsewhere; return the room's identifier.

        Raises `StrapTakenError` where a session holds the strap.
        """
        async with self._rooms.claimed(address):
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

        async with self._rooms.opening:
            await self._storage.flush()
            target.wearer = await self._storage.run(work)
            target.header = msgspec.structs.replace(target.header, client=client)
        self._spawn(self._load_earlier_rests(target), f"earlier rests for {room}")
        self._live_feed.publish(target.state)

    async def change_strap(
        self, room: str, address: str, *, session: int | None = None, strap_confirmed: bool = False, by: str = ""
    ) -> None:
        """Let a running session go on with another strap; the time until it sends is a gap, and a mark tells of the change.

        `session`: the one meant, where the room may hold another by now. `strap_confirmed`: a strap that another client wore
        last is known to be on this one. Asked again for the strap that the session has, it changes nothing.
        Raises `UnknownRoomError` where there is no such room, `RefusedError` where its session is over or the strap was worn by
        another client, `StrapTakenError` where a session holds the strap, and `StorageError` while it cannot be stored.
        """
        target = self._rooms[room]
        self.entries.of(room, RequestKey(key="", session=session))
        if same_address(address, target.address):
            return
        heard, before = self._heard(address), target.address
        device = Device(name=heard.name if heard else None, address=address)
        async with self._rooms.claimed(address):
            client, now = target.header.client, self._now_utc()
            await self._storage.run(lambda db: take_strap(db, client, address, device.name, confirmed=strap_confirmed))
            if target.address != before or target.over.is_set() or not target.running:
                raise RefusedError("This session is over, or has another strap by now.")
            old = target.session.device.name or before
            note = f"Strap changed from {old} to {device.name or address}"
            with self._storage.together():
                let_go = target.session.change_strap(self._source_of(address), device, note)
                noted = audit_statement(now, by, "strap changed", client=client, session=target.session.number, detail=note)
                self._storage.put(noted)
            self._rooms.leave(target, before, let_go)
            self._spawn(self._rooms.release_left(before), f"the strap that {room} had")
            target.address, target.wearer = address, client
        await self._storage.flush()
        self._live_feed.publish(target.state)

    def show_client(self, room: str, view: ClientView) -> None:
        """Set what the client's own screen of a room shows. Raises `UnknownRoomError` where there is no such room."""
        target = self._rooms[room]
        target.client_view = view
        self._live_feed.publish(target.state)

    async def end_sessions_of(self, client: str, by: str) -> None:
        """End the running sessions of a client who has withdrawn consent to be recorded; `by` names who noted it."""
        async with self._rooms.opening:
            for room in self._rooms.of(client):
                if room.entries and room.running:
                    room.end_notice = f"{client} took back the consent to be recorded. What was recorded until then is kept."
                    with self._storage.together():
                        room.entries.close("consent to be recorded taken back", by)
            await self._storage.flush()

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

    async def answer_sleep(self, room: str, *, go_on: bool, by: str = "") -> None:
        """Go on with a session after a long sleep of the computer, or end it where the sleep began.

        Raises `UnknownRoomError` where there is no such room, `RefusedError` where nothing is asked there, and `StorageError`
        where the end cannot be stored.
        """
        target = self._rooms[room]
        if target.sleep is None or not target.running:
            raise RefusedError("The computer did not sleep in this session, or that was answered already.")
        sleep, target.sleep = target.sleep, None
        if not go_on:
            with self._storage.together():
                ago_s = target.session.clock.now() - sleep.began_s
                self.entries.of(room).close("the computer fell asleep", by, ago_s=ago_s)
            await self._storage.flush()
        self._live_feed.publish(target.state)

    async def resume(self, session: int, *, confirmed: bool = False) -> str:
        """Resume an interrupted session on its strap and return the room's identifier; the time in between is a gap.

        `confirmed`: it goes on though it was cut off more than a day ago by the computer's clock; the gap then counts as a day.
        Raises `UnconfirmedError` where that is missing, `RefusedError` where the session is not interrupted, has no strap, or
        consent was withdrawn, and `StrapTakenError` where the strap is in another session.
        """
        nothing = f"Session {session} is not interrupted: there is nothing to take up."
        interrupted = await self._storage.interrupted_session(session)
        if interrupted is None:
            raise RefusedError(nothing)
        address = interrupted.address
        if address is None:
            raise RefusedError(f"Session {session} has no strap to take it up on. End it instead; its summary is kept.")
        away_s = max((self._now_utc() - interrupted.last_utc).total_seconds(), 0.0)
        if away_s > _RESUMED_S and not confirmed:
            raise UnconfirmedError(
                f"Session {session} was cut off on {interrupted.last_utc:%Y-%m-%d}, more than a day ago by this computer’s "
                "clock. End it and start a new one, or go on with it all the same."
            )
        async with self._rooms.claimed(address):
            if await self._storage.interrupted_session(session) is None:  # taken up or ended meanwhile
                raise RefusedError(nothing)
            await self._storage.read(lambda db: require_for_session(db, session))
            await self._storage.resume(session)
            away_s = min(away_s, _RESUMED_S) * (interrupted.speed or 1.0)
            clock = RunningClock(interrupted.speed or 1.0, start_s=interrupted.last_s + away_s)
            identifier = self._rooms.free_for(address, interrupted.room)
            return await self._continue(session, identifier, address, clock, interrupted.header)

    async def _reopen(self, room: Room, action: int, by: str) -> None:
        await asyncio.gather(*(task for task in self._tasks if task.get_name() == _task_of(room.identifier)))
        async with self._rooms.claimed(room.address):
            session = room.session.number
            await self._storage.read(lambda db: require_for_session(db, session))
            await self._storage.reopen(session)
            with self._storage.together():
                self.entries.of(room.identifier).undo(action, by)
            await self._storage.flush()
            await self._continue(session, room.identifier, room.address, room.session.clock, room.header)

    async def _continue(self, session: int, identifier: str, address: str, clock: Clock, header: Header) -> str:
        """Continue a session that is writable again; the time in between is a gap."""
        _, events = await self._storage.events(session)
        setup = await self._storage.read(lambda db: stored_setup(db, session))
        room = await self._open(session, identifier, address, self._source_of(address), clock, header, setup, events)
        self._rooms[room].session.take(ConnectionEvent(clock.now(), up=False))
        return room

    async def close(self, session: int) -> None:
        """End an interrupted session at its last event. Raises `RefusedError` where the session is not interrupted."""
        interrupted = await self._storage.interrupted_session(session)
        if interrupted is None:
            raise RefusedError(f"Session {session} is not interrupted: it cannot be ended from here.")
        await self._storage.end_session(session, interrupted.last_utc, interrupted.last_s)

    def _require_space(self) -> None:
        rooms = 1 + sum(room.running for room in self._rooms)
        free = self._storage.free_bytes
        if free is not None and not space_for_an_hour(free, rooms):
            raise RefusedError(
                f"The disk has {free / 1e6:.0f} MB left: less than an hour of this session needs. Free some space, then start."
            )

    def _heard(self, address: str) -> StrapSeen | None:
        return next((strap for strap in self._radio.straps() if same_address(strap.address, address)), None)

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
        settings, wearer = await self._storage.read(lambda db: (read_settings(db), wearer_of(db, address)))
        live = LiveSession(header.arrival_speed)
        live.set_device(header.device)
        session = Session(number, source, clock, self._storage, live=live, device=header.device)
        session.restore(stored)
        heard = self._heard(address)
        room = Room(
            identifier, self._rooms.name_of(identifier, heard.near if heard else None), address, header, session, self._live_feed
        )
        room.trouble = lambda: self._storage.trouble
        room.check = partial(self._worker.run, compare_engines)
        room.setup, room.settings = setup, settings
        room.wearer = wearer
        rest = header.kind == "rest"
        earlier = await self._storage.read(lambda db: entries_by_key(db, number, rest=rest))
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
            room.over.set()
        session = room.session
        if session.live.phase is not Phase.ENDED:
            return
        await self._store_end(room, self._now_utc())
        try:
            self._conclude(room, verdict_of(await self._reports.make(session.number)))
        except WorkerError:
            self._conclude(room, ("Session ended", "Its figures could not be computed now; its page tries again."))
            raise
        await asyncio.to_thread(release_freed_memory)

    def _conclude(self, room: Room, verdict: tuple[str, str]) -> None:
        if room in self._rooms:  # by now the next session may be in its place
            room.conclude(verdict)

    async def _store_end(self, room: Room, ended_utc: datetime) -> None:
        """Store that a session has ended, as soon as the disk takes it; cancelled before, the next start stores it."""
        session = room.session
        while True:
            try:
                await self._storage.end_session(session.number, ended_utc, session.live.phase_start_s)
            except NoSuchSessionError:
                raise
            except StorageError as error:
                _LOG.warning("%s: the end of session %d is not stored yet: %s", room.identifier, session.number, error)
                await asyncio.sleep(_END_AGAIN_S)
            else:
                room.end_stored = True
                if room in self._rooms:  # by now the next session may be in its place
                    self._live_feed.publish(room.state)
                return

    async def _load_earlier_rests(self, room: Room) -> None:
        """Let the room's estimate of the change so far account for the client's earlier rest-only sessions."""
        earlier_rests = await self._storage.earlier_rests(room.session.number)
        room.estimate = partial(self._worker.run, estimate_change, earlier_rests)


def _task_of(identifier: str) -> str:
    return f"room {identifier}"
