"""The first news of a room goes at once; only what follows quickly in the same room is held back and conflated."""

from math import inf

from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.rooms.messages import BeatRow, Snapshot, Update

from ..made_up import room_state


def beat(end_s):
    return BeatRow(end_s, 900.0, True, False)


def watched(rooms=("room-1", "room-2"), frame_s=0.1):
    hub = LiveFeed()
    for room in rooms:
        hub.publish(room_state(room), [])
    slot = hub.subscribe(None, frame_s)
    slot.take(10.0)
    return hub, slot


def test_the_first_news_after_a_quiet_time_goes_at_once():
    hub, slot = watched()
    hub.publish(room_state(), [beat(1.0)])
    assert slot.due_s() <= 10.2
    (update,) = slot.take(10.2)
    assert (type(update), update.state.room) == (Update, "room-1")


def test_what_follows_within_a_frame_waits_for_its_end_and_is_one_message():
    hub, slot = watched()
    for n in range(3):
        hub.publish(room_state(), [beat(float(n))])
        if n == 0:
            assert len(slot.take(10.2)) == 1
    assert slot.take(10.25) == []
    assert slot.due_s() == 10.2 + 0.1
    (update,) = slot.take(slot.due_s())
    assert [len(update.batches), update.seq - update.first_seq] == [2, 1]
    assert slot.due_s() == inf


def test_one_rooms_frame_does_not_hold_up_anothers_news():
    hub, slot = watched()
    hub.publish(room_state(), [beat(1.0)])
    slot.take(10.2)
    hub.publish(room_state(), [beat(2.0)])
    hub.publish(room_state("room-2"), [beat(1.0)])
    assert [message.state.room for message in slot.take(10.21)] == ["room-2"]
    assert [message.state.room for message in slot.take(10.31)] == ["room-1"]


def test_a_snapshot_and_the_list_of_rooms_never_wait():
    hub, slot = watched()
    hub.publish(room_state(), [beat(1.0)])
    slot.take(10.2)
    slot.request_snapshot("room-1")
    hub.publish(room_state("room-3"), [])
    assert [type(message).__name__ for message in slot.take(10.2)] == ["Snapshot", "Snapshot", "RoomList"]


def test_a_room_that_was_closed_is_due_no_more():
    hub, slot = watched()
    hub.publish(room_state(), [beat(1.0)])
    hub.publish(room_state(), [beat(2.0)])
    hub.remove("room-1")
    assert slot.due_s() == inf
    hub.publish(room_state(), [beat(1.0)])
    assert isinstance(slot.take(10.2)[0], Snapshot)
