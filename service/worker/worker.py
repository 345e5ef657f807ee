"""One process beside the server for what is heavy: NeuroKit2, scipy and matplotlib are imported there and nowhere else."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from ...analysis.course.course_figures import Course
from ...analysis.figures import PhaseFigures, SessionReport
from ...analysis.hrv.engine_parity import Parity
from ...analysis.live.live_check import LiveWindow
from ...analysis.live.running_sums import Provisional, SoFar
from ...analysis.response.earlier_rests import Past
from ...sensors.recordings.recording import Event, Header
from ...sensors.recordings.rr_text import RrText
from ..courses.course_data import Compared, Stored
from ..courses.course_records import CourseHeld
from ..errors import WorkerError
from ..privacy.personal_data import SessionHeld
from ..rendering.pdf import PaperError, _pdf
from ..storage.event_rows import stamp
from .process_pool import Processes

T = TypeVar("T")

_TIMEOUT_S = 120.0


class Worker:
    """Runs analysis in a process of its own, started early, so that its imports happen while nobody waits."""

    def __init__(self) -> None:
        self._process = Processes()
        self._leaving = False

    async def __aenter__(self) -> Self:
        self._process.start(_import_all)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._leaving = True
        await self._process.end()

    async def report(
        self, name: str, header: Header, events: Sequence[Event], end_s: float | None = None, past: Sequence[Past] = ()
    ) -> SessionReport:
        """Give the figures of record of a whole session; `past`: the client's earlier rests."""
        return await self._run(_report, name, header, events, end_s, past)

    async def whole_recording(self, header: Header, events: Sequence[Event]) -> tuple[PhaseFigures, list[str]]:
        """Give the figures of a whole recording as one phase, and the reasons for those that are missing."""
        return await self._run(_whole_recording, header, events)

    async def whole_text(self, text: RrText) -> tuple[PhaseFigures, list[str]]:
        """Give the figures of plain RR intervals as one phase, and the reasons for those that are missing."""
        return await self._run(_whole_text, text)

    async def written(
        self, form: str, name: str, header: Header, events: Sequence[Event], end_s: float | None, began: datetime | None
    ) -> bytes:
        """Give a session in one of the formats of `exchange.formats`."""
        return await self._run(_written, form, name, header, events, end_s, began)

    async def exported(self, held: SessionHeld, language: str | None) -> dict[str, bytes]:
        """Give a session as the files that a client's export holds, by name."""
        return await self._run(_exported, held, language)

    async def exported_course(self, held: CourseHeld, reports: Mapping[int, bytes], language: str | None) -> dict[str, bytes]:
        """Give the course as files of the export; `reports` by session."""
        return await self._run(_exported_course, held, reports, language)

    async def picture(self, report: SessionReport) -> str:
        """Draw the summary picture as SVG."""
        return await self._run(_picture, report)

    async def course(self, stored: Sequence[Stored], reports: Mapping[int, bytes]) -> tuple[Course, list[Compared]]:
        """Work out a course from stored reports, given by session."""
        return await self._run(_course, stored, reports)

    async def pdf(self, html: str, files: dict[str, bytes]) -> bytes:
        """Make a page into a PDF. Raises `PaperError` where WeasyPrint is not installed."""
        made = await self._run(_pdf, html, files)
        if isinstance(made, str):
            raise PaperError(made)
        return made

    async def check(self, window: LiveWindow) -> Parity:
        """Compare the live engine's figures of the last 60 s with NeuroKit2's."""
        return await self._run(_check, window)

    async def provisional(self, so_far: SoFar, past: Sequence[Past]) -> Provisional:
        """Estimate the change of a running phase, with its interval."""
        return await self._run(_provisional, so_far, past)

    async def _run(self, function: Callable[..., T], *args: Any) -> T:
        process = self._process
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                try:
                    return await process.run(function, *args)
                except BrokenProcessPool as error:
                    if self._leaving:
                        raise WorkerError("restbeat ends. The session is kept; open its summary at the next start.") from error
                    process = self._instead_of(process)
                    return await process.run(function, *args)
        except BrokenProcessPool as error:
            raise WorkerError("The analysis process died twice. The session is kept; open its summary again later.") from error
        except TimeoutError as error:
            process.kill()  # or it would keep all that comes after it waiting, too
            raise WorkerError(
                f"The analysis took longer than {_TIMEOUT_S:.0f} s. The session is kept; try again later."
            ) from error

    def _instead_of(self, dead: Processes) -> Processes:
        """Give a new process; one alone, however many were waiting for the one that died."""
        if self._process is dead:
            self._process = Processes()
        return self._process


