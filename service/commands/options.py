"""Options that commands share, the data folder, and running a command."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click

T = TypeVar("T")

DATA_HELP = "Data folder. Default: this computer's folder for user data."
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(path_type=Path)


class Minutes(click.ParamType[tuple[float, float, float]]):
    """Option type: minutes of baseline, massage and recovery."""

    name = "BASE,MASSAGE,RECOVERY"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float, float]:
        """Parse the option's value, or fail with a sentence."""
        if isinstance(value, tuple):
            return value
        try:
            base, massage, recovery = (float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not three numbers such as 5,20,5", param, ctx)
        return base, massage, recovery


class Speed(click.ParamType[float]):
    """Option type: speed as a multiple of real time, above 0 and at most 1000."""

    name = "N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse the option's value, or fail with a sentence."""
        try:
            speed = float(value)
        except ValueError:
            speed = 0.0
        if not 0 < speed <= 1000:
            self.fail(f"{value!r} is no speed: a number above 0 and at most 1000 is wanted, 1 is real time", param, ctx)
        return speed


def faults_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--fault` and `--seed`."""
    fault = click.option(
        "--fault", "faults", multiple=True, metavar="FAULT", help="Put trouble in, such as drop@120:15 or ectopic:2%."
    )
    return fault(click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the faults.")(command))


def bench_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--bench` and `--bench-folder`."""
    folder = click.option(
        "--bench-folder",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Recordings for the bench, beside the built-in ones.",
    )
    return click.option("--bench", is_flag=True, help="Add the test bench: recordings played, paused, sought on a page.")(
        folder(command)
    )


def key_file_option(command: Callable[..., None]) -> Callable[..., None]:
    """Add `--key-file`."""
    return click.option(
        "--key-file",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar="RESTBEAT_KEY_FILE",
        help="The key that opens clients' names. Default: beside --data, else in your configuration. Or set RESTBEAT_KEY_FILE.",
    )(command)


def bench_folders(bench: bool, folder: Path | None) -> list[Path] | None:
    """Return the folders of the test bench's recordings; None without a test bench."""
    if folder and not bench:
        raise click.UsageError("--bench-folder is for the bench: give --bench too.")
    if not bench:
        return None

    return [FIXTURES, folder] if folder else [FIXTURES]


def default_data() -> Path:
    """Return this computer's folder for user data."""
    from platformdirs import user_data_path

    return user_data_path("restbeat", appauthor=False)


def run(command: Coroutine[Any, Any, T]) -> T:
    """Run a command in a new event loop and return its result; Ctrl-C aborts it."""
    try:
        return asyncio.run(command)
    except KeyboardInterrupt as error:
        raise click.Abort from error


FIXTURES = Path(__file__).parents[2] / "fixtures"
