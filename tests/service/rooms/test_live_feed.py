import msgspec

from restbeat.service.rooms.live_feed import PENDING_BATCHES, SNAPSHOT_S, LiveFeed
from restbeat.service.rooms.messages import BeatRow, RoomList, Snapshot, Update

from ...web.made_up import room_state


def beat(end_s):
    return BeatRow(end_s, 900.0, True, False)


def published(*batches, room="room-1"):
    hub = LiveFeed()
    for n, batch in enumerate(batches):
        hub.publish(room_state(room, now_s=float(n)), batch)
    return hub


def test_a_new_browser_gets_snapshots_first_then_the_list_of_rooms():
    hub = published([beat(0.5)], [], [beat(1.5), beat(2.4)])
    snapshot, rooms = hub.subscribe(None).take()
    assert isinstance(snapshot, Snapshot)
    assert (snapshot.session, snapshot.seq, snapshot.beats) == (7, 2, [beat(0.5), beat(1.5), beat(2.4)])
    assert rooms == RoomList(["room-1"])


def test_states_are_merged_and_beats_are_not():
    hub = published([beat(0.5)])
    slot = hub.subscribe(None)
    slot.take()
    for n in range(5):
        hub.publish(room_state(now_s=10.0 + n), [beat(10.0 + n)] if n % 2 == 0 else [])
    (update,) = slot.take()
    assert isinstance(update, Update)
    assert update.state.now_s == 14.0
    assert (update.first_seq, update.seq) == (2, 4)
    assert update.batches == [[beat(10.0)], [beat(12.0)], [beat(14.0)]]
    assert slot.take() == []


def test_browsers_that_keep_up_share_one_message_and_a_slow_one_gets_its_own():
    hub = published([beat(0.5)])
    first, second, slow = (hub.subscribe(None) for _ in range(3))
    for slot in (first, second, slow):
        slot.take()
    hub.publish(room_state(now_s=1.0), [beat(1.0)])
    for n in (2, 3):
        one, other = first.take()[0], second.take()[0]
        assert one is other, "so that it is encoded once"
        hub.publish(room_state(now_s=float(n)), [beat(float(n))])
    (late,), (quick,) = slow.take(), first.take()
    assert (late.first_seq, late.seq, len(late.batches)) == (2, 4, 3)
    assert (quick.first_seq, quick.seq, quick.batches) == (4, 4, [[beat(3.0)]])
    assert (late.state, second.take()[0].state) == (quick.state, quick.state)


def test_an_update_without_beats_starts_one_past_its_seq():
    hub = published([beat(0.5)])
    slot = hub.subscribe(None)
    slot.take()
    hub.publish(room_state())
    (update,) = slot.take()
    assert (update.first_seq, update.seq, update.batches) == (2, 1, [])


def test_batch_numbers_continue_from_frame_to_frame():
    hub = published([beat(0.5)])
    slot = hub.subscribe("room-1")
    seq = slot.take()[0].seq
    for n in range(50):
        hub.publish(room_state(), [beat(float(n))])
        if n % 7 == 0:
            (update,) = slot.take()
            assert update.first_seq == seq + 1
            assert len(update.batches) == update.seq - seq
            seq = update.seq


def test_too_many_waiting_batches_become_a_snapshot():
    hub = published([beat(0.5)])
    slot = hub.subscribe(None)
    slot.take()
    for n in range(PENDING_BATCHES + 10):
        hub.publish(room_state(now_s=n / 10), [beat(n / 10)])
    (snapshot,) = slot.take()
    assert isinstance(snapshot, Snapshot)
    assert snapshot.seq == PENDING_BATCHES + 11
    assert len(snapshot.beats) == PENDING_BATCHES + 11
    hub.publish(room_state(), [beat(99.0)])
    (update,) = slot.take()
    assert update.first_seq == snapshot.seq + 1


def test_a_snapshot_holds_two_minutes():
    hub = LiveFeed()
    for n in range(400):
        hub.publish(room_state(now_s=float(n)), [beat(float(n))])
    beats = hub.subscribe(None).take()[0].beats
    assert beats[0].end_s == 399 - SNAPSHOT_S


def test_a_new_session_in_a_room_starts_anew():
    hub = published([beat(0.5)], [beat(1.5)])
    slot = hub.subscribe(None)
    slot.take()
    hub.publish(room_state(), [beat(2.5)])
    hub.publish(room_state(session=8, now_s=0.0))
    hub.publish(room_state(session=8, now_s=1.0), [beat(0.9)])
    (snapshot,) = slot.take()
    assert isinstance(snapshot, Snapshot)
    assert (snapshot.session, snapshot.seq, snapshot.beats) == (8, 1, [beat(0.9)])


def test_a_browser_that_watches_one_room_gets_nothing_about_another():
    hub = published([beat(0.5)])
    slot = hub.subscribe("room-1")
    slot.take()
    hub.publish(room_state("room-2"), [beat(0.5)])
    slot.request_snapshot("room-2")
    assert slot.take() == [RoomList(["room-1", "room-2"])]


def test_opened_and_closed_rooms_are_announced():
    hub = published([beat(0.5)])
    slot = hub.subscribe(None)
    slot.take()
    hub.publish(room_state("room-2"), [beat(0.5)])
    snapshot, rooms = slot.take()
    assert (type(snapshot), snapshot.state.room, rooms) == (Snapshot, "room-2", RoomList(["room-1", "room-2"]))
    hub.publish(room_state("room-2"), [beat(1.5)])
    hub.remove("room-2")
    assert slot.take() == [RoomList(["room-1"])]
    hub.remove("room-2")
    assert slot.take() == []
    assert [state.room for state in hub.rooms()] == ["room-1"]


def test_a_browser_may_request_a_snapshot_again_but_only_of_an_open_room():
    hub = published([beat(0.5)])
    slot = hub.subscribe(None)
    slot.take()
    hub.publish(room_state(), [beat(1.5)])
    slot.request_snapshot("room-1")
    slot.request_snapshot("cellar")
    assert [type(message) for message in slot.take()] == [Snapshot]


def test_an_unsubscribed_browser_costs_nothing():
    hub = published([beat(0.5)])
    slot = hub.subscribe(None)
    slot.take()
    hub.unsubscribe(slot)
    hub.publish(room_state(), [beat(1.5)])
    assert slot.take() == []


def test_a_frame_of_two_minutes_is_small():
    hub = LiveFeed()
    hub.publish(room_state(now_s=120.0), [beat(n * 0.6) for n in range(200)])
    assert len(msgspec.json.encode(hub.subscribe(None).take()[0])) < 10_000
