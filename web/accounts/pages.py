"""The page that manages accounts."""

from aiohttp import web

from ...service.accounts.accounts import Accounts
from ..http.person import demand_admin, person_of
from ..http.templating import PageRenderer


class AccountPages:
    """Handlers of `/accounts`."""

    def __init__(self, accounts: Accounts, pages: PageRenderer) -> None:
        self._accounts = accounts
        self._pages = pages

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.get("/accounts", self.accounts)]

    async def accounts(self, request: web.Request) -> web.Response:
        """Show the accounts. Raises `NotAllowedError` unless an admin asks."""
        demand_admin(person_of(request))
        return self._pages.page(request, "accounts/accounts.html", accounts=await self._accounts.accounts())
