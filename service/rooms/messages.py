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
    text: Annotated[str, msgspec.Meta(description='Such as "Massage began", "Long strokes, lower back", "Pain 6".')]
    at_s: Annotated[float, msgspec.Meta(description="From when it counts, on the session's clock.")]
    by: str
    left_s: Annotated[float, msgspec.Meta(description="For how long it can still be changed, in s of wall time.")]


class ClientView(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the therapist lets the client's own screen show; all of it is off at first."""

    field: Annotated[bool, msgspec.Meta(description="A slow field of colour that follows the response.")] = False
    tone: Annotated[bool, msgspec.Meta(description="A soft tone that follows it.")] = False
    pacer: Annotated[bool, msgspec.Meta(description="Paces the breathing, in recovery alone.")] = False
    pacer_sound: bool = False
    pace_per_min: Annotated[float, msgspec.Meta(description="Breaths a minute.", ge=4, le=7)] = 6.0


class ReadyCheck(msgspec.Struct, frozen=True):
    """One check of the readiness, while a session settles."""

    name: Literal["packets", "rr", "beats", "battery", "strap"]
    text: str
    ok: bool
    hint: Annotated[str | None, msgspec.Meta(description="What to do where it is not so.")] = None


class RoomState(msgspec.Struct, frozen=True, kw_only=True):
    """A room at one moment; times in s of the session's clock."""

    room: Annotated[str, msgspec.Meta(description='Identifier, usable in an address: "room-1".')]
    name: Annotated[str, msgspec.Meta(description='For people: "Room 1".')]
    session: int | None
    client: str | None
    kind: Annotated[str, msgspec.Meta(description="massage or rest")]
    strap: str | None
    phase: str
    phase_s: Annotated[float, msgspec.Meta(description="Time in this phase.")]
    now_s: Annotated[float, msgspec.Meta(description="Time since the session began.")]
    hr_bpm: Annotated[
        int | None, msgspec.Meta(description="None where the last packet is too old or the strap is off: never a stale number.")
    ]
    rmssd_ms: Annotated[
        float | None, msgspec.Meta(description="Over the last 60 s, provisional; None with a reason in `rmssd_why`.")
    ]
    rmssd_why: str | None
    baseline_rmssd_ms: float | None
    change_pct: Annotated[float | None, msgspec.Meta(description="RMSSD of the last 60 s against the baseline of this session.")]
    accepted_pct: Annotated[float | None, msgspec.Meta(description="Share of accepted beats in the last 60 s.")]
    resp_per_min: Annotated[
        float | None,
        msgspec.Meta(
            description="Breathing rate read from RR over the last 5 min, every 5 s; None where no clear peak stands out."
        ),
    ] = None
    signal: Signal
    signal_text: Annotated[str, msgspec.Meta(description='In words: "Signal good", "Strap silent".')]
    signal_s: Annotated[float, msgspec.Meta(description="For how long the signal has been so.")]
    age_s: Annotated[float | None, msgspec.Meta(description="Age of the last packet; None before the first.")]
    hint: Annotated[str | None, msgspec.Meta(description="What to do about the signal.")]
    battery_pct: int | None
    speed: Annotated[float, msgspec.Meta(description="How fast the session's clock runs; 1 but in demos and replays.")]
    bench: Annotated[bool, msgspec.Meta(description="A tester plays a recording in this room; nothing is stored.")] = False
    paused: Annotated[bool, msgspec.Meta(description="The session's clock stands, as only a tester can make it.")] = False
    change_so_far_pct: Annotated[
        float | None,
        msgspec.Meta(
            description="RMSSD of this phase so far against the baseline, every 5 s; `change_pct` is that of the last 60 s."
        ),
    ] = None
    change_low_pct: Annotated[
        float | None,
        msgspec.Meta(
            description="95 % interval of `change_so_far_pct`, wide enough for today's drift and the wander of quiet phases."
        ),
    ] = None
    change_high_pct: float | None = None
    change_why: Annotated[str | None, msgspec.Meta(description="Why there is no interval; None where there is one.")] = None
    stream: StreamIntegrity = StreamIntegrity()
    checked: Annotated[
        Parity | None,
        msgspec.Meta(description="How the figures of a last 60 s compared with NeuroKit2's; None before the first time."),
    ] = None
    checked_s: Annotated[float, msgspec.Meta(description="How long ago that was.")] = 0.0
    actions: Annotated[list[EntryView], msgspec.Meta(description="What can still be taken back, newest first.")] = []
    pain_before: int | None = None
    pain: Annotated[int | None, msgspec.Meta(description="The newest score of this session, else `pain_before`.")] = None
    notice: Annotated[str | None, msgspec.Meta(description="What pain asks for: it outranks everything else on the screen.")] = (
        None
    )
    target_s: Annotated[
        float | None, msgspec.Meta(description="How long this phase is meant to last; None where nothing is planned.")
    ] = None
    posture: str | None = None
    technique: Annotated[str | None, msgspec.Meta(description="Planned.")] = None
    therapist: str | None = None
    client_view: ClientView = ClientView()
    ready: Annotated[
        list[ReadyCheck], msgspec.Meta(description="Whether the strap is ready to measure; empty but while the session settles.")
    ] = []


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
    level_ms: Annotated[float | None, msgspec.Meta(description="RMSSD of the minute around it.")] = None
    low_ms: Annotated[
        float | None, msgspec.Meta(description="95 % interval of that level: within it, quiet drift alone explains a difference.")
    ] = None
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
    seq: Annotated[int, msgspec.Meta(description="Number of the last beat batch contained.")]
    state: RoomState
    beats: Annotated[list[BeatRow], msgspec.Meta(description="The last 120 s.")]


class Update(msgspec.Struct, frozen=True, tag="update", tag_field="type"):
    """The newest state; with it the beat batches since the last update, numbered without a hole."""

    session: int | None
    first_seq: Annotated[int, msgspec.Meta(description="Number of the first batch in `batches`; `seq` + 1 where there is none.")]
    seq: int
    state: RoomState
    batches: list[list[BeatRow]]


class RoomList(msgspec.Struct, frozen=True, tag="rooms", tag_field="type"):
    """Which rooms there are, after one was opened or closed; snapshots follow."""

    rooms: list[str]


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat", tag_field="type"):
    """Nothing new, but the server lives."""

    adapter: Annotated[
        str | None, msgspec.Meta(description='None where all is well, else a sentence: "No Bluetooth adapter ...".')
    ]


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
