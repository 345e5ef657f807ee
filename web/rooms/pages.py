"""The pages of the rooms: the grid of all rooms, one room, and the client's own screen."""

from aiohttp import web

from ...service.errors import UnknownRoomError
from ...service.practice import Practice
from ...service.rooms.messages import RoomState
from ...service.settings import Settings
from ..http.person import person_of
from ..http.templating import PageRenderer


class RoomPages:
    """Handlers of `/` and `/rooms/…`."""

    def __init__(self, practice: Practice, pages: PageRenderer) -> None:
        self._practice = practice
        self._pages = pages

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/", self.rooms),
            web.get("/rooms/{room}", self.room),
            web.get("/rooms/{room}/client", self.client_view),
        ]

    async def rooms(self, request: web.Request) -> web.Response:
        """Show the grid of all rooms, and the free straps."""
        rooms, straps = self._practice.live_feed.rooms(), self._practice.rooms.straps()
        backups = self._practice.backups
        return self._pages.page(
            request,
            "rooms/rooms.html",
            rooms=rooms,
            adapter=self._practice.rooms.adapter(),
            straps=straps,
            backups_amiss=backups.notice if backups else None,
            backups_set=backups is not None and backups.set_up,
            may_change=person_of(request).role == "admin",
        )

    async def room(self, request: web.Request) -> web.Response:
        """Show one room. Raises `UnknownRoomError`."""
        room = self._room(request)
        settings = Settings() if room.bench else await self._practice.settings.read()
        return self._pages.page(request, "rooms/room.html", room=room, settings=settings)

    async def client_view(self, request: web.Request) -> web.Response:
        """Show the client's own screen of a room. Raises `UnknownRoomError`."""
        return self._pages.page(request, "rooms/client_view.html", room=self._room(request))

    def _room(self, request: web.Request) -> RoomState:
        name = request.match_info["room"]
        for room in self._practice.live_feed.rooms():
            if room.room == name:
                return room
        raise UnknownRoomError("This room is not open. Start a session on a strap, or look among the sessions.")
