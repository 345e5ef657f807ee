"""What a page may do: JSON in, JSON out; refusals are turned into sentences by `guard`."""

from typing import Annotated, Literal, TypeVar

from aiohttp import web
import msgspec

from .ports import House, UnknownSessionError

T = TypeVar("T")

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


class OpenRoom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Start a session on a strap."""

    address: _Text
    client: _Text | None = None
    """Pseudonym."""
    kind: Literal["massage", "rest"] = "massage"


class Advance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """End a phase; naming the one that is left makes a second press harmless."""

    leaving: Literal["settle", "baseline", "massage", "recovery"]


class Actions:
    """Handlers under /api."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def straps(self, _: web.Request) -> web.Response:
        """Give the straps heard lately and the adapter's state."""
        return json_answer({"adapter": self._house.adapter(), "straps": list(self._house.straps())})

    async def open_room(self, request: web.Request) -> web.Response:
        """Start a session on a strap; gives the room."""
        body = await body_of(request, OpenRoom)
        return json_answer({"room": await self._house.open_room(body.address, client=body.client, kind=body.kind)}, status=201)

    async def advance(self, request: web.Request) -> web.Response:
        """End the phase that the page saw; gives the new one."""
        body = await body_of(request, Advance)
        return json_answer({"phase": await self._house.advance(request.match_info["room"], body.leaving)})

    async def resume(self, request: web.Request) -> web.Response:
        """Take up an interrupted session; gives the room."""
        return json_answer({"room": await self._house.resume(session_of(request))})

    async def close(self, request: web.Request) -> web.Response:
        """End an interrupted session."""
        session = session_of(request)
        await self._house.close(session)
        return json_answer({"session": session})


def session_of(request: web.Request) -> int:
    """Number of the session in the address. Raises `UnknownSessionError`."""
    text = request.match_info["session"]
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise UnknownSessionError(f"There is no session {text[:40]}.")
    return int(text)


async def body_of(request: web.Request, kind: type[T]) -> T:
    """Read what was sent. Raises `msgspec.MsgspecError`, which `guard` turns into a sentence."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Send the request as JSON (Content-Type: application/json).")
    return msgspec.json.decode(await request.read(), type=kind)


def json_answer(value: object, status: int = 200) -> web.Response:
    """Answer with JSON."""
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")
