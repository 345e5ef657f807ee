"""The aiohttp application: every address and what answers it."""

from collections.abc import Collection, Sequence
from functools import cache, partial
from typing import Final

from aiohttp import web

from ..service.accounts.accounts import Accounts
from ..service.clients.clients import Clients
from ..service.courses.courses import Courses
from ..service.documents.page_templates import STATIC as DOCUMENT_STATIC
from ..service.follow_up.client_pages import ClientPages
from ..service.privacy.data_requests import DataRequests
from ..service.rooms.live_feed import LiveFeed
from ..service.rooms.rooms import Rooms
from ..service.testbench.bench import Bench
from .accounts.api import ME, AccountsApi
from .accounts.login_pages import LoginPages
from .accounts.login_required import login_of, require_login
from .clients.api import ClientsApi
from .clients.pages import RecordPages
from .clients.privacy_api import RightsApi
from .courses.api import CourseApi
from .courses.pages import CoursePages
from .follow_up.api import LinksApi
from .follow_up.client_pages import OPEN_PATHS, OwnPages, told_by
from .http.endpoint import ROOT, Endpoint, routes_of
from .http.errors import answer_errors
from .http.openapi import describe
from .http.security import add_headers, check_host, check_origin
from .http.static_files import STATIC, VENDOR, StaticFiles
from .http.templating import Pages
from .rooms.api import RoomsApi
from .rooms.live_socket import LiveSocket, Pace
from .sessions.api import SessionsApi
from .sessions.notes_api import NotesApi
from .settings.api import SettingsApi
from .testbench.api import BenchApi

_LARGEST_BODY: Final = 64 * 1024
_OPEN: Final = frozenset(
    {"/login", "/setup", "/logout", "/healthz", "/static/{hash}/{name}", f"{ROOT}/openapi.json", ROOT, *OPEN_PATHS}
)  # fmt: skip
"""What needs no login, as the routes are written."""


def create_app(
    house: Rooms,
    hub: LiveFeed,
    *,
    version: str,
    hosts: Collection[str] = (),
    pace: Pace | None = None,
    bench: Bench | None = None,
    accounts: Accounts | None = None,
    records: Clients | None = None,
    rights: DataRequests | None = None,
    courses: Courses | None = None,
    links: ClientPages | None = None,
) -> web.Application:
    """Build the application that serves a house.

    `hosts`: further names under which a loopback address may be asked for (that of a reverse proxy, say); localhost always may.
    `bench`: the test bench; without one its pages do not exist. `accounts`: who may come in; without them anybody may.
    `records`: the clients; without them nothing but rooms and sessions is shown. `rights`: their export and erasure.
    `courses`: what clients take home, their courses, and who is due. `links`: their own pages, which show what they take home.
    """
    assets = StaticFiles(STATIC, VENDOR, DOCUMENT_STATIC)
    endpoints = _endpoints(house, hub, bench, accounts, records, rights, courses, links)
    description = cache(partial(describe, endpoints, version=version, login=accounts is not None))
    pages = Pages(
        house,
        hub,
        assets,
        version,
        description,
        bench=bench is not None,
        accounts=accounts,
        records=records,
        rights=rights is not None,
        courses=courses is not None,
        links=links is not None,
    )
    live = LiveSocket(
        hub,
        lambda: None if (adapter := house.adapter()).ready else adapter.text,
        pace or Pace(),
        lambda request: accounts is None or login_of(request, accounts) is not None,
    )
    known = check_host(frozenset(hosts), lambda: links.public_host if links else None)
    middlewares = [answer_errors(pages.error), known, check_origin]
    if accounts:
        opened = {ROOT + endpoint.path for endpoint in endpoints if endpoint.open}
        middlewares.append(require_login(accounts, _OPEN | opened))
    app = web.Application(middlewares=middlewares, client_max_size=_LARGEST_BODY)
    app.add_routes(
        [
            web.get("/", pages.rooms),
            web.get("/rooms/{room}", pages.room),
            web.get("/rooms/{room}/client", pages.client_view),
            web.get("/sessions", pages.sessions),
            web.get("/sessions/{session}", pages.session),
            web.get("/sessions/{session}/picture.svg", pages.picture),
            web.get("/settings", pages.settings),
            web.get("/healthz", pages.health),
            web.get("/live", live.handle, allow_head=False),
            web.get("/static/{hash}/{name:.+}", assets.handle),
            web.get(ROOT, pages.api),
            web.get(f"{ROOT}/openapi.json", pages.openapi),
            *routes_of(endpoints),
        ]
    )
    if bench:
        app.add_routes([web.get("/bench", pages.bench)])
    if records:
        kept = RecordPages(house, records, pages.render)
        app.add_routes(
            [
                web.get("/start", kept.start),
                web.get("/clients", kept.clients),
                web.get("/clients/{client}", kept.client),
                web.get("/sessions/{session}/notes", kept.notes),
            ]
        )
    if courses:
        app.add_routes(CoursePages(courses, pages.render, assets).routes())
    if rights:
        app.add_routes([web.get("/clients/{client}/export.zip", RightsApi(rights).download, allow_head=False)])
    if links and courses:
        app.add_routes(OwnPages(links, pages.page, told_by(courses, assets)).routes())
    if accounts:
        login = LoginPages(accounts, pages.page)
        app.add_routes(
            [
                web.get("/login", login.show_login),
                web.post("/login", login.log_in),
                web.get("/setup", login.show_setup),
                web.post("/setup", login.set_up),
                web.post("/logout", login.log_out),
                web.get("/accounts", pages.accounts),
            ]
        )
    app.on_response_prepare.append(add_headers)

    async def say_goodbye(_: web.Application) -> None:
        await live.close()

    app.on_shutdown.append(say_goodbye)
    return app


def _endpoints(
    house: Rooms,
    hub: LiveFeed,
    bench: Bench | None,
    accounts: Accounts | None,
    records: Clients | None,
    rights: DataRequests | None,
    courses: Courses | None,
    links: ClientPages | None,
) -> Sequence[Endpoint]:
    endpoints = [
        *RoomsApi(house, hub).endpoints(),
        *SessionsApi(house, records).endpoints(),
        *SettingsApi(house).endpoints(),
        ME,
    ]
    if records:
        endpoints += [*ClientsApi(records).endpoints(), *NotesApi(house, records).endpoints()]
    if courses:
        endpoints += CourseApi(courses).endpoints()
    if rights:
        endpoints += RightsApi(rights).endpoints()
    if links:
        endpoints += LinksApi(links).endpoints()
    if bench:
        endpoints += BenchApi(bench).endpoints()
    if accounts:
        endpoints += AccountsApi(accounts).endpoints()
    return endpoints
