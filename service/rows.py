"""Recording events as rows of the database, and back, without losing a bit."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from ..sensors.model import Device, Phase
from ..sensors.recording import Event, Fault, Header, Link, Mark, Packet, Pain, PhaseStart

Statement = tuple[str, tuple[Any, ...]]

EVENT_COLUMNS: dict[str, tuple[str, ...]] = {
    "packet": ("char", "payload"),
    "link": ("state",),
    "phase": ("phase",),
    "mark": ("technique", "region", "pressure", "note"),
    "pain": ("score",),
    "fault": ("kind", "until_s", "count", "detail"),
}
"""The tables that hold events, and their own columns beside session, seq and t_s."""

_DEVICE_COLUMNS = tuple(f"strap_{name}" for name in Device.__struct_fields__)


def stamp(moment: datetime) -> str:
    """A moment as the database and the pages write it: ISO 8601, UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """The moment that `stamp` wrote."""
    return datetime.fromisoformat(text)


def _insert(table: str, columns: tuple[str, ...]) -> str:
    names = ("session", "seq", "t_s", *columns)
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - names of our own


_INSERTS = {table: _insert(table, columns) for table, columns in EVENT_COLUMNS.items()}


def event_statement(session: int, seq: int, event: Event) -> Statement:
    """What stores one event."""
    match event:
        case Packet():
            return _INSERTS["packet"], (session, seq, event.t, event.char, event.payload)
        case Link():
            return _INSERTS["link"], (session, seq, event.t, "up" if event.up else "lost")
        case PhaseStart():
            return _INSERTS["phase"], (session, seq, event.t, event.phase.value)
        case Mark():
            own = (event.technique, event.region, event.pressure, event.note)
            return _INSERTS["mark"], (session, seq, event.t, *own)
        case Pain():
            return _INSERTS["pain"], (session, seq, event.t, event.score)
        case Fault():
            return _INSERTS["fault"], (session, seq, event.t, event.kind, event.until_s, event.count, event.detail)


def event_of(table: str, t_s: float, own: tuple[Any, ...]) -> Event:
    """The event that `event_statement` stored."""
    match table:
        case "packet":
            return Packet(t_s, own[0], own[1])
        case "link":
            return Link(t_s, own[0] == "up")
        case "phase":
            return PhaseStart(t_s, Phase(own[0]))
        case "mark":
            return Mark(t_s, *own)
        case "fault":
            return Fault(t_s, *own)
        case _:
            return Pain(t_s, own[0])


def device_columns(device: Device) -> dict[str, Any]:
    """The strap's columns of a session."""
    return dict(zip(_DEVICE_COLUMNS, msgspec.structs.astuple(device), strict=True))


def header_columns(header: Header) -> dict[str, Any]:
    """The header's columns of a session."""
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
    """The header that `header_columns` stored."""
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
