"""The rooms of a practice, and the sessions on record: what the pages ask for through `web.ports.Rooms`."""

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
from ..errors import ConflictError, RefusedError, RequestError, ServiceError
from ..sessions.report_cache import SessionReports
from ..sessions.session_store import NewSession, SessionStore
from ..settings import read_settings
from ..storage.sqlite import Database
from ..worker.worker import Worker
from .live_feed import LiveFeed
from .messages import ClientView, Story
from .radio import AdapterState, Radio, StrapSeen
from .room import Room, compare_engines, estimate_change
from .room_entries import RoomEntries
from .room_registry import RoomRegistry
from .session_entries import SessionEntries, presses_of
from .session_runner import Session
from .session_start import Opening, Plan, admit, demand_consent, plan_of, settle_client
from .strap_claims import StrapClaims, canonical

_LOG = logging.getLogger(__name__)


class Rooms:
    """Owns every running session; leaving it stops them all, each resumable as if a crash had cut it off."""

    def __init__(
        self,
        storage: SessionStore,
        worker: Worker,
        hub: LiveFeed,
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
        self._hub = hub
        self._radio = radio
        self._source_of = source_of
        self._new_clock = new_clock
        self._now_utc = now_utc
        self._rooms = RoomRegistry(claims)
        self.entries = RoomEntries(self._rooms, storage, now_utc)
        self._tasks: set[asyncio.Task[None]] = set()
        self._opening = asyncio.Lock()  # two claims in the same moment would both find the strap, and the room, free

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await cancel_and_wait(*self._tasks)

    def adapter(self) -> AdapterState:
        """Tell whether there is a radio, or what else keeps the house from working."""
        if self._storage.trouble:
            return AdapterState(ready=False, text=self._storage.trouble)
        return self._radio.adapter()

    def straps(self) -> Sequence[StrapSeen]:
        """Straps heard lately, with the room that holds each."""
        return [
            msgspec.structs.replace(strap, room=room.identifier, room_name=room.name)
            if (room := self._rooms.holder(strap.address))
            else strap
            for strap in self._radio.straps()
        ]

    async def open_room(self, opening: Opening, *, by: str) -> str:
        """Start a session on a strap; gives the room."""
        address, now = opening.address, self._now_utc()
        heard = self._heard(address)
        device = Device(name=heard.name if heard else None, address=address)
        async with self._opening, self._rooms.claimed(address):
            await self._storage.run(lambda db: admit(db, opening, device.name, by, now))
            clock = self._new_clock()
            header = Header(device=device, client=opening.client, kind=opening.kind, arrival_speed=clock.speed)
            return await self._start(address, self._source_of(address), clock, header, opening, by)

    async def start(self, address: str, source: Source, clock: Clock, header: Header) -> str:
        """Start a session on a source that is simulated, or was recorded with consent elsewhere; gives the room."""
        async with self._opening, self._rooms.claimed(address):
            return await self._start(address, source, clock, header)

    async def _start(
        self, address: str, source: Source, clock: Clock, header: Header, opening: Opening | None = None, by: str | None = None
    ) -> str:
        asked = opening or Opening(address=address)
        plan = Plan(posture=asked.posture, technique=asked.technique, therapist=by, pain_before=asked.pain_before)
        identifier = self._rooms.free_for(address)
        new = NewSession(
            header=header,
            source=header.device.name or address,
            room=identifier,
            speed=clock.speed,
            posture=plan.posture,
            technique=plan.technique,
            therapist=by,
            pain_before=plan.pain_before,
            screening=asked.screening,
            consent="imported" if opening is None else "asked" if opening.client is None else None,
        )
        number = await self._storage.create_session(new)
        return await self._run(number, identifier, address, source, clock, header, plan)

    async def undo(self, room: str, number: int, *, by: str = "") -> None:
        """Undo an entry. If it ended the session, the session goes on, and the time between is a gap."""
        if self.entries.of(room).ends(number):
            await self._reopen(self._rooms[room], number, by)
        else:
            await self.entries.undo(room, number, by=by)

    async def reassign(
        self, room: str, client: str | None, *, consent: bool = False, elsewhere_confirmed: bool = False, by: str = ""
    ) -> None:
        """Put the running session of a room under another client, who agrees to be recorded; the audit log tells."""
        held, now = self._rooms[room], self._now_utc()
        elsewhere = [other for other in self._rooms.of(client) if other is not held and other.running] if client else []
        if elsewhere and not elsewhere_confirmed:
            other = elsewhere[0]
            text = f"{client} has a session in {other.name} too. Put that one right first, or confirm that both are meant."
            raise ConflictError(text, other.identifier)
        session = held.session.number

        def work(db: Database) -> str | None:
            demand_consent(db, client, agreed=consent)
            with db.atomic():
                if client is None:
                    give_for_session(db, session, by, now)
                else:
                    settle_client(db, client, by, now, agreed=consent)
                reassign_session(db, session, client, by, now)
            return wearer_of(db, held.address)

        async with self._opening:
            await self._storage.flush()
            held.wearer = await self._storage.run(work)
            held.header = msgspec.structs.replace(held.header, client=client)
        self._spawn(self._learn(held), f"past of {room}")
        self._hub.publish(held.state)

    def show_client(self, room: str, view: ClientView) -> None:
        """Let the client's own screen of a room show this."""
        held = self._rooms[room]
        held.client_view = view
        self._hub.publish(held.state)

    async def end_sessions_of(self, client: str, by: str) -> None:
        """End what runs of a client who does not agree to be recorded any more."""
        async with self._opening:
            for room in self._rooms.of(client):
                if room.journal and room.running:
                    room.farewell = f"{client} took back the consent to be recorded. What was recorded until then is kept."
                    room.journal.close("consent to be recorded taken back", by)

    def forget(self, client: str) -> None:
        """Show nothing of a client any more. Raises `RefusedError` while a session of theirs runs."""
        theirs = self._rooms.of(client)
        if running := next((room for room in theirs if room.running), None):
            raise RefusedError(f"{client} has a session in {running.name}. End it first.")
        for room in theirs:
            self._rooms.remove(room)
            self._hub.remove(room.identifier)

    def story(self, room: str) -> Story:
        """The session of a room from its beginning."""
        return self._rooms[room].story

    async def resume(self, session: int) -> str:
        """Take up an interrupted session on its strap; the time between is a gap."""
        async with self._opening:
            cut = next((cut for cut in await self._storage.interrupted() if cut.session == session), None)
            if cut is None:
                raise RefusedError(f"Session {session} is not interrupted: there is nothing to take up.")
            address = cut.header.device.address
            if address is None:
                raise RefusedError(f"Session {session} has no strap to take it up on. End it instead; its summary is kept.")
            async with self._rooms.claimed(address):
                await self._storage.run(lambda db: require_for_session(db, session))
                await self._storage.resume(session)
                away_s = max((self._now_utc() - cut.last_utc).total_seconds(), 0.0) * (cut.speed or 1.0)
                clock = RunningClock(cut.speed or 1.0, start_s=cut.last_s + away_s)
                return await self._take_up(session, self._rooms.free_for(address, cut.room), address, clock, cut.header)

    async def _reopen(self, room: Room, action: int, by: str) -> None:
        await asyncio.gather(*(task for task in self._tasks if task.get_name() == _task_of(room.identifier)))
        async with self._opening, self._rooms.claimed(room.address):
            session = room.session.number
            await self._storage.run(lambda db: require_for_session(db, session))
            await self._storage.reopen(session)
            self.entries.of(room.identifier).undo(action, by)
            await self._take_up(session, room.identifier, room.address, room.session.clock, room.header)

    async def _take_up(self, session: int, identifier: str, address: str, clock: Clock, header: Header) -> str:
        """Go on with a session that is writable again; the time between is a gap."""
        _, events = await self._storage.events(session)
        plan = await self._storage.run(lambda db: plan_of(db, session))
        room = await self._run(session, identifier, address, self._source_of(address), clock, header, plan, events)
        self._rooms[room].session.take(ConnectionEvent(clock.now(), up=False))
        return room

    async def close(self, session: int) -> None:
        """End an interrupted session where it was cut off."""
        cut = next((cut for cut in await self._storage.interrupted() if cut.session == session), None)
        if cut is None:
            raise RefusedError(f"Session {session} is not interrupted: it cannot be ended from here.")
        await self._storage.end_session(session, cut.last_utc, cut.last_s)
        await self._storage.run(lambda db: flag_pain(db, session, self._now_utc()))

    def _heard(self, address: str) -> StrapSeen | None:
        return next((strap for strap in self._radio.straps() if canonical(strap.address) == canonical(address)), None)

    async def _run(
        self,
        number: int,
        identifier: str,
        address: str,
        source: Source,
        clock: Clock,
        header: Header,
        plan: Plan,
        before: Sequence[Event] = (),
    ) -> str:
        settings, wearer = await self._storage.run(lambda db: (read_settings(db), wearer_of(db, address)))
        live = LiveSession(header.arrival_speed)
        live.set_device(header.device)
        session = Session(number, source, clock, self._storage, live=live, device=header.device)
        session.restore(before)
        heard = self._heard(address)
        room = Room(
            identifier, self._rooms.name_of(identifier, heard.near if heard else None), address, header, session, self._hub
        )
        room.check = partial(self._worker.run, compare_engines)
        room.plan = plan.lasting(settings)
        room.wearer = wearer
        rest = header.kind == "rest"
        taken = await self._storage.run(lambda db: presses_of(db, number, rest=rest))
        room.journal = SessionEntries(session, self._storage, rest=rest, taken=taken)
        room.estimate = partial(self._worker.run, estimate_change, ())
        self._spawn(self._learn(room), f"past of {identifier}")
        session.describe = lambda device: self._spawn(self._storage.set_device(number, device), f"device of session {number}")
        self._rooms.add(room)
        self._hub.publish(room.state)
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
            self._rooms.let_go(room.address)
        session = room.session
        if session.live.phase is not Phase.ENDED:
            return
        now = self._now_utc()
        await self._storage.end_session(session.number, now, session.end_s)
        await self._storage.run(lambda db: flag_pain(db, session.number, now))
        await self._reports.make(session.number)

    async def _learn(self, room: Room) -> None:
        """Have the room's change so far estimated in the light of the client's earlier rests."""
        past = await self._storage.earlier_rests(room.session.number)
        room.estimate = partial(self._worker.run, estimate_change, past)


def _task_of(identifier: str) -> str:
    return f"room {identifier}"
