"""The commands backup, restore and salvage, and the list of clients."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.table import Table

from ..backups.backup import Counts, take_backup, verify
from ..backups.backup_catalogue import BackupEntry, add_backup, delete_expired
from ..backups.salvage import salvage_database
from ..privacy.restore import restore_backup
from ..storage.database import read_alongside
from ..storage.sqlite import Database
from ..terminal.console import PlainConsole
from ..terminal.output_file import require_absent
from ..terminal.progress import bar, counted
from ..terminal.signals import print_line


async def back_up(out: Path, data: Path, *, keep_days: int, force: bool, as_json: bool) -> None:
    """Copy the database, verify the copy, add it to the folder's list of backups, and delete expired ones.

    Raises `OutputError` where the file exists (without `force`), and `ServiceError` where the copy fails.
    """
    await require_absent(out, force=force)
    now = datetime.now(UTC)
    with bar("Copying") as copied:
        backup = await asyncio.to_thread(take_backup, data, out, copied)
    kept = BackupEntry(backup.file, now, now + timedelta(days=keep_days), verified=True)
    await asyncio.to_thread(add_backup, data, kept)
    deleted = await asyncio.to_thread(delete_expired, data, now)
    if as_json:
        answer = {"backup": backup, "until_utc": kept.until_utc, "deleted": [one.file for one in deleted]}
        click.echo(msgspec.json.encode(answer).decode())
        return
    counts, size_mb = backup.counts, backup.bytes / 1e6
    holds = f"{_contents(counts)}, {counted(counts.packets, 'packet')}, {size_mb:.1f} MB"
    until = f"{kept.until_utc:%Y-%m-%d}"
    print_line(f"Wrote {out}: {holds}; opened, checked and counted. It is to be deleted after {until}.")
    for one in deleted:
        print_line(f"Deleted {one.file}, whose time was over.")


async def restore(file: Path, data: Path, *, yes: bool, as_json: bool) -> None:
    """Replace the database by a backup; the previous one becomes a backup itself.

    Raises `StorageError` where the backup cannot be used or another restbeat holds the folder, and `OutputError` where the backup
    cannot be put in place.
    """
    backup = await asyncio.to_thread(verify, file)
    if not yes:
        click.confirm(f"Put {file} ({_contents(backup.counts)}) in the place of the database in {data}?", abort=True, err=True)
    restored = await asyncio.to_thread(restore_backup, file, data, datetime.now(UTC))
    if as_json:
        click.echo(msgspec.json.encode({"restored": backup} | msgspec.structs.asdict(restored)).decode())
        return
    if restored.erased_again:
        print_line(f"Clients erased since that backup was made, and erased from it again: {restored.erased_again}.")
    print_line(f"{data} now holds {_contents(restored.holds)}.")
    if restored.damaged:
        print_line(
            f"What was there before could not be read. It lies in {restored.before} as it was, and is on the list of backups."
        )
    elif restored.before:
        print_line(f"What it held before lies in {restored.before}, and is on the list of backups.")


async def salvage(out: Path, data: Path, *, force: bool, as_json: bool) -> None:
    """Write what can be read of a damaged database into a new one.

    Raises `OutputError` where the file exists (without `force`), and `ServiceError` where nothing can be read.
    """
    await require_absent(out, force=force)
    await asyncio.to_thread(out.unlink, missing_ok=True)
    salvaged = await asyncio.to_thread(salvage_database, data, out)
    if as_json:
        click.echo(msgspec.json.encode(salvaged).decode())
        return
    print_line(f"Wrote {out}: {_contents(salvaged.counts)}, {counted(salvaged.counts.packets, 'packet')}.")
    if salvaged.lost_in:
        print_line(f"Not all of it could be read: {', '.join(salvaged.lost_in)}.")
    if salvaged.orphans:
        print_line(f"{counted(salvaged.orphans, 'row')} left out, as what they belong to is lost.")
    print_line(f"The damaged database was left as it is. To go on with the new one: restbeat restore {out}")


async def list_clients(data: Path, *, as_json: bool) -> None:
    """Print the pseudonyms, each with its number of sessions and the date of the last. Raises `StorageError` on failure."""
    rows = await asyncio.to_thread(read_alongside, data, _client_rows)
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
        return
    table = Table(title=f"Clients in {data}", title_justify="left")
    for heading, justify in (("Client", "left"), ("Sessions", "right"), ("Last", "left")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for row in rows:
        table.add_row(row["client"], str(row["sessions"]), (row["last_utc"] or "–")[:10])
    PlainConsole().print(table)


def _contents(counts: Counts) -> str:
    return f"{counted(counts.sessions, 'session')} of {counted(counts.clients, 'client')}"


def _client_rows(db: Database) -> list[dict[str, Any]]:
    query = (
        "SELECT pseudonym AS client, count(session.id) AS sessions, max(started_utc) AS last_utc"
        " FROM client LEFT JOIN session ON session.client = pseudonym GROUP BY pseudonym ORDER BY pseudonym"
    )
    return list(db.query(query))
