import msgspec
import pytest

from restbeat.service.rooms.messages import ClientView, Heartbeat, RoomList, Snapshot, Update
from restbeat.web.rooms.visibility import (
    client_frame,
    filter_for,
    for_client_screen,
    relaxation_level,
    unfiltered,
    without_client_names,
)

from ..made_up import a_story, room_state

ALL_ON = ClientView(field=True, tone=True, pacer=True, pacer_sound=True, pace_per_min=5.0)
SNAPSHOT = Snapshot(7, 1, room_state(client_view=ALL_ON), [])


def test_a_grid_that_hides_clients_is_sent_everything_but_names():
    message = without_client_names(SNAPSHOT)
    assert b"M-014" not in msgspec.json.encode(message)
    assert msgspec.structs.replace(message.state, client="M-014") == SNAPSHOT.state
    assert without_client_names(RoomList(["room-1"])) == RoomList(["room-1"])


@pytest.mark.parametrize("message", [SNAPSHOT, Update(7, 2, 1, SNAPSHOT.state, [])])
def test_a_clients_own_screen_is_sent_neither_name_nor_figure(message):
    text = msgspec.json.encode(for_client_screen(message)).decode()
    assert set(msgspec.json.decode(text)) == {"type", "field", "tone", "level", "pace_per_min", "pacer_sound"}
    for secret in ("M-014", "62", "44.2", "31.2", "Polar", "Room"):
        assert secret not in text


def test_a_clients_own_screen_is_sent_no_adapter_state_rooms_or_story():
    assert for_client_screen(Heartbeat("No Bluetooth adapter.")) == Heartbeat(None)
    assert for_client_screen(RoomList(["room-1"])) is None
    assert for_client_screen(a_story("room-1", room_state())) is None


@pytest.mark.parametrize(
    ("change_pct", "level"), [(0.0, 0.0), (100.0, 1.0), (900.0, 1.0), (-50.0, -1.0), (-100.0, -1.0), (31.2, 0.4), (-3.0, -0.05)]
)
def test_the_relaxation_level_is_the_ratio_to_the_baseline_in_steps(change_pct, level):
    assert relaxation_level(room_state(change_pct=change_pct)) == level


@pytest.mark.parametrize(
    "changes",
    [
        {"signal": "poor"},
        {"signal": "lost"},
        {"change_pct": None},
        {"phase": "settle"},
        {"phase": "baseline"},
        {"phase": "ended"},
        {"notice": "Pain 7. Lighten or stop."},
    ],
)
def test_there_is_no_level_with_a_poor_signal_or_in_pain(changes):
    assert client_frame(room_state(client_view=ALL_ON, **changes)).level is None


def test_breathing_is_paced_only_in_recovery_and_never_during_pain():
    paced = {phase: client_frame(room_state(client_view=ALL_ON, phase=phase)).pace_per_min for phase in ("massage", "recovery")}
    assert paced == {"massage": None, "recovery": 5.0}
    assert client_frame(room_state(client_view=ALL_ON, phase="recovery", notice="Pain 7.")).pace_per_min is None
    assert client_frame(room_state(client_view=ALL_ON, phase="recovery", signal="poor")).pace_per_min == 5.0


def test_everything_is_off_at_first():
    frame = client_frame(room_state(phase="recovery"))
    assert (frame.field, frame.tone, frame.pace_per_min) == (False, False, None)


def test_the_filter_follows_room_view_and_hiding():
    assert filter_for(None, None, hides=False) is unfiltered
    assert filter_for(None, None, hides=True) is without_client_names
    assert filter_for("room-1", None, hides=True) is unfiltered, "a room's own page names its client"
    assert filter_for("room-1", "client", hides=False) is for_client_screen
