"""Open mHealth data points, export and import: `omh:rr-interval:1.0` and `omh:heart-rate:2.0` (openmhealth.org).

Export: a point for each accepted beat, and one for the mean heart rate of each phase; for a heart-rate-only sensor one for each
heart rate. Rejected beats are not included, so that no reader takes them for beats. Every point needs a time: where the date of
a session is unknown, it begins on 1 January 1970, which is recognisably not real.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import msgspec

from ...analysis.beats.beat_runs import runs_of
from ...sensors.errors import RecordingError
from ...sensors.recordings.recording import Recording
from .packet_reconstruction import ImportedFile, from_heart_rates, from_times
from .session_data import SessionData

RR_INTERVAL: Final = ("rr-interval", "1.0")
HEART_RATE: Final = ("heart-rate", "2.0")
UNDATED: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_MS = 65_000.0
_MAX_WARNINGS = 20

Point = dict[str, Any]


def write_open_mhealth(data: SessionData) -> bytes:
    """Return a JSON array of data points, in order of time."""
    points = [*_beats(data), *_means(data)] if data.beats else list(_rates(data))
    return b"[\n" + b",\n".join(msgspec.json.encode(point) for point in points) + b"\n]\n"


def read_open_mhealth(name: str, raw: bytes) -> Recording:
    """Read data points: an array, one object, or one per line. Raises `RecordingError` where none is of a heartbeat."""
    imported = ImportedFile(name)
    rr: list[tuple[datetime, datetime | None, float]] = []
    rates: list[tuple[datetime, float]] = []
    for number, point in enumerate(_points(name, raw), 1):
        body = point.get("body", point) if isinstance(point, dict) else None
        if not isinstance(body, dict) or "descriptive_statistic" in body:
            continue
        start, end = _frame(body.get("effective_time_frame"))
        if "rr_interval" in body:
            value, moment = _value(body["rr_interval"], {"ms": 1.0, "sec": 1000.0}), end or start
            if value is None or moment is None or not 0 <= value <= _MAX_MS:
                _warn(imported, number, "an RR interval")
            else:
                rr.append((moment, start, value))
        elif "heart_rate" in body:
            value, moment = _value(body["heart_rate"], {"beats/min": 1.0}), start or end
            if value is None or moment is None or not 0 < value < 1000:
                _warn(imported, number, "a heart rate")
            else:
                rates.append((moment, value))
    if not rr and not rates:
        raise RecordingError(f"{name} holds no Open mHealth data point of an RR interval or a heart rate.")
    if not rr:
        rates.sort(key=lambda rate: rate[0])
        began = rates[0][0]
        imported.events = from_heart_rates(((moment - began).total_seconds(), bpm) for moment, bpm in rates)
        arrival = "the moments of the data points"
    else:
        rr.sort(key=lambda one: one[0])
        began = rr[0][0] - timedelta(milliseconds=rr[0][2])
        times = [(moment - began).total_seconds() for moment, _, _ in rr]
        imported.events, arrival = from_times(times, [value for _, _, value in rr], [False] * len(rr))
    return imported.recording("Open mHealth", arrival=arrival, began=None if began.year == UNDATED.year else began)


def _beats(data: SessionData) -> Iterator[Point]:
    """Yield a point per beat, timed by the sum of RR within a run, so that only successive beats adjoin."""
    columns = [[getattr(beat, name) for beat in data.beats] for name in ("end_s", "rr_ms", "accepted", "gap_before")]
    for run in runs_of(*columns):
        for end_s, rr_ms in zip(run.end_s.tolist(), run.rr_ms.tolist(), strict=True):
            frame = {"time_interval": _interval(data, end_s - rr_ms / 1000, end_s)}
            body = {"rr_interval": {"value": rr_ms, "unit": "ms"}, "effective_time_frame": frame}
            yield _point(data, RR_INTERVAL, end_s, body)


def _means(data: SessionData) -> Iterator[Point]:
    for phase in data.report.figures.phases:
        if phase.mean_hr_bpm is not None:
            frame = {"time_interval": _interval(data, phase.start_s, phase.end_s)}
            value = {"value": phase.mean_hr_bpm, "unit": "beats/min"}
            body = {"heart_rate": value, "effective_time_frame": frame, "descriptive_statistic": "average"}
            yield _point(data, HEART_RATE, phase.end_s, body)


def _rates(data: SessionData) -> Iterator[Point]:
    for t, hr_bpm in data.heart_rates:
        body = {"heart_rate": {"value": hr_bpm, "unit": "beats/min"}, "effective_time_frame": {"date_time": _stamp(data, t)}}
        yield _point(data, HEART_RATE, t, body)


def _point(data: SessionData, schema: tuple[str, str], t: float, body: Point) -> Point:
    name, version = schema
    created = _stamp(data, t)
    client = data.header.client
    header: Point = {
        "id": str(uuid5(NAMESPACE_URL, f"urn:restbeat:point:{data.report.figures.recording}:{client}:{name}:{created}")),
        "creation_date_time": created,
        "schema_id": {"namespace": "omh", "name": name, "version": version},
        "acquisition_provenance": {
            "source_name": data.header.device.name or "heart-rate strap",
            "source_creation_date_time": created,
            "modality": "sensed",
        },
    }
    return {"header": header | ({"user_id": client} if client else {}), "body": body}


def _interval(data: SessionData, start_s: float, end_s: float) -> Point:
    return {"start_date_time": _stamp(data, start_s), "end_date_time": _stamp(data, end_s)}


def _stamp(data: SessionData, t: float) -> str:
    moment = data.moment(t) or UNDATED + timedelta(seconds=t)
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _points(name: str, raw: bytes) -> list[Any]:
    text = raw.removeprefix(b"\xef\xbb\xbf").strip()
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            value = [msgspec.json.decode(line) for line in text.split(b"\n") if line.strip()]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise RecordingError(f"{name} is no JSON that can be read: {error}.") from error
    if isinstance(value, dict) and isinstance(value.get("body"), list):
        value = value["body"]
    return value if isinstance(value, list) else [value]


def _frame(frame: Any) -> tuple[datetime | None, datetime | None]:
    """Return start and end of a time frame; a point in time has only an end."""
    if not isinstance(frame, dict):
        return None, None
    if "date_time" in frame:
        return None, _moment(frame["date_time"])
    interval = frame.get("time_interval")
    if not isinstance(interval, dict):
        return None, None
    start, end = _moment(interval.get("start_date_time")), _moment(interval.get("end_date_time"))
    lasts_ms = _value(interval.get("duration"), {"ms": 1.0, "sec": 1000.0, "min": 60_000.0})
    try:
        if lasts_ms is not None and start and not end:
            end = start + timedelta(milliseconds=lasts_ms)
        elif lasts_ms is not None and end and not start:
            start = end - timedelta(milliseconds=lasts_ms)
    except OverflowError:
        return None, None
    return start, end


def _moment(text: Any) -> datetime | None:
    """Return a time with its zone, UTC without one as in the schema; None where it is malformed."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _value(unit_value: Any, units: dict[str, float]) -> float | None:
    match unit_value:
        case {"value": int() | float() as value, "unit": str(unit)} if unit in units and not isinstance(value, bool):
            return value * units[unit] if isfinite(value) else None
        case _:
            return None


def _warn(imported: ImportedFile, number: int, what: str) -> None:
    if len(imported.warnings) < _MAX_WARNINGS:
        imported.warnings.append(f"{imported.name}: data point {number} is {what} that cannot be read; it is left out.")
