"""The command that turns a stored session, a recording or another program's file into any format that restbeat writes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import click

from ...analysis.reporting_items import Reported
from ...analysis.session_pain import SessionPain
from ...sensors.model import Phase
from ...sensors.recordings.recording import Event, Header, PhaseStart
from ..clients.pain_scores import stored_pain
from ..clients.reporting_store import stored_items
from ..errors import FormatError, NoSuchSessionError, OutputError
from ..exchange.formats import Format, as_recording, format_of, read_any
from ..exchange.packet_reconstruction import began_of, imported_of
from ..sessions.session_store import events_of
from ..storage.database import DATABASE, read_alongside
from ..storage.event_rows import moment
from ..storage.sqlite import Database
from ..terminal.console import PlainConsole
from ..terminal.output_file import require_absent, whole_file
from ..worker.worker import Worker
from .replay import warn

Minutes = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class LoadedSession:
    """A session to convert, from a file or the database."""

    name: str
    header: Header
    events: Sequence[Event]
    warnings: Sequence[str] = ()
    end_s: float | None = None
    began: datetime | None = None
    arrival: str | None = None
    """What its arrival times were derived from, where the file had none."""
    pain: SessionPain | None = None
    reported: Reported | None = None
    """Of a stored session; None: only what is among the events is known."""


async def convert(source: str, out: Path, data: Path, *, minutes: Minutes | None, force: bool) -> None:
    """Write `source`, a file or the number of a stored session, in the format of `out`'s ending, completely or not at all.

    Raises `FormatError` where the format is unknown or cannot hold the session, `OutputError` where a file cannot be read or
    written, `NoSuchSessionError` where there is no such ended session, and `RecordingError` where the file cannot be parsed.
    """
    err = PlainConsole(stderr=True)
    form = format_of(out)
    await require_absent(out, force=force)
    loaded = await asyncio.to_thread(_load, source, data)
    warn(err, loaded.warnings)
    if minutes:
        loaded = _in_phases(loaded, minutes)
    if loaded.arrival and form.name.startswith("recording"):
        err.print(f"{loaded.name} does not say when packets arrived: {loaded.arrival}.", soft_wrap=True)
    if form.name == "omh" and loaded.began is None:
        err.print(f"Nobody knows when {loaded.name} was: its data points begin on 1 January 1970.", soft_wrap=True)
    raw = await _encoded(form, loaded)
    with whole_file(out) as part:
        await asyncio.to_thread(part.write_bytes, raw)
    click.echo(f"Wrote {out}: {form.what}, {len(raw) / 1000:.0f} kB, from {loaded.name}.")


async def _encoded(form: Format, loaded: LoadedSession) -> bytes:
    if form.name.startswith("recording"):
        return as_recording(loaded.header, loaded.events, packed=form.name.endswith(".gz"))
    async with Worker() as worker:
        return await worker.run(_encode, form.name, loaded)


def _encode(form: str, loaded: LoadedSession) -> bytes:
    """Return a session in one of the formats of `exchange.formats`; runs in the worker process."""
    from ...analysis.session_report import summarise
    from ..exchange.formats import write_as
    from ..exchange.session_data import session_data

    report = summarise(loaded.name, loaded.header, loaded.events, end_s=loaded.end_s)
    data = session_data(loaded.header, loaded.events, report, loaded.began, pain=loaded.pain, reported=loaded.reported)
    return write_as(form, data)


def _load(source: str, data: Path) -> LoadedSession:
    path = Path(source)
    if not path.is_file():
        if source.isdecimal():
            return _stored(int(source), data)
        raise OutputError(f"{source} is neither a file nor the number of a stored session.")
    recording = read_any(path)
    began, arrival = began_of(recording.header), imported_of(recording.header).get("arrival")
    return LoadedSession(path.name, recording.header, recording.events, recording.warnings, began=began, arrival=arrival)


def _stored(session: int, data: Path) -> LoadedSession:
    """Load a stored session, also while another process writes to the database."""

    def read(db: Database) -> LoadedSession:
        row = db.execute("SELECT started_utc, ended_utc, duration_s, dated FROM session WHERE id = ?", (session,)).fetchone()
        if row is None:
            raise NoSuchSessionError(f"There is no session {session} in {data}.")
        if row[1] is None:
            raise NoSuchSessionError(f"Session {session} has not ended. End it first, then convert it.")
        header, events = events_of(db, session)
        began = began_of(header) or (moment(row[0]) if row[3] else None)
        pain, reported = stored_pain(db, session), stored_items(db, session)
        return LoadedSession(f"session {session}", header, events, end_s=row[2], began=began, pain=pain, reported=reported)

    if not (data / DATABASE).is_file():
        raise NoSuchSessionError(f"There is no session {session}: {data} holds no database. Another folder is named by --data.")
    return read_alongside(data, read)


def _in_phases(loaded: LoadedSession, minutes: Minutes) -> LoadedSession:
    """Return a recording without phases with phases of these lengths. Raises `FormatError` where it has phases."""
    if any(isinstance(event, PhaseStart) for event in loaded.events):
        raise FormatError(f"{loaded.name} has phases already: --minutes is for recordings that have none.")
    starts = [0.0, minutes[0] * 60, (minutes[0] + minutes[1]) * 60, sum(minutes) * 60]
    phases = [Phase.BASELINE, Phase.MASSAGE, Phase.RECOVERY, Phase.ENDED]
    borders: list[Event] = [PhaseStart(t, phase) for t, phase in zip(starts, phases, strict=True)]
    return replace(loaded, events=sorted([*borders, *loaded.events], key=lambda event: event.t))
