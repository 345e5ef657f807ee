"""Pages of lists: what a request wants, and the links to the pages beside the one that it gets."""

from typing import Annotated, Any, Generic, NamedTuple, TypeVar
from urllib.parse import urlencode

from aiohttp import web
import msgspec

from ...service.listing import PAGE, Page

T = TypeVar("T")
Q = TypeVar("Q", bound=msgspec.Struct)

Search = Annotated[str, msgspec.Meta(description="Beginnings of words.", max_length=80)]


class PageQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The page of a list."""

    after: Annotated[
        Annotated[str, msgspec.Meta(max_length=400)] | None,
        msgspec.Meta(description="Key of the item after which it begins: take the link `next` rather than make one."),
    ] = None
    before: Annotated[
        Annotated[str, msgspec.Meta(max_length=400)] | None,
        msgspec.Meta(description="Key of the item before which it ends; `after` goes before it."),
    ] = None
    limit: Annotated[int, msgspec.Meta(description="Most items in it.", ge=1, le=200)] = PAGE


class Items(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list."""

    items: list[T]
    next: Annotated[
        str | None, msgspec.Meta(description="Path of the next page, as in the header `Link` too; null on the last one.")
    ]


class PageLinks(NamedTuple):
    """Addresses of the pages beside one; None where there is none."""

    next: str | None
    previous: str | None


def links_of(request: web.Request, page: Page[Any]) -> PageLinks:
    """Return the addresses of the pages beside a page, which keep the search of the request."""
    kept = {name: value for name, value in request.query.items() if name not in {"after", "before"} and value}

    def link(name: str, key: str | None) -> str | None:
        return None if key is None else f"{request.path}?{urlencode(kept | {name: key})}"

    return PageLinks(link("after", page.next), link("before", page.previous))


def form_of(request: web.Request, kind: type[Q]) -> Q:
    """Return what a search form on a page sent, its empty fields left out.

    Raises `msgspec.MsgspecError` where a field does not fit, which `answer_errors` turns into a sentence.
    """
    known = set(kind.__struct_fields__)
    fields = {name: value for name, value in request.query.items() if name in known and value}
    return msgspec.convert(fields, kind, strict=False)
