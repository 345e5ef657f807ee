"""The command that replays every recording of a folder and compares the figures with golden ones."""

from pathlib import Path

import msgspec
from rich.table import Table

from ...analysis.figures import SessionFigures
from ...analysis.golden_figures import Difference, differences
from ...sensors.clock import FlatOutClock
from ...sensors.errors import RecordingError
from ...sensors.recordings.recording import Event, read
from ...sensors.source import ReplaySource
from ..errors import DifferenceError, OutputError
from ..rooms.session_runner import Session
from ..sessions.report_cache import compute_report
from ..terminal.console import PlainConsole
from ..terminal.signals import print_line
from ..worker.worker import Worker

GOLDEN = "golden"
"""Subfolder of the recordings that holds their golden summaries."""


class _MemoryLog:
    """Event store in memory."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def append(self, session: int, event: Event, key: str | None = None) -> int:  # noqa: ARG002 there is only one
        self.events.append(event)
        return len(self.events) - 1


async def verify_folder(folder: Path, *, update: bool) -> None:
    """Replay every recording of a folder and compare its figures with the golden ones; `update` rewrites those that differ.

    Raises `DifferenceError` where a figure differs, `RecordingError` where there is no readable recording, `OutputError` where a
    golden summary cannot be written, and `WorkerError`.
    """
    paths = _recordings(folder)
    err, table, changed = PlainConsole(stderr=True), _table(update=update), 0
    async with Worker() as worker:
        for path in paths:
            figures = await _replay(path, worker)
            golden = folder / GOLDEN / f"{path.name.split('.jsonl')[0]}.json"
            found = _compare(golden, figures)
            changed += bool(found)
            err.print(f"{'differs' if found else 'as before'}  {path.name}")
            for difference in found:
                table.add_row(path.name, difference.field, _text(difference.golden), _text(difference.now))
            if update and found:
                _write(golden, figures)
    if changed:
        PlainConsole().print(table)
    if changed and not update:
        raise DifferenceError(
            f"{changed} of {len(paths)} recordings give other figures than their golden summaries. "
            "Nothing was changed; if the new ones are right, accept them with --update."
        )
    print_line(
        f"{len(paths)} recordings verified, {changed} golden summaries rewritten."
        if update
        else f"{len(paths)} recordings verified."
    )


async def _replay(path: Path, worker: Worker) -> SessionFigures:
    recording = read(path)
    log = _MemoryLog()
    session = Session(0, ReplaySource(recording), FlatOutClock(), log)
    await session.run()
    report = await worker.run(compute_report, path.name, recording.header, log.events, session.end_s)
    return report.figures


def _recordings(folder: Path) -> list[Path]:
    paths = sorted(path for path in folder.iterdir() if path.name.endswith((".jsonl", ".jsonl.gz")))
    if not paths:
        raise RecordingError(f"{folder} holds no recording (*.jsonl or *.jsonl.gz): there is nothing to verify.")
    return paths


def _compare(golden: Path, figures: SessionFigures) -> list[Difference]:
    if not golden.exists():
        return [Difference("golden summary", "missing", "new")]
    try:
        return differences(msgspec.json.decode(golden.read_bytes(), type=SessionFigures), figures)
    except msgspec.MsgspecError as error:
        return [Difference("golden summary", f"unreadable: {error}", "new")]


def _write(golden: Path, figures: SessionFigures) -> None:
    try:
        golden.parent.mkdir(exist_ok=True)
        golden.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=1) + b"\n")
    except OSError as error:
        raise OutputError(f"{golden} could not be written: {error.strerror}. The others are kept.") from error


def _table(*, update: bool) -> Table:
    table = Table(title="Rewritten" if update else "Differences", title_justify="left")
    for heading in ("Recording", "Field"):
        table.add_column(heading)
    for heading in ("Golden", "Now"):
        table.add_column(heading, justify="right")
    return table


def _text(value: object) -> str:
    return "–" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
