"""Serving the pages until somebody stops it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
import errno
import gc
from importlib.metadata import version
from ipaddress import ip_address
from pathlib import Path

from aiohttp import web

from ..service.accounts.accounts import Accounts
from ..service.clients.clients import Clients
from ..service.courses.courses import Courses
from ..service.errors import ServeError
from ..service.follow_up.client_pages import ClientPages, links_of
from ..service.follow_up.mail_settings import read_password
from ..service.privacy.data_requests import DataRequests
from ..service.privacy.retention import Retention
from ..service.rooms.live_feed import LiveFeed
from ..service.rooms.radio import ProxyOptions, radio_of
from ..service.rooms.rooms import Rooms
from ..service.rooms.strap_claims import StrapClaims
from ..service.sessions.session_store import SessionStore
from ..service.storage.encryption import IdentityCipher
from ..service.terminal.signals import print_line, stop_signal
from ..service.testbench.bench import Bench
from ..service.worker.worker import Worker
from .app import create_app

_SHUTDOWN_S = 2.0
_NO_PROXIES = ProxyOptions()


async def run_serve(
    *,
    host: str,
    port: int,
    data: Path,
    key_file: Path,
    adapter: str | None,
    bench_folders: Sequence[Path] | None = None,
    proxies: ProxyOptions = _NO_PROXIES,
    login: bool = True,
    setup: bool = False,
    mail_password_file: Path | None = None,
) -> None:
    """Serve real straps until Ctrl-C; with folders, a test bench on their recordings too.

    `key_file` opens what names a client; the key of their links lies beside it. `setup`: print a one-time code for another admin,
    as at the first start.
    """
    demand_loopback(host, login=login)
    stop = stop_signal()
    hub, seal, password = LiveFeed(), IdentityCipher(key_file), read_password(mail_password_file)
    async with (
        AsyncExitStack() as stack,
        await SessionStore.open(data) as storage,
        Worker() as worker,
        radio_of(adapter, proxies) as (air, source_of),
        Rooms(storage, worker, hub, air, source_of, claims=StrapClaims.of_this_computer()) as house,
        Retention(storage),
        links_of(storage, seal, password) as links,
    ):
        accounts = await Accounts.open(storage, setup=setup) if login else None
        records = Clients(storage, seal, house.end_sessions_of)
        rights = DataRequests(storage, worker, seal, house)
        courses = Courses(storage, worker, seal, house)
        address = await stack.enter_async_context(
            served(house, hub, host, port, bench_folders, accounts, records, rights, courses, links)
        )
        print_line(f"restbeat serves {address}   sessions in {data}   Ctrl-C ends it")
        say_how_to_come_in(accounts, address)
        if bench_folders:
            print_line(f"test bench at {address}/bench")
        print_line(house.adapter().text)
        await stop.wait()
        print_line("Ending. Running sessions can be resumed at the next start.")


@asynccontextmanager
async def served(
    house: Rooms,
    hub: LiveFeed,
    host: str,
    port: int,
    bench_folders: Sequence[Path] | None = None,
    accounts: Accounts | None = None,
    records: Clients | None = None,
    rights: DataRequests | None = None,
    courses: Courses | None = None,
    links: ClientPages | None = None,
) -> AsyncGenerator[str]:
    """Serve the pages within the block; gives their address. Raises `ServeError` where the port cannot be had."""
    async with AsyncExitStack() as stack:
        bench = await stack.enter_async_context(Bench(hub, bench_folders)) if bench_folders else None
        app = create_app(
            house,
            hub,
            version=version("restbeat"),
            hosts=(host,),
            bench=bench,
            accounts=accounts,
            records=records,
            rights=rights,
            courses=courses,
            links=links,
        )
        runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=_SHUTDOWN_S)
        stack.push_async_callback(runner.cleanup)
        await runner.setup()
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise ServeError(_sentence(error, host, port)) from error
        bound = runner.addresses[0][1]
        # what is loaded by now stays: to look it all through for garbage stopped the loop for 30 to 80 ms now and then
        stack.callback(gc.unfreeze)
        gc.freeze()
        yield f"http://{f'[{host}]' if ':' in host else host}:{bound}"


def demand_loopback(host: str, *, login: bool) -> None:
    """Without a login, serve this computer alone. Raises `ServeError`."""
    if not login and not is_loopback(host):
        raise ServeError(f"Without a login restbeat serves this computer only, not {host}. Leave --no-login out, or --host.")


def is_loopback(host: str) -> bool:
    """Whether only this computer can come by that address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def say_how_to_come_in(accounts: Accounts | None, address: str) -> None:
    """Tell who may come in, and for a first account, how it is made."""
    if accounts is None:
        print_line("There is no login: whoever sits at this computer sees everything.")
    elif accounts.setup_code:
        print_line(f"Make an admin account at {address}/setup with the code {accounts.setup_code} (it works once).")


def _sentence(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use by another program. Stop that one, or choose another port with --port."
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"Port {port} may not be used by this user. Choose one above 1023 with --port."
    return f"{host}:{port} cannot be served: {error.strerror or error}. Choose another with --host and --port."
