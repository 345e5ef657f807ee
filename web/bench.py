"""What a tester may do on the bench: JSON in, JSON out."""

from typing import Annotated

from aiohttp import web
import msgspec

from .actions import body_of, json_answer
from .ports import Bench

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Speed = Annotated[float, msgspec.Meta(gt=0, le=1000)]


class Play(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Play a recording in a room of its own."""

    recording: _Text
    faults: Annotated[list[_Text], msgspec.Meta(max_length=20)] = []
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**31)] = 1
    speed: _Speed = 1.0
    loop: bool = False


class Steer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Change what is named."""

    paused: bool | None = None
    speed: _Speed | None = None
    loop: bool | None = None
    at_s: Annotated[float, msgspec.Meta(ge=0, le=1e7)] | None = None


class BenchActions:
    """Handlers under /api/bench."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def routes(self) -> list[web.RouteDef]:
        """The addresses, for an application that has a bench."""
        return [
            web.get("/api/bench", self.look),
            web.post("/api/bench", self.play),
            web.post("/api/bench/{room}", self.steer),
            web.post("/api/bench/{room}/close", self.close),
        ]

    async def look(self, _: web.Request) -> web.Response:
        """Give the recordings that can be played, and the bench rooms."""
        return json_answer({"recordings": list(await self._bench.recordings()), "rooms": list(self._bench.rooms())})

    async def play(self, request: web.Request) -> web.Response:
        """Play a recording; gives the room."""
        body = await body_of(request, Play)
        played = await self._bench.open(body.recording, faults=body.faults, seed=body.seed, speed=body.speed, loop=body.loop)
        return json_answer(played, status=201)

    async def steer(self, request: web.Request) -> web.Response:
        """Pause, seek, loop, or change the speed; gives the room."""
        body = await body_of(request, Steer)
        room = request.match_info["room"]
        return json_answer(self._bench.steer(room, paused=body.paused, speed=body.speed, loop=body.loop, at_s=body.at_s))

    async def close(self, request: web.Request) -> web.Response:
        """Close a bench room."""
        room = request.match_info["room"]
        await self._bench.close(room)
        return json_answer({"room": room})
