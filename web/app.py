"""The aiohttp application: every route and its handler."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from functools import cache, partial
from typing import Final

from aiohttp import web

from ..sensors.task_cancellation import cancel_and_wait
from ..service.documents.page_templates import STATIC as DOCUMENT_STATIC
from ..service.practice import Practice
from .accounts.api import ME, AccountsApi
from .accounts.login_pages import LoginPages
from .accounts.login_required import login_of, require_login
from .accounts.pages import AccountPages
from .clients.api import ClientsApi
from .clients.pages import ClientRecordPages
from .clients.privacy_api import PrivacyApi
from .clients.uploads_api import UploadsApi
from .courses.api import CourseApi
from .courses.pages import CoursePages
from .follow_up.api import ClientPagesApi
from .follow_up.client_pages import OPEN_PATHS, ClientPageHandlers, summary_renderer
from .http.api_page import ApiPages
from .http.endpoint import ROOT, Endpoint, api_routes
from .http.errors import answer_errors
from .http.openapi import describe
from .http.security import add_headers, check_host, check_origin, refuse_packed
from .http.static_files import STATIC, VENDOR, StaticFiles
from .http.templating import PageRenderer
from .rooms.api import RoomsApi
from .rooms.live_socket import LiveSocket, Pace
from .rooms.pages import RoomPages
from .sessions.api import SessionsApi
from .sessions.notes_api import NotesApi
from .sessions.pages import SessionPages, VisitPages
from .settings.api import SettingsApi
from .settings.archive_api import ArchiveApi
from .settings.pages import SettingsPages
from .testbench.api import BenchApi
from .testbench.pages import BenchPages

_PREPARE_AFTER_S: Final = 2.0
_LARGEST_BODY: Final = 64 * 1024
_OPEN_PATHS: Final = frozenset(
    {"/login", "/setup", "/logout", "/healthz", "/static/{hash}/{name}", f"{ROOT}/openapi.json", ROOT, *OPEN_PATHS}
)  # fmt: skip
"""Paths that need no login, as their routes are written."""


def create_app(practice: Practice, *, version: str, hosts: Collection[str] = (), pace: Pace | None = None) -> web.Application:
    """Build the application that serves a practice.

    `hosts`: further host names that are accepted on a loopback address (a reverse proxy's, say) beside localhost. `pace`: how
    often the live socket sends; None for the default.
    """
    static_files = StaticFiles(STATIC, VENDOR, DOCUMENT_STATIC)
    endpoints = _endpoints(practice)
    accounts, client_pages = practice.accounts, practice.client_pages
    pages = PageRenderer(practice, static_files, version)
    live = LiveSocket(
        practice.live_feed,
        lambda: None if (adapter := practice.rooms.adapter()).ready else adapter.text,
        pace or Pace(),
        lambda request: accounts is None or login_of(request, accounts) is not None,
    )
    host_check = check_host(frozenset(hosts), lambda: client_pages.public_host if client_pages else None)
    middlewares = [answer_errors(pages.error), host_check, refuse_packed, check_origin]
    if accounts:
        open_endpoints = {ROOT + endpoint.path for endpoint in endpoints if endpoint.open}
        middlewares.append(require_login(accounts, _OPEN_PATHS | open_endpoints))
    app = web.Application(middlewares=middlewares, client_max_size=_LARGEST_BODY)
    description = cache(partial(describe, endpoints, version=version, login=accounts is not None))
    app.add_routes(
        [
            *_page_routes(practice, pages, static_files),
            *ApiPages(pages, description, practice, version).routes(),
            *api_routes(endpoints),
            web.get("/live", live.handle, allow_head=False),
            web.get("/static/{hash}/{name:.+}", static_files.handle),
        ]
    )
    app.on_response_prepare.append(add_headers)

    async def close_sockets(_: web.Application) -> None:
        await live.close()

    async def read_zone(_: web.Application) -> None:
        await practice.settings.read()

    app.on_startup.append(read_zone)

    async def prepare_templates(_: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(_prepare_later(pages), name="restbeat-templates")
        yield
        await cancel_and_wait(task)

    app.on_shutdown.append(close_sockets)
    app.cleanup_ctx.append(prepare_templates)
    return app


async def _prepare_later(pages: PageRenderer) -> None:
    await asyncio.sleep(_PREPARE_AFTER_S)  # the first page comes first
    await asyncio.to_thread(pages.prepare)


def _page_routes(practice: Practice, pages: PageRenderer, static_files: StaticFiles) -> list[web.RouteDef]:
    routes = [
        *RoomPages(practice, pages).routes(),
        *SessionPages(practice, pages).routes(),
        *SettingsPages(practice.settings, practice.backups, pages).routes(),
    ]
    if practice.test_bench:
        routes += BenchPages(pages).routes()
    if practice.clients and practice.notes:
        routes += ClientRecordPages(practice.clients, practice.reports, pages).routes()
        routes += VisitPages(practice, practice.clients, practice.notes, pages).routes()
    if practice.courses:
        routes += CoursePages(practice.courses, pages, static_files).routes()
    if practice.data_requests:
        routes += PrivacyApi(practice.data_requests).routes()
    if practice.client_pages and practice.courses:
        routes += ClientPageHandlers(practice.client_pages, pages, summary_renderer(practice.courses, static_files)).routes()
    if practice.accounts:
        routes += [*LoginPages(practice.accounts, pages).routes(), *AccountPages(practice.accounts, pages).routes()]
    return routes


def _endpoints(practice: Practice) -> Sequence[Endpoint]:
    endpoints = [
        *RoomsApi(practice.rooms, practice.live_feed).endpoints(),
        *SessionsApi(practice.rooms, practice.reports, practice.notes).endpoints(),
        *SettingsApi(practice.settings).endpoints(),
        ME,
    ]
    if practice.clients and practice.notes:
        endpoints += ClientsApi(practice.clients, practice.reports).endpoints()
        endpoints += NotesApi(practice.reports, practice.notes).endpoints()
    if practice.uploads:
        endpoints += UploadsApi(practice.uploads).endpoints()
    if practice.courses:
        endpoints += CourseApi(practice.courses).endpoints()
    if practice.backups:
        endpoints += ArchiveApi(practice.backups).endpoints()
    if practice.data_requests:
        endpoints += PrivacyApi(practice.data_requests).endpoints()
    if practice.client_pages:
        endpoints += ClientPagesApi(practice.client_pages).endpoints()
    if practice.test_bench:
        endpoints += BenchApi(practice.test_bench).endpoints()
    if practice.accounts:
        endpoints += AccountsApi(practice.accounts).endpoints()
    return endpoints
