"""No page without a login, no change without its token, and the cookie that both need."""

from hmac import compare_digest
from typing import Final
from urllib.parse import quote

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from ...service.accounts.accounts import Accounts
from ...service.accounts.models import Login
from ..http.person import COOKIE, CSRF_HEADER, LOGIN
from ..http.security import READING_METHODS, is_tls, route_path

_COOKIE_S: Final = 7 * 86_400
"""The browser forgets the cookie then; whether the login still holds, the server decides."""


def require_login(accounts: Accounts, open_paths: frozenset[str]) -> Middleware:
    """Let nobody in without a login but to `open_paths` (as their routes are written), and no change pass without its token."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        login = login_of(request, accounts)
        if login:
            request[LOGIN] = login
        # A method that is not there has a path, and no route. No cookie goes with a client's page, nor with a file to keep.
        if {route_path(request), request.path} & open_paths:
            return await handler(request)
        if login is None:
            if request.path.startswith("/api/") or request.headers.get("Upgrade"):
                raise web.HTTPUnauthorized(text="Log in first: this needs an account.")
            raise web.HTTPSeeOther(f"/login?next={quote(request.path_qs)}")
        if request.method not in READING_METHODS:
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


async def _demand_token(request: web.Request, login: Login) -> None:
    given = request.headers.get(CSRF_HEADER)
    if given is None and request.content_type in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        field = (await request.post()).get("csrf")
        given = field if isinstance(field, str) else None
    if given is None or not compare_digest(given.encode(), login.csrf.encode()):
        raise web.HTTPForbidden(text=f"The page is too old for this. Open it anew, then try again. (No valid {CSRF_HEADER}.)")
