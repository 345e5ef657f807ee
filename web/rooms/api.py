"""The API of the rooms: straps, running sessions, and the entries made in them."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from ...sensors.recordings.recording import Mark
from ...service.errors import RefusedError, UnknownRoomError
from ...service.radio.radio import AdapterState, StrapSeen
from ...service.rooms.live_feed import LiveFeed
from ...service.rooms.messages import ClientView, EntryView, RoomState, Story
from ...service.rooms.rooms import Rooms
from ...service.rooms.session_entries import RequestKey
from ...service.rooms.session_start import Opening
from ...service.sessions.screening import Screening
from ..http.endpoint import Call, Endpoint

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$")]
"""A single line with at least one character that is no space."""
Score = Annotated[int, msgspec.Meta(ge=0, le=10)]
Ago = Annotated[float, msgspec.Meta(ge=0, le=7200)]
"""Time before now, s of the session's clock."""
Key = Annotated[str, msgspec.Meta(min_length=8, max_length=64)]
Number = Annotated[int, msgspec.Meta(ge=1, le=10**15)]
_MAX_QUESTIONS = 30


class Straps(msgspec.Struct, frozen=True):
    """The Bluetooth adapter's state, and the straps heard lately."""

    adapter: AdapterState
    straps: Sequence[StrapSeen]
    others: Annotated[
        Sequence[StrapSeen],
        msgspec.Meta(description="The nearest devices that do not say that they measure heart rate: a strap may be among them."),
    ] = ()


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A screening question and its answer."""

    question: Text
    yes: bool


class OpenRoom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A session to start on a strap."""

    address: Text
    client: Annotated[Text | None, msgspec.Meta(description="Pseudonym.")] = None
    kind: Literal["massage", "rest"] = "massage"
    posture: Text | None = None
    technique: Annotated[Text | None, msgspec.Meta(description="Planned technique; null: none.")] = None
    pain_before: Score | None = None
    screening: Annotated[
        list[Question], msgspec.Meta(description="Empty: the questions were not asked.", max_length=_MAX_QUESTIONS)
    ] = []
    screening_confirmed: Annotated[
        bool,
        msgspec.Meta(
            description="Whether it was pressed that none applies, or that each question answered with yes was considered. "
            "Without it, a no is recorded as not confirmed, and a yes is refused."
        ),
    ] = False
    strap_confirmed: Annotated[
        bool, msgspec.Meta(description="Whether this client is known to wear the strap, though another one wore it last.")
    ] = False
    consent: Annotated[
        bool,
        msgspec.Meta(
            description="Whether the person on the table was asked just now and agrees to be recorded (see `GET /consent-texts`)."
        ),
    ] = False


class Opened(msgspec.Struct, frozen=True):
    """The room that was opened."""

    room: str


class Pressed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The fields that all entries share.

    An entry sent again with the same `key` counts once. When it is answered, it is on the disk.
    """

    ago_s: Ago = 0.0
    key: Annotated[Key | None, msgspec.Meta(description="Chosen by the sender, a new one for each entry.")] = None
    session: Annotated[
        Number | None,
        msgspec.Meta(description="With a key: the session that the entry is meant for; refused where the room has another."),
    ] = None

    @property
    def request(self) -> RequestKey | None:
        """The key that makes a repeated request count once; None where the sender gave none."""
        return RequestKey(key=self.key, session=self.session) if self.key else None


class Advance(Pressed, frozen=True, forbid_unknown_fields=True):
    """The end of a phase; naming the phase makes a second press harmless."""

    leaving: Literal["settle", "baseline", "massage", "recovery"]


class PhaseNow(msgspec.Struct, frozen=True):
    """The phase that the room is in now."""

    phase: str


class EnterMark(Pressed, frozen=True, forbid_unknown_fields=True):
    """A mark: technique, region, pressure or note; at least one of them."""

    technique: Text | None = None
    region: Text | None = None
    pressure: Text | None = None
    note: Annotated[str, msgspec.Meta(min_length=1, max_length=500)] | None = None


class EnterPain(Pressed, frozen=True, forbid_unknown_fields=True):
    """A pain score."""

    score: Score


class EnterStop(Pressed, frozen=True, forbid_unknown_fields=True):
    """A stop because pain increased."""


class Redate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another time for an entry, earlier or later."""

    ago_s: Ago


class AnswerSleep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The answer to whether a session goes on after the computer slept."""

    go_on: Annotated[bool, msgspec.Meta(description="False: the session ends where the sleep began.")]


class ChangeStrap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another strap for a running session."""

    address: Text
    session: Annotated[
        Number | None, msgspec.Meta(description="The session that is meant; refused where the room has another.")
    ] = None
    strap_confirmed: Annotated[
        bool, msgspec.Meta(description="Whether this client is known to wear the strap, though another one wore it last.")
    ] = False


