"""The command that turns a stored session into an anonymous recording."""

import asyncio
from pathlib import Path

from ...sensors.recordings.anonymise import anonymised
from ...sensors.recordings.recording import write
from ..errors import NoSuchSessionError, OutputError
from ..sessions.session_list import SessionsWanted
from ..sessions.session_store import SessionStore
from ..terminal.console import PlainConsole
from ..terminal.output_file import require_absent, whole_file
from ..terminal.signals import print_line

_MAX_LISTED = 5


async def write_fixture(session: int, out: Path, data: Path, *, licence: str | None, force: bool, ecg: bool = False) -> None:
    """Write an anonymous recording of an ended session, completely or not at all.

    Raises `OutputError` where the file exists (without `force`), has another ending, or cannot be written, and
    `NoSuchSessionError` where there is no such session or it has not ended.
    """
    err = PlainConsole(stderr=True)
    await require_absent(out, force=force)
    if not out.name.endswith((".jsonl", ".jsonl.gz")):
        raise OutputError(f"{out.name} is no name for a recording: let it end in .jsonl or .jsonl.gz.")
    async with await SessionStore.open(data) as storage:
        try:
            row = await storage.session(session)
        except NoSuchSessionError as error:
            rows = (await storage.sessions(SessionsWanted(limit=_MAX_LISTED))).rows
            newest = ", ".join(f"{row.session} ({row.source})" for row in rows) or "none"
            raise NoSuchSessionError(f"There is no session {session} in {data}. The newest are: {newest}.") from error
        if row.state != "ended":
            raise NoSuchSessionError(f"Session {session} has not ended. End it first, then make a recording of it.")
        header, events = await storage.events(session)
    clean, kept, left_out = anonymised(header, events, licence=licence, ecg=ecg)
    with whole_file(out) as part:
        await asyncio.to_thread(write, part, clean, kept)
    for sentence in left_out:
        err.print(f"{sentence}.", soft_wrap=True)
    if licence is None:
        err.print("No licence is named in it: before giving it away, write it again with --licence.", soft_wrap=True)
    print_line(f"Wrote {out}: {len(kept)} of {len(events)} events of session {session}, no names, addresses, notes or dates.")
