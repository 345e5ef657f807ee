"""Commands on files: replay, analyse, simulate."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import msgspec
from rich.console import Console

from ...analysis.figures import ALGORITHM, PhaseFigures
from ...analysis.simulation.scenarios import simulate
from ...sensors.clock import FlatOutClock
from ...sensors.errors import RecordingError
from ...sensors.recordings.fault_grammar import parse_faults
from ...sensors.recordings.fault_injection import fault_lines, with_faults
from ...sensors.recordings.recording import Event, Header, Recording, write
from ...sensors.recordings.rr_text import RrText
from ...sensors.source import ReplaySource
from ..errors import OutputError
from ..exchange.formats import read_file
from ..exchange.packet_reconstruction import began_of, dated
from ..exchange.reading.found_file import FoundFile
from ..exchange.reading.intervals import why_no_beats
from ..rooms.session_runner import Session
from ..sessions.report_cache import compute_report
from ..sessions.session_store import NewSession, SessionStore
from ..terminal.console import PlainConsole
from ..terminal.figure_tables import print_figures, print_report
from ..terminal.output_file import require_absent
from ..testbench.paced_replay import Cut, play_paced, progress
from ..worker.worker import Worker

_WARNINGS_SHOWN = 10
_WHOLE_RECORDING = Cut()


async def replay_file(
    path: Path,
    speed: float | None,
    data: Path,
    *,
    as_json: bool,
    faults: Sequence[str] = (),
    seed: int = 1,
    cut: Cut = _WHOLE_RECORDING,
    client: str | None = None,
    began: datetime | None = None,
    keep: Path | None = None,
) -> None:
    """Play a recording, or another program's file, as if live, store the session, and print its figures.

    `client` and `began` override what the file says. `keep` is where to write what is played, with the faults.
    Raises `RecordingError` or `FaultError` where file or faults cannot be read, `CutError` where nothing would be played,
    `OutputError` where `keep` cannot be written, `StorageError` and `WorkerError`.
    """
    err = PlainConsole(stderr=True)
    found = _found(path)
    _tell_source(err, found)
    recording = found.recording
    warn(err, recording.warnings)
    (recording,) = inject_faults(err, [recording], faults, seed)
    recording = cut.of(recording)
    if client is not None:
        recording = replace(recording, header=msgspec.structs.replace(recording.header, client=client))
    if began is not None:
        recording = replace(recording, header=dated(recording.header, began))
    began = began_of(recording.header)
    if keep is not None:
        await asyncio.to_thread(_write_copy, recording, keep)
        err.print(f"Kept {keep}: what is played, the faults and their truth in it.", soft_wrap=True)
    async with Worker() as worker, await SessionStore.open(data) as storage:
        err.print(f"Playing {path.name}: {len(recording.events)} events, {recording.events[-1].t / 60:.1f} min")
        number = await storage.create_session(
            NewSession(header=recording.header, source=path.name, speed=speed, consent="imported", began_utc=began)
        )
        if speed is None:
            session = Session(number, ReplaySource(recording), FlatOutClock(), storage)
            with progress(err) as bars:
                bar = bars.add_task("", total=recording.events[-1].t)
                session.observe = lambda _: bars.update(bar, completed=session.end_s)
                await session.run()
        else:
            session = await play_paced(err, recording, number, storage, speed, cut)
        warn(err, session.live.stream.warnings)
        ended = began + timedelta(seconds=session.end_s) if began else datetime.now(UTC)
        await storage.end_session(number, ended, session.end_s)
        header, events = await storage.events(number)
        report = await worker.run(compute_report, path.name, header, events, session.end_s, await storage.earlier_rests(number))
        await storage.put_report(number, ALGORITHM, msgspec.json.encode(report))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(report.figures), indent=2))
    else:
        print_report(report, number, data)


async def analyse_file(path: Path, *, as_json: bool) -> None:
    """Print the figures of a whole file: RR text, a recording, or another program's file."""
    err = PlainConsole(stderr=True)
    async with Worker() as worker:
        found = _found(path)
        _tell_source(err, found)
        warn(err, found.warnings)
        if found.text is not None:
            figures, reasons = await worker.run(_whole_text, found.text)
        else:
            figures, reasons = await worker.run(_whole_recording, found.recording.header, found.recording.events)
    if as_json:
        fields = msgspec.structs.asdict(figures) | {"duration_s": round(figures.end_s - figures.start_s, 3)}
        fields["source"] = found.source.fields() if found.source else None
        click.echo(msgspec.json.format(msgspec.json.encode(fields), indent=2))
        for reason in reasons:
            err.print(reason, soft_wrap=True)
    else:
        print_figures(path.name, figures, reasons)


