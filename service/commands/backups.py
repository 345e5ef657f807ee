"""The commands that keep the data safe: backup, restore, and the list of clients."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from ..privacy.restore import restore_backup
from ..storage.backup import Counts, take_backup, verify
from ..storage.backup_catalogue import BackupEntry, add_backup, delete_expired
from ..storage.database import read_alongside
from ..storage.sqlite import Database
from ..terminal.output_file import demand_free
from ..terminal.progress import bar, counted


async def back_up(out: Path, data: Path, *, keep_days: int, force: bool, as_json: bool) -> None:
    """Copy the database, verify the copy, and put it on the folder's list of backups."""
    await demand_free(out, force=force)
    now = datetime.now(UTC)
    with bar("Copying") as copied:
        backup = await asyncio.to_thread(take_backup, data, out, copied)
    kept = BackupEntry(backup.file, now, now + timedelta(days=keep_days))
    await asyncio.to_thread(add_backup, data, kept)
    gone = await asyncio.to_thread(delete_expired, data, now)
    if as_json:
        answer = {"backup": backup, "until_utc": kept.until_utc, "deleted": [one.file for one in gone]}
        click.echo(msgspec.json.encode(answer).decode())
        return
    counts, size_mb = backup.counts, backup.bytes / 1e6
    holds = f"{_what(counts)}, {counted(counts.packets, 'packet')}, {size_mb:.1f} MB"
    until = f"{kept.until_utc:%Y-%m-%d}"
    click.echo(f"Wrote {out}: {holds}; opened, checked and counted. It is to be deleted after {until}.")
    for one in gone:
        click.echo(f"Deleted {one.file}, whose time was over.")


async def restore(file: Path, data: Path, *, yes: bool, as_json: bool) -> None:
    """Put a backup in the place of the database; what was there before becomes a backup itself."""
    backup = await asyncio.to_thread(verify, file)
    if not yes:
        click.confirm(f"Put {file} ({_what(backup.counts)}) in the place of the database in {data}?", abort=True, err=True)
    done = await asyncio.to_thread(restore_backup, file, data, datetime.now(UTC))
    if as_json:
        click.echo(msgspec.json.encode({"restored": backup} | msgspec.structs.asdict(done)).decode())
        return
    if done.erased_again:
        click.echo(f"Clients erased since that backup was made, and erased from it again: {done.erased_again}.")
    click.echo(f"{data} now holds {_what(done.holds)}.")
    if done.damaged:
        click.echo(f"What was there before could not be read. It lies in {done.before} as it was, and is on the list of backups.")
    elif done.before:
        click.echo(f"What it held before lies in {done.before}, and is on the list of backups.")


async def list_clients(data: Path, *, as_json: bool) -> None:
    """Print the pseudonyms, how many sessions each has, and when the last was."""
    rows = await asyncio.to_thread(read_alongside, data, _client_rows)
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
        return
    table = Table(title=f"Clients in {data}", title_justify="left")
    for heading, justify in (("Client", "left"), ("Sessions", "right"), ("Last", "left")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for row in rows:
        table.add_row(row["client"], str(row["sessions"]), (row["last_utc"] or "–")[:10])
    Console(highlight=False).print(table)


def _what(counts: Counts) -> str:
    return f"{counted(counts.sessions, 'session')} of {counted(counts.clients, 'client')}"


def _client_rows(db: Database) -> list[dict[str, Any]]:
    query = (
        "SELECT pseudonym AS client, count(session.id) AS sessions, max(started_utc) AS last_utc"
        " FROM client LEFT JOIN session ON session.client = pseudonym GROUP BY pseudonym ORDER BY pseudonym"
    )
    return list(db.query(query))
