"""Conversion of recording events to rows of the database and back, without loss."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from ...sensors.model import Device, Phase
from ...sensors.recordings.recording import (
    ConnectionEvent,
    Event,
    Fault,
    Header,
    Mark,
    MarkContent,
    Packet,
    Pain,
    PhaseStart,
    StrapChange,
    event_fields,
)

Statement = tuple[str, tuple[Any, ...]]
Unit = tuple[Statement, ...]
"""Rows that are stored together or not at all."""

EVENT_COLUMNS: dict[str, tuple[str, ...]] = {
    "packet": ("char", "payload"),
    "link": ("state",),
    "phase": ("phase",),
    "mark": MarkContent.__struct_fields__,
    "pain": ("score",),
    "fault": ("kind", "until_s", "count", "detail"),
    "strap": Device.__struct_fields__,
}
"""Tables of events, each with its columns beside session, seq and t_s."""
EVENT_OF: dict[str, Callable[..., Event]] = {
    "packet": Packet,
    "link": lambda t_s, state: ConnectionEvent(t_s, state == "up"),
    "phase": lambda t_s, phase: PhaseStart(t_s, Phase(phase)),
    "mark": lambda t_s, *content: Mark(t_s, **dict(zip(MarkContent.__struct_fields__, content, strict=True))),
    "pain": Pain,
    "fault": Fault,
    "strap": lambda t_s, *described: StrapChange(t_s, Device(*described)),
}
"""By table, the function that makes an event from t_s and the table's own columns."""
ENTRY_TABLES = ("phase", "mark", "pain")
"""Tables of the events that people enter."""

_DEVICE_COLUMNS = tuple(f"strap_{name}" for name in Device.__struct_fields__)


def stamp(moment: datetime) -> str:
    """Return a moment as the database and the pages write it: ISO 8601, UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """Return the moment of a text that `stamp` returned."""
    return datetime.fromisoformat(text)


def _insert(table: str, columns: tuple[str, ...]) -> str:
    names = ("session", "seq", "t_s", *columns)
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - names of our own


_INSERTS = {table: _insert(table, columns) for table, columns in EVENT_COLUMNS.items()}
_INSERTS_WITH_KEY = {table: _insert(table, (*EVENT_COLUMNS[table], "press")) for table in ENTRY_TABLES}


def event_statement(session: int, seq: int, event: Event, key: str | None = None) -> Statement:
    """Return the statement that stores one event; `key` identifies the request that entered it (column `press`)."""
    row = (session, seq, event.t, *_values_of(event))
    table = table_of(event)
    return (_INSERTS[table], row) if key is None else (_INSERTS_WITH_KEY[table], (*row, key))


def _values_of(event: Event) -> tuple[Any, ...]:
    match event:
        case Packet():
            return event.char, event.payload
        case ConnectionEvent():
            return ("up" if event.up else "lost",)
        case PhaseStart():
            return (event.phase.value,)
        case Mark():
            return tuple(getattr(event, name) for name in MarkContent.__struct_fields__)
        case Pain():
            return (event.score,)
        case Fault():
            return event.kind, event.until_s, event.count, event.detail
        case StrapChange():
            return msgspec.structs.astuple(event.device)


def table_of(event: Event) -> str:
    """Return the name of the table that stores an event."""
    match event:
        case Packet():
            return "packet"
        case ConnectionEvent():
            return "link"
        case PhaseStart():
            return "phase"
        case Mark():
            return "mark"
        case Pain():
            return "pain"
        case Fault():
            return "fault"
        case StrapChange():
            return "strap"


def correction_statements(
    session: int, seq: int, event: Event, became_s: float | None, therapist: str, at_utc: datetime
) -> list[Statement]:
    """Return the statements that correct an event and keep it as it was.

    `became_s`: its new time in s from the session's start; None: the event is removed.
    """
    table, original = table_of(event), msgspec.json.encode(event_fields(event)).decode()
    correction = (session, stamp(at_utc), therapist, original, became_s)
    change = (
        (f"DELETE FROM {table} WHERE session = ? AND seq = ?", (session, seq))  # noqa: S608 - names of our own
        if became_s is None
        else (f"UPDATE {table} SET t_s = ? WHERE session = ? AND seq = ?", (became_s, session, seq))  # noqa: S608
    )
    return [("INSERT INTO correction (session, made_utc, therapist, was, became_s) VALUES (?, ?, ?, ?, ?)", correction), change]


def device_columns(device: Device) -> dict[str, Any]:
    """Return the columns of a session that describe its strap."""
    return dict(zip(_DEVICE_COLUMNS, msgspec.structs.astuple(device), strict=True))


def header_columns(header: Header) -> dict[str, Any]:
    """Return the columns of a session that store its recording header."""
    return {
        "client": header.client,
        "kind": header.kind,
        "provenance": header.source,
        "licence": header.licence,
        "arrival_speed": header.arrival_speed,
        "header_extra": msgspec.json.encode(header.extra).decode(),
        "device_extra": msgspec.json.encode(header.device_extra).decode(),
        **device_columns(header.device),
    }


def header_of(row: dict[str, Any]) -> Header:
    """Return the header that `header_columns` stored in a row of `session`."""
    return Header(
        device=Device(*(row[column] for column in _DEVICE_COLUMNS)),
        client=row["client"],
        kind=row["kind"],
        source=row["provenance"],
        licence=row["licence"],
        arrival_speed=row["arrival_speed"],
        extra=msgspec.json.decode(row["header_extra"]),
        device_extra=msgspec.json.decode(row["device_extra"]),
    )
