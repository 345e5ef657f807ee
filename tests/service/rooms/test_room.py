"""A room's state in words: every state of the connection, and never a number that is no longer true."""

import asyncio
from itertools import pairwise
from math import pi, sin

import pytest

from restbeat.analysis.live.live_session import LiveSession
from restbeat.analysis.live.running_sums import ProvisionalChange
from restbeat.sensors.clock import FlatOutClock
from restbeat.sensors.model import Device, Phase
from restbeat.sensors.recordings.recording import Header, Packet, PhaseStart
from restbeat.sensors.source import ConnectionChange, ConnectionState, Described
from restbeat.service.errors import WorkerError
from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.rooms.room import Room
from restbeat.service.rooms.session_runner import Session


class Log:
    def append(self, session, event, key=None):
        return 0


@pytest.fixture
def room():
    session = Session(7, None, FlatOutClock(), Log(), live=LiveSession())
    return Room("room-1", "Room 1", "A0", Header(client="M-014"), session, LiveFeed())


def hear(room, seconds=90, payload="1640"):
    room.session.take(ConnectionChange(0.0, ConnectionState.STREAMING))
    for t in range(1, seconds + 1):
        rr = b"" if payload == "0640" else (1004 + 40 * (t % 2)).to_bytes(2, "little")
        room.session.take(Packet(float(t), "2a37", bytes.fromhex(payload) + rr))
    room.session.clock._now = seconds + 0.5


def test_a_good_signal_shows_its_numbers(room):
    hear(room)
    state = room.state
    assert (state.signal, state.signal_text, state.hr_bpm, state.rmssd_why) == ("good", "Signal good", 64, None)
    assert state.rmssd_ms == pytest.approx(40 * 1000 / 1024)
    assert state.rhythm == room.session.live.figures(1.0).rhythm == "sinus-like"
    assert (state.session, state.client, state.phase) == (7, "M-014", "settle")


@pytest.mark.parametrize(
    ("connection", "signal", "text"),
    [
        (ConnectionState.IDLE, "connecting", "Waiting for the strap"),
        (ConnectionState.SCANNING, "connecting", "Looking for the strap"),
        (ConnectionState.CONNECTING, "connecting", "Connecting to the strap"),
        (ConnectionState.SILENT, "silent", "Strap connected but silent"),
        (ConnectionState.LOST, "lost", "Strap lost"),
        (ConnectionState.GIVING_UP, "no-strap", "Strap not found"),
    ],
)
def test_no_number_outlives_its_connection(room, connection, signal, text):
    hear(room)
    room.session.take(ConnectionChange(90.2, connection, "come closer"))
    state = room.state
    assert (state.signal, state.signal_text, state.hint) == (signal, text, "come closer")
    assert (state.hr_bpm, state.rmssd_ms, state.change_pct, state.accepted_pct) == (None, None, None, None)
    assert state.rmssd_why == state.signal_text.lower()


def test_a_connection_that_only_seems_to_stream_is_told_by_the_age_of_its_data(room):
    hear(room)
    room.session.clock._now = 100.0
    state = room.state
    assert (state.signal, state.hr_bpm, state.rmssd_ms) == ("silent", None, None)
    assert state.age_s == pytest.approx(10.0)


def test_the_signal_holds_how_long_it_has_been_the_same(room):
    hear(room)
    assert room.state.signal_s < 91
    room.session.take(ConnectionChange(90.2, ConnectionState.LOST))
    assert room.state.signal_s == 0
    room.session.clock._now = 97.5
    assert room.state.signal_s == pytest.approx(7.0)


def test_missing_skin_contact_is_shown(room):
    hear(room, payload="1440")
    assert (room.state.signal, room.state.signal_text) == ("poor", "No skin contact")


def test_a_sensor_without_rr_is_heart_rate_only(room):
    hear(room, payload="0640")
    state = room.state
    assert (state.signal, state.hr_bpm, state.rmssd_ms) == ("hr-only", 64, None)
    assert "no HRV" in state.signal_text


def test_an_ended_session_shows_no_live_number(room):
    hear(room)
    room.session.take(PhaseStart(90.2, Phase.ENDED))
    state = room.state
    assert (state.signal, state.phase, state.hr_bpm, state.rmssd_ms, state.now_s) == ("ended", "ended", None, None, 90.2)


