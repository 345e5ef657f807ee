"""What is said of each field: the string below it in our source, put into the API's description."""

import ast
from collections.abc import Iterable
from functools import cache
import inspect
from itertools import pairwise
import sys
from typing import Any

import msgspec
from msgspec import inspect as types


def say_fields(components: dict[str, Any], kinds: Iterable[Any]) -> None:
    """Add to the schemas what the source says of their fields; `kinds`: all that the schemas were made from."""
    for cls in _structs(types.multi_type_info(kinds)):
        schema, said = components.get(cls.__name__, {}), _said_of(cls)
        fields = [(field.encode_name, said.get(field.name)) for field in msgspec.structs.fields(cls)]
        for name, text in fields:
            if text and name in schema.get("properties", {}):
                schema["properties"][name].setdefault("description", text)
        for (name, text), item in zip(fields, schema.get("prefixItems", ()), strict=False):
            item["title"] = name
            if text:
                item.setdefault("description", text)


def _structs(infos: Iterable[types.Type]) -> list[type[msgspec.Struct]]:
    """Every struct among types, with those that they hold."""
    found: dict[type[msgspec.Struct], None] = {}

    def look(info: types.Type) -> None:
        match info:
            case types.StructType(cls=cls, fields=fields):
                if cls not in found:
                    found[cls] = None
                    for field in fields:
                        look(field.type)
            case types.UnionType(types=parts) | types.TupleType(item_types=parts):
                for part in parts:
                    look(part)
            case types.ListType(item_type=part) | types.CollectionType(item_type=part) | types.Metadata(type=part):
                look(part)
            case types.DictType(value_type=part):
                look(part)

    for info in infos:
        look(info)
    return list(found)


def _said_of(cls: type) -> dict[str, str]:
    said: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        said |= _said_in(base.__module__).get(base.__name__, {})
    return said


@cache
def _said_in(module: str) -> dict[str, dict[str, str]]:
    """By class and field, the strings below fields; nothing where there is no source to read."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (OSError, TypeError):
        return {}
    return {node.name: dict(_below(node.body)) for node in tree.body if isinstance(node, ast.ClassDef)}


def _below(body: list[ast.stmt]) -> Iterable[tuple[str, str]]:
    for field, text in pairwise(body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                yield name, " ".join(words.split())
