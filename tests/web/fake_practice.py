"""A made-up practice without straps: its beats are computed, and it records the calls that it gets."""

import asyncio
from math import sin

import msgspec

from restbeat.sensors.model import Phase
from restbeat.service.errors import (
    ConflictError,
    RefusedError,
    StrapTakenError,
    UnconfirmedError,
    UnknownRoomError,
    UnknownSessionError,
)
from restbeat.service.listing import Page
from restbeat.service.radio.radio import AdapterState, StrapSeen
from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.rooms.messages import EntryView, StoryMark
from restbeat.service.sessions.session_list import NEWEST
from restbeat.service.settings import Settings

from .made_up import LONG, a_story, beats, report, room_state, row


class FakePractice:
    """Stands in for rooms, settings and reports; `run` keeps its rooms beating."""

    def __init__(self, live_feed=None, states=()):
        self.live_feed = live_feed or LiveFeed()
        self.states = {state.room: state for state in states}
        self.ready = True
        self.trouble = None
        self.seen = [
            StrapSeen("A1:B2", "Polar H10 A1B2C3", -58, "room-1", "Green room", "Room 1"),
            StrapSeen("C3:D4", "Polar H10 C3D4E5", -71, None),
        ]
        self.rows = [row(9, "running", room="room-1"), row(8, "interrupted", client=None, source=LONG), row(7)]
        self.reports = {7: report(), 9: report(notes=0), 8: report(hrv=False)}
        self.calls = []
        self.numbers = 0
        self.marks = {}
        self.presses = []
        self.set = Settings()
        self.zone = None
        for state in states:
            rows = [] if state.signal == "hr-only" else beats(max(state.now_s - 120, 0), state.now_s)
            self.live_feed.publish(state, rows)
            self.live_feed.publish_story(a_story(state.room, state))

    @property
    def entries(self):
        return self

    def rooms(self):
        return list(self.states.values())

    def adapter(self):
        text = "Bluetooth ready" if self.ready else "No Bluetooth adapter. Plug one in; restbeat keeps looking."
        return AdapterState(ready=self.ready, text=text)

    def straps(self):
        return self.seen

    async def open_room(self, opening, *, by):
        self.calls.append(("open", opening, by))
        client, kind = opening.client, opening.kind
        if opening.address == "A1:B2":
            raise StrapTakenError("Room 1 holds this strap. End its session first, or choose another strap.", "room-1")
        self.change("room-2", room_state("room-2", client=client, kind=kind, phase="settle", phase_s=0.0, now_s=0.0, session=10))
        return "room-2"

    async def advance(self, room, leaving, *, ago_s=0.0, by="", request=None):
        self.calls.append(("advance", room, leaving))
        state = self.state(room)
        if state.phase != leaving:
            raise RefusedError(f"The phase {leaving} is over already: this is {state.phase}.")
        phase = Phase(leaving).following.value
        self.change(room, msgspec.structs.replace(state, phase=phase, phase_s=ago_s))
        return phase

    async def mark(self, room, note, *, ago_s=0.0, by="", request=None):
        text = note.technique or note.region or note.pressure or note.note
        at_s = self.state(room).now_s - ago_s
        self.marks[self.numbers + 1] = StoryMark(at_s, text, note.technique, note.region, note.pressure)
        return self.entered(room, "mark", text, ago_s, by, request)

    async def pain(self, room, score, *, ago_s=0.0, by="", request=None):
        return self.entered(room, "pain", f"Pain {score}", ago_s, by, request, pain=score)

    async def stop(self, room, *, ago_s=0.0, by="", request=None):
        return self.entered(room, "stop", "Pain increased – stopped", ago_s, by, request, phase="recovery", phase_s=ago_s)

    async def undo(self, room, action, *, by=""):
        self.changed(room, action, None)

    async def redate(self, room, action, *, ago_s, by=""):
        self.changed(room, action, ago_s)

    async def reassign(self, room, client, *, consent=False, elsewhere_confirmed=False, by=""):
        self.calls.append(("reassign", room, client, by))
        other = next((one for one in self.states.values() if one.client == client and one.room != room), None)
        if client is not None and other is not None and not elsewhere_confirmed:
            raise ConflictError(f"{client} has a session in {other.name} too.", other.room)
        self.change(room, msgspec.structs.replace(self.state(room), client=client))

    async def change_strap(self, room, address, *, session=None, strap_confirmed=False, by=""):
        self.calls.append(("strap", room, address, session, strap_confirmed))
        if address == "E5:F6" and not strap_confirmed:
            raise UnconfirmedError("M-015 wore this strap last. Look whose chest it is on, then confirm it, or choose another.")
        strap = next(one for one in self.seen if one.address == address)
        self.change(room, room_state(room, session=session, strap=strap.name))

    def show_client(self, room, view):
        self.change(room, msgspec.structs.replace(self.state(room), client_view=view))

    async def read(self):
        return self.set

    async def write(self, settings, *, by=""):
        self.set = settings

    def story(self, room):
        state = self.state(room)
        return a_story(room, state, self.marks.values())

    def entered(self, room, kind, text, ago_s, by, request, **changes):
        state = self.state(room)
        self.calls.append((kind, room, text, ago_s, by))
        self.presses.append(request)
        self.numbers += 1
        action = EntryView(self.numbers, kind, text, state.now_s - ago_s, by, 30.0)
        self.change(room, msgspec.structs.replace(state, actions=[action, *state.actions], **changes))
        self.live_feed.publish_story(self.story(room))
        return action

    def changed(self, room, number, ago_s):
        state = self.state(room)
        self.calls.append(("undo" if ago_s is None else "redate", room, number, ago_s))
        action = next((action for action in state.actions if action.number == number), None)
        if action is None:
            raise RefusedError("There is no such entry any more.")
        self.marks.pop(number, None)
        others = [other for other in state.actions if other.number != number]
        if ago_s is not None:
            others = [msgspec.structs.replace(action, at_s=state.now_s - ago_s), *others]
        self.change(room, msgspec.structs.replace(state, actions=others))
        self.live_feed.publish_story(self.story(room))

    def state(self, room):
        if room not in self.states:
            raise UnknownRoomError(f"There is no room {room}.")
        return self.states[room]

    async def sessions(self, wanted=NEWEST):
        return Page(self.rows)

    async def of(self, session):
        if session not in self.reports:
            raise UnknownSessionError(f"There is no session {session}.")
        return next(row for row in self.rows if row.session == session), self.reports[session]

    async def picture(self, session):
        from restbeat.service.rendering.session_plot import session_picture

        return session_picture((await self.of(session))[1])

    async def resume(self, session, *, confirmed=False):
        self.calls.append(("resume", session))
        if session != 8:
            raise RefusedError(f"Session {session} is not interrupted: there is nothing to take up.")
        return "room-1"

    async def close(self, session):
        self.calls.append(("close", session))

    def change(self, room, state, batch=()):
        self.states[room] = state
        self.live_feed.publish(state, batch)

    async def run(self, step_s=0.25):
        """Advance every room each `step_s` of real time, with beats and a slightly varying heart rate."""
        loop = asyncio.get_running_loop()
        last = loop.time()
        reached = {room: state.now_s for room, state in self.states.items()}
        while True:
            await asyncio.sleep(step_s)
            now, passed = loop.time(), loop.time() - last
            last = now
            for room, state in list(self.states.items()):
                if state.phase == "ended":
                    continue
                moved = passed * state.speed
                alive = state.signal in {"good", "poor", "hr-only"}
                now_s = state.now_s + moved
                fresh = beats(reached.get(room, state.now_s), now_s, faults=False) if alive and state.signal != "hr-only" else []
                if fresh:
                    reached[room] = fresh[-1].end_s
                changed = msgspec.structs.replace(
                    state,
                    now_s=now_s,
                    phase_s=state.phase_s + moved,
                    signal_s=state.signal_s + moved,
                    age_s=0.2 if alive else (state.age_s or 0) + moved,
                    hr_bpm=round(62 + 3 * sin(now_s)) if alive else None,
                )
                self.change(room, changed, fresh)