def test_beats_reach_the_live_feed_as_rows(room):
    slot = room.live_feed.subscribe(None)
    hear(room)
    (snapshot, *_) = slot.take()
    assert len(snapshot.beats) >= 85
    assert all(row.accepted for row in snapshot.beats)


def test_an_optical_sensor_is_heart_rate_only_from_its_first_packet(room):
    room.session.take(Described(0.0, Device(name="Polar Sense 9D11A320")))
    hear(room, seconds=1, payload="0640")
    state = room.state
    assert (state.signal, state.signal_text, state.hr_bpm) == ("hr-only", "Heart rate only – no HRV", 64)
    assert "sends no RR intervals" in state.hint


@pytest.mark.parametrize(("location", "packets"), [("wrist", 1), ("finger", 1), ("chest", 3), (None, 3)])
def test_an_unknown_sensor_is_judged_by_where_it_is_worn(room, location, packets):
    room.session.take(Described(0.0, Device(name="Band 7", location=location)))
    hear(room, seconds=packets - 1, payload="0640")
    assert room.state.signal != "hr-only"
    hear(room, seconds=1, payload="0640")
    assert (room.state.signal, room.state.signal_text) == ("hr-only", "Heart rate only – no HRV")


def test_smoothed_intervals_are_no_beats(room):
    room.session.take(Described(0.0, Device(name="Polar OH1 21A3F22B")))
    hear(room)
    state = room.state
    assert (state.signal, state.rmssd_ms, state.accepted_pct) == ("hr-only", None, None)


def test_two_straps_on_one_signal_are_shown_and_leave_no_figure(room):
    hear(room)
    for t in range(91, 120):
        room.session.take(Packet(float(t), "2a37", bytes.fromhex("1640") + (1004 + 40 * (t % 2)).to_bytes(2, "little")))
        room.session.take(Packet(t + 0.4, "2a37", bytes.fromhex("1650") + (800 + t % 3).to_bytes(2, "little")))
    room.session.clock._now = 120.0
    state = room.state
    assert (state.signal, state.signal_text, state.rmssd_ms) == ("poor", "Two straps on one signal", None)


def test_heart_rate_without_beats_is_no_good_signal(room):
    hear(room)
    for t in range(91, 111):
        room.session.take(Packet(float(t), "2a37", bytes.fromhex("0640")))
    room.session.clock._now = 110.5
    state = room.state
    assert (state.signal, state.signal_text) == ("poor", "Heart rate comes, beats do not")
    assert (state.rmssd_ms, state.hr_bpm) == (None, 64)


def test_a_good_signal_is_not_ready_yet_while_a_check_is_open(room):
    hear(room, 12)
    state = room.state
    assert [check.text for check in state.ready if not check.ok] == ["11 of 30 s heard"]
    assert (state.signal, state.signal_text) == ("settling", "Not ready yet")
    room.session.take(PhaseStart(12.2, Phase.BASELINE))
    assert room.state.signal_text == "Signal good"  # from then on there are no checks


def test_once_the_checks_are_through_the_signal_is_good(room):
    hear(room)
    state = room.state
    assert all(check.ok for check in state.ready)
    assert (state.signal, state.signal_text) == ("good", "Signal good")


def test_a_low_battery_is_shown_while_the_signal_is_good(room):
    hear(room)
    room.session.take(PhaseStart(80.0, Phase.BASELINE))
    room.session.take(Packet(90.2, "2a19", b"\x0c"))
    state = room.state
    assert (state.signal, state.battery_pct) == ("good", 12)
    assert "battery is at 12 %" in state.hint


async def running(room, estimate, monkeypatch):
    """The room's state once an estimate was made, twenty seconds into the massage."""
    monkeypatch.setattr("restbeat.service.rooms.room._ESTIMATE_EVERY_S", 0.001)
    room.session.take(PhaseStart(0.0, Phase.BASELINE))
    hear(room, 260)
    room.session.take(PhaseStart(260.5, Phase.MASSAGE))
    told = asyncio.Event()

    async def once(comparison):
        told.set()
        return await estimate(comparison)

    room.estimate = once
    estimating = asyncio.create_task(room._estimate())
    async with asyncio.timeout(5):
        await told.wait()
        await asyncio.sleep(0)
    estimating.cancel()
    return room.state


