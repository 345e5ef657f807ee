"""The login page, and the page that creates the first account; both set the login cookie."""

from typing import Any, NoReturn
from urllib.parse import urlsplit

from aiohttp import web
from multidict import MultiDictProxy

from ...service.accounts.accounts import Accounts
from ...service.accounts.models import Login, TooOftenError
from ...service.errors import RequestError
from ..http.person import COOKIE, LOGIN
from ..http.security import peer_address
from ..http.templating import PageRenderer
from .login_required import give_cookie, log_in


class LoginPages:
    """Handlers of `/login`, `/setup` and `/logout`."""

    def __init__(self, accounts: Accounts, pages: PageRenderer) -> None:
        self._accounts = accounts
        self._pages = pages

    def routes(self) -> list[web.RouteDef]:
        """Return the addresses."""
        return [
            web.get("/login", self.show_login),
            web.post("/login", self.log_in),
            web.get("/setup", self.show_setup),
            web.post("/setup", self.set_up),
            web.post("/logout", self.log_out),
        ]

    async def show_login(self, request: web.Request) -> web.Response:
        """Ask for name and password."""
        if LOGIN in request:
            raise web.HTTPSeeOther(_safe_target(request.query.get("next", "/")))
        return self._login(200, "", request.query.get("next", "/"), "")

    async def log_in(self, request: web.Request) -> web.Response:
        """Log a person in, or show why they are refused."""
        fields = await request.post()
        name, password, wanted = (_text(fields, key) for key in ("name", "password", "next"))
        try:
            login = await log_in(request, self._accounts, name, password)
        except RequestError as error:
            return _with_retry_after(self._login(_status(error), str(error), wanted, name), error)
        raise _logged_in(request, login, wanted)

    async def show_setup(self, _: web.Request) -> web.Response:
        """Ask for the code printed on the terminal, a name and a password."""
        return self._setup(200, "", "")

    async def set_up(self, request: web.Request) -> web.Response:
        """Create an admin account by the code printed on the terminal."""
        fields = await request.post()
        code, name, password = (_text(fields, key) for key in ("code", "name", "password"))
        try:
            login = await self._accounts.set_up(code, name, password, peer=peer_address(request))
        except RequestError as error:
            return _with_retry_after(self._setup(_status(error), str(error), name), error)
        raise _logged_in(request, login, "/")

    async def log_out(self, request: web.Request) -> NoReturn:
        """End the login of this browser."""
        if LOGIN in request:
            await self._accounts.log_out(request[LOGIN].token)
        response = web.HTTPSeeOther("/login")
        response.del_cookie(COOKIE, path="/")
        raise response

    def _login(self, status: int, trouble: str, wanted: str, name: str) -> web.Response:
        setup = self._accounts.setup_wanted
        return self._pages.open_page(
            "accounts/login.html", status, trouble=trouble, wanted=_safe_target(wanted), name=name, setup=setup
        )

    def _setup(self, status: int, trouble: str, name: str) -> web.Response:
        if not self._accounts.setup_wanted:
            raise web.HTTPNotFound
        return self._pages.open_page("accounts/setup.html", status, trouble=trouble, name=name)


def _logged_in(request: web.Request, login: Login, wanted: str) -> web.HTTPSeeOther:
    response = web.HTTPSeeOther(_safe_target(wanted))
    give_cookie(request, response, login)
    return response


def _with_retry_after(response: web.Response, error: RequestError) -> web.Response:
    if isinstance(error, TooOftenError):
        response.headers["Retry-After"] = str(int(error.wait_s) + 1)
    return response


def _text(fields: MultiDictProxy[Any], key: str) -> str:
    value = fields.get(key, "")
    return value if isinstance(value, str) else ""


def _status(error: RequestError) -> int:
    return 429 if isinstance(error, TooOftenError) else 403


def _safe_target(wanted: str) -> str:
    """Return the path to go to after a login: the wanted one if it is a page of this server, else the start page.

    Browsers take a backslash for a slash, and leave out tabs and line ends: with any of these in it, it is none.
    """
    if not wanted.isascii() or not wanted.isprintable() or "\\" in wanted or wanted.startswith("//"):
        return "/"
    try:
        parts = urlsplit(wanted)
    except ValueError:
        return "/"
    inside = not parts.scheme and not parts.netloc and parts.path.startswith("/")
    return wanted if inside and not parts.path.startswith(("/login", "/logout")) else "/"
