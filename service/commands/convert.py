"""The command that turns a stored session, a recording or another program's file into any format that restbeat writes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console

from ...sensors.model import Phase
from ...sensors.recordings.recording import Event, Header, PhaseStart
from ..errors import FormatError, NoSuchSessionError, OutputError
from ..exchange.formats import Format, as_recording, format_of, read_any
from ..exchange.packet_reconstruction import began_of, imported_of
from ..sessions.session_store import events_of
from ..storage.database import DATABASE, read_alongside
from ..storage.event_rows import moment
from ..storage.sqlite import Database
from ..terminal.output_file import demand_free, whole_file
from ..worker.worker import Worker
from .replay import warn

Minutes = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Given:
    """What is to be written, wherever it comes from."""

    name: str
    header: Header
    events: Sequence[Event]
    warnings: Sequence[str] = ()
    end_s: float | None = None
    began: datetime | None = None
    arrival: str | None = None
    """What its arrival times were made from, where it had none."""


async def convert(source: str, out: Path, data: Path, *, minutes: Minutes | None, force: bool) -> None:
    """Write `source`, a file or the number of a stored session, in the format of `out`'s ending; whole or not at all."""
    err = Console(stderr=True, highlight=False)
    form = format_of(out)
    await demand_free(out, force=force)
    given = await asyncio.to_thread(_given, source, data)
    warn(err, given.warnings)
    if minutes:
        given = _in_phases(given, minutes)
    if given.arrival and form.name.startswith("recording"):
        err.print(f"{given.name} does not say when packets arrived: {given.arrival}.", markup=False, soft_wrap=True)
    if form.name == "omh" and given.began is None:
        err.print(f"Nobody knows when {given.name} was: its data points begin on 1 January 1970.", markup=False, soft_wrap=True)
    raw = await _written(form, given)
    with whole_file(out) as part:
        await asyncio.to_thread(part.write_bytes, raw)
    click.echo(f"Wrote {out}: {form.what}, {len(raw) / 1000:.0f} kB, from {given.name}.")


async def _written(form: Format, given: Given) -> bytes:
    if form.name.startswith("recording"):
        return as_recording(given.header, given.events, packed=form.name.endswith(".gz"))
    async with Worker() as worker:
        return await worker.run(_encode, form.name, given)


def _encode(form: str, given: Given) -> bytes:
    """Write a session in one of the formats of `exchange.formats`: for the worker process."""
    from ...analysis.session_report import summarise
    from ..exchange.formats import write_as
    from ..exchange.session_data import session_data

    report = summarise(given.name, given.header, given.events, end_s=given.end_s)
    return write_as(form, session_data(given.header, given.events, report, given.began))


def _given(source: str, data: Path) -> Given:
    path = Path(source)
    if not path.is_file():
        if source.isdecimal():
            return _stored(int(source), data)
        raise OutputError(f"{source} is neither a file nor the number of a stored session.")
    recording = read_any(path)
    began, arrival = began_of(recording.header), imported_of(recording.header).get("arrival")
    return Given(path.name, recording.header, recording.events, recording.warnings, began=began, arrival=arrival)


def _stored(session: int, data: Path) -> Given:
    """A stored session, read beside the process that may be writing others."""

    def read(db: Database) -> Given:
        row = db.execute("SELECT started_utc, ended_utc, duration_s FROM session WHERE id = ?", (session,)).fetchone()
        if row is None:
            raise NoSuchSessionError(f"There is no session {session} in {data}.")
        if row[1] is None:
            raise NoSuchSessionError(f"Session {session} has not ended. End it first, then convert it.")
        header, events = events_of(db, session)
        began = began_of(header) or moment(row[0])
        return Given(f"session {session}", header, events, end_s=row[2], began=began)

    if not (data / DATABASE).is_file():
        raise NoSuchSessionError(f"There is no session {session}: {data} holds no database. Another folder is named by --data.")
    return read_alongside(data, read)


def _in_phases(given: Given, minutes: Minutes) -> Given:
    """With phases of so many minutes, for a recording that has none."""
    if any(isinstance(event, PhaseStart) for event in given.events):
        raise FormatError(f"{given.name} has phases already: --minutes is for recordings that have none.")
    starts = [0.0, minutes[0] * 60, (minutes[0] + minutes[1]) * 60, sum(minutes) * 60]
    phases = [Phase.BASELINE, Phase.MASSAGE, Phase.RECOVERY, Phase.ENDED]
    borders: list[Event] = [PhaseStart(t, phase) for t, phase in zip(starts, phases, strict=True)]
    return replace(given, events=sorted([*borders, *given.events], key=lambda event: event.t))
