"""The hub between rooms and browsers: rooms publish, each browser has a slot of its own and takes from it at its own pace."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final

from .messages import BeatRow, RoomList, RoomState, ServerMessage, Snapshot, Story, Update

KEEP_S: Final = 120.0
"""Beats that a snapshot holds, in s of the session's clock."""
PENDING_BATCHES: Final = 256
"""Beat batches that wait for one browser and room; beyond, they are dropped and a snapshot is sent instead."""


@dataclass(slots=True, eq=False)
class _Record:
    """What is known of one room."""

    state: RoomState
    seq: int = 0
    story: Story | None = None
    beats: deque[BeatRow] = field(default_factory=deque)
    newest: Update | None = None
    """What every browser that keeps up is told of the last publication: one message, so that it is encoded once."""

    def snapshot(self) -> Snapshot:
        return Snapshot(self.state.session, self.seq, self.state, list(self.beats))

    def update(self, batches: list[list[BeatRow]]) -> Update:
        """Of the newest state, with the beat batches since."""
        if self.newest is None or self.newest.batches != batches:
            self.newest = Update(self.state.session, self.seq - len(batches) + 1, self.seq, self.state, batches)
        return self.newest


@dataclass(slots=True, eq=False)
class _Pending:
    """What one browser has not yet been told of one room."""

    snapshot: bool
    batches: list[list[BeatRow]] = field(default_factory=list)


class Subscriber:
    """What waits for one browser: the newest state of each room it watches, and the beat batches since.

    The first news of a room goes at once; what follows within `frame_s` is conflated, room by room.
    """

    def __init__(self, hub: "LiveFeed", room: str | None, frame_s: float = 0.0) -> None:
        self._hub = hub
        self._room = room
        self._frame_s = frame_s
        self._sent_s: dict[str, float] = {}
        self._pending: dict[str, _Pending] = {}
        self._stories: set[str] = set()
        self._rooms_changed = True
        self._news = asyncio.Event()
        for known in hub.records:
            self.ask(known)

    async def wait(self) -> None:
        """Return as soon as there is something to take, or somebody calls `wake`."""
        await self._news.wait()

    def wake(self) -> None:
        """Let `wait` return."""
        self._news.set()

    def ask(self, room: str) -> None:
        """Send the snapshot of this room with the next frame."""
        if self._watches(room) and room in self._hub.records:
            self._pending[room] = _Pending(snapshot=True)
            self.offer_story(room)
        self._news.set()

    def due_s(self) -> float:
        """When the next of what waits may be sent, on the clock that `take` was told; infinite where nothing waits."""
        return min(self._due_s(room, pending) for room, pending in self._pending.items()) if self._pending else inf

    def take(self, now_s: float = inf) -> list[ServerMessage]:
        """Give what to send at `now_s` of a clock in s: at most one message a room, each with the newest state."""
        self._news.clear()
        messages: list[ServerMessage] = []
        due = [room for room, pending in self._pending.items() if self._due_s(room, pending) <= now_s]
        for room in due:
            pending, self._sent_s[room] = self._pending.pop(room), now_s
            record = self._hub.records[room]
            if pending.snapshot:
                messages.append(record.snapshot())
            else:
                messages.append(record.update(pending.batches))
        if self._stories:
            messages += [story for room in self._stories if (story := self._hub.records[room].story)]
            self._stories.clear()
        if self._rooms_changed:
            self._rooms_changed = False
            messages.append(RoomList(list(self._hub.records)))
        return messages

    def offer(self, room: str, batch: list[BeatRow], *, anew: bool) -> None:
        """A room has published; `anew` where its session has just begun."""
        if not self._watches(room):
            return
        pending = self._pending.get(room)
        if pending is None:
            pending = self._pending[room] = _Pending(snapshot=anew)
        if anew or len(pending.batches) >= PENDING_BATCHES:
            pending.snapshot = True
            pending.batches = []
        if batch and not pending.snapshot:
            pending.batches.append(batch)
        self._news.set()

    def offer_story(self, room: str) -> None:
        """A room's story has changed; only who watches that room alone is told."""
        if self._room == room:
            self._stories.add(room)
            self._news.set()

    def rooms_changed(self, removed: str | None = None) -> None:
        """A room was opened or closed."""
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
    """Rooms publish into it; lives on one event loop, and nothing in it waits."""

    def __init__(self) -> None:
        self.records: dict[str, _Record] = {}
        self._slots: set[Subscriber] = set()

    def publish(self, state: RoomState, batch: Sequence[BeatRow] = ()) -> None:
        """Take a room's newest state, and its beats since the last call; each batch gets the next number."""
        record = self.records.get(state.room)
        opened = record is None
        anew = record is None or record.state.session != state.session
        if record is None or anew:
            record = self.records[state.room] = _Record(state)
        record.state, record.newest = state, None
        rows = list(batch)
        if rows:
            record.seq += 1
            record.beats.extend(rows)
        while record.beats and record.beats[0].end_s < state.now_s - KEEP_S:
            record.beats.popleft()
        for slot in self._slots:
            slot.offer(state.room, rows, anew=anew)
            if opened:
                slot.rooms_changed()

    def tell(self, story: Story) -> None:
        """Take the story of a room that has been published."""
        self.records[story.room].story = story
        for slot in self._slots:
            slot.offer_story(story.room)

    def remove(self, room: str) -> None:
        """Forget a room."""
        if self.records.pop(room, None) is not None:
            for slot in self._slots:
                slot.rooms_changed(removed=room)

    def rooms(self) -> list[RoomState]:
        """Give the newest state of every room, in the order of their opening."""
        return [record.state for record in self.records.values()]

    def subscribe(self, room: str | None, frame_s: float = 0.0) -> Subscriber:
        """Open a slot for a browser that watches one room, or all of them; its snapshots wait in it already."""
        slot = Subscriber(self, room, frame_s)
        self._slots.add(slot)
        return slot

    def unsubscribe(self, slot: Subscriber) -> None:
        """Close a slot."""
        self._slots.discard(slot)
