"""The test bench: rooms that show a recording under transport control, with injected faults. Nothing in them is stored."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
import logging
from pathlib import Path
from types import TracebackType
from typing import Annotated, Self

import msgspec

from ...analysis.beats.beat_stream import JudgedBeat
from ...sensors.clock import TransportClock
from ...sensors.errors import SensorError
from ...sensors.model import Phase
from ...sensors.recordings.fault_grammar import parse_faults
from ...sensors.recordings.fault_injection import fault_lines, with_faults
from ...sensors.recordings.recording import Fault, Header, PhaseStart, Recording, read
from ...sensors.task_cancellation import cancel_and_wait
from ..errors import RefusedError, UnknownRoomError
from ..rooms.live_feed import LiveFeed
from ..rooms.room import Room, beat_rows
from ..rooms.session_runner import Session
from .recording_player import Player

_LOG = logging.getLogger(__name__)
_MAX_ROOMS = 8
_SUFFIXES = (".jsonl", ".jsonl.gz")


class PhaseBand(msgspec.Struct, frozen=True):
    """A phase of a recording; times in s of its clock."""

    phase: str
    start_s: float
    end_s: float


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """A bench room, the recording that it plays, and its position; times in s of the recording's clock."""

    room: str
    name: str
    recording: str
    duration_s: float
    at_s: float
    paused: bool
    speed: float
    loop: bool
    rounds: Annotated[int, msgspec.Meta(description="How often it has played to the end.")]
    phases: list[PhaseBand]
    faults: Annotated[list[str], msgspec.Meta(description="Injected faults, as requested.")]
    told: Annotated[list[str], msgspec.Meta(description="What the faults changed, in sentences.")]
    ticks: Annotated[list[float], msgspec.Meta(description="Times of the injected faults.")]


@dataclass(slots=True, eq=False)
class _BenchRoom:
    identifier: str
    name: str
    recording_name: str
    faults: list[str]
    player: Player
    task: asyncio.Task[None]


class Bench:
    """Owner of the bench rooms; leaving the context closes them."""

    def __init__(self, live_feed: LiveFeed, folders: Sequence[Path]) -> None:
        self._live_feed = live_feed
        self._folders = folders
        self._rooms: dict[str, _BenchRoom] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for room in list(self._rooms):
            await self.close(room)

    async def recordings(self) -> Sequence[str]:
        """Return the names of the recordings that can be played."""
        return sorted(await asyncio.to_thread(self._files))

    def rooms(self) -> Sequence[Played]:
        """Return the state of every bench room."""
        return [_played(room) for room in self._rooms.values()]

    async def open(self, recording: str, *, faults: Sequence[str], seed: int, speed: float, loop: bool) -> Played:
        """Play a recording in a new room.

        `faults` are texts of the fault grammar, `seed` makes their random choices repeatable.
        Raises `RefusedError` where the recording or a fault cannot be read, nothing is in it, or too many rooms are open.
        """
        try:
            loaded = await asyncio.to_thread(self._read, recording, faults, seed)
        except SensorError as error:
            raise RefusedError(str(error)) from error
        if len(self._rooms) >= _MAX_ROOMS:
            raise RefusedError(f"{_MAX_ROOMS} bench rooms are open. Close one first.")
        if not loaded.events:
            raise RefusedError(f"{recording} holds no event: there is nothing to play.")
        number = next(n for n in range(1, _MAX_ROOMS + 1) if f"bench-{n}" not in self._rooms)
        identifier, name = f"bench-{number}", f"Bench {number}"

        async def play(session: Session, beats: Sequence[JudgedBeat]) -> None:
            header = Header(client=recording, kind=loaded.header.kind)
            room = Room(identifier, name, "", header, session, self._live_feed, bench=True)
            self._live_feed.remove(identifier)
            self._live_feed.publish(room.state, beat_rows(beats))
            await room.run()

        player = Player(loaded, TransportClock(speed), play, loop=loop)
        task = asyncio.create_task(player.run(stay=True), name=f"bench room {identifier}")
        task.add_done_callback(_log_failure)
        self._rooms[identifier] = room = _BenchRoom(identifier, name, recording, list(faults), player, task)
        return _played(room)

    def steer(self, room: str, *, paused: bool | None, speed: float | None, loop: bool | None, at_s: float | None) -> Played:
        """Change speed, pause, loop or position (`at_s`, in s) of a room; None leaves it as it is.

        Raises `UnknownRoomError` where there is no such room.
        """
        target = self._room(room)
        target.player.steer(speed=speed, paused=paused)
        if loop is not None:
            target.player.loop = loop
        if at_s is not None:
            target.player.seek(at_s)
        return _played(target)

    async def close(self, room: str) -> None:
        """Close a bench room. Raises `UnknownRoomError` where there is no such room."""
        target = self._room(room)
        del self._rooms[room]
        await cancel_and_wait(target.task)
        self._live_feed.remove(room)

    def _room(self, room: str) -> _BenchRoom:
        if room not in self._rooms:
            raise UnknownRoomError(f"There is no bench room {room}.")
        return self._rooms[room]

    def _files(self) -> dict[str, Path]:
        return {path.name: path for folder in self._folders for path in folder.iterdir() if path.name.endswith(_SUFFIXES)}

    def _read(self, name: str, faults: Sequence[str], seed: int) -> Recording:
        specs = [replace(spec, file=spec.file and str(self._file(spec.file))) for spec in parse_faults(faults)]
        (faulty,) = with_faults([read(self._file(name))], specs, seed=seed)
        return faulty

    def _file(self, name: str) -> Path:
        """Return the path of an offered recording; a page can reach no other file of this computer."""
        path = self._files().get(name)
        if path is None:
            raise RefusedError(f"There is no recording {name}.")
        return path


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        _LOG.error("%s stands still", task.get_name(), exc_info=error)


def _played(room: _BenchRoom) -> Played:
    player = room.player
    events, duration_s = player.recording.events, player.duration_s
    starts = [event for event in events if isinstance(event, PhaseStart) and event.phase is not Phase.ENDED]
    stops = [*(start.t for start in starts[1:]), duration_s]
    return Played(
        room=room.identifier,
        name=room.name,
        recording=room.recording_name,
        duration_s=duration_s,
        at_s=player.at_s,
        paused=player.clock.paused,
        speed=player.clock.full_speed,
        loop=player.loop,
        rounds=player.rounds,
        phases=[PhaseBand(start.phase.value, start.t, stop) for start, stop in zip(starts, stops, strict=True)],
        faults=room.faults,
        told=fault_lines(player.recording) if room.faults else [],
        ticks=[event.t for event in events if isinstance(event, Fault)],
    )
