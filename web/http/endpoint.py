"""The JSON API: an endpoint says what it takes and gives, and from that come its route, its checks and its description."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from aiohttp import web
import msgspec

from ...service.accounts.models import Person
from ...service.errors import UnknownError
from .path_numbers import whole_number
from .person import demand_admin, person_of

ROOT: Final = "/api/v1"

Method = Literal["GET", "POST", "PUT", "DELETE"]


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No fields."""


class Done(msgspec.Struct, frozen=True):
    """It was done."""

    done: bool = True


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """What every request that cannot be met is answered with."""

    error: Annotated[str, msgspec.Meta(description="A sentence for a person.")]
    room: Annotated[str | None, msgspec.Meta(description="The room that the conflict is with.")] = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request, its parts already checked against what the endpoint declares."""

    request: web.Request
    person: Person
    body: Any = None
    query: Any = None

    def text(self, name: str) -> str:
        """A part of the path."""
        return self.request.match_info[name]

    def number(self, name: str) -> int:
        """A part of the path that is a number. Raises `UnknownError`."""
        text = self.request.match_info[name]
        number = whole_number(text)
        if number is None:
            raise UnknownError(f"There is no {name} {text[:40]}.")
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One address of the API. `path` is without `ROOT`; a part in braces whose name is in `NUMBERS` is a number."""

    method: Method
    path: str
    handler: Callable[[Call], Awaitable[Any]]
    summary: str
    answer: Any
    """Type of the answer."""
    body: type[msgspec.Struct] | None = None
    query: type[msgspec.Struct] | None = None
    """All its fields have defaults."""
    status: int = 200
    refusals: tuple[int, ...] = ()
    """Besides those that any request may meet."""
    admin: bool = False
    open: bool = False
    """No login is needed."""
    tag: str = "rooms"

    def route(self) -> web.RouteDef:
        """What answers this address."""
        options = {"allow_head": False} if self.method == "GET" else {}
        return web.route(self.method, ROOT + self.path, self._handle, **options)

    async def _handle(self, request: web.Request) -> web.Response:
        person = person_of(request)
        if self.admin:
            demand_admin(person)
        body = await body_of(request, self.body) if self.body else None
        query = _query_of(request, self.query)
        answer = await self.handler(Call(request, person, body, query))
        if isinstance(answer, web.Response):
            return answer
        return json_answer(Done() if answer is None else answer, self.status)


NUMBERS: Final = frozenset({"session", "account", "action", "link", "consent", "flag", "complement"})
"""Names of the parts of a path that are whole numbers from 1 on."""


def routes_of(endpoints: Sequence[Endpoint]) -> list[web.RouteDef]:
    """The routes of all endpoints."""
    return [endpoint.route() for endpoint in endpoints]


async def body_of(request: web.Request, kind: type[Any]) -> Any:
    """Read what was sent. Raises `msgspec.MsgspecError`, which `guard` turns into a sentence."""
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Send the request as JSON (Content-Type: application/json).")
    return msgspec.convert(_whole(msgspec.json.decode(await request.read())), kind)


def json_answer(value: object, status: int = 200) -> web.Response:
    """Answer with JSON."""
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


def _whole(value: Any) -> Any:
    """In JSON 3.0 is a whole number too."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {name: _whole(field) for name, field in value.items()}
        case list():
            return [_whole(item) for item in value]
        case _:
            return value


def _query_of(request: web.Request, kind: type[msgspec.Struct] | None) -> Any:
    if kind is None:
        return None
    return msgspec.convert(dict(request.query), kind, strict=False)
