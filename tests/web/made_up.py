"""Made-up rooms, beats, sessions and stories with realistic figures."""

from itertools import zip_longest
from math import exp, sin

import msgspec

from restbeat.analysis.figures import (
    Integrity,
    Note,
    PhaseFigures,
    ResponseFigures,
    Segment,
    SessionFigures,
    SessionReport,
)
from restbeat.service.rooms.messages import BeatRow, RoomState, Story, StoryMark, StoryPhase, StorySegment
from restbeat.service.sessions.models import SessionRow

LONG = "polar-h10_simulated_a-client-with-a-rather-long-recording-name.jsonl.gz"


def room_state(room="room-1", **changes):
    state = RoomState(
        room=room,
        name=room.replace("room-", "Room "),
        session=7,
        client="M-014",
        kind="massage",
        strap="Polar H10 A1B2C3",
        phase="massage",
        phase_s=252.0,
        now_s=700.0,
        hr_bpm=62,
        rmssd_ms=44.2,
        rmssd_why=None,
        baseline_rmssd_ms=33.7,
        change_pct=31.2,
        accepted_pct=99.1,
        signal="good",
        signal_text="Signal good",
        signal_s=600.0,
        age_s=0.4,
        hint=None,
        battery_pct=80,
        speed=1.0,
    )
    return msgspec.structs.replace(state, **changes)


def beats(start_s, stop_s, *, faults=True):
    """Return beats with respiratory variation; with faults, ectopic pairs and gaps of 4 s."""
    rows, end_s, gap = [], start_s, False
    n = -1
    while True:
        n += 1
        rr_ms = 930 + 55 * sin(end_s * 1.55) + 25 * sin(end_s * 0.6)
        accepted = True
        if faults and n % 47 in {20, 21}:
            rr_ms, accepted = rr_ms * (0.68 if n % 47 == 20 else 1.32), False
        end_s += rr_ms / 1000
        if faults and n % 61 == 45:
            end_s, gap = end_s + 4.0, True
        if end_s > stop_s:
            return rows
        rows.append(BeatRow(round(end_s, 3), round(rr_ms, 1), accepted, gap))
        gap = False


def row(session=7, state="ended", **changes):
    base = SessionRow(
        session=session,
        started_utc="2026-11-23T09:41:00Z",
        client="M-014",
        kind="massage",
        room=None,
        source="Polar H10 A1B2C3",
        duration_s=1800.0,
        state=state,
    )
    return msgspec.structs.replace(base, **changes)


def report(*, notes=4, hrv=True):
    """Return the report of a session of 30 min with a slight response, a gap, and a recovery too short for LF."""
    bounds = {"settle": (0, 180), "baseline": (180, 480), "massage": (480, 1500), "recovery": (1500, 1800)}
    level = {"settle": 31.0, "baseline": 33.7, "massage": 42.1, "recovery": 40.0}
    phases = [
        PhaseFigures(
            phase=phase,
            start_s=start,
            end_s=end,
            beats=int((end - start) * 1.08),
            accepted_pct=98.2,
            mean_hr_bpm={"settle": 74.1, "baseline": 72.2, "massage": 63.4, "recovery": 64.8}[phase],
            mean_rr_ms=900.0,
            rmssd_ms=level[phase] if hrv else None,
            ln_rmssd=3.6 if hrv else None,
            sdnn_ms=level[phase] * 1.25 if hrv else None,
            pnn50_pct=14.2 if hrv else None,
            sd1_ms=24.0 if hrv else None,
            sd2_ms=50.0 if hrv else None,
            lf_ms2=1034.0 if hrv and phase != "recovery" else None,
            hf_ms2=612.0 if hrv else None,
            resp_per_min=13.2 if hrv and phase != "settle" else None,
            clean_segments=(end - start) // 10,
        )
        for phase, (start, end) in bounds.items()
    ]
    segments = []
    for n in range(180):
        mid = 10.0 * n + 5
        phase = next(p for p, (a, b) in bounds.items() if a <= mid < b)
        lost = 1010 < mid < 1050
        rmssd = 33 + 10 / (1 + exp(-(mid - 760) / 90)) + 5 * sin(n * 1.7) - 3 * sin(n * 0.45)
        segments.append(Segment(mid, phase, None if lost or not hrv else round(rmssd, 2)))
    reasons = {
        "settle": ["No clear peak of breathing in RR."],
        "recovery": ["The longest unbroken stretch is 104 s: LF needs 120 s."],
    }
    only = "The sensor sent heart rate only, no RR intervals: there is no HRV to tell."
    return SessionReport(
        figures=SessionFigures(
            recording="session 7",
            device={"name": "Polar H10 A1B2C3", "model": "H10", "firmware": "5.0.0"},
            phases=phases,
            responses=[
                ResponseFigures(
                    phase="massage",
                    delta_ln_rmssd=0.199,
                    half_width=0.17,
                    percent=22.0,
                    class_="slight",
                    why="A hint, within what rest can do.",
                ),
                ResponseFigures(
                    phase="recovery",
                    why="Not enough steady data: the recovery has 19 clean segments of 10 s, and needs 24.",
                ),
            ]
            if hrv
            else [ResponseFigures(phase=phase, why=only) for phase in ("massage", "recovery")],
            integrity=Integrity(packets=1790, beats=1944, rejected_beats=35, gaps=1, duplicate_packets=3, lost_s=38.4),
        ),
        segments=segments,
        reasons=reasons if hrv else {phase: [only] for phase in bounds},
        notes=[Note(520.0 + 70 * n, ("long strokes, lower back, light", "turned over")[n % 2]) for n in range(notes)],
        pain=[(10.0, 6), (1790.0, 4)],
        duration_s=1800.0,
        hrv=hrv,
        intervals={"massage": (0.03, 0.37)} if hrv else {},
    )


def a_story(room, state, entered=()):
    """Return the story of a session: its phases, two marks besides those entered, two pain scores, and a gap."""
    segments = []
    for n in range(int(state.now_s // 10)):
        level = 33 + 9 / (1 + exp(-(n - 50) / 6))
        now = round(level + 4 * sin(n * 1.7), 1)
        rmssd = [None] * 4 if 29 < n < 36 else [now, round(level, 1), round(0.78 * level, 1), round(1.28 * level, 1)]
        segments.append(StorySegment(10.0 * n + 5, *rmssd, rmssd[0] and round(14 - n / 35, 1)))
    names = ("settle", "baseline", "massage", "recovery")
    starts = [start for start in (0.0, 150.0, 448.0, 640.0) if start <= state.now_s][: (*names, "ended").index(state.phase) + 1]
    marks = [
        StoryMark(470.0, "Long strokes, lower back", "Long strokes", "Lower back"),
        StoryMark(600.0, "Turned over"),
        *entered,
    ]
    return Story(
        room=room,
        session=state.session,
        phases=[StoryPhase(*phase) for phase in zip_longest(names[: len(starts)], starts, starts[1:])],
        marks=[mark for mark in marks if mark.at_s <= state.now_s],
        pain=[(at_s, score) for at_s, score in ((20.0, 6), (590.0, 5)) if at_s <= state.now_s],
        segments=segments,
    )
