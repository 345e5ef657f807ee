"""The commands that keep the data safe: backup, restore, and the list of clients."""

import asyncio
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from rich.console import Console
from rich.table import Table

from .backup import take_backup, verify
from .backup_list import Kept, delete_expired, remember
from .database import DATABASE, open_database, read_beside, take_folder
from .erase import erase_again
from .errors import OutputError
from .progress import bar
from .sqlite import Database

KEEP_DAYS: Final = 90
"""How long a backup is kept unless told otherwise."""


async def back_up(out: Path, data: Path, *, keep_days: int, force: bool, as_json: bool) -> None:
    """Copy the database, verify the copy, and put it on the folder's list of backups."""
    if await asyncio.to_thread(out.exists) and not force:
        raise OutputError(f"{out} is there already and was left as it is. Choose another name, or replace it with --force.")
    now = datetime.now(UTC)
    with bar("Copying") as copied:
        backup = await asyncio.to_thread(take_backup, data, out, copied)
    kept = Kept(backup.file, now, now + timedelta(days=keep_days))
    await asyncio.to_thread(remember, data, kept)
    gone = await asyncio.to_thread(delete_expired, data, now)
    if as_json:
        answer = {"backup": backup, "until_utc": kept.until_utc, "deleted": [one.file for one in gone]}
        click.echo(msgspec.json.encode(answer).decode())
        return
    counts, size_mb = backup.counts, backup.bytes / 1e6
    holds = f"{counts.sessions} sessions, {counts.clients} clients, {counts.packets} packets, {size_mb:.1f} MB"
    until = f"{kept.until_utc:%Y-%m-%d}"
    click.echo(f"Wrote {out}: {holds}; opened, checked and counted. It is to be deleted after {until}.")
    for one in gone:
        click.echo(f"Deleted {one.file}, whose time was over.")


async def restore(file: Path, data: Path, *, yes: bool, as_json: bool) -> None:
    """Put a backup in the place of the database; what was there before becomes a backup itself."""
    backup = await asyncio.to_thread(verify, file)
    if not yes:
        counts = backup.counts
        what = f"{counts.sessions} sessions of {counts.clients} clients"
        click.confirm(f"Put {file} ({what}) in the place of the database in {data}?", abort=True, err=True)
    aside, again = await asyncio.to_thread(_restore, file, data)
    if as_json:
        answer = {"restored": backup, "before": aside and str(aside), "erased_again": again}
        click.echo(msgspec.json.encode(answer).decode())
        return
    click.echo(f"{data} now holds {backup.counts.sessions} sessions of {backup.counts.clients} clients.")
    if again:
        click.echo(f"Clients erased since that backup was made, and erased from it again: {again}.")
    if aside:
        click.echo(f"What it held before lies in {aside}, and is on the list of backups.")


async def list_clients(data: Path, *, as_json: bool) -> None:
    """Print the pseudonyms, how many sessions each has, and when the last was."""
    rows = await asyncio.to_thread(read_beside, data, _client_rows)
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
        return
    table = Table(title=f"Clients in {data}", title_justify="left")
    for heading, justify in (("Client", "left"), ("Sessions", "right"), ("Last", "left")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for row in rows:
        table.add_row(row["client"], str(row["sessions"]), (row["last_utc"] or "–")[:10])
    Console(highlight=False).print(table)


def _restore(file: Path, data: Path) -> tuple[Path | None, int]:
    now = datetime.now(UTC)
    with closing(take_folder(data)):
        database = data / DATABASE
        aside: Path | None = None
        if database.exists():
            aside = data / f"restbeat-before-{now:%Y%m%d-%H%M%S}.db"
            take_backup(data, aside)
            remember(data, Kept(str(aside.resolve()), now, now + timedelta(days=KEEP_DAYS)))
        part = data / f".{DATABASE}.part"
        part.write_bytes(file.read_bytes())
        for name in (f"{DATABASE}-wal", f"{DATABASE}-shm"):
            (data / name).unlink(missing_ok=True)
        part.replace(database)
        with closing(open_database(data)) as db:
            again = erase_again(db, data, now)
    return aside, again


def _client_rows(db: Database) -> list[dict[str, Any]]:
    query = (
        "SELECT pseudonym AS client, count(session.id) AS sessions, max(started_utc) AS last_utc"
        " FROM client LEFT JOIN session ON session.client = pseudonym GROUP BY pseudonym ORDER BY pseudonym"
    )
    return list(db.query(query))
