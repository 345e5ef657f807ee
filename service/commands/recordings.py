"""Commands on recordings: replay, analyse, convert, simulate, verify, fixture, virtual-sensor."""

from datetime import datetime
from pathlib import Path

import click

from .options import DATA_HELP, FILE, FOLDER, Minutes, Speed, default_data, faults_options, run

_SCENARIOS = ("clear", "none", "opposite", "slow-breathing", "sleepy", "noisy", "optical")
_BEGAN = click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%d"])


@click.command()
@click.argument("file", type=FILE)
@click.option("--speed", type=Speed(), help="Pace it: 1 is real time. Default: as fast as it can.")
@click.option(
    "--from", "from_s", type=click.FloatRange(0), default=0.0, help="Pace it from this second on; before, it runs at once."
)
@click.option("--until", "until_s", type=click.FloatRange(0, min_open=True), help="Stop at this second of the recording.")
@click.option("--loop", is_flag=True, help="Begin again at the end, until q or Ctrl-C. It is stored once.")
@click.option("--client", metavar="NAME", help="Put it under this client. Default: whom the recording names.")
@click.option("--began", type=_BEGAN, help="When it was, where the file does not tell. Default: now.")
@click.option("--data", type=FOLDER, help=DATA_HELP)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, progress on stderr.")
@click.option(
    "--keep", type=click.Path(dir_okay=False, path_type=Path), help="Write what is played to this recording, faults and all."
)
@faults_options
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
    from ..testbench.paced_replay import Cut
    from .replay import replay_file

    if speed is None and (loop or from_s):
        raise click.UsageError("--loop and --from pace a replay: give --speed too.")
    cut = Cut(from_s=from_s, until_s=until_s, loop=loop)
    playing = replay_file(
        file,
        speed,
        data or default_data(),
        as_json=as_json,
        faults=faults,
        seed=seed,
        cut=cut,
        client=client,
        began=began and began.astimezone(),
        keep=keep,
    )
    run(playing)


@click.command()
@click.argument("file", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def analyse(file: Path, as_json: bool) -> None:
    """Print the HRV of a whole file: RR text (one interval in ms a line), a recording, or another program's file.

    Example:  restbeat analyse rr.txt --json
    """
    from .replay import analyse_file

    run(analyse_file(file, as_json=as_json))


@click.command()
@click.argument("source")
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--minutes", type=Minutes(), help="Give a recording without phases these: baseline, massage, recovery.")
@click.option("--data", type=FOLDER, help=DATA_HELP)
@click.option("--force", is_flag=True, help="Replace OUT if it is there.")
def convert(source: str, out: Path, minutes: tuple[float, float, float] | None, data: Path | None, force: bool) -> None:
    """Turn a stored session, a recording or another program's file into a format that others read, or into a recording.

    SOURCE is a session's number or a file: recording, RR text, CSV, EDF+, Garmin FIT, Polar .hrm, Open mHealth. OUT's ending
    says what to write: .jsonl or .jsonl.gz (recording), .txt (RR text), .csv (beats), .phases.csv (figures), .events.csv,
    .edf (EDF+), .fhir.json (FHIR R4B), .omh.json (Open mHealth).

    Example:  restbeat convert 12 session.edf
    """
    from .convert import convert as convert_source

    run(convert_source(source, out, data or default_data(), minutes=minutes, force=force))


@click.command()
@click.option("--scenario", required=True, type=click.Choice(_SCENARIOS))
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@click.option("--minutes", type=Minutes(), default=(5.0, 20.0, 5.0), show_default="5,20,5", help="Length of the phases.")
@click.option(
    "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The recording to write; .gz compresses."
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
def simulate(scenario: str, seed: int, minutes: tuple[float, float, float], out: Path, force: bool) -> None:
    """Write a recording of a simulated client, the truth in its header.

    Example:  restbeat simulate --scenario clear --seed 7 --out clear.jsonl
    """
    from .replay import simulate_file

    run(simulate_file(scenario, seed, minutes, out, force=force))


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--update", is_flag=True, help="Rewrite the golden summaries, and show what changed.")
def verify(folder: Path, update: bool) -> None:
    """Replay every recording of a folder and compare its figures with golden ones.

    Example:  restbeat verify fixtures
    """
    from .verify import verify_folder

    run(verify_folder(folder, update=update))


@click.command()
@click.argument("session", type=click.IntRange(1))
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--data", type=FOLDER, help=DATA_HELP)
@click.option("--licence", help="Under which the recording may be used, such as CC0-1.0.")
@click.option("--ecg", is_flag=True, help="Keep the ECG, by whose shape a person can be told.")
@click.option("--force", is_flag=True, help="Replace OUT if it is there.")
def fixture(session: int, out: Path, data: Path | None, licence: str | None, ecg: bool, force: bool) -> None:
    """Turn a stored session into an anonymous recording: no name, address, note or date is in it.

    Example:  restbeat fixture 12 quiet-client.jsonl.gz --licence CC0-1.0
    """
    from .anonymise import write_fixture

    run(write_fixture(session, out, data or default_data(), licence=licence, force=force, ecg=ecg))


@click.command("virtual-sensor")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option("--bus-address", help="Join this D-Bus. Default: start a private one and print its address.")
@click.option("--speed", type=Speed(), default=1.0, show_default=True, help="Play N times faster.")
@faults_options
def virtual_sensor(files: tuple[Path, ...], bus_address: str | None, speed: float, faults: tuple[str, ...], seed: int) -> None:
    """Put recordings on the air as virtual straps, for any program that speaks to BlueZ.

    Example:  restbeat virtual-sensor fixtures/polar-h10_simulated_clear.jsonl.gz
    """
    from .straps import run_virtual_sensor

    run(run_virtual_sensor(files, bus_address, speed, faults, seed))
