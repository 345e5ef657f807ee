"""What the pages ask of the rest of restbeat; `service` answers."""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from ..analysis.figures import SessionReport
from ..service.courses.visit_schedule import CoursePlan
from ..service.rooms.messages import Action, ClientView, Story


class PortError(Exception):
    """A request that cannot be met; its text is a sentence for a person."""


class UnknownError(PortError):
    """What was asked for is not there."""


class UnknownRoomError(UnknownError):
    """There is no such room."""


class UnknownSessionError(UnknownError):
    """There is no such session."""


class UnknownClientError(UnknownError):
    """There is no such client."""


class RefusedError(PortError):
    """The request does not fit the state of things (phase already moved on, strap already taken)."""


class ConflictError(RefusedError):
    """A strap or a client was claimed a second time; `room` has it, None where another program does."""

    def __init__(self, text: str, room: str | None = None) -> None:
        super().__init__(text)
        self.room = room


class StrapTakenError(ConflictError):
    """A session holds the strap."""


class StrapSeen(msgspec.Struct, frozen=True):
    """A strap that was heard on the air."""

    address: str
    name: str | None
    rssi_dbm: int | None
    room: str | None
    """The room that holds it, if any."""
    near: str | None = None
    """Name of the room whose Bluetooth proxy hears it loudest."""
    room_name: str | None = None
    """What people call the room that holds it."""


class AdapterState(msgspec.Struct, frozen=True):
    """Whether there is a radio, and if not, what to do."""

    ready: bool
    text: str
    """"Bluetooth ready", or "No Bluetooth adapter. Plug one in or switch Bluetooth on; restbeat keeps looking."."""


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list of sessions."""

    session: int
    started_utc: str
    """ISO 8601, to the second."""
    client: str | None
    kind: str
    room: str | None
    source: str
    """strap name, or the recording's file name"""
    duration_s: float
    state: str
    """running, ended, or interrupted (cut off by a crash; can be resumed or ended)"""


class PhaseBand(msgspec.Struct, frozen=True):
    """A phase of a recording, in s of its clock."""

    phase: str
    start_s: float
    end_s: float


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """A bench room: what it plays, and where it is. Times in s of the recording's clock."""

    room: str
    name: str
    recording: str
    duration_s: float
    at_s: float
    paused: bool
    speed: float
    loop: bool
    rounds: int
    """How often it came to the end."""
    phases: list[PhaseBand]
    faults: list[str]
    """As they were asked for."""
    told: list[str]
    """What was done, in words."""
    ticks: list[float]
    """Where trouble was put in."""


class Bench(Protocol):
    """The test bench: recordings under transport control, each in a room of its own."""

    async def recordings(self) -> Sequence[str]:
        """Names of what can be played."""
        ...

    def rooms(self) -> Sequence[Played]:
        """Every bench room."""
        ...

    async def open(self, recording: str, *, faults: Sequence[str], seed: int, speed: float, loop: bool) -> Played:
        """Play a recording in a new room. Raises `RefusedError`."""
        ...

    def steer(self, room: str, *, paused: bool | None, speed: float | None, loop: bool | None, at_s: float | None) -> Played:
        """Change what is named. Raises `UnknownRoomError`."""
        ...

    async def close(self, room: str) -> None:
        """Close a bench room."""
        ...


