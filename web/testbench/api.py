"""The API of the test bench."""

from collections.abc import Sequence
from typing import Annotated

import msgspec

from ...service.testbench.bench import Bench, Played
from ..http.endpoint import Call, Endpoint

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Speed = Annotated[float, msgspec.Meta(gt=0, le=1000)]


class Play(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A recording to play in a room of its own."""

    recording: _Text
    faults: Annotated[list[_Text], msgspec.Meta(max_length=20)] = []
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**31)] = 1
    speed: _Speed = 1.0
    loop: bool = False


class Steer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Changes to a playback; null leaves a setting as it is."""

    paused: bool | None = None
    speed: _Speed | None = None
    loop: bool | None = None
    at_s: Annotated[float, msgspec.Meta(ge=0, le=1e7)] | None = None


class Look(msgspec.Struct, frozen=True):
    """The recordings that can be played, and the bench rooms."""

    recordings: Sequence[str]
    rooms: Sequence[Played]


class BenchClosed(msgspec.Struct, frozen=True):
    """The bench room that was closed."""

    room: str


class BenchApi:
    """Endpoints of the test bench, for an application that has one."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def endpoints(self) -> list[Endpoint]:
        """Return the endpoints."""
        room = "/bench/{room}"
        return [
            Endpoint(
                method="GET",
                path="/bench",
                handler=self.look,
                summary="The recordings that can be played, and the bench rooms.",
                answer=Look,
                tag="bench",
            ),
            Endpoint(
                method="POST",
                path="/bench",
                handler=self.play,
                summary="Play a recording in a room of its own.",
                body=Play,
                answer=Played,
                status=201,
                refusals=(409,),
                tag="bench",
            ),
            Endpoint(
                method="POST",
                path=room,
                handler=self.steer,
                summary="Pause, seek, loop, or change the speed.",
                body=Steer,
                answer=Played,
                refusals=(409,),
                tag="bench",
            ),
            Endpoint(
                method="POST",
                path=f"{room}/close",
                handler=self.close,
                summary="Close a bench room.",
                answer=BenchClosed,
                tag="bench",
            ),
        ]

    async def look(self, _: Call) -> Look:
        """Return the recordings that can be played, and the bench rooms."""
        return Look(list(await self._bench.recordings()), list(self._bench.rooms()))

    async def play(self, call: Call) -> Played:
        """Play a recording, and return its room.

        Raises `RefusedError` where it cannot be read, holds nothing to play, or too many bench rooms are open.
        """
        body = call.body
        return await self._bench.open(body.recording, faults=body.faults, seed=body.seed, speed=body.speed, loop=body.loop)

    async def steer(self, call: Call) -> Played:
        """Pause, seek, loop, or change the speed, and return the room. Raises `UnknownRoomError`."""
        body = call.body
        return self._bench.steer(call.text("room"), paused=body.paused, speed=body.speed, loop=body.loop, at_s=body.at_s)

    async def close(self, call: Call) -> BenchClosed:
        """Close a bench room. Raises `UnknownRoomError`."""
        room = call.text("room")
        await self._bench.close(room)
        return BenchClosed(room)
