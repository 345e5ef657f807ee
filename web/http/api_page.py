"""The API's description, as OpenAPI for programs and as a page for people, and the health check."""

import asyncio
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from aiohttp import web

from ...service.practice import Practice
from .endpoint import ROOT
from .person import LOGIN
from .templating import PageRenderer

_LIMITS: Final = {"minimum": "from {}", "maximum": "to {}", "minLength": "at least {} long", "maxLength": "at most {} long"}


class ApiOperation(NamedTuple):
    """One operation of the API, as the page lists it."""

    method: str
    path: str
    summary: str
    body: str | None
    """Name of the body's schema; None where there is no body."""
    answer: str | None
    """Name of the answer's schema; None where it has no name."""
    is_list: bool
    """Whether the answer is a list of them."""
    status: str
    refusals: list[str]
    """Statuses of its refusals."""
    admin: bool
    """Whether it is for admins only."""


class SchemaField(NamedTuple):
    """One field of a schema, as the page lists it."""

    name: str
    kind: str
    """Its type in words, such as "number or null"."""
    required: bool
    description: str
    schema: str | None
    """Name of the schema that it holds; None where it holds none."""


def operations_of(description: dict[str, Any]) -> list[ApiOperation]:
    """Return the operations of an OpenAPI document, in its order."""
    found = []
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            (status, answer), *others = operation["responses"].items()
            schema, body = _schema_in(answer), _schema_in(operation.get("requestBody", {}))
            found.append(
                ApiOperation(
                    method=method.upper(),
                    path=path,
                    summary=operation["summary"],
                    body=_name_of(body),
                    answer=_name_of(schema) or _name_of(schema.get("items", {})),
                    is_list=schema.get("type") == "array",
                    status=status,
                    refusals=[status for status, _ in others],
                    admin="description" in operation,
                )
            )
    return found


def fields_of(schema: dict[str, Any]) -> list[SchemaField]:
    """Return the fields of a schema; for an array of fixed length, its places."""
    if "prefixItems" in schema:
        return [_field(item["title"], item, required=True) for item in schema["prefixItems"]]
    required = schema.get("required", ())
    return [_field(name, field, required=name in required) for name, field in schema.get("properties", {}).items()]


def _field(name: str, schema: dict[str, Any], *, required: bool) -> SchemaField:
    return SchemaField(name, _type_in_words(schema), required, schema.get("description", ""), _schema_name_in(schema))


def _type_in_words(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_type_in_words(part) for part in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(str(value) for value in schema["enum"])
    if (name := _name_of(schema)) is not None:
        return name
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_type_in_words(schema['items'])}" if schema.get("items") else "list"
    limits = [text.format(schema[key]) for key, text in _LIMITS.items() if key in schema]
    return " ".join([kind, *limits])


def _schema_name_in(schema: dict[str, Any]) -> str | None:
    parts = [schema, schema.get("items") or {}, *schema.get("anyOf", ())]
    return next((name for part in parts if (name := _name_of(part)) is not None), None)


def _schema_in(part: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = part.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _name_of(schema: dict[str, Any]) -> str | None:
    return schema["$ref"].rpartition("/")[2] if "$ref" in schema else None


class ApiPages:
    """Handlers of the API's description and of `/healthz`."""

    def __init__(self, pages: PageRenderer, description: Callable[[], dict[str, Any]], practice: Practice, version: str) -> None:
        """Take `description`, which returns the OpenAPI document; its first call takes a tenth of a second."""
        self._pages = pages
        self._description = description
        self._practice = practice
        self._version = version

    def routes(self) -> list[web.RouteDef]:
        """Return the addresses."""
        return [
            web.get(ROOT, self.page),
            web.get(f"{ROOT}/openapi.json", self.openapi),
            web.get("/healthz", self.health),
        ]

    async def page(self, request: web.Request) -> web.Response:
        """Show the API's description to people."""
        description = await asyncio.to_thread(self._description)
        return self._pages.page(
            request,
            "http/api.html",
            api=self._description_for(request, description),
            operations=operations_of(description),
            fields_of=fields_of,
        )

    async def openapi(self, request: web.Request) -> web.Response:
        """Return the API's description as an OpenAPI document; a stranger does not learn which restbeat this is."""
        return web.json_response(self._description_for(request, await asyncio.to_thread(self._description)))

    async def health(self, request: web.Request) -> web.Response:
        """Answer that the server is up, with the number of open rooms; 503 while nothing can be stored.

        Its version is for people of the practice.
        """
        rooms, trouble = len(self._practice.live_feed.rooms()), self._practice.rooms.trouble
        saves = trouble is None or trouble.saves
        answer: dict[str, Any] = {"status": "ok" if saves else "trouble", "rooms": rooms}
        if not self._is_stranger(request):
            answer["version"] = self._version
        if trouble:
            answer["storage"] = {"code": trouble.code, "saves": saves, "waiting": trouble.waiting, "sentence": trouble.sentence}
        return web.json_response(answer, status=200 if saves else 503)

    def _is_stranger(self, request: web.Request) -> bool:
        return self._practice.accounts is not None and LOGIN not in request

    def _description_for(self, request: web.Request, description: dict[str, Any]) -> dict[str, Any]:
        if not self._is_stranger(request):
            return description
        return description | {"info": description["info"] | {"version": ROOT.rpartition("/v")[2]}}
