"""What stands before every handler: who may ask (Host, Origin, login), what a browser may do then, how refusals read."""

from collections.abc import Callable
from hmac import compare_digest
from ipaddress import ip_address
import logging
from typing import Final
from urllib.parse import quote, urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
import msgspec

from ..ports import ConflictError, PortError, RefusedError, UnknownError
from .endpoint import Refusal, json_answer
from .person import LOGIN, Accounts, Login, LoginRefusedError, NotAllowedError, TooOftenError

_LOG = logging.getLogger(__name__)

ErrorPage = Callable[[web.Request, int, str], web.Response]
COOKIE: Final = "restbeat"
CSRF_HEADER: Final = "X-CSRF-Token"
CLIENT_PAGES: Final = "/c/"
"""What lies below is a client's own: the address itself is the secret, and no login has a part in it."""
_COOKIE_S: Final = 7 * 86_400
"""The browser forgets the cookie then; whether the login still holds, the server decides."""

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
PICTURE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
"""Matplotlib writes style attributes into its SVG; nothing else may act in it."""
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
_SENTENCES: Final = {
    403: "This request came from another site, and was refused.",
    404: "There is no such page.",
    405: "This address cannot be used that way.",
    413: "The request was too large.",
}


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


def require_login(accounts: Accounts, open_paths: frozenset[str]) -> Middleware:
    """Let nobody in without a login but to `open_paths` (as their routes are written), and no change pass without its token."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        login = login_of(request, accounts)
        if login:
            request[LOGIN] = login
        # A method that is not there has a path, and no route. No cookie goes with a client's page, nor with a file to keep.
        if {_path_of(request), request.path} & open_paths:
            return await handler(request)
        if login is None:
            if request.path.startswith("/api/") or request.headers.get("Upgrade"):
                raise web.HTTPUnauthorized(text="Log in first: this needs an account.")
            raise web.HTTPSeeOther(f"/login?next={quote(request.path_qs)}")
        if request.method not in _READING:
            await _demand_token(request, login)
        response = await handler(request)
        if (renewed := await accounts.renew(login)) and not response.prepared and COOKIE not in response.cookies:
            give_cookie(request, response, renewed)
        return response

    return middleware


def login_of(request: web.Request, accounts: Accounts) -> Login | None:
    """The login of the browser that asks, as it is at this moment."""
    return accounts.whose(request.cookies.get(COOKIE, ""))


def give_cookie(request: web.Request, response: web.StreamResponse, login: Login) -> None:
    """Hand the browser its cookie, which no script can read and no other site can use."""
    secure = is_tls(request)
    response.set_cookie(COOKIE, login.token, max_age=_COOKIE_S, path="/", httponly=True, samesite="Strict", secure=secure)


def is_tls(request: web.Request) -> bool:
    """Whether the browser came by https, to us or to a proxy on this computer."""
    return request.secure or (_on_loopback(request) and request.headers.get("X-Forwarded-Proto", "").lower() == "https")


async def _demand_token(request: web.Request, login: Login) -> None:
    given = request.headers.get(CSRF_HEADER)
    if given is None and request.content_type in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        field = (await request.post()).get("csrf")
        given = field if isinstance(field, str) else None
    if given is None or not compare_digest(given.encode(), login.csrf.encode()):
        raise web.HTTPForbidden(text=f"The page is too old for this. Open it anew, then try again. (No valid {CSRF_HEADER}.)")


def _is_a_clients(request: web.Request) -> bool:
    return request.path.startswith(CLIENT_PAGES)


def _path_of(request: web.Request) -> str | None:
    resource = request.match_info.route.resource
    return resource.canonical if resource else None


def answer_errors(page: ErrorPage) -> Middleware:
    """Turn every refusal into a sentence: as JSON under /api, else as a page of the house."""

    def answer(request: web.Request, status: int, sentence: str, room: str | None = None) -> web.Response:
        if request.path.startswith("/api/"):
            return json_answer(Refusal(sentence, room), status)
        return page(request, status, sentence)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except UnknownError as error:
            return answer(request, 404, str(error))
        except (NotAllowedError, LoginRefusedError) as error:
            return answer(request, 403, str(error))
        except TooOftenError as error:
            response = answer(request, 429, str(error))
            response.headers["Retry-After"] = str(int(error.wait_s) + 1)
            return response
        except RefusedError as error:
            return answer(request, 409, str(error), error.room if isinstance(error, ConflictError) else None)
        except PortError as error:
            return answer(request, 503, str(error))
        except msgspec.MsgspecError as error:
            return answer(request, 400, f"The request could not be read: {error}.")
        except web.HTTPException as error:
            if error.status < 400:
                raise
            own = error.text if error.text and not error.text.startswith(f"{error.status}:") else None
            response = answer(request, error.status, own or _SENTENCES.get(error.status, error.reason))
            response.headers.extend({name: value for name, value in error.headers.items() if name == "Allow"})
            return response
        except Exception:  # noqa: BLE001 the last door: logged whole, and a person reads a sentence
            _LOG.exception(
                "%s %s failed", request.method, _path_of(request)
            )  # as its route is written: a link's address is secret
            return answer(request, 500, "Something went wrong in restbeat. What was measured is kept; try again in a moment.")

    return middleware


def _on_loopback(request: web.Request) -> bool:
    name = request.transport.get_extra_info("sockname") if request.transport else None
    if not isinstance(name, tuple):
        return False
    return ip_address(name[0].partition("%")[0]).is_loopback


def _name_of(host: str) -> str:
    return (host if host.endswith("]") else host.rpartition(":")[0] or host).lower()
