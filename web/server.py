"""The server: `restbeat serve`, and serving a practice's pages on a port."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
import errno
import gc
from importlib.metadata import version
from ipaddress import ip_address
from pathlib import Path

from aiohttp import web

from ..service.accounts.accounts import Accounts
from ..service.errors import ServeError
from ..service.follow_up.mail_settings import read_password
from ..service.practice import Practice, open_practice
from ..service.radio.radio import ProxyOptions, open_radio
from ..service.radio.strap_claims import StrapClaims
from ..service.terminal.signals import print_line, stop_signal
from ..service.worker.freed_memory import limit_freed_memory
from .app import create_app

_SHUTDOWN_S = 2.0
_OPEN_FILES = 8192
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
    """Serve the pages with real straps until Ctrl-C; with `bench_folders`, a test bench that plays their recordings too.

    `key_file` holds the key that decrypts clients' identities; the key of their links lies beside it. `setup`: print a one-time
    code that makes another admin account, as at the first start.

    Raises `ServeError` where the port cannot be had, or where `login` is False and others could connect, `ProxyError` where a
    proxy cannot be used, and `StorageError` where the data folder cannot be opened.
    """
    demand_loopback(host, login=login)
    raise_file_limit()
    limit_freed_memory()
    stop, password = stop_signal(), read_password(mail_password_file)
    async with (
        open_radio(adapter, proxies) as (radio, source_of),
        open_practice(
            data,
            key_file,
            radio,
            source_of,
            claims=StrapClaims.of_this_computer(),
            login=login,
            setup=setup,
            mail_password=password,
            bench_folders=bench_folders,
        ) as practice,
        serving(practice, host, port) as address,
    ):
        print_line(f"restbeat serves {address}   sessions in {data}   Ctrl-C ends it")
        print_login_hint(practice.accounts, address)
        if practice.test_bench:
            print_line(f"test bench at {address}/bench")
        print_line(practice.rooms.adapter().text)
        await stop.wait()
        print_line("Ending. Running sessions can be resumed at the next start.")


@asynccontextmanager
async def serving(practice: Practice, host: str, port: int) -> AsyncGenerator[str]:
    """Serve a practice's pages within the block and yield their address; port 0 takes any free port.

    Raises `ServeError` where the port cannot be had.
    """
    async with AsyncExitStack() as stack:
        app = create_app(practice, version=version("restbeat"), hosts=(host,))
        runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=_SHUTDOWN_S, auto_decompress=False)
        stack.push_async_callback(runner.cleanup)
        await runner.setup()
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise ServeError(_reason(error, host, port)) from error
        bound = runner.addresses[0][1]
        # objects loaded so far stay: searching them all for garbage now and then blocked the event loop for 30 to 80 ms
        stack.callback(gc.unfreeze)
        gc.freeze()
        yield f"http://{f'[{host}]' if ':' in host else host}:{bound}"


def raise_file_limit() -> None:
    """Let this process open more files, where the system allows it: each page holds a socket, and the default is often 1,024."""
    try:
        import resource
    except ModuleNotFoundError:  # Windows has no such limit
        return
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if most == resource.RLIM_INFINITY else min(_OPEN_FILES, most)
    if now != resource.RLIM_INFINITY and now < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def demand_loopback(host: str, *, login: bool) -> None:
    """Require a loopback address where no login is asked for. Raises `ServeError` for any other."""
    if not login and not is_loopback(host):
        raise ServeError(f"Without a login restbeat serves this computer only, not {host}. Leave --no-login out, or --host.")


def is_loopback(host: str) -> bool:
    """Return whether only this computer can connect to that address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def print_login_hint(accounts: Accounts | None, address: str) -> None:
    """Print who may use the pages, and how to make the first account where there is none."""
    if accounts is None:
        print_line("There is no login: whoever sits at this computer sees everything.")
    elif accounts.setup_code:
        print_line(f"Make an admin account at {address}/setup with the code {accounts.setup_code} (it works once).")


def _reason(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use by another program. Stop that one, or choose another port with --port."
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"Port {port} may not be used by this user. Choose one above 1023 with --port."
    return f"{host}:{port} cannot be served: {error.strerror or error}. Choose another with --host and --port."
