"""Commands on the data folder: reanalyse, backup, restore, salvage, export, erase, clients."""

from pathlib import Path

import click

from .options import DATA_HELP, FILE, FOLDER, default_data, key_file_option, run


@click.command()
@click.option("--data", type=FOLDER, help=DATA_HELP)
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes. Default: one a core.")
@click.option("--again", is_flag=True, help="Also those that have figures of today's algorithm.")
def reanalyse(data: Path | None, jobs: int | None, again: bool) -> None:
    """Compute every stored session anew with today's algorithm, keeping the old figures beside the new.

    Example:  restbeat reanalyse --jobs 2
    """
    from .reanalyse import reanalyse_folder

    run(reanalyse_folder(data or default_data(), jobs, again=again))


@click.command()
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--data", type=FOLDER, help=DATA_HELP)
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
    from .backups import back_up

    run(back_up(out, data or default_data(), keep_days=keep_days, force=force, as_json=as_json))


@click.command()
@click.argument("file", type=FILE)
@click.option("--data", type=FOLDER, help=DATA_HELP)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout; needs --yes.")
def restore(file: Path, data: Path | None, yes: bool, as_json: bool) -> None:
    """Put a backup in the place of the database; what was there before is kept aside.

    Example:  restbeat restore /media/stick/restbeat-2026-11-24.db
    """
    from .backups import restore as put_back

    if as_json and not yes:
        raise click.UsageError("--json asks nothing: give --yes too.")
    run(put_back(file, data or default_data(), yes=yes, as_json=as_json))


@click.command()
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--data", type=FOLDER, help=DATA_HELP)
@click.option("--force", is_flag=True, help="Replace OUT if it is there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def salvage(out: Path, data: Path | None, force: bool, as_json: bool) -> None:
    """Write what can still be read of a damaged database into a new one, which restore puts in its place.

    Example:  restbeat salvage salvaged.db
    """
    from .backups import salvage as read_out

    run(read_out(out, data or default_data(), force=force, as_json=as_json))


@click.command()
@click.argument("client")
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--data", type=FOLDER, help=DATA_HELP)
@key_file_option
@click.option("--force", is_flag=True, help="Replace OUT if it is there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, progress on stderr.")
def export(client: str, out: Path, data: Path | None, key_file: Path | None, force: bool, as_json: bool) -> None:
    """Write everything of a client into one zip: records as JSON, sessions as recordings, tables, other programs' formats.

    Example:  restbeat export M-014 M-014.zip
    """
    from ..storage.encryption import key_file_of
    from .privacy import export_client

    key = key_file_of(key_file, data)
    run(export_client(client, out, data or default_data(), key, force=force, as_json=as_json))


@click.command()
@click.argument("client")
@click.option("--data", type=FOLDER, help=DATA_HELP)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout; needs --yes.")
def erase(client: str, data: Path | None, yes: bool, as_json: bool) -> None:
    """Erase everything of a client for good, and list the backups that still hold them, until when.

    Example:  restbeat erase M-014 --yes
    """
    from .privacy import erase_client

    if as_json and not yes:
        raise click.UsageError("--json asks nothing: give --yes too.")
    run(erase_client(client, data or default_data(), yes=yes, as_json=as_json))


@click.command()
@click.option("--data", type=FOLDER, help=DATA_HELP)
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
def clients(data: Path | None, as_json: bool) -> None:
    """List the clients by their pseudonyms, with their sessions.

    Example:  restbeat clients
    """
    from .backups import list_clients

    run(list_clients(data or default_data(), as_json=as_json))
