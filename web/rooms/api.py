"""The API of the rooms: straps, sessions under way, and what is entered into them."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from ...sensors.recordings.recording import Mark
from ...service.errors import RefusedError, UnknownRoomError
from ...service.rooms.live_feed import LiveFeed
from ...service.rooms.messages import ClientView, EntryView, RoomState, Story
from ...service.rooms.radio import AdapterState, StrapSeen
from ...service.rooms.rooms import Rooms
from ...service.rooms.session_entries import RequestKey
from ...service.rooms.session_start import Opening
from ...service.sessions.screening import Screening
from ..http.endpoint import Call, Endpoint

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$")]
"""Of one line, and not of spaces alone."""
Score = Annotated[int, msgspec.Meta(ge=0, le=10)]
Ago = Annotated[float, msgspec.Meta(ge=0, le=7200)]
"""Seconds ago, on the session's clock."""
Key = Annotated[str, msgspec.Meta(min_length=8, max_length=64)]
Number = Annotated[int, msgspec.Meta(ge=1, le=10**15)]
_MOST_QUESTIONS = 30


class Straps(msgspec.Struct, frozen=True):
    """What is on the air."""

    adapter: AdapterState
    straps: Sequence[StrapSeen]


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A screening question and its answer."""

    question: Text
    yes: bool


class OpenRoom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Start a session on a strap."""

    address: Text
    client: Annotated[Text | None, msgspec.Meta(description="Pseudonym.")] = None
    kind: Literal["massage", "rest"] = "massage"
    posture: Text | None = None
    technique: Annotated[Text | None, msgspec.Meta(description="Planned.")] = None
    pain_before: Score | None = None
    screening: Annotated[list[Question], msgspec.Meta(max_length=_MOST_QUESTIONS)] = []
    screening_confirmed: Annotated[
        bool, msgspec.Meta(description="Each yes among them was considered; it is recorded, and the session begins.")
    ] = False
    strap_confirmed: Annotated[bool, msgspec.Meta(description="A strap last worn by another client is on this one.")] = False
    consent: Annotated[
        bool,
        msgspec.Meta(
            description="The person on the table was asked just now and agrees to be recorded (see `GET /consent-texts`)."
        ),
    ] = False


class Opened(msgspec.Struct, frozen=True):
    """The room that was opened."""

    room: str


class Pressed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all entries share. One that is sent again with the same `key` counts once; it is on the disk when it is answered."""

    ago_s: Ago = 0.0
    key: Annotated[Key | None, msgspec.Meta(description="Made by whoever sends it, another for each entry.")] = None
    session: Annotated[
        Number | None,
        msgspec.Meta(description="With a key: the session that it is meant for; refused where the room holds another."),
    ] = None

    @property
    def request(self) -> RequestKey | None:
        """The same, as the house takes it."""
        return RequestKey(key=self.key, session=self.session) if self.key else None


class Advance(Pressed, frozen=True, forbid_unknown_fields=True):
    """End a phase; naming the one that is left makes a second press harmless."""

    leaving: Literal["settle", "baseline", "massage", "recovery"]


class PhaseNow(msgspec.Struct, frozen=True):
    """The phase that the room is in now."""

    phase: str


class EnterMark(Pressed, frozen=True, forbid_unknown_fields=True):
    """Note what is done; at least one field."""

    technique: Text | None = None
    region: Text | None = None
    pressure: Text | None = None
    note: Annotated[str, msgspec.Meta(min_length=1, max_length=500)] | None = None


class EnterPain(Pressed, frozen=True, forbid_unknown_fields=True):
    """Note a pain score."""

    score: Score


class EnterStop(Pressed, frozen=True, forbid_unknown_fields=True):
    """Pain increased."""


class Redate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Let an entry count from so long ago."""

    ago_s: Ago


