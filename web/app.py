"""The aiohttp application: every address and what answers it."""

from collections.abc import Collection
from pathlib import Path
from typing import Final

from aiohttp import web

from .actions import Actions
from .assets import Assets
from .bench import BenchActions
from .guard import add_headers, answer_errors, check_host, check_origin
from .live import Hub
from .pages import Pages
from .ports import Bench, House
from .socket import LiveSocket, Pace

_STATIC: Final = Path(__file__).parent / "static"
_LARGEST_BODY: Final = 64 * 1024


def create_app(
    house: House, hub: Hub, *, version: str, hosts: Collection[str] = (), pace: Pace | None = None, bench: Bench | None = None
) -> web.Application:
    """Build the application that serves a house.

    `hosts`: further names under which a loopback address may be asked for (that of a reverse proxy, say); localhost always may.
    `bench`: the test bench; without one its pages do not exist.
    """
    assets = Assets(_STATIC)
    pages = Pages(house, hub, assets, version, bench=bench is not None)
    actions = Actions(house)
    live = LiveSocket(hub, lambda: None if (adapter := house.adapter()).ready else adapter.text, pace or Pace())
    app = web.Application(
        middlewares=[answer_errors(pages.error), check_host(frozenset(hosts)), check_origin], client_max_size=_LARGEST_BODY
    )
    app.add_routes(
        [
            web.get("/", pages.rooms),
            web.get("/rooms/{room}", pages.room),
            web.get("/sessions", pages.sessions),
            web.get("/sessions/{session}", pages.session),
            web.get("/sessions/{session}/picture.svg", pages.picture),
            web.get("/healthz", pages.health),
            web.get("/live", live.handle, allow_head=False),
            web.get("/static/{hash}/{name}", assets.handle),
            web.get("/api/straps", actions.straps),
            web.post("/api/rooms", actions.open_room),
            web.post("/api/rooms/{room}/advance", actions.advance),
            web.post("/api/sessions/{session}/resume", actions.resume),
            web.post("/api/sessions/{session}/close", actions.close),
        ]
    )
    if bench:
        app.add_routes([web.get("/bench", pages.bench), *BenchActions(bench).routes()])
    app.on_response_prepare.append(add_headers)

    async def say_goodbye(_: web.Application) -> None:
        await live.close()

    app.on_shutdown.append(say_goodbye)
    return app
