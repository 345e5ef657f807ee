"""Endpoints of the JSON API: each declares what it accepts and returns; its route, checks and description follow from that."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from aiohttp import web
import msgspec

from ...service.accounts.models import Person
from ...service.errors import UnknownError
from ...service.listing import Page
from .paging import Items, links_of
from .path_numbers import whole_number
from .person import demand_admin, person_of

ROOT: Final = "/api/v1"
FILE_TYPE: Final = "application/octet-stream"
FILE_NAME: Final = "X-File-Name"
"""Header with the name of a file that is sent, its characters escaped as in an address: so it stays out of addresses and logs."""

Method = Literal["GET", "POST", "PUT", "DELETE"]


class Done(msgspec.Struct, frozen=True):
    """It was done."""

    done: bool = True


class Refusal(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to every request that cannot be met."""

    error: Annotated[str, msgspec.Meta(description="A sentence for a person.")]
    room: Annotated[str | None, msgspec.Meta(description="The room that the conflict is with.")] = None
    unconfirmed: Annotated[bool, msgspec.Meta(description="Whether the request is met when it is sent with a confirmation.")] = (
        False
    )


@dataclass(frozen=True, slots=True)
class Call:
    """One request whose body and query are already checked against the endpoint's declaration."""

    request: web.Request
    person: Person
    body: Any = None
    query: Any = None

    def text(self, name: str) -> str:
        """Return a part of the path."""
        return self.request.match_info[name]

    def number(self, name: str) -> int:
        """Return a part of the path as a number. Raises `UnknownError` where it is none."""
        text = self.request.match_info[name]
        number = whole_number(text)
        if number is None:
            raise UnknownError(f"There is no {name} {text[:40]}.")
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One address of the API.

    `path` is without `ROOT`; a part in braces whose name is in `NUMBERS` is a number. `handler` lets our errors through:
    `http.errors.answer_errors` turns them into refusals.
    """

    method: Method
    path: str
    handler: Callable[[Call], Awaitable[Any]]
    summary: str
    answer: Any
    """Type of the answer's body; of a list in pages, `Items` of its rows, where `handler` returns a `Page`."""
    body: type[msgspec.Struct] | None = None
    query: type[msgspec.Struct] | None = None
    """Type of the query string; all its fields have defaults."""
    status: int = 200
    refusals: tuple[int, ...] = ()
    """Statuses of refusals, besides those that any request may meet."""
    admin: bool = False
    open: bool = False
    """Whether it needs no login."""
    takes_file: bool = False
    """Whether the body is a file as it is, which `handler` reads piece by piece; its name is in the header `FILE_NAME`."""
    tag: str = "rooms"

    def route(self) -> web.RouteDef:
        """Return the route that answers this address."""
        options = {"allow_head": False} if self.method == "GET" else {}
        return web.route(self.method, ROOT + self.path, self._handle, **options)

    async def _handle(self, request: web.Request) -> web.Response:
        person = person_of(request)
        if self.admin:
            demand_admin(person)
        body = await read_body(request, self.body) if self.body else None
        if self.takes_file and request.content_type != FILE_TYPE:
            raise web.HTTPUnsupportedMediaType(text=f"Send the file as it is (Content-Type: {FILE_TYPE}).")
        query = _query_of(request, self.query)
        answer = await self.handler(Call(request, person, body, query))
        if isinstance(answer, web.Response):
            return answer
        if isinstance(answer, Page):
            return _page_answer(request, answer, self.status)
        return json_answer(Done() if answer is None else answer, self.status)


NUMBERS: Final = frozenset({"session", "account", "action", "link", "consent", "flag", "complement"})
"""Names of path parts that are whole numbers from 1."""


def api_routes(endpoints: Sequence[Endpoint]) -> list[web.RouteDef]:
    """Return the routes of all endpoints."""
    return [endpoint.route() for endpoint in endpoints]


async def read_body(request: web.Request, kind: type[Any]) -> Any:
    """Return a request's JSON body, converted to `kind`.

    Raises `msgspec.MsgspecError` where it does not fit, which `answer_errors` turns into a sentence, and
    `web.HTTPUnsupportedMediaType` where it is not JSON.
    """
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="Send the request as JSON (Content-Type: application/json).")
    return msgspec.convert(_with_whole_numbers(msgspec.json.decode(await request.read())), kind)


def json_answer(value: object, status: int = 200) -> web.Response:
    """Return a value as a JSON response."""
    return web.Response(body=msgspec.json.encode(value), status=status, content_type="application/json")


def _page_answer(request: web.Request, page: Page[Any], status: int) -> web.Response:
    following, previous = links_of(request, page)
    response = json_answer(Items(list(page.rows), following), status)
    for relation, link in (("next", following), ("prev", previous)):
        if link is not None:
            response.headers.add("Link", f'<{link}>; rel="{relation}"')
    return response


def _with_whole_numbers(value: Any) -> Any:
    """Return a JSON value with each float such as 3.0 as an int: to JSON both are the same number."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {name: _with_whole_numbers(field) for name, field in value.items()}
        case list():
            return [_with_whole_numbers(item) for item in value]
        case _:
            return value


def _query_of(request: web.Request, kind: type[msgspec.Struct] | None) -> Any:
    if kind is None:
        return None
    return msgspec.convert(dict(request.query), kind, strict=False)
