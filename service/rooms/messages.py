"""What travels on the live socket. Text frames of JSON; beats as rows to stay small."""

from typing import Annotated, Literal

import msgspec

from ...analysis.beats.stream_integrity import StreamIntegrity
from ...analysis.hrv.engine_parity import Parity

Signal = Literal["good", "poor", "connecting", "silent", "lost", "hr-only", "no-strap", "ended"]


class BeatRow(msgspec.Struct, frozen=True, array_like=True):
    """One judged beat: [end_s, rr_ms, accepted, gap_before]."""

    end_s: float
    rr_ms: float
    accepted: bool
    gap_before: bool


class EntryView(msgspec.Struct, frozen=True):
    """Something that was entered and can still be taken back or dated back."""

    number: int
    kind: Literal["phase", "mark", "pain", "stop"]
    text: str
    """Such as "Massage began", "Long strokes, lower back", "Pain 6"."""
    at_s: float
    """From when it counts, on the session's clock."""
    by: str
    left_s: float
    """For how long it can still be changed, in s of wall time."""


class ClientView(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the therapist lets the client's own screen show; all of it is off at first."""

    field: bool = False
    """A slow field of colour that follows the response."""
    tone: bool = False
    """A soft tone that follows it."""
    pacer: bool = False
    """Paces the breathing, in recovery alone."""
    pacer_sound: bool = False
    pace_per_min: Annotated[float, msgspec.Meta(ge=4, le=7)] = 6.0
    """Breaths a minute."""


class ReadyCheck(msgspec.Struct, frozen=True):
    """One check of the readiness, while a session settles."""

    name: Literal["packets", "rr", "beats", "battery", "strap"]
    text: str
    ok: bool
    hint: str | None = None
    """What to do where it is not so."""


class RoomState(msgspec.Struct, frozen=True, kw_only=True):
    """A room at one moment; times in s of the session's clock."""

    room: str
    """Identifier, usable in an address: "room-1"."""
    name: str
    """For people: "Room 1"."""
    session: int | None
    client: str | None
    kind: str
    """massage or rest"""
    strap: str | None
    phase: str
    phase_s: float
    """Time in this phase."""
    now_s: float
    """Time since the session began."""
    hr_bpm: int | None
    """None where the last packet is too old or the strap is off: never a stale number."""
    rmssd_ms: float | None
    """Over the last 60 s, provisional; None with a reason in `rmssd_why`."""
    rmssd_why: str | None
    baseline_rmssd_ms: float | None
    change_pct: float | None
    """RMSSD of the last 60 s against the baseline of this session."""
    accepted_pct: float | None
    """Share of accepted beats in the last 60 s."""
    resp_per_min: float | None = None
    """Breathing rate read from RR over the last 5 min, every 5 s; None where no clear peak stands out."""
    signal: Signal
    signal_text: str
    """In words: "Signal good", "Strap silent"."""
    signal_s: float
    """For how long the signal has been so."""
    age_s: float | None
    """Age of the last packet; None before the first."""
    hint: str | None
    """What to do about the signal."""
    battery_pct: int | None
    speed: float
    """How fast the session's clock runs; 1 but in demos and replays."""
    bench: bool = False
    """A tester plays a recording in this room; nothing is stored."""
    paused: bool = False
    """The session's clock stands, as only a tester can make it."""
    change_so_far_pct: float | None = None
    """RMSSD of this phase so far against the baseline, every 5 s; `change_pct` is that of the last 60 s."""
    change_low_pct: float | None = None
    """95 % interval of `change_so_far_pct`, wide enough for today's drift and the wander of quiet phases."""
    change_high_pct: float | None = None
    change_why: str | None = None
    """Why there is no interval; None where there is one."""
    stream: StreamIntegrity = StreamIntegrity()
    checked: Parity | None = None
    """How the figures of a last 60 s compared with NeuroKit2's; None before the first time."""
    checked_s: float = 0.0
    """How long ago that was."""
    actions: list[EntryView] = []
    """What can still be taken back, newest first."""
    pain_before: int | None = None
    pain: int | None = None
    """The newest score of this session, else `pain_before`."""
    notice: str | None = None
    """What pain asks for: it outranks everything else on the screen."""
    target_s: float | None = None
    """How long this phase is meant to last; None where nothing is planned."""
    posture: str | None = None
    technique: str | None = None
    """Planned."""
    therapist: str | None = None
    client_view: ClientView = ClientView()
    ready: list[ReadyCheck] = []
    """Whether the strap is ready to measure; empty but while the session settles."""


class StoryMark(msgspec.Struct, frozen=True):
    """A mark on the picture of a session."""

    at_s: float
    text: str
    technique: str | None = None
    region: str | None = None
    pressure: str | None = None


class StorySegment(msgspec.Struct, frozen=True, array_like=True):
    """Ten seconds of a session; None where beats are missing."""

    mid_s: float
    rmssd_ms: float | None
    level_ms: float | None = None
    """RMSSD of the minute around it."""
    low_ms: float | None = None
    """95 % interval of that level: within it, quiet drift alone explains a difference."""
    high_ms: float | None = None
    resp_per_min: float | None = None


class StoryPhase(msgspec.Struct, frozen=True):
    """A phase as a band; the last one has no end yet."""

    phase: str
    start_s: float
    end_s: float | None


class Story(msgspec.Struct, frozen=True, kw_only=True, tag="story", tag_field="type"):
    """A session from its beginning, for the picture of the whole; sent when it has changed."""

    room: str
    session: int | None
    phases: list[StoryPhase]
    marks: list[StoryMark]
    pain: list[tuple[float, int]]
    segments: list[StorySegment]


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot", tag_field="type"):
    """Sent on connect and on request: the whole truth about one room."""

    session: int | None
    seq: int
    """Number of the last beat batch contained."""
    state: RoomState
    beats: list[BeatRow]
    """The last 120 s."""


class Update(msgspec.Struct, frozen=True, tag="update", tag_field="type"):
    """The newest state; with it the beat batches since the last update, numbered without a hole."""

    session: int | None
    first_seq: int
    """Number of the first batch in `batches`; `seq` + 1 where there is none."""
    seq: int
    state: RoomState
    batches: list[list[BeatRow]]


class RoomList(msgspec.Struct, frozen=True, tag="rooms", tag_field="type"):
    """Which rooms there are, after one was opened or closed; snapshots follow."""

    rooms: list[str]


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat", tag_field="type"):
    """Nothing new, but the server lives."""

    adapter: str | None
    """None where all is well, else a sentence: "No Bluetooth adapter ..."."""


class Ask(msgspec.Struct, frozen=True, tag="ask", tag_field="type"):
    """From the browser: send me the snapshot of this room again."""

    room: str


class ClientFrame(msgspec.Struct, frozen=True, tag="client-view", tag_field="type"):
    """All that the client's own screen is told: nobody's name, and no figure."""

    field: bool
    tone: bool
    level: float | None
    """Where the response stands, from -1 over 0 (as in the baseline) to 1; None where nothing is to be shown."""
    pace_per_min: float | None
    """None where the breathing is not paced."""
    pacer_sound: bool


ServerMessage = Snapshot | Update | Story | RoomList | Heartbeat | ClientFrame
