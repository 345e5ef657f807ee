"""Messages of the live socket: text frames of JSON, with beats as rows to keep them small."""

from typing import Annotated, Literal

import msgspec

from ...analysis.beats.stream_integrity import StreamIntegrity
from ...analysis.hrv.engine_parity import Parity

Signal = Literal["good", "poor", "connecting", "silent", "lost", "hr-only", "no-strap", "ended", "settling", "unsaved"]
"""settling: packets are good, and the checks before the baseline are not through."""


class BeatRow(msgspec.Struct, frozen=True, array_like=True):
    """One judged beat: [end_s, rr_ms, accepted, gap_before]."""

    end_s: float
    rr_ms: float
    accepted: bool
    gap_before: bool


class EntryView(msgspec.Struct, frozen=True):
    """An entry that can still be undone or given another time."""

    number: int
    kind: Literal["phase", "mark", "pain", "stop"]
    text: Annotated[str, msgspec.Meta(description='Such as "Massage began", "Long strokes, lower back", "Pain 6".')]
    at_s: Annotated[float, msgspec.Meta(description="When it counts from, in s of the session's clock.")]
    by: str
    left_s: Annotated[float, msgspec.Meta(description="How long it can still be undone and backdated, in s of wall time.")]
    redate_left_s: Annotated[
        float,
        msgspec.Meta(description="How long it can still be given another time; 10 min for the beginning of a massage."),
    ] = 0.0


