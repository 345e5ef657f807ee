"""The command that recomputes every stored session on all cores, and checks a sample against NeuroKit2 and the live engine."""

import asyncio
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from itertools import zip_longest
import os
from pathlib import Path
import time

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from ...analysis.beats.beat_stream import BeatStream, judge
from ...analysis.figures import ALGORITHM, SessionReport
from ...analysis.hrv.engine_parity import Parity
from ...analysis.live.live_session import LiveSession
from ...analysis.response.earlier_rests import EarlierSession
from ...sensors.beat_clock import BeatClock
from ...sensors.recordings.recording import Event, Header
from ..errors import DifferenceError, WorkerError
from ..sessions.earlier_rests import earlier_rests_before
from ..sessions.session_store import SessionStore, events_of
from ..storage.database import open_readonly
from ..storage.sqlite import Database
from ..terminal.console import PlainConsole
from ..terminal.signals import print_line
from ..worker.process_pool import Processes

_BATCH = 16
"""Sessions per batch of a worker process; an interrupted batch is computed again."""
_SAMPLE = 100
"""One in so many sessions is also computed by NeuroKit2, and judged packet by packet as live; these come first."""


class Recomputed(msgspec.Struct, frozen=True):
    """A session's new report, and the differences to NeuroKit2's figures and the live engine's beats (None: not checked)."""

    session: int
    report: bytes
    differences: list[str] | None


async def reanalyse_folder(data: Path, jobs: int | None, *, again: bool) -> None:
    """Compute a report by the current algorithm for every ended session that has none, or with `again` for all.

    Raises `DifferenceError` where another engine disagrees, `WorkerError` where a process died, and `StorageError` where the
    database cannot be used.
    """
    err = PlainConsole(stderr=True)
    async with await SessionStore.open(data) as storage:
        sessions = await storage.without_report("" if again else ALGORITHM)
        if not sessions:
            print_line(f"Every ended session in {data} has figures of {ALGORITHM} already.")
            return
        began = time.perf_counter()
        checked, differences = await _all(storage, data, sessions, jobs or os.cpu_count() or 1, err)
        seconds = time.perf_counter() - began
    print_line(
        f"{len(sessions)} sessions computed anew by {ALGORITHM} in {seconds:.1f} s ({len(sessions) / seconds:.0f} a second); "
        f"older figures are kept beside. {checked} also by NeuroKit2, and beat by beat as live: "
        + (f"{len(differences)} differences." if differences else "all agree.")
    )
    if differences:
        raise DifferenceError(
            f"Figures are not NeuroKit2's, or beats not those of live: {'; '.join(differences[:5])}. All is stored; report this."
        )


async def _all(storage: SessionStore, data: Path, sessions: Sequence[int], jobs: int, err: Console) -> tuple[int, list[str]]:
    sample = sessions[::_SAMPLE]
    rest = [session for n, session in enumerate(sessions) if n % _SAMPLE]
    batches = [(part[at : at + _BATCH], part is sample) for part in (sample, rest) for at in range(0, len(part), _BATCH)]
    checked, differences = 0, []
    processes = Processes(min(jobs, len(batches)), _open_database, data)
    try:
        with _progress(err) as progress:
            bar = progress.add_task("", total=len(sessions))
            for done in asyncio.as_completed([processes.run(recompute, *batch) for batch in batches]):
                recomputed = await done
                await storage.put_reports(ALGORITHM, [(one.session, one.report) for one in recomputed])
                sampled = [one for one in recomputed if one.differences is not None]
                checked += len(sampled)
                differences += [f"session {one.session} {text}" for one in sampled for text in one.differences or ()]
                progress.update(bar, advance=len(recomputed))
    except BrokenProcessPool as error:
        raise WorkerError("A process of the analysis died. What was computed is stored; run it again for the rest.") from error
    finally:
        await processes.end()
    return checked, differences


def _progress(console: Console) -> Progress:
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("sessions"), TimeElapsedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console)


_database: Database | None = None
"""Database of a worker process, open for its whole life."""


def _open_database(data: Path) -> None:
    global _database  # noqa: PLW0603 a pool's initializer has no other way to pass on its result
    _database = open_readonly(data)


def recompute(sessions: Sequence[int], sampled: bool) -> list[Recomputed]:
    """Recompute sessions in a worker process; sampled ones also by NeuroKit2 and packet by packet.

    Raises `WorkerError` where the process has no database.
    """
    if _database is None:
        raise WorkerError("This process was not given a database.")
    return [recomputed(_database, session, sampled=sampled) for session in sessions]


def recomputed(db: Database, session: int, *, sampled: bool = False) -> Recomputed:
    """Recompute one session; where `sampled`, also compare it with NeuroKit2 and the live engine."""
    from ...analysis.hrv.time_domain import numpy_time_domain
    from ...analysis.session_report import summarise

    header, events = events_of(db, session)
    name, end_s = db.execute("SELECT source, duration_s FROM session WHERE id = ?", (session,)).fetchone()
    earlier_rests = earlier_rests_before(db, session, lambda rest: _earlier_session(db, rest))
    report = summarise(name, header, events, end_s=end_s, compute_time_domain=numpy_time_domain, earlier_rests=earlier_rests)
    if not sampled:
        return Recomputed(session, msgspec.json.encode(report), None)
    parity = _parity(report, header, events, end_s)
    found = [f"{d.phase}.{d.figure} {d.ours} against {d.neurokit2}" for d in parity.differences]
    found += _beat_difference(header, events, report.duration_s)
    return Recomputed(session, msgspec.json.encode(msgspec.structs.replace(report, parity=parity)), found)


@lru_cache(maxsize=256)
def _earlier_session(db: Database, rest: int) -> EarlierSession:
    """Return an earlier rest-only session by the current algorithm, as its stored report may be older."""
    return msgspec.json.decode(recomputed(db, rest, sampled=False).report, type=EarlierSession)


def _parity(report: SessionReport, header: Header, events: Sequence[Event], end_s: float | None) -> Parity:
    """Return the comparison of the archive's and the live engine's figures with NeuroKit2's."""
    from ...analysis.session_report import summarise

    record = summarise(report.figures.recording, header, events, end_s=end_s)
    parity = record.parity
    for ours, neurokit2 in zip(report.figures.phases, record.figures.phases, strict=True):
        parity = parity.with_phase(ours.phase, ours, neurokit2)
    return parity


def _beat_difference(header: Header, events: Sequence[Event], last_s: float) -> list[str]:
    """Return the first beat that the live engine, which gets one packet at a time, judges differently; empty without any."""
    live = LiveSession(header.arrival_speed)
    live.set_device(header.device)
    recorded = [event for event in events if event.t <= last_s]
    singly = [beat for event in recorded for beat in live.push(event)] + live.finish(last_s)
    stream = BeatStream(BeatClock.at_speed(header.arrival_speed))
    stream.set_device(header.device)
    pairs = enumerate(zip_longest(judge(stream, events, last_s), singly))
    return [f"beat {n}: {ours} against {as_live}" for n, (ours, as_live) in pairs if ours != as_live][:1]
