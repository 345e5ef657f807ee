"""The login check before every handler, the token check before every change, and the login cookie."""

from hmac import compare_digest
from typing import Final
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from ...service.accounts.accounts import DEVICE_LIFETIME, Accounts
from ...service.accounts.models import Login
from ..http.person import COOKIE, CSRF_HEADER, DEVICE_COOKIE, LOGIN
from ..http.security import READING_METHODS, is_tls, peer_address, route_path

_COOKIE_S: Final = 7 * 86_400
"""How long a browser keeps the cookie, s; the server decides whether the login is still valid."""
_DEVICE_COOKIE_S: Final = int(DEVICE_LIFETIME.total_seconds())


def require_login(accounts: Accounts, open_paths: frozenset[str]) -> Middleware:
    """Return middleware that requires a login for every path but `open_paths` (as their routes are written).

    A change also needs the login's CSRF token; without it, it is answered with 403.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        login = login_of(request, accounts)
        if login:
            request[LOGIN] = login
        # A method that is not allowed has a path but no route. No cookie is renewed on a client's page or a cacheable file.
        if {route_path(request), request.path} & open_paths:
            return await handler(request)
        if login is None:
            if request.path.startswith("/api/") or request.headers.get("Upgrade"):
                raise web.HTTPUnauthorized(text="Log in first: this needs an account.")
            raise web.HTTPSeeOther(f"/login?next={quote(request.path_qs)}")
        if request.method not in READING_METHODS:
            await _demand_token(request, login)
        response = await handler(request)
        if (renewed := accounts.renew(login)) and not response.prepared and COOKIE not in response.cookies:
            give_cookie(request, response, renewed)
        return response

    return middleware


def login_of(request: web.Request, accounts: Accounts) -> Login | None:
    """Return the login of the browser that sent a request, as of now; None where it has none that is valid."""
    return accounts.login_of(request.cookies.get(COOKIE, ""))


async def log_in(request: web.Request, accounts: Accounts, name: str, password: str) -> Login:
    """Log in from a browser: its former login ends, and its device is known again.

    Raises `LoginRefusedError` where name and password do not match, `TooOftenError` after too many attempts.
    """
    cookies = request.cookies
    device, former = cookies.get(DEVICE_COOKIE, ""), cookies.get(COOKIE, "")
    return await accounts.log_in(name, password, peer=peer_address(request), device=device, replaces=former)


def give_cookie(request: web.Request, response: web.StreamResponse, login: Login) -> None:
    """Set the login cookie, and after a login that of the device, which no script can read and no other site can use."""
    for name, value, max_age_s in ((COOKIE, login.token, _COOKIE_S), (DEVICE_COOKIE, login.device, _DEVICE_COOKIE_S)):
        if value:
            secure = is_tls(request)
            response.set_cookie(name, value, max_age=max_age_s, path="/", httponly=True, samesite="Strict", secure=secure)


async def _demand_token(request: web.Request, login: Login) -> None:
    token = request.headers.get(CSRF_HEADER)
    if token is None and request.content_type in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        field = (await request.post()).get("csrf")
        token = field if isinstance(field, str) else None
    if token is None or not compare_digest(token.encode(), login.csrf.encode()):
        raise web.HTTPForbidden(text=f"The page is too old for this. Open it anew, then try again. (No valid {CSRF_HEADER}.)")
