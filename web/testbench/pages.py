"""The page of the test bench."""

from aiohttp import web

from ...sensors.recordings.fault_grammar import KINDS
from ..http.templating import PageRenderer


class BenchPages:
    """Handlers of `/bench`."""

    def __init__(self, pages: PageRenderer) -> None:
        self._pages = pages

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [web.get("/bench", self.bench)]

    async def bench(self, request: web.Request) -> web.Response:
        """Show the test bench."""
        return self._pages.page(request, "testbench/bench.html", faults=KINDS.values())
