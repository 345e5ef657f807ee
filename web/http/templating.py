"""The pages: what the house knows, put into templates."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from msgspec.structs import replace

from ...sensors.recordings.fault_grammar import KINDS
from ...service.accounts.accounts import Accounts
from ...service.clients.clients import Clients
from ...service.documents.page_templates import TEMPLATES as DOCUMENT_TEMPLATES
from ...service.documents.therapist_summary import summary_of
from ...service.errors import UnknownRoomError, UnknownSessionError
from ...service.rendering import plain_words
from ...service.rooms.live_feed import LiveFeed
from ...service.rooms.messages import RoomState
from ...service.rooms.rooms import Rooms
from ...service.settings import Settings
from ..rooms.visibility import hides_clients
from .api_page import fields_of, outline
from .person import LOGIN, NOBODY, demand_admin, person_of
from .security import PICTURE_POLICY
from .static_files import StaticFiles

_TEMPLATES: Final = Path(__file__).parents[1] / "templates"


class Pages:
    """Handlers of everything that a person opens."""

    def __init__(
        self,
        house: Rooms,
        hub: LiveFeed,
        assets: StaticFiles,
        version: str,
        description: Callable[[], dict[str, Any]],
        *,
        bench: bool = False,
        accounts: Accounts | None = None,
        records: Clients | None = None,
        rights: bool = False,
        courses: bool = False,
        links: bool = False,
    ) -> None:
        """`description` gives the API's, as OpenAPI; `rights`, `courses`, `links`: whether those pages are there."""
        self._records = records
        self._house = house
        self._hub = hub
        self._version = version
        self._description = description
        self._accounts = accounts
        self._templates = Environment(
            loader=FileSystemLoader([_TEMPLATES, DOCUMENT_TEMPLATES]),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            static=assets.address,
            assets=assets,
            version=version,
            words=plain_words,
            disclaimer=plain_words.DISCLAIMER,
            bench=bench,
            records=records is not None,
            rights=rights,
            courses=courses,
            links=links,
        )

    async def rooms(self, request: web.Request) -> web.Response:
        """Show every room in a grid, and the straps that are free."""
        rooms, house = self._hub.rooms(), self._house
        return self._page(request, "rooms/rooms.html", rooms=rooms, adapter=house.adapter(), straps=house.straps())

    async def room(self, request: web.Request) -> web.Response:
        """Show one room."""
        room = self._room(request)
        settings = Settings() if room.bench else await self._house.settings()
        return self._page(request, "rooms/room.html", room=room, settings=settings)

    async def client_view(self, request: web.Request) -> web.Response:
        """Show the screen that is the client's own."""
        return self._page(request, "rooms/client_view.html", room=self._room(request))

    async def bench(self, request: web.Request) -> web.Response:
        """Show the test bench."""
        return self._page(request, "testbench/bench.html", faults=KINDS.values())

    async def sessions(self, request: web.Request) -> web.Response:
        """List every session; to a browser that hides clients, without them."""
        hides = hides_clients(request)
        rows = await self._house.sessions()
        return self._page(
            request, "sessions/sessions.html", hides=hides, sessions=[replace(r, client=None) for r in rows] if hides else rows
        )

    async def session(self, request: web.Request) -> web.Response:
        """Show the summary of one session."""
        row, report = await self._house.report(session_of(request))
        await self._note(request, row.session, "summary")
        return self._page(request, "sessions/session.html", row=row, report=report, summary=summary_of(row, report))

    async def picture(self, request: web.Request) -> web.Response:
        """Draw the picture of one session."""
        session = session_of(request)
        svg = await self._house.picture(session)
        await self._note(request, session, "picture")
        headers = {"Content-Security-Policy": PICTURE_POLICY, "Cache-Control": "no-cache"}
        return web.Response(text=svg, content_type="image/svg+xml", headers=headers)

    async def accounts(self, request: web.Request) -> web.Response:
        """Show the accounts, to an admin."""
        demand_admin(person_of(request))
        rows = await self._accounts.accounts() if self._accounts else []
        return self._page(request, "accounts/accounts.html", accounts=rows)

    async def settings(self, request: web.Request) -> web.Response:
        """Show what the practice has set; an admin may change it."""
        may_change = person_of(request).role == "admin"
        return self._page(request, "settings/settings.html", settings=await self._house.settings(), may_change=may_change)

    async def api(self, request: web.Request) -> web.Response:
        """Show the description of the API to a person."""
        description = await self._described()
        return self._page(request, "http/api.html", api=description, lines=outline(description), fields_of=fields_of)

    async def openapi(self, _: web.Request) -> web.Response:
        """Give the description of the API to a program."""
        return web.json_response(await self._described())

    async def health(self, _: web.Request) -> web.Response:
        """Say that the server lives."""
        rooms = len(self._hub.rooms())
        return web.json_response({"status": "ok", "version": self._version, "rooms": rooms})

    def error(self, request: web.Request, status: int, sentence: str) -> web.Response:
        """Show a refusal in the style of the house."""
        return self._page(request, "shared/error.html", status, code=status, sentence=sentence)

    def render(self, request: web.Request, template: str, **values: Any) -> web.Response:
        """Show a page of another handler."""
        return self._page(request, template, **values)

    def page(self, template: str, status: int = 200, **values: Any) -> web.Response:
        """Show a page to whoever has not logged in."""
        return self._render(template, status, login=None, person=None, **values)

    async def _described(self) -> dict[str, Any]:
        """Describe the API, beside the event loop: the first time takes a tenth of a second."""
        return await asyncio.to_thread(self._description)

    def _room(self, request: web.Request) -> RoomState:
        name = request.match_info["room"]
        for room in self._hub.rooms():
            if room.room == name:
                return room
        raise UnknownRoomError("This room is not open. Start a session on a strap, or look among the sessions.")

    async def _note(self, request: web.Request, session: int, what: str) -> None:
        if self._records:
            await self._records.saw(session, what, by=person_of(request).name)

    def _page(self, request: web.Request, template: str, status: int = 200, **values: Any) -> web.Response:
        login = request.get(LOGIN)
        person = login.person if login else None if self._accounts else NOBODY
        return self._render(template, status, login=login, person=person, **values)

    def _render(self, template: str, status: int, **values: Any) -> web.Response:
        return web.Response(text=self._templates.get_template(template).render(**values), status=status, content_type="text/html")


def session_of(request: web.Request) -> int:
    """Number of the session in the address. Raises `UnknownSessionError`."""
    text = request.match_info["session"]
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise UnknownSessionError(f"There is no session {text[:40]}.")
    return int(text)
