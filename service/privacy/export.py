"""Export of a client's data as one zip: tables as JSON, each session as a recording and in the formats of other programs."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from datetime import datetime
import json
from pathlib import Path
from typing import IO, Any, Final
import zipfile

import msgspec

from ..courses.course_records import CourseRecords
from ..courses.models import local_day
from ..storage.event_rows import stamp
from ..terminal.output_file import whole_file
from ..worker.worker import Worker
from .personal_data import ClientRecords, SessionRecords

README: Final = "README.txt"
REPORT: Final = "report.json"
_ABOUT: Final = """Everything that restbeat holds of {client}, written on {now:%Y-%m-%d %H:%M} UTC.

records.json      every entry about this client, by table: who they are, consents, notes, marks, answers, and who looked at them
course.html       the course over the weeks, as a page that needs nothing beside it
course.pdf        the same for paper (where restbeat[pdf] is installed)
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
  reported.json        what was told beside them: year of birth, sex, medication, caffeine, time of day
  summary.html         the summary, as a page that needs nothing beside it
  summary.pdf          the same for paper (where restbeat[pdf] is installed)

restbeat is relaxation feedback, no medical device. The data belong to the client.
"""


async def write_export(
    out: Path, client: ClientRecords, sessions: AsyncIterator[SessionRecords], worker: Worker, now: datetime
) -> int:
    """Write the zip, completely or not at all, and return the number of sessions in it.

    Raises `OutputError` where it cannot be written, `WorkerError` where the worker fails, and what reading `sessions` raises.
    """
    with whole_file(out) as part, part.open("wb") as file:
        part.chmod(0o600)
        return await write_archive(file, client, sessions, worker, now)


async def write_archive(
    file: IO[bytes], client: ClientRecords, sessions: AsyncIterator[SessionRecords], worker: Worker, now: datetime
) -> int:
    """Write the zip to an open file and return the number of sessions in it.

    Raises `WorkerError` where the worker fails, and what reading `sessions` raises.
    """
    reports: dict[int, bytes] = {}
    with closing(zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED)) as archive:
        records = json.dumps(client.rows, default=_to_json, ensure_ascii=False, indent=1)
        await _add(archive, {README: _ABOUT.format(client=client.client, now=now), "records.json": records})
        async for session in sessions:
            files = await worker.run(_session_files, session, client.language)
            day = local_day(session.began.isoformat(), client.course.course.zone) if session.began else "undated"
            folder = f"sessions/{day}-{session.session}"
            await _add(archive, {f"{folder}/{file}": content for file, content in files.items()})
            reports[session.session] = files[REPORT]
        await _add(archive, await worker.run(_course_files, client.course, reports, client.language))
    return len(reports)


async def _add(archive: zipfile.ZipFile, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        await asyncio.to_thread(archive.writestr, name, content)


def _to_json(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else msgspec.to_builtins(value)


def _session_files(session: SessionRecords, language: str | None) -> dict[str, bytes]:
    """Return the files of one session, its report among them, by name and in the client's language; in the worker process."""
    from ...analysis.session_report import summarise
    from ..documents.export_pages import summary_files
    from ..exchange.formats import write_as
    from ..exchange.session_data import session_data

    report = summarise(
        f"session {session.session}", session.header, session.events, end_s=session.end_s, earlier_rests=session.earlier_rests
    )
    began = {"began_utc": stamp(session.began)} if session.began else {}
    dated = msgspec.structs.replace(session.header, extra=session.header.extra | began)
    summary = session.client_session(report=report)
    data = session_data(dated, session.events, report, session.began, pain=summary.visit.pain, reported=summary.visit.reported)
    formats = {
        "recording.jsonl.gz": "recording.gz",
        "beats.csv": "csv",
        "phases.csv": "phases",
        "events.csv": "events",
        "session.edf": "edf",
        "fhir.json": "fhir",
        "open-mhealth.json": "omh",
    }
    files = {file: write_as(format_name, data) for file, format_name in formats.items()}
    if report.hrv and data.beats:
        files["rr.txt"] = write_as("rr", data)
    told = {REPORT: msgspec.json.encode(report), "reported.json": msgspec.json.encode(summary.visit.reported)}
    return files | told | summary_files(summary, language)


def _course_files(records: CourseRecords, reports: Mapping[int, bytes], language: str | None) -> dict[str, bytes]:
    """Return the files of the course, by name; `reports` as JSON, by session; in the worker process."""
    from ..courses.course_computation import compute_course
    from ..courses.course_records import with_figures
    from ..documents.export_pages import course_files

    course = with_figures(records.course, *compute_course(records.sessions, reports)) if records.course.agreed else records.course
    return course_files(course, language)
