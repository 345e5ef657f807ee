"""The commands for clients' rights: export and erasure of their data."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click
import msgspec

from ..backups.backup import ProgressCallback
from ..privacy.erasure import Erased, erase
from ..privacy.export import write_export
from ..privacy.personal_data import SessionRecords, client_records, session_records
from ..storage.audit_log import note
from ..storage.database import open_database, read_alongside, require_database, take_folder, write_alongside
from ..storage.encryption import IdentityCipher
from ..terminal.output_file import require_absent
from ..terminal.progress import bar, counted
from ..terminal.signals import print_line
from ..worker.worker import Worker


async def export_client(client: str, out: Path, data: Path, key_file: Path, *, force: bool, as_json: bool) -> None:
    """Write all data of a client into one zip, also while sessions record, and note it in the audit log.

    Raises `OutputError` where the file exists (without `force`) or cannot be written, `StorageError` where the database cannot
    be read or there is no such client.
    """
    await require_absent(out, force=force)
    now, cipher = datetime.now(UTC), IdentityCipher(key_file)
    personal_data = await asyncio.to_thread(read_alongside, data, lambda db: client_records(db, cipher, client, now))
    with bar(f"Writing {client}") as report_progress:
        async with Worker() as worker:
            count = await write_export(out, personal_data, _sessions(data, personal_data.sessions, report_progress), worker, now)
    await asyncio.to_thread(write_alongside, data, lambda db: note(db, now, "restbeat", "client exported", client=client))
    if as_json:
        click.echo(msgspec.json.encode({"client": client, "file": str(out), "sessions": count}).decode())
        return
    size_mb = (await asyncio.to_thread(out.stat)).st_size / 1e6
    print_line(
        f"Wrote {out}: {counted(count, 'session')} of {client}, {size_mb:.1f} MB. "
        "It names the client: keep it as you would a letter."
    )


async def erase_client(client: str, data: Path, *, yes: bool, as_json: bool) -> None:
    """Erase all data of a client, and print which backups still hold some, and until when.

    Raises `StorageError` where the database cannot be used, another restbeat holds it, or there is no such client.
    """
    if not yes:
        click.confirm(f"Erase everything of {client}, for good?", abort=True, err=True)
    with bar(f"Erasing {client}"):
        erased = await asyncio.to_thread(_erase, client, data)
    if as_json:
        click.echo(msgspec.json.encode(erased).decode())
        return
    gone = f"{counted(erased.sessions, 'session')}, {counted(erased.packets, 'packet')}"
    print_line(f"{client} is erased: {gone}, all notes, consents and links.")
    for kept in erased.backups:
        print_line(f"{kept.file} still holds {client} until {kept.until_utc:%Y-%m-%d}; delete it to have it gone now.")


async def _sessions(data: Path, numbers: Sequence[int], report_progress: ProgressCallback) -> AsyncIterator[SessionRecords]:
    for done, number in enumerate(numbers):
        report_progress(done, len(numbers))
        yield await asyncio.to_thread(read_alongside, data, partial(session_records, session=number))
    report_progress(len(numbers), len(numbers))


def _erase(client: str, data: Path) -> Erased:
    require_database(data)
    with closing(take_folder(data)), closing(open_database(data)) as db:
        return erase(db, data, client, "restbeat", datetime.now(UTC))
