"""The command line. Each command imports what it needs, so that `restbeat --help` answers at once."""

from importlib.metadata import version
import logging
from pathlib import Path

import click

from .data import backup, clients, erase, export, reanalyse, restore, salvage
from .options import DATA_HELP, FOLDER, default_data, run
from .recordings import analyse, convert, fixture, replay, simulate, verify, virtual_sensor


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
@click.option("--seconds", type=click.FloatRange(1, 120), default=8.0, show_default=True, help="How long to listen.")
@click.option("--adapter", metavar="hciN", help="Use this Bluetooth adapter.")
@click.option("--all", "every", is_flag=True, help="List every device that is heard: a strap may not say what it is.")
def scan(seconds: float, adapter: str | None, every: bool) -> None:
    """List the straps on the air: name, address, signal, battery, and whether they send RR.

    Example:  restbeat scan --seconds 15
    """
    from .straps import scan_straps

    run(scan_straps(seconds, adapter, every=every))


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

    run(record_strap(out, address, adapter, minutes))


@cli.command()
@click.option("--data", type=FOLDER, help=DATA_HELP)
@click.option("--adapter", metavar="hciN", help="Look at this Bluetooth adapter.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
@click.option(
    "--bundle", type=click.Path(dir_okay=False, path_type=Path), help="Also write a support file without personal data."
)
def doctor(data: Path | None, adapter: str | None, as_json: bool, bundle: Path | None) -> None:
    """Look for what is amiss: adapter, BlueZ, D-Bus, disk, clock, database, versions, each with a hint.

    Example:  restbeat doctor --bundle support.zip
    """
    from ..doctor.doctor import examine

    run(examine(data or default_data(), adapter=adapter, as_json=as_json, bundle=bundle))


for _command in (
    *(replay, analyse, convert, simulate, verify, fixture, virtual_sensor),
    *(reanalyse, backup, restore, salvage, export, erase, clients),
):
    cli.add_command(_command)
