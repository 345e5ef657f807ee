"""What stands before every handler: who may ask (Host, Origin, login), what a browser may do then, how refusals read."""

from collections.abc import Callable
from ipaddress import ip_address
import logging
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

_LOG = logging.getLogger(__name__)

CLIENT_PAGES: Final = "/c/"
"""What lies below is a client's own: the address itself is the secret, and no login has a part in it."""

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
PICTURE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
"""Matplotlib writes style attributes into its SVG; nothing else may act in it."""
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Tell the browser to run nothing but our own files, and to show us in no frame."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    headers.setdefault("Cache-Control", "no-store")
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Referrer-Policy", "same-origin")
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"


def check_host(hosts: frozenset[str], public: Callable[[], str | None] = lambda: None) -> Middleware:
    """Refuse foreign names on a loopback address: a page elsewhere may have its name point here (DNS rebinding).

    `hosts`: names beyond localhost that are allowed, without port. `public`: the name by which a proxy lets clients in, as set
    now; under it there is nothing but their pages.
    """
    allowed = _LOOPBACK_NAMES | {host.lower() for host in hosts}

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = _name_of(request.host)
        known = name in allowed or (name == public() and request.path.startswith((CLIENT_PAGES, "/static/")))
        if _on_loopback(request) and not known:
            raise web.HTTPForbidden(text=f"restbeat is not known as {name}. Open it under localhost.")
        return await handler(request)

    return middleware


@web.middleware
async def check_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what another site's page sends: every change, and the socket. Programs that are no browser send no Origin."""
    changes = request.method not in _READING
    opens_socket = request.headers.get("Upgrade", "").lower() == "websocket"
    if changes or opens_socket:
        origin = request.headers.get("Origin")
        nameless = origin == "null" and _is_a_clients(request)  # a form of a page that sends no referrer
        if origin is not None and not nameless and urlsplit(origin).netloc.lower() != request.host.lower():
            raise web.HTTPForbidden
        if changes and request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
            raise web.HTTPForbidden
    return await handler(request)


def is_tls(request: web.Request) -> bool:
    """Whether the browser came by https, to us or to a proxy on this computer."""
    return request.secure or (_on_loopback(request) and request.headers.get("X-Forwarded-Proto", "").lower() == "https")


def _is_a_clients(request: web.Request) -> bool:
    return request.path.startswith(CLIENT_PAGES)


def _path_of(request: web.Request) -> str | None:
    resource = request.match_info.route.resource
    return resource.canonical if resource else None


def _on_loopback(request: web.Request) -> bool:
    name = request.transport.get_extra_info("sockname") if request.transport else None
    if not isinstance(name, tuple):
        return False
    return ip_address(name[0].partition("%")[0]).is_loopback


def _name_of(host: str) -> str:
    return (host if host.endswith("]") else host.rpartition(":")[0] or host).lower()
