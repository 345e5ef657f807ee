"""Everything of a client as one zip: tables as JSON, each session as recording, tables, and what other programs read."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from datetime import datetime
import json
from pathlib import Path
from typing import Any, Final, Protocol
import zipfile

import msgspec

from ..sensors.recording import Event, Header
from .collect import ClientHeld, SessionHeld
from .errors import OutputError

README: Final = "README.txt"
_ABOUT: Final = """Everything that restbeat holds of {client}, written on {now:%Y-%m-%d %H:%M} UTC.

records.json      every entry about this client, by table: who they are, consents, notes, marks, answers, and who looked at them
sessions/         a folder a session:
  recording.jsonl.gz   every packet of the strap as it came; restbeat replays it
  beats.csv            each heartbeat: time, interval in ms, whether it was used
  phases.csv           the figures of each phase
  events.csv           what was noted, pain among it
  rr.txt               one interval in ms a line, as Kubios and others read it (not where the sensor sends no intervals)
  session.edf          EDF+ with annotations
  fhir.json            HL7 FHIR R4B bundle
  open-mhealth.json    Open mHealth heart-rate 2.0 and rr-interval 1.0
  report.json          all figures with their reasons
  summary.html         the summary, as a page

restbeat is relaxation feedback, no medical device. The data belong to the client.
"""


class Files(Protocol):
    """Makes the files of a session."""

    async def exported(
        self, name: str, header: Header, events: list[Event], end_s: float | None, began: datetime
    ) -> Mapping[str, bytes]:
        """Names and contents."""
        ...


async def write_export(out: Path, held: ClientHeld, sessions: AsyncIterator[SessionHeld], files: Files, now: datetime) -> int:
    """Write the zip, whole or not at all; gives how many sessions are in it. Raises `OutputError`."""
    part = out.with_name(f".{out.name}.part")
    count = 0
    try:
        with closing(zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED)) as archive:
            records = json.dumps(held.rows, default=_plain, ensure_ascii=False, indent=1)
            await _add(archive, {README: _ABOUT.format(client=held.client, now=now), "records.json": records})
            async for session in sessions:
                name = f"session {session.session}"
                made = await files.exported(name, session.header, session.events, session.end_s, session.began)
                folder = f"sessions/{session.began:%Y-%m-%d}-{session.session}"
                await _add(archive, {f"{folder}/{file}": content for file, content in made.items()})
                count += 1
        part.chmod(0o600)
        part.replace(out)
    except OSError as error:
        raise OutputError(f"{out} could not be written: {error.strerror}. Nothing was changed.") from error
    finally:
        part.unlink(missing_ok=True)
    return count


async def _add(archive: zipfile.ZipFile, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        await asyncio.to_thread(archive.writestr, name, content)


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else msgspec.to_builtins(value)