class Reassign(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose session this is."""

    client: Annotated[Text | None, msgspec.Meta(description="Pseudonym; null: nobody's.")]
    elsewhere_confirmed: Annotated[
        bool, msgspec.Meta(description="This client has another session running, and that is meant.")
    ] = False
    consent: Annotated[bool, msgspec.Meta(description="They were asked just now and agree to be recorded.")] = False


class RoomsApi:
    """Handlers of the rooms."""

    def __init__(self, rooms: Rooms, live_feed: LiveFeed) -> None:
        self._rooms = rooms
        self._live_feed = live_feed

    def endpoints(self) -> list[Endpoint]:
        """The addresses."""
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
                summary="Let an entry of the last 30 s count from an earlier time.",
                body=Redate,
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
        """Give the straps heard lately and the adapter's state."""
        return Straps(self._rooms.adapter(), list(self._rooms.straps()))

    async def rooms(self, _: Call) -> list[RoomState]:
        """Give every room."""
        return self._live_feed.rooms()

    async def room(self, call: Call) -> RoomState:
        """Give one room."""
        return self._state(call.text("room"))

    async def story(self, call: Call) -> Story:
        """Give a room's session from its beginning."""
        return self._rooms.story(call.text("room"))

    async def open_room(self, call: Call) -> Opened:
        """Start a session on a strap; gives the room."""
        fields = msgspec.structs.asdict(call.body)
        screening = tuple(Screening(asked.question, asked.yes) for asked in fields.pop("screening"))
        return Opened(await self._rooms.open_room(Opening(**fields, screening=screening), by=call.person.name))

    async def advance(self, call: Call) -> PhaseNow:
        """End the phase that the page saw; gives the new one."""
        body, room, by = call.body, call.text("room"), call.person.name
        return PhaseNow(await self._rooms.entries.advance(room, body.leaving, ago_s=body.ago_s, by=by, request=body.request))

    async def mark(self, call: Call) -> EntryView:
        """Note what is done."""
        body, room, by = call.body, call.text("room"), call.person.name
        mark = Mark(0.0, technique=body.technique, region=body.region, pressure=body.pressure, note=body.note)
        if mark == Mark(0.0):
            raise RefusedError("The mark says nothing: give a technique, a region, a pressure or a note.")
        return await self._rooms.entries.mark(room, mark, ago_s=body.ago_s, by=by, request=body.request)

    async def pain(self, call: Call) -> EntryView:
        """Note a pain score."""
        body, room, by = call.body, call.text("room"), call.person.name
        return await self._rooms.entries.pain(room, body.score, ago_s=body.ago_s, by=by, request=body.request)

    async def stop(self, call: Call) -> EntryView:
        """End what is done because of pain."""
        body, room, by = call.body, call.text("room"), call.person.name
        return await self._rooms.entries.stop(room, ago_s=body.ago_s, by=by, request=body.request)

    async def undo(self, call: Call) -> RoomState:
        """Take an entry back; gives the room."""
        room = call.text("room")
        await self._rooms.undo(room, call.number("action"), by=call.person.name)
        return self._state(room)

    async def redate(self, call: Call) -> RoomState:
        """Give an entry an earlier time; gives the room."""
        room = call.text("room")
        await self._rooms.entries.redate(room, call.number("action"), ago_s=call.body.ago_s, by=call.person.name)
        return self._state(room)

    async def reassign(self, call: Call) -> RoomState:
        """Put the session under another client; gives the room."""
        room = call.text("room")
        body, person = call.body, call.person
        await self._rooms.reassign(
            room, body.client, consent=body.consent, elsewhere_confirmed=body.elsewhere_confirmed, by=person.name
        )
        return self._state(room)

    async def show_client(self, call: Call) -> RoomState:
        """Switch what the client's own screen shows; gives the room."""
        room = call.text("room")
        self._rooms.show_client(room, call.body)
        return self._state(room)

    def _state(self, room: str) -> RoomState:
        for state in self._live_feed.rooms():
            if state.room == room:
                return state
        raise UnknownRoomError("This room is not open. Start a session on a strap, or look among the sessions.")
