"""The first update of a room is sent at once; only updates that follow quickly in the same room wait and are merged."""

from math import inf

from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.rooms.messages import BeatRow, Snapshot, Update

from ..made_up import room_state


def beat(end_s):
    return BeatRow(end_s, 900.0, True, False)


def watched_feed(rooms=("room-1", "room-2"), frame_s=0.1):
    live_feed = LiveFeed()
    for room in rooms:
        live_feed.publish(room_state(room), [])
    subscriber = live_feed.subscribe(None, frame_s)
    subscriber.take(10.0)
    return live_feed, subscriber


def test_the_first_update_after_a_quiet_time_is_sent_at_once():
    live_feed, subscriber = watched_feed()
    live_feed.publish(room_state(), [beat(1.0)])
    assert subscriber.due_s() <= 10.2
    (update,) = subscriber.take(10.2)
    assert (type(update), update.state.room) == (Update, "room-1")


def test_updates_within_a_frame_wait_for_its_end_and_are_one_message():
    live_feed, subscriber = watched_feed()
    for n in range(3):
        live_feed.publish(room_state(), [beat(float(n))])
        if n == 0:
            assert len(subscriber.take(10.2)) == 1
    assert subscriber.take(10.25) == []
    assert subscriber.due_s() == 10.2 + 0.1
    (update,) = subscriber.take(subscriber.due_s())
    assert [len(update.batches), update.seq - update.first_seq] == [2, 1]
    assert subscriber.due_s() == inf


def test_one_rooms_frame_does_not_delay_anothers_updates():
    live_feed, subscriber = watched_feed()
    live_feed.publish(room_state(), [beat(1.0)])
    subscriber.take(10.2)
    live_feed.publish(room_state(), [beat(2.0)])
    live_feed.publish(room_state("room-2"), [beat(1.0)])
    assert [message.state.room for message in subscriber.take(10.21)] == ["room-2"]
    assert [message.state.room for message in subscriber.take(10.31)] == ["room-1"]


def test_a_snapshot_and_the_list_of_rooms_never_wait():
    live_feed, subscriber = watched_feed()
    live_feed.publish(room_state(), [beat(1.0)])
    subscriber.take(10.2)
    subscriber.request_snapshot("room-1")
    live_feed.publish(room_state("room-3"), [])
    assert [type(message).__name__ for message in subscriber.take(10.2)] == ["Snapshot", "Snapshot", "RoomList"]


def test_a_closed_room_has_nothing_due():
    live_feed, subscriber = watched_feed()
    live_feed.publish(room_state(), [beat(1.0)])
    live_feed.publish(room_state(), [beat(2.0)])
    live_feed.remove("room-1")
    assert subscriber.due_s() == inf
    live_feed.publish(room_state(), [beat(1.0)])
    assert isinstance(subscriber.take(10.2)[0], Snapshot)