class ClientView(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Switches of the client's own screen, set by the therapist; everything is off at first."""

    field: Annotated[bool, msgspec.Meta(description="Whether a slow field of colour follows the response.")] = False
    tone: Annotated[bool, msgspec.Meta(description="Whether a soft tone follows the response.")] = False
    pacer: Annotated[bool, msgspec.Meta(description="Whether breathing is paced, in recovery only.")] = False
    pacer_sound: bool = False
    pace_per_min: Annotated[float, msgspec.Meta(description="Breaths per minute.", ge=4, le=7)] = 6.0


class ReadyCheck(msgspec.Struct, frozen=True):
    """One check of the strap's readiness while a session settles."""

    name: Literal["packets", "rr", "beats", "battery", "strap"]
    text: str
    ok: bool
    hint: Annotated[str | None, msgspec.Meta(description="Advice where the check fails.")] = None


class RoomState(msgspec.Struct, frozen=True, kw_only=True):
    """State of a room at one moment; times in s of the session's clock."""

    room: Annotated[str, msgspec.Meta(description='Identifier, as in addresses: "room-1".')]
    name: Annotated[str, msgspec.Meta(description='Name for people: "Room 1".')]
    session: int | None
    client: str | None
    kind: Annotated[str, msgspec.Meta(description="massage or rest")]
    strap: str | None
    phase: str
    phase_s: Annotated[float, msgspec.Meta(description="Time in this phase, in s.")]
    now_s: Annotated[float, msgspec.Meta(description="Time since the session began, in s.")]
    hr_bpm: Annotated[
        int | None, msgspec.Meta(description="None where the last packet is too old or the strap is off; never a stale value.")
    ]
    rmssd_ms: Annotated[
        float | None, msgspec.Meta(description="Over the last 60 s, provisional; None with a reason in `rmssd_why`.")
    ]
    rmssd_why: str | None
    rhythm: Annotated[
        str,
        msgspec.Meta(
            description=(
                "What the last 128 beats look like, which is no diagnosis: sinus-like, irregular, ectopic (over a tenth), paced "
                "or unknown. There is no HRV of an irregular, ectopic or paced rhythm."
            )
        ),
    ] = "unknown"
    baseline_rmssd_ms: float | None
    baseline_usable_s: Annotated[
        float | None,
        msgspec.Meta(description="Usable time of the baseline up to now, in s; None before it, and from a sensor without RR."),
    ] = None
    still_settling: Annotated[
        bool,
        msgspec.Meta(description="Whether a baseline that is long enough still rises: two more minutes would help."),
    ] = False
    baseline_short: Annotated[
        bool, msgspec.Meta(description="Whether the baseline is over and too short: then nothing is compared with it.")
    ] = False
    change_pct: Annotated[float | None, msgspec.Meta(description="RMSSD of the last 60 s against the baseline of this session.")]
    accepted_pct: Annotated[float | None, msgspec.Meta(description="Share of accepted beats in the last 60 s.")]
    resp_per_min: Annotated[
        float | None,
        msgspec.Meta(
            description="Breathing rate estimated from RR over the last 5 min, every 5 s; None without a clear spectral peak."
        ),
    ] = None
    signal: Signal
    signal_text: Annotated[str, msgspec.Meta(description='In words: "Signal good", "Strap silent".')]
    signal_s: Annotated[float, msgspec.Meta(description="How long the signal has been the same, in s.")]
    age_s: Annotated[float | None, msgspec.Meta(description="Age of the last packet in s; None before the first.")]
    hint: Annotated[str | None, msgspec.Meta(description="Advice about the signal.")]
    battery_pct: int | None
    speed: Annotated[float, msgspec.Meta(description="Speed of the session's clock; 1 except in demos and replays.")]
    kept_awake: Annotated[
        bool | None, msgspec.Meta(description="Whether the system keeps the computer awake for the session; null: not asked.")
    ] = None
    slept_s: Annotated[
        float | None,
        msgspec.Meta(
            description="Length in s of a sleep of the computer after which nobody has said yet whether the session goes on."
        ),
    ] = None
    saved: Annotated[
        bool, msgspec.Meta(description="False once the session has ended, for as long as its end is not on the disk.")
    ] = True
    bench: Annotated[bool, msgspec.Meta(description="Whether a tester plays a recording in this room; nothing is stored.")] = (
        False
    )
    paused: Annotated[bool, msgspec.Meta(description="Whether the session's clock is paused, which only a tester can do.")] = (
        False
    )
    change_so_far_pct: Annotated[
        float | None,
        msgspec.Meta(
            description="Change in RMSSD of this phase so far against the baseline, every 5 s; `change_pct` covers the last 60 s."
        ),
    ] = None
    change_low_pct: Annotated[
        float | None,
        msgspec.Meta(
            description="95 % interval of `change_so_far_pct`, including today's drift and the variation of quiet phases."
        ),
    ] = None
    change_high_pct: float | None = None
    change_why: Annotated[str | None, msgspec.Meta(description="Why there is no interval; None where there is one.")] = None
    stream: StreamIntegrity = StreamIntegrity()
    checked: Annotated[
        Parity | None,
        msgspec.Meta(description="Latest comparison of the figures over 60 s with NeuroKit2's; None before the first."),
    ] = None
    checked_s: Annotated[float, msgspec.Meta(description="Age of that comparison in s.")] = 0.0
    actions: Annotated[list[EntryView], msgspec.Meta(description="Entries that can still be changed, newest first.")] = []
    pain_before: Annotated[
        int | None, msgspec.Meta(description="As asked before the session, else the first one noted before the massage.")
    ] = None
    pain: Annotated[int | None, msgspec.Meta(description="The newest score of this session, else `pain_before`.")] = None
    notice: Annotated[
        str | None, msgspec.Meta(description="Advice because of pain; takes precedence over everything else on the screen.")
    ] = None
    target_s: Annotated[
        float | None, msgspec.Meta(description="Planned length of this phase in s; None where none is planned.")
    ] = None
    posture: str | None = None
    technique: Annotated[str | None, msgspec.Meta(description="Planned technique.")] = None
    therapist: str | None = None
    client_view: ClientView = ClientView()
    verdict: Annotated[
        str | None, msgspec.Meta(description="Outcome of an ended session in a few words; null until its figures are computed.")
    ] = None
    verdict_why: Annotated[str | None, msgspec.Meta(description="The same as a sentence.")] = None
    ready: Annotated[
        list[ReadyCheck], msgspec.Meta(description="Checks of the strap's readiness; empty except while the session settles.")
    ] = []


class StoryMark(msgspec.Struct, frozen=True):
    """A mark in the chart of a session."""

    at_s: float
    text: str
    technique: str | None = None
    region: str | None = None
    pressure: str | None = None


class StorySegment(msgspec.Struct, frozen=True, array_like=True):
    """Ten seconds of a session; figures are None where beats are missing."""

    mid_s: float
    rmssd_ms: float | None
    level_ms: Annotated[float | None, msgspec.Meta(description="RMSSD of the minute centred on the segment.")] = None
    low_ms: Annotated[
        float | None, msgspec.Meta(description="95 % interval of that level; differences within it can be drift at rest.")
    ] = None
    high_ms: float | None = None
    resp_per_min: float | None = None


class StoryPhase(msgspec.Struct, frozen=True):
    """A phase in the chart of a session; the running one has no end yet."""

    phase: str
    start_s: float
    end_s: float | None


class Story(msgspec.Struct, frozen=True, kw_only=True, tag="story", tag_field="type"):
    """A session from its beginning, for the chart of the whole session; sent when it has changed."""

    room: str
    session: int | None
    phases: list[StoryPhase]
    marks: list[StoryMark]
    pain: list[tuple[float, int]]
    segments: list[StorySegment]


class Snapshot(msgspec.Struct, frozen=True, tag="snapshot", tag_field="type"):
    """The complete state of one room; sent on connect and on request."""

    session: int | None
    seq: Annotated[int, msgspec.Meta(description="Number of the last beat batch contained.")]
    state: RoomState
    beats: Annotated[list[BeatRow], msgspec.Meta(description="The last 120 s.")]


class Update(msgspec.Struct, frozen=True, tag="update", tag_field="type"):
    """The newest state, with the beat batches since the last update, numbered consecutively."""

    session: int | None
    first_seq: Annotated[int, msgspec.Meta(description="Number of the first batch in `batches`; `seq` + 1 where there is none.")]
    seq: int
    state: RoomState
    batches: list[list[BeatRow]]


class RoomList(msgspec.Struct, frozen=True, tag="rooms", tag_field="type"):
    """The open rooms; sent after one was opened or closed, snapshots follow."""

    rooms: list[str]


class Heartbeat(msgspec.Struct, frozen=True, tag="heartbeat", tag_field="type"):
    """Sign that the server is alive, sent where there is nothing new."""

    adapter: Annotated[
        str | None, msgspec.Meta(description='None where the adapter works, else a sentence: "No Bluetooth adapter ...".')
    ]


class Ask(msgspec.Struct, frozen=True, tag="ask", tag_field="type"):
    """Request from the browser to send the snapshot of a room again."""

    room: str


class ClientFrame(msgspec.Struct, frozen=True, tag="client-view", tag_field="type"):
    """All that the client's own screen gets: no name and no figure."""

    field: bool
    tone: bool
    level: float | None
    """The response from -1 to 1, 0 as in the baseline; None where nothing is to be shown."""
    pace_per_min: float | None
    """Breaths per minute; None where breathing is not paced."""
    pacer_sound: bool


ServerMessage = Snapshot | Update | Story | RoomList | Heartbeat | ClientFrame