async def test_a_running_phase_shows_its_change_with_the_interval(room, monkeypatch):
    async def estimate(comparison):
        assert (comparison.phase, comparison.baseline.start_s, comparison.current.start_s) == ("massage", 5.0, 265.0)
        return ProvisionalChange(percent=20.0, low_pct=-5.0, high_pct=50.0)

    state = await running(room, estimate, monkeypatch)
    assert (state.change_so_far_pct, state.change_low_pct, state.change_high_pct, state.change_why) == (20.0, -5.0, 50.0, None)
    room.session.take(ConnectionChange(261.0, ConnectionState.LOST))
    state = room.state
    assert (state.change_low_pct, state.change_high_pct, state.change_why) == (None, None, "strap lost")
    room.session.take(ConnectionChange(261.0, ConnectionState.STREAMING))
    room.session.take(PhaseStart(261.0, Phase.RECOVERY))
    assert (room.state.change_low_pct, room.state.change_why) == (None, "about a minute more is needed")


async def test_a_change_that_cannot_be_estimated_is_not_shown(room, monkeypatch, caplog):
    async def estimate(comparison):
        raise WorkerError("The analysis process died twice.")

    state = await running(room, estimate, monkeypatch)
    assert (state.change_low_pct, state.change_why) == (None, "the analysis process is away; it is started again by itself")
    assert "could not be estimated" in caplog.text


def test_with_a_baseline_too_short_the_room_says_why_and_what_helps_and_no_figure(room):
    room.session.take(PhaseStart(0.0, Phase.BASELINE))
    hear(room, 130)
    assert (room.state.baseline_short, room.state.baseline_usable_s) == (False, 130.5)
    room.session.take(PhaseStart(130.5, Phase.MASSAGE))
    hear(room, 200)
    state = room.state
    assert (state.baseline_short, state.change_pct, state.change_so_far_pct, state.change_low_pct) == (True, None, None, None)
    assert state.change_why == (
        "the baseline was too short: 2:10 usable, and a comparison takes 4:00. Next time, wait for “Baseline complete”."
    )


def test_before_the_massage_there_is_no_change_and_a_reason(room):
    hear(room)
    assert (room.state.change_low_pct, room.state.change_why) == (None, "the baseline comes first")
    room.session.clock._now = 104.0
    room.session.take(PhaseStart(90.5, Phase.MASSAGE))
    assert (room.state.change_low_pct, room.state.change_why) == (None, "no beats in the last seconds")


def test_a_strap_that_was_lost_with_a_low_battery_may_be_empty(room):
    hear(room)
    room.session.take(ConnectionChange(90.1, ConnectionState.LOST, "Come closer."))
    assert room.state.hint == "Come closer."
    room.session.take(Packet(90.2, "2a19", b"\x0c"))
    assert room.state.hint == "Come closer. Its battery was at 12 %: it may be empty."


def test_breathing_is_shown_while_the_strap_is_connected(room):
    room.session.take(ConnectionChange(0.0, ConnectionState.STREAMING))
    for t in range(1, 121):
        rr = round(1000 + 60 * sin(2 * pi * t / 4)).to_bytes(2, "little")
        room.session.take(Packet(float(t), "2a37", b"\x16\x3c" + rr))
    room.session.clock._now = 120.5
    assert room.state.resp_per_min == pytest.approx(15, abs=0.5)
    room.session.take(ConnectionChange(120.6, ConnectionState.LOST))
    assert room.state.resp_per_min is None


async def test_a_quiet_room_is_published_repeatedly_and_an_active_one_only_with_its_packets(room):
    told, loop, enough, publish = [], asyncio.get_running_loop(), asyncio.Event(), room.live_feed.publish

    def heard(*news):
        told.append(loop.time())
        if len(told) == 4:
            enough.set()
        publish(*news)

    room.live_feed.publish = heard
    ticking = asyncio.create_task(room._tick())
    try:
        async with asyncio.timeout(60):
            await enough.wait()
        quiet = [later - sooner for sooner, later in pairwise(told)]
        told.clear()
        for _ in range(20):
            room.session.observe([])
            await asyncio.sleep(0.2)
    finally:
        ticking.cancel()
    assert quiet[0] > 1.1, "a strap's next packet is waited for"
    assert min(quiet) > 0.6
    assert len(told) <= 22, "each of 20 pieces of news once, and no tick between but where this computer stalled"
