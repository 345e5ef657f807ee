"""The pages: what the house knows, put into templates."""

from pathlib import Path
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from . import words
from .actions import session_of
from .assets import Assets
from .guard import PICTURE_POLICY
from .live import Hub
from .ports import House, UnknownRoomError
from .summary import summary_of

_TEMPLATES: Final = Path(__file__).parent / "templates"


class Pages:
    """Handlers of everything that a person opens."""

    def __init__(self, house: House, hub: Hub, assets: Assets, version: str, *, bench: bool = False) -> None:
        self._house = house
        self._hub = hub
        self._version = version
        self._templates = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            static=assets.address, version=version, words=words, disclaimer=words.DISCLAIMER, bench=bench
        )

    async def rooms(self, _: web.Request) -> web.Response:
        """Show every room in a grid, and the straps that are free."""
        return self._page("rooms.html", rooms=self._hub.rooms(), adapter=self._house.adapter(), straps=self._house.straps())

    async def room(self, request: web.Request) -> web.Response:
        """Show one room."""
        name = request.match_info["room"]
        for room in self._hub.rooms():
            if room.room == name:
                return self._page("room.html", room=room)
        raise UnknownRoomError("This room is not open. Start a session on a strap, or look among the sessions.")

    async def bench(self, _: web.Request) -> web.Response:
        """Show the test bench."""
        return self._page("bench.html")

    async def sessions(self, _: web.Request) -> web.Response:
        """List every session."""
        return self._page("sessions.html", sessions=await self._house.sessions())

    async def session(self, request: web.Request) -> web.Response:
        """Show the summary of one session."""
        row, report = await self._house.report(session_of(request))
        return self._page("session.html", row=row, report=report, summary=summary_of(row, report))

    async def picture(self, request: web.Request) -> web.Response:
        """Draw the picture of one session."""
        svg = await self._house.picture(session_of(request))
        headers = {"Content-Security-Policy": PICTURE_POLICY, "Cache-Control": "no-cache"}
        return web.Response(text=svg, content_type="image/svg+xml", headers=headers)

    async def health(self, _: web.Request) -> web.Response:
        """Say that the server lives."""
        rooms = len(self._hub.rooms())
        return web.json_response({"status": "ok", "version": self._version, "rooms": rooms})

    def error(self, status: int, sentence: str) -> web.Response:
        """Show a refusal in the style of the house."""
        return self._page("error.html", status, code=status, sentence=sentence)

    def _page(self, template: str, status: int = 200, **values: Any) -> web.Response:
        text = self._templates.get_template(template).render(**values)
        return web.Response(text=text, status=status, content_type="text/html")
