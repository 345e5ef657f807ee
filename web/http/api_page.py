"""The API's description: as OpenAPI for programs, as a page for people, and the health check."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from aiohttp import web

from ...service.rooms.live_feed import LiveFeed
from .endpoint import ROOT
from .templating import PageRenderer

_LIMITS: Final = {"minimum": "from {}", "maximum": "to {}", "minLength": "at least {} long", "maxLength": "at most {} long"}


class Line(NamedTuple):
    """One address of the API."""

    method: str
    path: str
    summary: str
    takes: str | None
    """Name of a schema."""
    gives: str | None
    many: bool
    """Whether it gives a list of them."""
    status: str
    refusals: list[str]
    admin: bool


class Field(NamedTuple):
    """One field of a schema."""

    name: str
    kind: str
    """In words: "number or null"."""
    wanted: bool
    said: str
    link: str | None
    """Name of the schema that it holds."""


def outline(description: dict[str, Any]) -> list[Line]:
    """The addresses of a description."""
    lines = []
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            (status, answer), *others = operation["responses"].items()
            schema, body = _schema_in(answer), _schema_in(operation.get("requestBody", {}))
            gives = _name_of(schema) or _name_of(schema.get("items", {}))
            many = schema.get("type") == "array"
            refusals = [status for status, _ in others]
            admin = "description" in operation
            lines.append(Line(method.upper(), path, operation["summary"], _name_of(body), gives, many, status, refusals, admin))
    return lines


def fields_of(schema: dict[str, Any]) -> list[Field]:
    """The fields of a schema; of one that is an array, what stands at each place."""
    if "prefixItems" in schema:
        return [_field(item["title"], item, wanted=True) for item in schema["prefixItems"]]
    wanted = schema.get("required", ())
    return [_field(name, field, wanted=name in wanted) for name, field in schema.get("properties", {}).items()]


def _field(name: str, schema: dict[str, Any], *, wanted: bool) -> Field:
    return Field(name, _words(schema), wanted, schema.get("description", ""), _link_in(schema))


def _words(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_words(part) for part in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(str(value) for value in schema["enum"])
    if (name := _name_of(schema)) is not None:
        return name
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_words(schema['items'])}" if schema.get("items") else "list"
    limits = [text.format(schema[key]) for key, text in _LIMITS.items() if key in schema]
    return " ".join([kind, *limits])


def _link_in(schema: dict[str, Any]) -> str | None:
    parts = [schema, schema.get("items") or {}, *schema.get("anyOf", ())]
    return next((name for part in parts if (name := _name_of(part)) is not None), None)


def _schema_in(part: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = part.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _name_of(schema: dict[str, Any]) -> str | None:
    return schema["$ref"].rpartition("/")[2] if "$ref" in schema else None


class ApiPages:
    """Handlers of the API's description and of `/healthz`."""

    def __init__(self, pages: PageRenderer, description: Callable[[], dict[str, Any]], live_feed: LiveFeed, version: str) -> None:
        """`description` returns the API's, as OpenAPI; computing it the first time takes a tenth of a second."""
        self._pages = pages
        self._description = description
        self._live_feed = live_feed
        self._version = version

    def routes(self) -> list[web.RouteDef]:
        """Return the addresses."""
        return [
            web.get(ROOT, self.page),
            web.get(f"{ROOT}/openapi.json", self.openapi),
            web.get("/healthz", self.health),
        ]

    async def page(self, request: web.Request) -> web.Response:
        """Show the description of the API to a person."""
        description = await asyncio.to_thread(self._description)
        return self._pages.page(request, "http/api.html", api=description, lines=outline(description), fields_of=fields_of)

    async def openapi(self, _: web.Request) -> web.Response:
        """Give the description of the API to a program."""
        return web.json_response(await asyncio.to_thread(self._description))

    async def health(self, _: web.Request) -> web.Response:
        """Say that the server lives."""
        rooms = len(self._live_feed.rooms())
        return web.json_response({"status": "ok", "version": self._version, "rooms": rooms})
