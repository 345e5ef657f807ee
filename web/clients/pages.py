"""The list of clients, and the page of a client's record."""

from urllib.parse import quote

from aiohttp import web

from ...service.clients.clients import Clients
from ...service.clients.consent_texts import TEXTS
from ...service.rendering.translations import languages
from ...service.sessions.report_cache import SessionReports
from ..http.paging import form_of, links_of
from ..http.person import person_of
from ..http.templating import PageRenderer
from ..rooms.visibility import hides_clients
from .api import ClientsQuery, full_client


class ClientRecordPages:
    """Handlers of `/clients`."""

    def __init__(self, clients: Clients, reports: SessionReports, pages: PageRenderer) -> None:
        self._clients = clients
        self._reports = reports
        self._pages = pages

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/clients", self.clients),
            web.get("/clients/{client}", self.client),
        ]

    async def clients(self, request: web.Request) -> web.Response:
        """List the clients, except in a browser that hides them."""
        if hides_clients(request):
            return self._pages.page(request, "shared/hidden.html", heading="Clients")
        query = form_of(request, ClientsQuery)
        page = await self._clients.clients(query.wanted())
        return self._pages.page(
            request,
            "clients/clients.html",
            clients=page.rows,
            query=query,
            searched=query != ClientsQuery(after=query.after, before=query.before, limit=query.limit),
            page_links=links_of(request, page),
            pseudonym=await self._clients.next_pseudonym(),
            address_of=address_of,
        )

    async def client(self, request: web.Request) -> web.Response:
        """Show a client's record; the audit log notes it. Raises `UnknownClientError`."""
        full = await full_client(self._clients, self._reports, request.match_info["client"], by=person_of(request).name)
        given = {row.purpose: row for row in reversed(full.consents) if row.withdrawn_utc is None}
        withdrawn = {row.purpose: row for row in reversed(full.consents) if row.withdrawn_utc is not None}
        return self._pages.page(
            request,
            "clients/client.html",
            full=full,
            address=address_of(full.client.client),
            texts=TEXTS,
            given=given,
            past=withdrawn,
            languages=languages(),
        )


def address_of(client: str) -> str:
    """Return the path of a client's page; an imported pseudonym may hold any character."""
    return f"/clients/{quote(client, safe='')}"
