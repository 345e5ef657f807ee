"""The command line. Each command imports what it needs, so that `restbeat --help` answers at once."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from importlib.metadata import version
import logging
import os
from pathlib import Path
import sys
from typing import Any, TypeVar

import click

T = TypeVar("T")

_DATA_HELP = "Data folder. Default: this computer's folder for user data."
_SCENARIOS = ("clear", "none", "opposite", "slow-breathing", "sleepy", "noisy", "optical")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_BEGAN = click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%d"])
_FOLDER = click.Path(path_type=Path)


class _Minutes(click.ParamType[tuple[float, float, float]]):
    name = "BASE,MASSAGE,RECOVERY"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float, float]:
        if isinstance(value, tuple):
            return value
        try:
            base, massage, recovery = (float(part) for part in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not three numbers such as 5,20,5", param, ctx)
        return base, massage, recovery


class _Speed(click.ParamType[float]):
    name = "N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            speed = float(value)
        except ValueError:
            speed = 0.0
        if not 0 < speed <= 1000:
            self.fail(f"{value!r} is no speed: a number above 0 and at most 1000 is wanted, 1 is real time", param, ctx)
        return speed


def _faults(command: Callable[..., None]) -> Callable[..., None]:
    fault = click.option(
        "--fault", "faults", multiple=True, metavar="FAULT", help="Put trouble in, such as drop@120:15 or ectopic:2%."
    )
    return fault(click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the faults.")(command))


def _bench(command: Callable[..., None]) -> Callable[..., None]:
    folder = click.option(
        "--bench-folder",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Recordings for the bench, beside the built-in ones.",
    )
    return click.option("--bench", is_flag=True, help="Add the test bench: recordings played, paused, sought on a page.")(
        folder(command)
    )


def _key_file(command: Callable[..., None]) -> Callable[..., None]:
    return click.option(
        "--key-file",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar="RESTBEAT_KEY_FILE",
        help="The key that opens clients' names. Default: beside --data, else in your configuration. Or set RESTBEAT_KEY_FILE.",
    )(command)


def _bench_folders(bench: bool, folder: Path | None) -> list[Path] | None:
    if folder and not bench:
        raise click.UsageError("--bench-folder is for the bench: give --bench too.")
    if not bench:
        return None
    from .demo import FIXTURES

    return [FIXTURES, folder] if folder else [FIXTURES]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(version("restbeat"), prog_name="restbeat")
@click.option("-v", "--verbose", is_flag=True, help="Log what happens, for finding faults.")
def cli(verbose: bool) -> None:
    """Live heart-rate-variability biofeedback for massage.

    Try it without any hardware:  restbeat demo
    """
    if not verbose:
        logging.getLogger("bleak").setLevel(logging.ERROR)  # it warns of a BlueZ without bluetoothctl, which does no harm
        for library in ("aioesphomeapi", "bleak_esphome", "habluetooth"):  # the pages say what is amiss with a proxy
            logging.getLogger(library).setLevel(logging.CRITICAL)
    logging.basicConfig(level=logging.DEBUG if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


@cli.command()
@click.option("--speed", type=_Speed(), default=1.0, show_default=True, help="Run the session clock N times faster.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes any free port.")
@click.option("--data", type=_FOLDER, help="Keep the sessions here. Default: a folder that goes when the demo ends.")
@click.option("--login/--no-login", default=None, help="Ask for a login. Default: only where other computers can come in.")
@_key_file
@_faults
@_bench
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

    folders = _bench_folders(bench, bench_folder)
    showing = run_demo(
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
    _run(showing)


@cli.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="0.0.0.0 lets other computers in.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes any free port.")
@click.option("--data", type=_FOLDER, help=_DATA_HELP)
@click.option("--adapter", metavar="hciN", help="Use this Bluetooth adapter.")
@click.option("--proxy", multiple=True, metavar="HOST[:PORT][=ROOM NAME]", help="Listen with this ESPHome Bluetooth proxy too.")
@click.option("--proxy-key-file", type=_FILE, help="The proxies' key, or a line HOST KEY for each. Or set RESTBEAT_PROXY_KEY.")
@click.option("--no-login", is_flag=True, help="Ask nobody who they are: for trying it on this computer alone.")
@click.option("--setup", is_flag=True, help="Print a code that makes another admin account, as at the first start.")
@_key_file
@_bench
def serve(
    host: str,
    port: int,
    data: Path | None,
    adapter: str | None,
    proxy: tuple[str, ...],
    proxy_key_file: Path | None,
    no_login: bool,
    setup: bool,
    key_file: Path | None,
    bench: bool,
    bench_folder: Path | None,
) -> None:
    """Serve the pages, with real straps.

    Example:  restbeat serve --data ~/practice
    """
    from .proxies import read_options
    from .seal import key_file_of
    from .server import run_serve

    folders = _bench_folders(bench, bench_folder)
    serving = run_serve(
        host=host,
        port=port,
        data=data or _default_data(),
        key_file=key_file_of(key_file, data),
        adapter=adapter,
        bench_folders=folders,
        proxies=read_options(proxy, proxy_key_file, os.environ.get("RESTBEAT_PROXY_KEY")),
        login=not no_login,
        setup=setup,
    )
    _run(serving)


@cli.command()
@click.option("--seconds", type=click.FloatRange(1, 120), default=8.0, show_default=True, help="How long to listen.")
@click.option("--adapter", metavar="hciN", help="Use this Bluetooth adapter.")
def scan(seconds: float, adapter: str | None) -> None:
    """List the straps on the air: name, address, signal, battery, and whether they send RR.

    Example:  restbeat scan --seconds 15
    """
    from .straps import scan_straps

    _run(scan_straps(seconds, adapter))


@cli.command()
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--address", required=True, help="The strap's address, from restbeat scan.")
@click.option("--adapter", metavar="hciN", help="Use this Bluetooth adapter.")
@click.option("--minutes", type=click.FloatRange(0.01), help="Stop after so long. Default: at Ctrl-C.")
def record(out: Path, address: str, adapter: str | None, minutes: float | None) -> None:
    """Write what a strap sends to a recording, showing the heart rate meanwhile.

    Example:  restbeat record --address A0:9E:1A:00:00:01 quiet.jsonl --minutes 5
    """
    from .straps import record_strap

    _run(record_strap(out, address, adapter, minutes))


@cli.command()
@click.argument("file", type=_FILE)
@click.option("--speed", type=_Speed(), help="Pace it: 1 is real time. Default: as fast as it can.")
@click.option(
    "--from", "from_s", type=click.FloatRange(0), default=0.0, help="Pace it from this second on; before, it runs at once."
)
@click.option("--until", "until_s", type=click.FloatRange(0, min_open=True), help="Stop at this second of the recording.")
@click.option("--loop", is_flag=True, help="Begin again at the end, until q or Ctrl-C. It is stored once.")
@click.option("--client", metavar="NAME", help="Put it under this client. Default: whom the recording names.")
@click.option("--began", type=_BEGAN, help="When it was, where the file does not tell. Default: now.")
@click.option("--data", type=_FOLDER, help=_DATA_HELP)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, progress on stderr.")
@click.option(
    "--keep", type=click.Path(dir_okay=False, path_type=Path), help="Write what is played to this recording, faults and all."
)
@_faults
def replay(
    file: Path,
    speed: float | None,
    from_s: float,
    until_s: float | None,
    loop: bool,
    client: str | None,
    began: datetime | None,
    data: Path | None,
    as_json: bool,
    keep: Path | None,
    faults: tuple[str, ...],
    seed: int,
) -> None:
    """Play a recording through the same path as a live strap, store the session, print its figures.

    FILE may be another program's too: RR text, CSV, EDF+, Garmin FIT, Polar .hrm, Open mHealth.

    With --speed in a terminal: Space pauses, left and right seek 10 s, + and - change the speed, q ends.

    Example:  restbeat replay fixtures/polar-h10_simulated_clear.jsonl.gz
    """
    from .playback import replay_file
    from .transport import Cut

    if speed is None and (loop or from_s):
        raise click.UsageError("--loop and --from pace a replay: give --speed too.")
    cut = Cut(from_s=from_s, until_s=until_s, loop=loop)
    playing = replay_file(
        file,
        speed,
        data or _default_data(),
        as_json=as_json,
        faults=faults,
        seed=seed,
        cut=cut,
        client=client,
        began=began and began.astimezone(),
        keep=keep,
    )
    _run(playing)


@cli.command()
@click.argument("file", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def analyse(file: Path, as_json: bool) -> None:
    """Print the HRV of a whole file: RR text (one interval in ms a line), a recording, or another program's file.

    Example:  restbeat analyse rr.txt --json
    """
    from .playback import analyse_file

    _run(analyse_file(file, as_json=as_json))


@cli.command()
@click.argument("source")
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--minutes", type=_Minutes(), help="Give a recording without phases these: baseline, massage, recovery.")
@click.option("--data", type=_FOLDER, help=_DATA_HELP)
@click.option("--force", is_flag=True, help="Replace OUT if it is there.")
def convert(source: str, out: Path, minutes: tuple[float, float, float] | None, data: Path | None, force: bool) -> None:
    """Turn a stored session, a recording or another program's file into a format that others read, or into a recording.

    SOURCE is a session's number or a file: recording, RR text, CSV, EDF+, Garmin FIT, Polar .hrm, Open mHealth. OUT's ending
    says what to write: .jsonl or .jsonl.gz (recording), .txt (RR text), .csv (beats), .phases.csv (figures), .events.csv,
    .edf (EDF+), .fhir.json (FHIR R4B), .omh.json (Open mHealth).

    Example:  restbeat convert 12 session.edf
    """
    from .convert import convert as convert_source

    _run(convert_source(source, out, data or _default_data(), minutes=minutes, force=force))


@cli.command()
@click.option("--scenario", required=True, type=click.Choice(_SCENARIOS))
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--minutes", type=_Minutes(), default=(5.0, 20.0, 5.0), show_default="5,20,5", help="Length of the phases.")
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The recording to write; .gz compresses."
)
def simulate(scenario: str, seed: int, minutes: tuple[float, float, float], out: Path) -> None:
    """Write a recording of a simulated client, the truth in its header.

    Example:  restbeat simulate --scenario clear --seed 7 --out clear.jsonl
    """
    from .playback import simulate_file

    simulate_file(scenario, seed, minutes, out)


@cli.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--update", is_flag=True, help="Rewrite the golden summaries, and show what changed.")
def verify(folder: Path, update: bool) -> None:
    """Replay every recording of a folder and compare its figures with golden ones.

    Example:  restbeat verify fixtures
    """
    from .verify import verify_folder

    _run(verify_folder(folder, update=update))


@cli.command()
@click.option("--data", type=_FOLDER, help=_DATA_HELP)
@click.option("--adapter", metavar="hciN", help="Look at this Bluetooth adapter.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
@click.option(
    "--bundle", type=click.Path(dir_okay=False, path_type=Path), help="Also write a support file without personal data."
)
def doctor(data: Path | None, adapter: str | None, as_json: bool, bundle: Path | None) -> None:
    """Look for what is amiss: adapter, BlueZ, D-Bus, disk, clock, database, versions, each with a hint.

    Example:  restbeat doctor --bundle support.zip
    """
    from .doctor import examine

    _run(examine(data or _default_data(), adapter=adapter, as_json=as_json, bundle=bundle))


@cli.command()
@click.argument("session", type=click.IntRange(1))
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--data", type=_FOLDER, help=_DATA_HELP)
@click.option("--licence", help="Under which the recording may be used, such as CC0-1.0.")
@click.option("--ecg", is_flag=True, help="Keep the ECG, by whose shape a person can be told.")
@click.option("--force", is_flag=True, help="Replace OUT if it is there.")
def fixture(session: int, out: Path, data: Path | None, licence: str | None, ecg: bool, force: bool) -> None:
    """Turn a stored session into an anonymous recording: no name, address, note or date is in it.

    Example:  restbeat fixture 12 quiet-client.jsonl.gz --licence CC0-1.0
    """
    from .fixture import write_fixture

    _run(write_fixture(session, out, data or _default_data(), licence=licence, force=force, ecg=ecg))


@cli.command()
@click.option("--data", type=_FOLDER, help=_DATA_HELP)
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes. Default: one a core.")
@click.option("--again", is_flag=True, help="Also those that have figures of today's algorithm.")
def reanalyse(data: Path | None, jobs: int | None, again: bool) -> None:
    """Compute every stored session anew with today's algorithm, keeping the old figures beside the new.

    Example:  restbeat reanalyse --jobs 2
    """
    from .archive import reanalyse_folder

    _run(reanalyse_folder(data or _default_data(), jobs, again=again))


@cli.command()
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--data", type=_FOLDER, help=_DATA_HELP)
@click.option(
    "--keep-days", type=click.IntRange(1, 3650), default=90, show_default=True, help="Delete it by itself after so long."
)
@click.option("--force", is_flag=True, help="Replace OUT if it is there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, progress on stderr.")
def backup(out: Path, data: Path | None, keep_days: int, force: bool, as_json: bool) -> None:
    """Copy the database to OUT, while sessions record, and check the copy.

    The folder keeps a list of its backups; those whose time is over are deleted by the next backup.

    Example:  restbeat backup /media/stick/restbeat-2026-11-24.db
    """
    from .keeping import back_up

    _run(back_up(out, data or _default_data(), keep_days=keep_days, force=force, as_json=as_json))


@cli.command()
@click.argument("file", type=_FILE)
@click.option("--data", type=_FOLDER, help=_DATA_HELP)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout; needs --yes.")
def restore(file: Path, data: Path | None, yes: bool, as_json: bool) -> None:
    """Put a backup in the place of the database; what was there before is kept aside.

    Example:  restbeat restore /media/stick/restbeat-2026-11-24.db
    """
    from .keeping import restore as put_back

    if as_json and not yes:
        raise click.UsageError("--json asks nothing: give --yes too.")
    _run(put_back(file, data or _default_data(), yes=yes, as_json=as_json))


@cli.command()
@click.argument("client")
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--data", type=_FOLDER, help=_DATA_HELP)
@_key_file
@click.option("--force", is_flag=True, help="Replace OUT if it is there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, progress on stderr.")
def export(client: str, out: Path, data: Path | None, key_file: Path | None, force: bool, as_json: bool) -> None:
    """Write everything of a client into one zip: records as JSON, sessions as recordings, tables, other programs' formats.

    Example:  restbeat export M-014 M-014.zip
    """
    from .rights import export_client
    from .seal import key_file_of

    key = key_file_of(key_file, data)
    _run(export_client(client, out, data or _default_data(), key, force=force, as_json=as_json))


@cli.command()
@click.argument("client")
@click.option("--data", type=_FOLDER, help=_DATA_HELP)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout; needs --yes.")
def erase(client: str, data: Path | None, yes: bool, as_json: bool) -> None:
    """Erase everything of a client for good, and list the backups that still hold them, until when.

    Example:  restbeat erase M-014 --yes
    """
    from .rights import erase_client

    if as_json and not yes:
        raise click.UsageError("--json asks nothing: give --yes too.")
    _run(erase_client(client, data or _default_data(), yes=yes, as_json=as_json))


@cli.command()
@click.option("--data", type=_FOLDER, help=_DATA_HELP)
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
def clients(data: Path | None, as_json: bool) -> None:
    """List the clients by their pseudonyms, with their sessions.

    Example:  restbeat clients
    """
    from .keeping import list_clients

    _run(list_clients(data or _default_data(), as_json=as_json))


@cli.command("virtual-sensor")
@click.argument("files", nargs=-1, required=True, type=_FILE)
@click.option("--bus-address", help="Join this D-Bus. Default: start a private one and print its address.")
@click.option("--speed", type=_Speed(), default=1.0, show_default=True, help="Play N times faster.")
@_faults
def virtual_sensor(files: tuple[Path, ...], bus_address: str | None, speed: float, faults: tuple[str, ...], seed: int) -> None:
    """Put recordings on the air as virtual straps, for any program that speaks to BlueZ.

    Example:  restbeat virtual-sensor fixtures/polar-h10_simulated_clear.jsonl.gz
    """
    from .virtual_sensor import run_virtual_sensor

    _run(run_virtual_sensor(files, bus_address, speed, faults, seed))


def main() -> None:
    """Run the command line; an error is one sentence on stderr and exit 1, never a traceback."""
    try:
        _run_command_line()
    except KeyboardInterrupt:
        sys.exit(130)


def _run_command_line() -> None:
    from ..analysis.errors import AnalysisError
    from ..sensors.errors import SensorError
    from ..web.ports import PortError
    from .errors import ServiceError

    try:
        cli(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)
    except (SensorError, AnalysisError, ServiceError, PortError) as error:
        sys.stderr.write(f"restbeat: {error}\n")
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()


def _default_data() -> Path:
    from platformdirs import user_data_path

    return user_data_path("restbeat", appauthor=False)


def _run(command: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(command)
    except KeyboardInterrupt as error:
        raise click.Abort from error
