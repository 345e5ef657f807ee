"""The feed from rooms to browsers: rooms publish, and each browser is a subscriber that takes messages at its own pace."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final

from .messages import BeatRow, RoomList, RoomState, ServerMessage, Snapshot, Story, Update

SNAPSHOT_S: Final = 120.0
"""Time span of the beats in a snapshot, in s of the session's clock."""
PENDING_BATCHES: Final = 256
"""Beat batches that may wait for one browser and room; beyond that they are dropped and a snapshot is sent instead."""


@dataclass(slots=True, eq=False)
class _Record:
    """Newest state and recent beats of one room."""

    state: RoomState
    seq: int = 0
    story: Story | None = None
    beats: deque[BeatRow] = field(default_factory=deque)
    newest: Update | None = None
    """Update about the last publication for every browser that keeps up: one message, so that it is encoded once."""

    def snapshot(self) -> Snapshot:
        return Snapshot(self.state.session, self.seq, self.state, list(self.beats))

    def update(self, batches: list[list[BeatRow]]) -> Update:
        """Return an update with the newest state and the given beat batches, which must be the last ones published."""
        if self.newest is None or self.newest.batches != batches:
            self.newest = Update(self.state.session, self.seq - len(batches) + 1, self.seq, self.state, batches)
        return self.newest


@dataclass(slots=True, eq=False)
class _Pending:
    """Changes of one room that have not yet been sent to one browser."""

    snapshot: bool
    batches: list[list[BeatRow]] = field(default_factory=list)


class Subscriber:
    """Messages waiting for one browser: the newest state of each room it watches, and the beat batches not yet sent.

    The first update of a room is due at once; those that follow within `frame_s` are merged into one, room by room.
    """

    def __init__(self, live_feed: "LiveFeed", room: str | None, frame_s: float = 0.0) -> None:
        self._live_feed = live_feed
        self._room = room
        self._frame_s = frame_s
        self._sent_s: dict[str, float] = {}
        self._pending: dict[str, _Pending] = {}
        self._stories: set[str] = set()
        self._rooms_changed = True
        self._news = asyncio.Event()
        for identifier in live_feed.records:
            self.request_snapshot(identifier)

    async def wait(self) -> None:
        """Wait until there is something to take, or `wake` is called."""
        await self._news.wait()

    def wake(self) -> None:
        """Make `wait` return."""
        self._news.set()

    def request_snapshot(self, room: str) -> None:
        """Make the snapshot of a room due at once; rooms that are not watched or not open are ignored."""
        if self._watches(room) and room in self._live_feed.records:
            self._pending[room] = _Pending(snapshot=True)
            self.offer_story(room)
        self._news.set()

    def due_s(self) -> float:
        """Return when the next waiting message may be sent, on the clock of `take`; infinite where none waits."""
        return min(self._due_s(room, pending) for room, pending in self._pending.items()) if self._pending else inf

    def take(self, now_s: float = inf) -> list[ServerMessage]:
        """Return the messages to send at `now_s`, of any clock in s: at most one update or snapshot for each room."""
        self._news.clear()
        messages: list[ServerMessage] = []
        due = [room for room, pending in self._pending.items() if self._due_s(room, pending) <= now_s]
        for room in due:
            pending, self._sent_s[room] = self._pending.pop(room), now_s
            record = self._live_feed.records[room]
            if pending.snapshot:
                messages.append(record.snapshot())
            else:
                messages.append(record.update(pending.batches))
        if self._stories:
            messages += [story for room in self._stories if (story := self._live_feed.records[room].story)]
            self._stories.clear()
        if self._rooms_changed:
            self._rooms_changed = False
            messages.append(RoomList(list(self._live_feed.records)))
        return messages

    def offer(self, room: str, batch: list[BeatRow], *, new_session: bool) -> None:
        """Queue what a room has published; `new_session`: its session has just begun."""
        if not self._watches(room):
            return
        pending = self._pending.get(room)
        if pending is None:
            pending = self._pending[room] = _Pending(snapshot=new_session)
        if new_session or len(pending.batches) >= PENDING_BATCHES:
            pending.snapshot = True
            pending.batches = []
        if batch and not pending.snapshot:
            pending.batches.append(batch)
        self._news.set()

    def offer_story(self, room: str) -> None:
        """Queue a room's changed story; only for a browser that watches that room alone."""
        if self._room == room:
            self._stories.add(room)
            self._news.set()

    def rooms_changed(self, removed: str | None = None) -> None:
        """Queue the list of rooms after one was opened or closed; nothing more is sent about the room `removed`."""
        if removed is not None:
            self._pending.pop(removed, None)
            self._stories.discard(removed)
            self._sent_s.pop(removed, None)
        self._rooms_changed = True
        self._news.set()

    def _due_s(self, room: str, pending: _Pending) -> float:
        return -inf if pending.snapshot else self._sent_s.get(room, -inf) + self._frame_s

    def _watches(self, room: str) -> bool:
        return self._room is None or self._room == room


class LiveFeed:
    """The newest state of every room, and the subscribers to it; belongs to one event loop and never waits."""

    def __init__(self) -> None:
        self.records: dict[str, _Record] = {}
        self._subscribers: set[Subscriber] = set()

    def publish(self, state: RoomState, batch: Sequence[BeatRow] = ()) -> None:
        """Publish a room's newest state and its beats since the last call; each batch gets the next number."""
        record = self.records.get(state.room)
        opened = record is None
        new_session = record is None or record.state.session != state.session
        if record is None or new_session:
            record = self.records[state.room] = _Record(state)
        record.state, record.newest = state, None
        rows = list(batch)
        if rows:
            record.seq += 1
            record.beats.extend(rows)
        while record.beats and record.beats[0].end_s < state.now_s - SNAPSHOT_S:
            record.beats.popleft()
        for subscriber in self._subscribers:
            subscriber.offer(state.room, rows, new_session=new_session)
            if opened:
                subscriber.rooms_changed()

    def publish_story(self, story: Story) -> None:
        """Publish the story of a room whose state has been published before."""
        self.records[story.room].story = story
        for subscriber in self._subscribers:
            subscriber.offer_story(story.room)

    def remove(self, room: str) -> None:
        """Remove a room."""
        if self.records.pop(room, None) is not None:
            for subscriber in self._subscribers:
                subscriber.rooms_changed(removed=room)

    def rooms(self) -> list[RoomState]:
        """Return the newest state of every room, in the order of opening."""
        return [record.state for record in self.records.values()]

    def subscribe(self, room: str | None, frame_s: float = 0.0) -> Subscriber:
        """Add a subscriber for a browser that watches one room, or all (None); snapshots already wait for it.

        `frame_s` is the least time in s between two updates of a room.
        """
        subscriber = Subscriber(self, room, frame_s)
        self._subscribers.add(subscriber)
        return subscriber

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Remove a subscriber."""
        self._subscribers.discard(subscriber)
