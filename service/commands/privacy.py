"""The commands for what a client may ask: all that is held of them, and that it be erased."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click
import msgspec

from ..privacy.erasure import Erased, erase
from ..privacy.export import write_export
from ..privacy.personal_data import SessionRecords, client_records, session_records
from ..storage.audit_log import note
from ..storage.backup import ProgressCallback
from ..storage.database import open_database, read_alongside, require_database, take_folder, write_alongside
from ..storage.encryption import IdentityCipher
from ..terminal.output_file import demand_free
from ..terminal.progress import bar, counted
from ..worker.worker import Worker


async def export_client(client: str, out: Path, data: Path, key_file: Path, *, force: bool, as_json: bool) -> None:
    """Write everything of a client into one zip, beside whoever records; the audit log tells."""
    await demand_free(out, force=force)
    now, cipher = datetime.now(UTC), IdentityCipher(key_file)
    held = await asyncio.to_thread(read_alongside, data, lambda db: client_records(db, cipher, client, now))
    with bar(f"Writing {client}") as told:
        async with Worker() as worker:
            count = await write_export(out, held, _sessions(data, held.sessions, told), worker, now)
    await asyncio.to_thread(write_alongside, data, lambda db: note(db, now, "restbeat", "client exported", client=client))
    if as_json:
        click.echo(msgspec.json.encode({"client": client, "file": str(out), "sessions": count}).decode())
        return
    size_mb = (await asyncio.to_thread(out.stat)).st_size / 1e6
    click.echo(
        f"Wrote {out}: {counted(count, 'session')} of {client}, {size_mb:.1f} MB. "
        "It names the client: keep it as you would a letter."
    )


async def erase_client(client: str, data: Path, *, yes: bool, as_json: bool) -> None:
    """Erase everything of a client, and tell which backups still hold them, until when."""
    if not yes:
        click.confirm(f"Erase everything of {client}, for good?", abort=True, err=True)
    with bar(f"Erasing {client}"):
        erased = await asyncio.to_thread(_erase, client, data)
    if as_json:
        click.echo(msgspec.json.encode(erased).decode())
        return
    gone = f"{counted(erased.sessions, 'session')}, {counted(erased.packets, 'packet')}"
    click.echo(f"{client} is erased: {gone}, all notes, consents and links.")
    for kept in erased.backups:
        click.echo(f"{kept.file} still holds {client} until {kept.until_utc:%Y-%m-%d}; delete it to have it gone now.")


async def _sessions(data: Path, numbers: Sequence[int], told: ProgressCallback) -> AsyncIterator[SessionRecords]:
    for done, number in enumerate(numbers):
        told(done, len(numbers))
        yield await asyncio.to_thread(read_alongside, data, partial(session_records, session=number))
    told(len(numbers), len(numbers))


def _erase(client: str, data: Path) -> Erased:
    require_database(data)
    with closing(take_folder(data)), closing(open_database(data)) as db:
        return erase(db, data, client, "restbeat", datetime.now(UTC))
