"""The commands that serve pages, and the program's entry."""

import os
from pathlib import Path
import sys

import click

from ..service.commands.main import cli
from ..service.commands.options import (
    DATA_HELP,
    FILE,
    FOLDER,
    Speed,
    bench_folders,
    bench_options,
    default_data,
    faults_options,
    key_file_option,
    run,
)
from ..service.terminal.printable_text import printable


@cli.command()
@click.option("--speed", type=Speed(), default=1.0, show_default=True, help="Run the session clock N times faster.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes any free port.")
@click.option("--data", type=FOLDER, help="Keep the sessions here. Default: a folder that goes when the demo ends.")
@click.option("--login/--no-login", default=None, help="Ask for a login. Default: only where other computers can come in.")
@key_file_option
@faults_options
@bench_options
def demo(
    speed: float,
    host: str,
    port: int,
    data: Path | None,
    login: bool | None,
    key_file: Path | None,
    faults: tuple[str, ...],
    seed: int,
    bench: bool,
    bench_folder: Path | None,
) -> None:
    """Show three rooms living on virtual straps.

    Example:  restbeat demo --speed 10
    """
    from .demo import run_demo

    folders = bench_folders(bench, bench_folder)
    running = run_demo(
        host=host,
        port=port,
        data=data,
        speed=speed,
        faults=faults,
        seed=seed,
        bench_folders=folders,
        login=login,
        key_file=key_file,
    )
    run(running)


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 lets other computers in.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes any free port.")
@click.option("--data", type=FOLDER, help=DATA_HELP)
@click.option("--adapter", metavar="hciN", help="Use this Bluetooth adapter.")
@click.option("--proxy", multiple=True, metavar="HOST[:PORT][=ROOM NAME]", help="Listen with this ESPHome Bluetooth proxy too.")
@click.option("--proxy-key-file", type=FILE, help="The proxies' key, or a line HOST KEY for each. Or set RESTBEAT_PROXY_KEY.")
@click.option("--no-login", is_flag=True, help="Ask nobody who they are: for trying it on this computer alone.")
@click.option(
    "--mail-password-file",
    type=FILE,
    envvar="RESTBEAT_MAIL_PASSWORD_FILE",
    help="The mail server's password, where Settings name one. Or set RESTBEAT_MAIL_PASSWORD.",
)
@click.option("--setup", is_flag=True, help="Print a code that makes another admin account, as at the first start.")
@key_file_option
@bench_options
def serve(
    host: str,
    port: int,
    data: Path | None,
    adapter: str | None,
    proxy: tuple[str, ...],
    proxy_key_file: Path | None,
    no_login: bool,
    mail_password_file: Path | None,
    setup: bool,
    key_file: Path | None,
    bench: bool,
    bench_folder: Path | None,
) -> None:
    """Serve the pages, with real straps.

    Example:  restbeat serve --data ~/practice
    """
    from ..service.radio.radio import read_options
    from ..service.storage.encryption import key_file_of
    from .server import run_serve

    folders = bench_folders(bench, bench_folder)
    running = run_serve(
        host=host,
        port=port,
        data=data or default_data(),
        key_file=key_file_of(key_file, data),
        adapter=adapter,
        bench_folders=folders,
        proxies=read_options(proxy, proxy_key_file, os.environ.get("RESTBEAT_PROXY_KEY")),
        login=not no_login,
        setup=setup,
        mail_password_file=mail_password_file,
    )
    run(running)


def main() -> None:
    """Run the command line; an error prints one sentence on stderr and exits with 1, without a traceback."""
    try:
        _run_command_line()
    except KeyboardInterrupt:
        sys.exit(130)


def _run_command_line() -> None:
    from ..analysis.errors import AnalysisError
    from ..sensors.errors import SensorError
    from ..service.errors import ServiceError

    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except (SensorError, AnalysisError, ServiceError) as error:
        sys.stderr.write(f"restbeat: {printable(str(error))}\n")
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
