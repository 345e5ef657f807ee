"""Straps, the adapter, and the requests that a room takes."""

import msgspec

from ..sessions.screening import Screening


class StrapSeen(msgspec.Struct, frozen=True):
    """A strap that was heard on the air."""

    address: str
    name: str | None
    rssi_dbm: int | None
    room: str | None
    """The room that holds it, if any."""
    near: str | None = None
    """Name of the room whose Bluetooth proxy hears it loudest."""
    room_name: str | None = None
    """What people call the room that holds it."""


class AdapterState(msgspec.Struct, frozen=True):
    """Whether there is a radio, and if not, what to do."""

    ready: bool
    text: str
    """"Bluetooth ready", or "No Bluetooth adapter. Plug one in or switch Bluetooth on; restbeat keeps looking."."""


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """What is settled before a session begins."""

    address: str
    """Of the strap."""
    client: str | None = None
    kind: str = "massage"
    posture: str | None = None
    technique: str | None = None
    pain_before: int | None = None
    screening: tuple[Screening, ...] = ()
    screening_confirmed: bool = False
    """The therapist has considered each yes and goes on."""
    strap_confirmed: bool = False
    """The therapist says that a strap known from another client is on this one."""
    consent: bool = False
    """The person on the table was asked just now, and agrees to be recorded."""


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A mark as it is entered."""

    technique: str | None = None
    region: str | None = None
    pressure: str | None = None
    note: str | None = None


class RequestKey(msgspec.Struct, frozen=True, kw_only=True):
    """One press of a button on a page: told twice it counts once, and it counts in its own session alone."""

    key: str
    """Made by the page."""
    session: int | None = None