async def simulate_file(scenario: str, seed: int, minutes: tuple[float, float, float], out: Path, *, force: bool) -> None:
    """Write the recording of a simulated client, over an existing file only with `force`.

    Raises `OutputError` where the file cannot be written.
    """
    await require_absent(out, force=force)
    header, events = simulate(scenario, seed=seed, minutes=minutes)
    try:
        await asyncio.to_thread(write, out, header, events)
    except OSError as error:
        raise OutputError(f"{out} could not be written: {error.strerror}. Choose another place with --out.") from error
    click.echo(
        f"Wrote {out}: {scenario}, seed {seed}, {len(events)} events, {sum(minutes):g} min. The truth stands in its first line.",
        err=True,
    )


def warn(console: Console, warnings: Sequence[str]) -> None:
    """Print the first warnings, and how many more there are."""
    for warning in warnings[:_WARNINGS_SHOWN]:
        console.print(f"Warning: {warning}", style="yellow", soft_wrap=True)
    if len(warnings) > _WARNINGS_SHOWN:
        console.print(f"Warning: {len(warnings) - _WARNINGS_SHOWN} more lines like these.", style="yellow")


def inject_faults(console: Console, recordings: Sequence[Recording], faults: Sequence[str], seed: int) -> list[Recording]:
    """Return recordings with injected faults, and print what was changed in each. Raises `FaultError`."""
    faulty = with_faults(recordings, parse_faults(faults), seed=seed)
    for number, recording in enumerate(faulty, 1):
        which = f" into recording {number}" if len(faulty) > 1 else ""
        for line in fault_lines(recording) if faults else ():
            console.print(f"Put in{which}: {line}", soft_wrap=True)
    return faulty


def _write_copy(recording: Recording, out: Path) -> None:
    if out.exists():
        raise OutputError(f"{out} is there already and was left as it is. Choose another name with --keep.")
    try:
        write(out, recording.header, list(recording.events))
    except OSError as error:
        raise OutputError(f"{out} could not be written: {error.strerror}. Choose another place with --keep.") from error


def _found(path: Path) -> FoundFile:
    found = read_file(path)
    if found.text is None and not found.recording.events:
        lost = f" {len(found.recording.warnings)} lines could not be read." if found.recording.warnings else ""
        raise RecordingError(f"{path.name} holds a header but no event: there is nothing to compute.{lost}")
    return found


def _tell_source(console: Console, found: FoundFile) -> None:
    for line in found.source.lines() if found.source else ():
        console.print(line, style="dim", soft_wrap=True)


def _whole_recording(header: Header, events: Sequence[Event]) -> tuple[PhaseFigures, list[str]]:
    """Return the figures of a whole recording as one phase, and why some are missing; runs in the worker process."""
    from ...analysis.session_report import whole_recording

    return whole_recording(header, events)


def _whole_text(text: RrText) -> tuple[PhaseFigures, list[str]]:
    """Return the figures of plain RR intervals as one phase, and why some are missing; runs in the worker process."""
    from ...analysis.session_report import whole_text

    figures, reasons = whole_text(text)
    why = why_no_beats(text)
    if why is None:
        return figures, reasons
    kept = {name: getattr(figures, name) for name in ("phase", "start_s", "end_s", "beats")}
    return PhaseFigures(**kept, mean_hr_bpm=60_000 * len(text.rr_ms) / sum(text.rr_ms)), [why]
