"""The aiohttp application: every address and what answers it."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Final

from aiohttp import web

from .accounts_api import ME, AccountsApi
from .api import ROOT, Endpoint, routes_of
from .assets import Assets
from .bench import BenchApi
from .clients_api import ClientsApi
from .guard import add_headers, answer_errors, check_host, check_origin, require_login
from .live import Hub
from .login import LoginPages
from .notes_api import NotesApi
from .openapi import describe
from .pages import Pages
from .ports import Bench, House
from .record_pages import RecordPages
from .records import Records
from .rights import Rights
from .rights_api import RightsApi
from .rooms_api import RoomsApi
from .sessions_api import SessionsApi
from .settings_api import SettingsApi
from .socket import LiveSocket, Pace
from .who import Accounts

_STATIC: Final = Path(__file__).parent / "static"
_VENDOR: Final = Path(__file__).parent / "vendor"
"""What `hatch_build.py` brings from npm; may be missing."""
_LARGEST_BODY: Final = 64 * 1024
_OPEN: Final = frozenset(
    {"/login", "/setup", "/logout", "/healthz", "/static/{hash}/{name}", f"{ROOT}/openapi.json", ROOT}
)  # fmt: skip
"""What needs no login, as the routes are written."""


def create_app(
    house: House,
    hub: Hub,
    *,
    version: str,
    hosts: Collection[str] = (),
    pace: Pace | None = None,
    bench: Bench | None = None,
    accounts: Accounts | None = None,
    records: Records | None = None,
    rights: Rights | None = None,
) -> web.Application:
    """Build the application that serves a house.

    `hosts`: further names under which a loopback address may be asked for (that of a reverse proxy, say); localhost always may.
    `bench`: the test bench; without one its pages do not exist. `accounts`: who may come in; without them anybody may.
    `records`: the clients; without them nothing but rooms and sessions is shown. `rights`: their export and erasure.
    """
    assets = Assets(_STATIC, _VENDOR)
    endpoints = _endpoints(house, hub, bench, accounts, records, rights)
    description = describe(endpoints, version=version, login=accounts is not None)
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
    )
    live = LiveSocket(hub, lambda: None if (adapter := house.adapter()).ready else adapter.text, pace or Pace())
    middlewares = [answer_errors(pages.error), check_host(frozenset(hosts)), check_origin]
    if accounts:
        middlewares.append(require_login(accounts, _OPEN))
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
            web.get("/static/{hash}/{name}", assets.handle),
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
    if rights:
        app.add_routes([web.get("/clients/{client}/export.zip", RightsApi(rights).download, allow_head=False)])
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
    house: House,
    hub: Hub,
    bench: Bench | None,
    accounts: Accounts | None,
    records: Records | None,
    rights: Rights | None,
) -> Sequence[Endpoint]:
    endpoints = [
        *RoomsApi(house, hub).endpoints(),
        *SessionsApi(house, records).endpoints(),
        *SettingsApi(house).endpoints(),
        ME,
    ]
    if records:
        endpoints += [*ClientsApi(records).endpoints(), *NotesApi(house, records).endpoints()]
    if rights:
        endpoints += RightsApi(rights).endpoints()
    if bench:
        endpoints += BenchApi(bench).endpoints()
    if accounts:
        endpoints += AccountsApi(accounts).endpoints()
    return endpoints
