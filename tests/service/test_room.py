"""A room's state in words: every state of the link, and never a number that is no longer true."""

import pytest

from restbeat.analysis.live import LiveSession
from restbeat.sensors.clock import FlatOutClock
from restbeat.sensors.model import Phase
from restbeat.sensors.recording import Packet, PhaseStart
from restbeat.sensors.source import LinkChange, LinkState
from restbeat.service.room import Room
from restbeat.service.session import Session
from restbeat.web.live import Hub


class Log:
    def append(self, session, event):
        pass


@pytest.fixture
def room():
    session = Session(7, None, FlatOutClock(), Log(), live=LiveSession())
    return Room("room-1", "Room 1", "A0", "M-014", "massage", session, Hub())


def hear(room, seconds=90, payload="1640"):
    room.session.take(LinkChange(0.0, LinkState.STREAMING))
    for t in range(1, seconds + 1):
        rr = b"" if payload == "0640" else (1004 + 40 * (t % 2)).to_bytes(2, "little")
        room.session.take(Packet(float(t), "2a37", bytes.fromhex(payload) + rr))
    room.session.clock._now = seconds + 0.5


def test_a_good_signal_shows_its_numbers(room):
    hear(room)
    state = room.state
    assert (state.signal, state.signal_text, state.hr_bpm, state.rmssd_why) == ("good", "Signal good", 64, None)
    assert state.rmssd_ms == pytest.approx(40 * 1000 / 1024)
    assert (state.session, state.client, state.phase) == (7, "M-014", "settle")


@pytest.mark.parametrize(
    ("link", "signal"),
    [
        (LinkState.IDLE, "connecting"),
        (LinkState.SCANNING, "connecting"),
        (LinkState.CONNECTING, "connecting"),
        (LinkState.SILENT, "silent"),
        (LinkState.LOST, "lost"),
        (LinkState.GIVING_UP, "no-strap"),
    ],
)
def test_no_number_outlives_its_link(room, link, signal):
    hear(room)
    room.session.take(LinkChange(90.2, link, "come closer"))
    state = room.state
    assert (state.signal, state.hint) == (signal, "come closer")
    assert (state.hr_bpm, state.rmssd_ms, state.change_pct, state.accepted_pct) == (None, None, None, None)
    assert state.rmssd_why == state.signal_text.lower()


def test_a_link_that_only_seems_to_stream_is_told_by_the_age_of_its_data(room):
    hear(room)
    room.session.clock._now = 100.0
    state = room.state
    assert (state.signal, state.hr_bpm, state.rmssd_ms) == ("silent", None, None)
    assert state.age_s == pytest.approx(10.0)


def test_the_signal_tells_for_how_long_it_has_been_so(room):
    hear(room)
    assert room.state.signal_s < 91
    room.session.take(LinkChange(90.2, LinkState.LOST))
    assert room.state.signal_s == 0
    room.session.clock._now = 97.5
    assert room.state.signal_s == pytest.approx(7.0)


def test_missing_skin_contact_is_said(room):
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


def test_beats_reach_the_hub_as_rows(room):
    slot = room.hub.subscribe(None)
    hear(room)
    (snapshot, *_) = slot.take()
    assert len(snapshot.beats) >= 85
    assert all(row.accepted for row in snapshot.beats)
