"""Readiness: five checks, each red says what to do, and each turns green by itself."""

import pytest

from restbeat.sensors.model import Phase
from restbeat.sensors.recordings.recording import Packet, PhaseStart
from restbeat.sensors.source import ConnectionChange, ConnectionState
from restbeat.service.rooms.readiness import RecentBeats

from .test_room import hear, room  # noqa: F401 a fixture


def checks(room):  # noqa: F811 the fixture
    return {check.name: check for check in room.state.ready}


def red(room):  # noqa: F811 the fixture
    return [name for name, check in checks(room).items() if not check.ok]


def test_before_the_first_packet_nothing_is_ready_but_the_strap(room):  # noqa: F811 the fixture
    assert red(room) == ["packets", "rr", "beats", "battery"]
    assert all(check.hint for check in checks(room).values() if not check.ok)


def test_all_checks_turn_green_by_themselves(room):  # noqa: F811 the fixture
    hear(room, seconds=20)
    assert (red(room), checks(room)["beats"].text) == (["beats"], "19 of 30 s heard")
    hear(room, seconds=60)
    assert red(room) == []
    assert [check.text for check in room.state.ready] == [
        "Packets arrive",
        "RR intervals arrive",
        "100 % of beats used",
        "Battery: not told",
        "Strap of M-014",
    ]


def test_checks_are_shown_only_while_the_session_settles(room):  # noqa: F811 the fixture
    hear(room)
    room.session.take(PhaseStart(90.2, Phase.BASELINE))
    assert room.state.ready == []


def test_a_lost_strap_is_red_at_once_with_the_text_of_the_signal(room):  # noqa: F811 the fixture
    hear(room)
    room.session.take(ConnectionChange(90.2, ConnectionState.LOST, "come closer"))
    lost = checks(room)
    assert (lost["packets"].ok, lost["packets"].text, lost["packets"].hint) == (False, "Strap lost", "come closer")
    assert not lost["rr"].ok
    assert not lost["beats"].ok


def test_a_sensor_without_rr_gets_the_advice_to_take_a_chest_strap(room):  # noqa: F811 the fixture
    hear(room, payload="0640")
    assert checks(room)["rr"].text == "Heart rate only"
    assert "take a chest strap" in checks(room)["rr"].hint


@pytest.mark.parametrize(("every", "ok"), [(60, True), (8, False)])
def test_beats_are_ready_at_95_percent_over_30_seconds(room, every, ok):  # noqa: F811 the fixture
    room.session.take(ConnectionChange(0.0, ConnectionState.STREAMING))
    for t in range(1, 91):
        rr = 600 if t % every == 0 else 1004 + 40 * (t % 2)
        room.session.take(Packet(float(t), "2a37", bytes.fromhex("1640") + rr.to_bytes(2, "little")))
    room.session.clock._now = 90.5
    beats = checks(room)["beats"]
    assert beats.ok is ok
    assert ok or beats.hint == "Moisten the strap and pull it a little tighter. 95 % over 30 s are wanted."


@pytest.mark.parametrize(("percent", "ok"), [(16, True), (15, False), (0, False)])
def test_a_low_battery_is_red(room, percent, ok):  # noqa: F811 the fixture
    hear(room)
    room.session.take(Packet(90.1, "2a19", bytes([percent])))
    battery = checks(room)["battery"]
    assert (battery.ok, battery.text) == (ok, f"Battery {percent} %")


def test_a_strap_last_worn_by_another_client_is_red(room):  # noqa: F811 the fixture
    hear(room, seconds=60)
    room.wearer = "M-014"
    assert red(room) == []
    room.wearer = "M-020"
    assert red(room) == ["strap"]
    strap = checks(room)["strap"]
    assert (strap.text, strap.hint[:28]) == ("Another client’s strap", "Another client wore it last.")
    assert "M-020" not in f"{strap.text} {strap.hint}", "the client of this room may read along"


def test_recent_beats_drop_beats_older_than_the_window(room):  # noqa: F811 the fixture
    recent = RecentBeats()
    assert recent.coverage(10.0) == (0.0, None)
    hear(room, seconds=600)
    assert len(room._recent._beats) < 40
