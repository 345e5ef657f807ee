"""Checks that run before every handler (Host, Origin), and the headers that limit what a browser may do with an answer."""

from collections.abc import Callable
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

CLIENT_PAGES: Final = "/c/"
"""Path prefix of the clients' own pages: the address itself is the secret, and no login is involved."""
READING_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing; every other one is a change."""
PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
PICTURE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
"""Policy of a session's SVG: Matplotlib writes style attributes into it; nothing else is allowed."""
_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """Tell the browser to run only our own files, and never to show a page in a frame."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", PAGE_POLICY)
    headers.setdefault("Cache-Control", "no-store")
    headers["Server"] = "restbeat"  # and not which versions of what
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Referrer-Policy", "same-origin")
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"


def check_host(hosts: frozenset[str], public: Callable[[], str | None] = lambda: None) -> Middleware:
    """Return middleware that answers 403 to an unknown host name on a loopback address.

    Any website may let its name resolve to this computer (DNS rebinding).

    `hosts`: names beyond localhost that are allowed, without port. `public` returns the name under which a proxy lets clients
    in, as currently set; under that name only the clients' own pages are served.
    """
    allowed = _LOOPBACK_NAMES | {host.lower() for host in hosts}

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = _host_name(request.host)
        known = name in allowed or (name == public() and request.path.startswith((CLIENT_PAGES, "/static/")))
        if _on_loopback(request) and not known:
            raise web.HTTPForbidden(text=f"restbeat is not known as {name}. Open it under localhost.")
        return await handler(request)

    return middleware


@web.middleware
async def refuse_packed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 415 to a packed body: a few kilobytes unpack to so much that the event loop stands still. None is ever unpacked."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise web.HTTPUnsupportedMediaType(text="Send the request as it is, without Content-Encoding.")
    return await handler(request)


@web.middleware
async def check_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse changes and sockets requested by another site's page, with 403. Programs other than browsers send no Origin."""
    changes = request.method not in READING_METHODS
    opens_socket = request.headers.get("Upgrade", "").lower() == "websocket"
    if changes or opens_socket:
        origin = request.headers.get("Origin")
        without_origin = origin == "null" and _is_client_page(request)  # a form on a page that sends no referrer
        if origin is not None and not without_origin and urlsplit(origin).netloc.lower() != request.host.lower():
            raise web.HTTPForbidden
        if changes and request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
            raise web.HTTPForbidden
    return await handler(request)


def is_tls(request: web.Request) -> bool:
    """Return whether the browser uses https, with us or with a proxy on this computer."""
    return request.secure or (_on_loopback(request) and request.headers.get("X-Forwarded-Proto", "").lower() == "https")


def peer_address(request: web.Request) -> str:
    """Return the network address that a request comes from; behind a proxy on this computer, the one that it names last."""
    peer = request.remote or "unknown"
    try:
        if ip_address(peer.partition("%")[0]).is_loopback:
            return str(ip_address(request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()))
    except ValueError:
        pass
    return peer


def route_path(request: web.Request) -> str | None:
    """Return a request's path as its route is written, such as `/c/{token}`; None where no route matches.

    Unlike the path itself it holds no secret.
    """
    resource = request.match_info.route.resource
    return resource.canonical if resource else None


def _is_client_page(request: web.Request) -> bool:
    return request.path.startswith(CLIENT_PAGES)


def _on_loopback(request: web.Request) -> bool:
    name = request.transport.get_extra_info("sockname") if request.transport else None
    if not isinstance(name, tuple):
        return False
    return ip_address(name[0].partition("%")[0]).is_loopback


def _host_name(host: str) -> str:
    return (host if host.endswith("]") else host.rpartition(":")[0] or host).lower()
