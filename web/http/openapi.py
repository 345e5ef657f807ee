"""The API's OpenAPI 3.1 description, built from the endpoints and from the same types that validate requests."""

from collections.abc import Sequence
from http import HTTPStatus
import re
from typing import Any, Final

import msgspec

from ...service.rooms.messages import Ask, BeatRow, Heartbeat, RoomList, Snapshot, StorySegment, Update
from .endpoint import FILE_NAME, FILE_TYPE, NUMBERS, ROOT, Endpoint, Refusal
from .person import COOKIE, CSRF_HEADER

_ABOUT: Final = (
    f"Everything that restbeat's pages do. Where a login is asked for, `POST {ROOT}/login` gives a cookie, which is the key; "
    f"each change also carries the token that this and `GET {ROOT}/me` tell, in the header {CSRF_HEADER}. Times are seconds of "
    "the session's clock unless they end in _utc. A figure that cannot be had is null, with a reason beside it. Live news, beat "
    "by beat, come over the WebSocket /live (with ?room= of one room alone, and its Story): a Snapshot of each room, then "
    "Updates, Rooms, and a Heartbeat every 10 s; where an Update's first_seq is not the last seq + 1, Ask for the Snapshot again."
)
_LIVE_MESSAGES: Final = (Snapshot, Update, RoomList, Heartbeat, Ask)
_REF: Final = "#/components/schemas/{name}"


def describe(endpoints: Sequence[Endpoint], *, version: str, login: bool) -> dict[str, Any]:
    """Return the whole OpenAPI document; `login`: whether requests need a login."""
    kinds = _types_of(endpoints)
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    _name_array_items(components)
    schema_of = dict(zip([_key(kind) for kind in kinds], schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(ROOT + endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, schema_of, login=login)
    return {
        "openapi": "3.1.0",
        "info": {"title": "restbeat", "version": version, "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "login": {"type": "apiKey", "in": "cookie", "name": COOKIE},
                "csrf": {"type": "apiKey", "in": "header", "name": CSRF_HEADER},
            },
        },
    }


def _name_array_items(components: dict[str, Any]) -> None:
    """Give the items of structs that travel as arrays the names of their fields."""
    for struct in (BeatRow, StorySegment):
        items = components.get(struct.__name__, {}).get("prefixItems", ())
        for field, item in zip(msgspec.structs.fields(struct), items, strict=bool(items)):
            item["title"] = field.encode_name


def _types_of(endpoints: Sequence[Endpoint]) -> list[Any]:
    kinds: list[Any] = [Refusal, *_LIVE_MESSAGES]
    for endpoint in endpoints:
        for kind in (endpoint.body, endpoint.query, endpoint.answer):
            if kind is not None and all(_key(kind) != _key(known) for known in kinds):
                kinds.append(kind)
    return kinds


def _key(kind: Any) -> str:
    return repr(kind)


def _operation(endpoint: Endpoint, schema_of: dict[str, Any], *, login: bool) -> dict[str, Any]:
    changes = endpoint.method != "GET"
    names = re.findall(r"{(\w+)}", endpoint.path)
    parameters = [{"name": name, "in": "path", "required": True, "schema": _path_part_schema(name)} for name in names]
    operation: dict[str, Any] = {
        "summary": endpoint.summary,
        "operationId": _operation_id(endpoint),
        "tags": [endpoint.tag],
        "responses": {str(endpoint.status): _answer("Done.", schema_of[_key(endpoint.answer)])},
    }
    if endpoint.query is not None:
        parameters += _query_parameters(endpoint.query)
    if endpoint.takes_file:
        about = "Its name, escaped as in an address; it is shown until the file is decided on, and not kept."
        parameters.append(
            {"name": FILE_NAME, "in": "header", "required": False, "schema": {"type": "string"}, "description": about}
        )
        content: dict[str, Any] = {FILE_TYPE: {"schema": {"type": "string", "format": "binary"}}}
        operation["requestBody"] = {"required": True, "content": content}
    if parameters:
        operation["parameters"] = parameters
    if endpoint.body is not None:
        content = {"application/json": {"schema": schema_of[_key(endpoint.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    if endpoint.admin:
        operation["description"] = "For admins."
    if login and not endpoint.open:
        operation["security"] = [{"login": [], "csrf": []} if changes else {"login": []}]
    for status in _refusal_statuses(endpoint, names, changes=changes, login=login):
        operation["responses"][str(status)] = _answer(HTTPStatus(status).phrase + ".", schema_of[_key(Refusal)])
    return operation


def _refusal_statuses(endpoint: Endpoint, names: list[str], *, changes: bool, login: bool) -> list[int]:
    statuses = set(endpoint.refusals) | {503}
    statuses |= {400} if endpoint.body or endpoint.query else set()
    statuses |= {413, 415} if endpoint.body else {415} if endpoint.takes_file else set()
    statuses |= {404} if names else set()
    statuses |= {401} if login and not endpoint.open else set()
    statuses |= {403} if changes or endpoint.admin else set()
    return sorted(statuses)


def _answer(text: str, schema: Any) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _path_part_schema(name: str) -> dict[str, Any]:
    if name in NUMBERS:
        return {"type": "integer", "minimum": 1, "maximum": 10**15 - 1}
    return {"type": "string", "minLength": 1}


def _query_parameters(query: type[msgspec.Struct]) -> list[dict[str, Any]]:
    parameters = []
    for field in msgspec.structs.fields(query):
        schema = msgspec.json.schema(field.type)
        parameters.append({"name": field.encode_name, "in": "query", "required": field.required, "schema": schema})
    return parameters


def _operation_id(endpoint: Endpoint) -> str:
    words = re.sub(r"[{}]", "", endpoint.path).replace("-", "_").strip("/").replace("/", "_")
    return f"{endpoint.method.lower()}_{words}"
