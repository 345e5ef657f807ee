"""The test bench: rooms that show a recording under transport control, with trouble put in at will. Nothing in them is stored."""

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
from ..rooms.room import Room, rows_of
from ..rooms.session_runner import Session
from .recording_player import Player

_LOG = logging.getLogger(__name__)
_MOST_ROOMS = 8
_SUFFIXES = (".jsonl", ".jsonl.gz")


class PhaseBand(msgspec.Struct, frozen=True):
    """A phase of a recording, in s of its clock."""

    phase: str
    start_s: float
    end_s: float


class Played(msgspec.Struct, frozen=True, kw_only=True):
    """A bench room: what it plays, and where it is. Times in s of the recording's clock."""

    room: str
    name: str
    recording: str
    duration_s: float
    at_s: float
    paused: bool
    speed: float
    loop: bool
    rounds: Annotated[int, msgspec.Meta(description="How often it came to the end.")]
    phases: list[PhaseBand]
    faults: Annotated[list[str], msgspec.Meta(description="As they were asked for.")]
    told: Annotated[list[str], msgspec.Meta(description="What was done, in words.")]
    ticks: Annotated[list[float], msgspec.Meta(description="Where trouble was put in.")]


@dataclass(slots=True, eq=False)
class _BenchRoom:
    identifier: str
    name: str
    recording_name: str
    faults: list[str]
    player: Player
    task: asyncio.Task[None]


class Bench:
    """Owns the bench rooms; leaving it closes them."""

    def __init__(self, hub: LiveFeed, folders: Sequence[Path]) -> None:
        self._hub = hub
        self._folders = folders
        self._rooms: dict[str, _BenchRoom] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for room in list(self._rooms):
            await self.close(room)

    async def recordings(self) -> Sequence[str]:
        """Give the names of the recordings that can be played."""
        return sorted(await asyncio.to_thread(self._files))

    def rooms(self) -> Sequence[Played]:
        """Tell of every bench room what it plays and where it is."""
        return [_played(room) for room in self._rooms.values()]

    async def open(self, recording: str, *, faults: Sequence[str], seed: int, speed: float, loop: bool) -> Played:
        """Play a recording in a room of its own. Raises `RefusedError`."""
        try:
            troubled = await asyncio.to_thread(self._read, recording, faults, seed)
        except SensorError as error:
            raise RefusedError(str(error)) from error
        if len(self._rooms) >= _MOST_ROOMS:
            raise RefusedError(f"{_MOST_ROOMS} bench rooms are open. Close one first.")
        if not troubled.events:
            raise RefusedError(f"{recording} holds no event: there is nothing to play.")
        number = next(n for n in range(1, _MOST_ROOMS + 1) if f"bench-{n}" not in self._rooms)
        identifier, name = f"bench-{number}", f"Bench {number}"

        async def play(session: Session, beats: Sequence[JudgedBeat]) -> None:
            header = Header(client=recording, kind=troubled.header.kind)
            room = Room(identifier, name, "", header, session, self._hub, bench=True)
            self._hub.remove(identifier)
            self._hub.publish(room.state, rows_of(beats))
            await room.run()

        player = Player(troubled, TransportClock(speed), play, loop=loop)
        task = asyncio.create_task(player.run(stay=True), name=f"bench room {identifier}")
        task.add_done_callback(_tell_failure)
        self._rooms[identifier] = room = _BenchRoom(identifier, name, recording, list(faults), player, task)
        return _played(room)

    def steer(self, room: str, *, paused: bool | None, speed: float | None, loop: bool | None, at_s: float | None) -> Played:
        """Change what is named."""
        held = self._room(room)
        held.player.steer(speed=speed, paused=paused)
        if loop is not None:
            held.player.loop = loop
        if at_s is not None:
            held.player.seek(at_s)
        return _played(held)

    async def close(self, room: str) -> None:
        """Close a bench room; there is nothing to keep."""
        held = self._room(room)
        del self._rooms[room]
        await cancel_and_wait(held.task)
        self._hub.remove(room)

    def _room(self, room: str) -> _BenchRoom:
        if room not in self._rooms:
            raise UnknownRoomError(f"There is no bench room {room}.")
        return self._rooms[room]

    def _files(self) -> dict[str, Path]:
        return {path.name: path for folder in self._folders for path in folder.iterdir() if path.name.endswith(_SUFFIXES)}

    def _read(self, name: str, faults: Sequence[str], seed: int) -> Recording:
        specs = [replace(spec, file=spec.file and str(self._file(spec.file))) for spec in parse_faults(faults)]
        (troubled,) = with_faults([read(self._file(name))], specs, seed=seed)
        return troubled

    def _file(self, name: str) -> Path:
        """One of the recordings that are offered; a page reaches no other file of this computer."""
        path = self._files().get(name)
        if path is None:
            raise RefusedError(f"There is no recording {name}.")
        return path


def _tell_failure(task: asyncio.Task[None]) -> None:
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