class Reassign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The client to put a running session under."""

    client: Annotated[Text | None, msgspec.Meta(description="Pseudonym; null: no client.")]
    elsewhere_confirmed: Annotated[
        bool, msgspec.Meta(description="Whether it is intended that this client has another session running.")
    ] = False
    consent: Annotated[bool, msgspec.Meta(description="Whether the client was asked just now and agrees to be recorded.")] = False


class RoomsApi:
    """Endpoints of the rooms.

    Each that names a room raises `UnknownRoomError` where it is not open. Each that stores an entry raises `RequestError` where
    it could not be written.
    """

    def __init__(self, rooms: Rooms, live_feed: LiveFeed) -> None:
        self._rooms = rooms
        self._live_feed = live_feed

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        room = "/rooms/{room}"
        return [
            Endpoint(method="GET", path="/straps", handler=self.straps, summary="Straps heard lately.", answer=Straps),
            Endpoint(
                method="GET", path="/rooms", handler=self.rooms, summary="Every room, as it is now.", answer=list[RoomState]
            ),
            Endpoint(
                method="POST",
                path="/rooms",
                handler=self.open_room,
                summary="Start a session on a strap.",
                body=OpenRoom,
                answer=Opened,
                status=201,
                refusals=(404, 409),
            ),
            Endpoint(method="GET", path=room, handler=self.room, summary="One room, as it is now.", answer=RoomState),
            Endpoint(
                method="GET",
                path=f"{room}/story",
                handler=self.story,
                summary="The room's session from its beginning: phases, marks, pain, RMSSD of each 10 s.",
                answer=Story,
            ),
            Endpoint(
                method="POST",
                path=f"{room}/advance",
                handler=self.advance,
                summary="End the phase that the page saw, and begin the next.",
                body=Advance,
                answer=PhaseNow,
                refusals=(409,),
            ),
            Endpoint(
                method="POST",
                path=f"{room}/marks",
                handler=self.mark,
                summary="Note technique, region, pressure or a word.",
                body=EnterMark,
                answer=EntryView,
                status=201,
                refusals=(409,),
            ),
            Endpoint(
                method="POST",
                path=f"{room}/pain",
                handler=self.pain,
                summary="Note a pain score.",
                body=EnterPain,
                answer=EntryView,
                status=201,
                refusals=(409,),
            ),
            Endpoint(
                method="POST",
                path=f"{room}/stop",
                handler=self.stop,
                summary="Pain increased: end what is done, keep all, flag the next visit.",
                body=EnterStop,
                answer=EntryView,
                status=201,
                refusals=(409,),
            ),
            Endpoint(
                method="POST",
                path=f"{room}/actions/{{action}}/undo",
                handler=self.undo,
                summary="Take an entry of the last 30 s back.",
                answer=RoomState,
                refusals=(409,),
            ),
            Endpoint(
                method="POST",
                path=f"{room}/actions/{{action}}/redate",
                handler=self.redate,
                summary="Let an entry of the last 30 s, or a massage's beginning of the last 10 min, count from another time.",
                body=Redate,
                answer=RoomState,
                refusals=(409,),
            ),
            Endpoint(
                method="POST",
                path=f"{room}/after-sleep",
                handler=self.answer_sleep,
                summary="Go on after a long sleep of the computer, or end the session where it fell asleep.",
                body=AnswerSleep,
                answer=RoomState,
                refusals=(409,),
            ),
            Endpoint(
                method="POST",
                path=f"{room}/strap",
                handler=self.change_strap,
                summary="Go on with another strap; the time until it sends is a gap, and a mark tells of the change.",
                body=ChangeStrap,
                answer=RoomState,
                refusals=(409,),
            ),
            Endpoint(
                method="PUT",
                path=f"{room}/client",
                handler=self.reassign,
                summary="Put the session under another client; the audit log tells.",
                body=Reassign,
                answer=RoomState,
                refusals=(409,),
            ),
            Endpoint(
                method="PUT",
                path=f"{room}/client-view",
                handler=self.show_client,
                summary="Switch what the client's own screen shows: colour field, tone, breathing pacer.",
                body=ClientView,
                answer=RoomState,
            ),
        ]

    async def straps(self, _: Call) -> Straps:
        """Return the straps heard lately and the adapter's state."""
        heard = self._rooms.straps()
        return Straps(self._rooms.adapter(), [one for one in heard if one.strap], [one for one in heard if not one.strap])

    async def rooms(self, _: Call) -> list[RoomState]:
        """Return the state of every room."""
        return self._live_feed.rooms()

    async def room(self, call: Call) -> RoomState:
        """Return the state of a room. Raises `UnknownRoomError`."""
        return self._state(call.text("room"))

    async def story(self, call: Call) -> Story:
        """Return a room's session from its beginning. Raises `UnknownRoomError`."""
        return self._rooms.story(call.text("room"))

    async def open_room(self, call: Call) -> Opened:
        """Start a session on a strap, and return its room.

        Raises `StrapTakenError` where another session or program holds the strap, and `RefusedError` where consent or a
        confirmation is missing.
        """
        fields = msgspec.structs.asdict(call.body)
        screening = tuple(Screening(answer.question, answer.yes) for answer in fields.pop("screening"))
        return Opened(await self._rooms.open_room(Opening(**fields, screening=screening), by=call.person.name))

    async def advance(self, call: Call) -> PhaseNow:
        """End the phase that the page showed, and return the new one.

        Raises `UnknownRoomError`, and `RefusedError` where that phase is already over or the time is not within it.
        """
        body, room, by = call.body, call.text("room"), call.person.name
        return PhaseNow(await self._rooms.entries.advance(room, body.leaving, ago_s=body.ago_s, by=by, request=body.request))

    async def mark(self, call: Call) -> EntryView:
        """Store a mark. Raises `UnknownRoomError`, and `RefusedError` where it is empty or does not fit the session."""
        body, room, by = call.body, call.text("room"), call.person.name
        mark = Mark(0.0, technique=body.technique, region=body.region, pressure=body.pressure, note=body.note)
        if mark == Mark(0.0):
            raise RefusedError("The mark says nothing: give a technique, a region, a pressure or a note.")
        return await self._rooms.entries.mark(room, mark, ago_s=body.ago_s, by=by, request=body.request)

    async def pain(self, call: Call) -> EntryView:
        """Store a pain score. Raises `UnknownRoomError`, and `RefusedError` where it does not fit the session."""
        body, room, by = call.body, call.text("room"), call.person.name
        return await self._rooms.entries.pain(room, body.score, ago_s=body.ago_s, by=by, request=body.request)

    async def stop(self, call: Call) -> EntryView:
        """Stop the massage because pain increased. Raises `UnknownRoomError`, and `RefusedError` where the session has ended."""
        body, room, by = call.body, call.text("room"), call.person.name
        return await self._rooms.entries.stop(room, ago_s=body.ago_s, by=by, request=body.request)

    async def undo(self, call: Call) -> RoomState:
        """Undo an entry, and return the room.

        Raises `UnknownRoomError`, and `RefusedError` where it is too late or a later phase has begun.
        """
        room = call.text("room")
        await self._rooms.undo(room, call.number("action"), by=call.person.name)
        return self._state(room)

    async def redate(self, call: Call) -> RoomState:
        """Give an entry another time, and return the room.

        Raises `UnknownRoomError`, and `RefusedError` where it is too late or the time does not fit the phases.
        """
        room = call.text("room")
        await self._rooms.entries.redate(room, call.number("action"), ago_s=call.body.ago_s, by=call.person.name)
        return self._state(room)

    async def answer_sleep(self, call: Call) -> RoomState:
        """Go on after a long sleep of the computer or end the session where it began, and return the room.

        Raises `UnknownRoomError`, and `RefusedError` where nothing is asked.
        """
        room = call.text("room")
        await self._rooms.answer_sleep(room, go_on=call.body.go_on, by=call.person.name)
        return self._state(room)

    async def change_strap(self, call: Call) -> RoomState:
        """Let the session go on with another strap, and return the room. Asked again for the same strap, it changes nothing.

        Raises `UnknownRoomError`, `StrapTakenError` where another session or program holds the strap, `UnconfirmedError` where
        another client wore it last, and `RefusedError` where the session is over.
        """
        room, body = call.text("room"), call.body
        await self._rooms.change_strap(
            room, body.address, session=body.session, strap_confirmed=body.strap_confirmed, by=call.person.name
        )
        return self._state(room)

    async def reassign(self, call: Call) -> RoomState:
        """Put the session under another client, and return the room.

        Raises `UnknownRoomError`, `ConflictError` where that client has another session running, and `RefusedError` where they
        have not consented.
        """
        room = call.text("room")
        body, person = call.body, call.person
        await self._rooms.reassign(
            room, body.client, consent=body.consent, elsewhere_confirmed=body.elsewhere_confirmed, by=person.name
        )
        return self._state(room)

    async def show_client(self, call: Call) -> RoomState:
        """Set what the client's own screen shows, and return the room. Raises `UnknownRoomError`."""
        room = call.text("room")
        self._rooms.show_client(room, call.body)
        return self._state(room)

    def _state(self, room: str) -> RoomState:
        for state in self._live_feed.rooms():
            if state.room == room:
                return state
        raise UnknownRoomError("This room is not open. Start a session on a strap, or look among the sessions.")