def _import_all() -> None:
    from ...analysis import session_report  # noqa: F401
    from ...analysis.hrv import neurokit

    neurokit.load()


def _report(name: str, header: Header, events: Sequence[Event], end_s: float | None, past: Sequence[Past]) -> SessionReport:
    from ...analysis.session_report import summarise

    return summarise(name, header, events, end_s=end_s, past=past)


def _whole_recording(header: Header, events: Sequence[Event]) -> tuple[PhaseFigures, list[str]]:
    from ...analysis.session_report import whole_recording

    return whole_recording(header, events)


def _whole_text(text: RrText) -> tuple[PhaseFigures, list[str]]:
    from ...analysis.session_report import whole_text

    return whole_text(text)


def _written(form: str, name: str, header: Header, events: Sequence[Event], end_s: float | None, began: datetime | None) -> bytes:
    from ...analysis.session_report import summarise
    from ..exchange.formats import write_as
    from ..exchange.session_data import session_data

    report = summarise(name, header, events, end_s=end_s)
    return write_as(form, session_data(header, events, report, began))


def _exported(held: SessionHeld, language: str | None) -> dict[str, bytes]:
    import msgspec

    from ...analysis.session_report import summarise
    from ..documents.export_pages import summary_taken_home
    from ..exchange.formats import write_as
    from ..exchange.session_data import session_data
    from ..privacy.export import REPORT

    report = summarise(f"session {held.session}", held.header, held.events, end_s=held.end_s, past=held.past)
    dated = msgspec.structs.replace(held.header, extra=held.header.extra | {"began_utc": stamp(held.began)})
    data = session_data(dated, held.events, report, held.began)
    forms = {
        "recording.jsonl.gz": "recording.gz",
        "beats.csv": "csv",
        "phases.csv": "phases",
        "events.csv": "events",
        "session.edf": "edf",
        "fhir.json": "fhir",
        "open-mhealth.json": "omh",
    }
    files = {file: write_as(form, data) for file, form in forms.items()}
    if report.hrv and data.beats:
        files["rr.txt"] = write_as("rr", data)
    return files | {REPORT: msgspec.json.encode(report)} | summary_taken_home(held.around(report=report), language)


def _exported_course(held: CourseHeld, reports: Mapping[int, bytes], language: str | None) -> dict[str, bytes]:
    from ..courses.course_computation import course_of
    from ..courses.course_records import with_figures
    from ..documents.export_pages import course_taken_home

    course = with_figures(held.course, *course_of(held.sessions, reports)) if held.course.agreed else held.course
    return course_taken_home(course, language)


def _check(window: LiveWindow) -> Parity:
    from ...analysis.live.live_check import check

    return check(window)


def _provisional(so_far: SoFar, past: Sequence[Past]) -> Provisional:
    from ...analysis.response.running_estimate import provisional

    return provisional(so_far, past)


def _picture(report: SessionReport) -> str:
    from ..rendering.session_plot import session_picture

    return session_picture(report)


def _course(stored: Sequence[Stored], reports: Mapping[int, bytes]) -> tuple[Course, list[Compared]]:
    from ..courses.course_computation import course_of

    return course_of(stored, reports)