class Screening(msgspec.Struct, frozen=True):
    """One question before a session, and its answer; a "yes" that was confirmed is recorded, never diagnosed."""

    question: str
    yes: bool


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What is settled before a session begins."""

    address: str
    """Of the strap."""
    client: str | None = None
    kind: str = "massage"
    posture: str | None = None
    technique: str | None = None
    pain_before: int | None = None
    screening: tuple[Screening, ...] = ()
    screening_confirmed: bool = False
    """The therapist has considered each yes and goes on."""
    strap_confirmed: bool = False
    """The therapist says that a strap known from another client is on this one."""
    consent: bool = False
    """The person on the table was asked just now, and agrees to be recorded."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a practice sets for itself."""

    techniques: tuple[str, ...] = (
        "Long strokes",
        "Kneading",
        "Friction",
        "Trigger point",
        "Myofascial release",
        "Stretching",
        "Holding",
        "Vibration",
        "Tapping",
    )
    """On the keys 1 to 9."""
    regions: tuple[str, ...] = ("Neck", "Shoulders", "Upper back", "Lower back", "Hips", "Legs", "Feet", "Arms", "Head", "Belly")
    pressures: tuple[str, ...] = ("Light", "Moderate", "Deep")
    next_keys: tuple[str, ...] = ("Space", "PageDown")
    """Keys, or a foot pedal's, that begin the next phase: `KeyboardEvent.code`."""
    settle_s: float = 180.0
    baseline_s: float = 300.0
    massage_s: float | None = None
    recovery_s: float = 300.0
    plan: CoursePlan = CoursePlan()
    """How often a client is meant to come, unless they have a plan of their own."""
    keep_months: int | None = None
    """Sessions that ended longer ago are deleted; None: they are kept until they are erased."""


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A mark as it is entered."""

    technique: str | None = None
    region: str | None = None
    pressure: str | None = None
    note: str | None = None


class Press(msgspec.Struct, frozen=True, kw_only=True):
    """One press of a button on a page: told twice it counts once, and it counts in its own session alone."""

    key: str
    """Made by the page."""
    session: int | None = None


class House(Protocol):
    """The rooms of this practice, the straps on the air, and the sessions on record.

    `by` names who acts; what is entered with a `press` is on the disk when it is answered.
    A change that does not fit the state of things raises `RefusedError`, an unknown room `UnknownRoomError`.
    """

    def adapter(self) -> AdapterState:
        """Whether there is a radio."""
        ...

    def straps(self) -> Sequence[StrapSeen]:
        """Straps heard lately, strongest first."""
        ...

    async def open_room(self, opening: Opening, *, by: str) -> str:
        """Start a session on a strap; gives the room. Raises `StrapTakenError` where it is claimed already."""
        ...

    async def advance(self, room: str, leaving: str, *, ago_s: float, by: str, press: Press | None = None) -> str:
        """End the phase `leaving` and begin the next, `ago_s` ago; gives the new phase. Refused if `leaving` is over already."""
        ...

    async def mark(self, room: str, note: Note, *, ago_s: float, by: str, press: Press | None = None) -> Action:
        """Note what is done."""
        ...

    async def pain(self, room: str, score: int, *, ago_s: float, by: str, press: Press | None = None) -> Action:
        """Note a pain score."""
        ...

    async def stop(self, room: str, *, ago_s: float, by: str, press: Press | None = None) -> Action:
        """Pain increased: end what is done, `ago_s` ago; keep all, flag the next visit."""
        ...

    async def undo(self, room: str, action: int, *, by: str) -> None:
        """Take an entry back."""
        ...

    async def redate(self, room: str, action: int, *, ago_s: float, by: str) -> None:
        """Let an entry count from `ago_s` ago."""
        ...

    async def reassign(self, room: str, client: str | None, *, consent: bool, elsewhere_confirmed: bool, by: str) -> None:
        """Put the running session of a room under another client, who agrees to be recorded; the audit log tells.

        Raises `ConflictError` where that client has another running session, unless that is confirmed.
        """
        ...

    def show_client(self, room: str, view: ClientView) -> None:
        """Let the client's own screen of a room show this."""
        ...

    async def settings(self) -> Settings:
        """What the practice has set."""
        ...

    async def set_settings(self, settings: Settings, *, by: str) -> None:
        """Set it anew."""
        ...

    def story(self, room: str) -> Story:
        """The session of a room from its beginning."""
        ...

    async def sessions(self) -> Sequence[SessionRow]:
        """Every session, newest first."""
        ...

    async def report(self, session: int) -> tuple[SessionRow, SessionReport]:
        """The summary of one session, as far as it has come."""
        ...

    async def picture(self, session: int) -> str:
        """The summary picture as SVG text."""
        ...

    async def resume(self, session: int) -> str:
        """Take up an interrupted session on its strap; gives the room."""
        ...

    async def close(self, session: int) -> None:
        """End an interrupted session where it was cut off."""
        ...
