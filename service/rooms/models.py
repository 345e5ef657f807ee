"""Straps, the adapter, and the requests that a room takes."""

import msgspec


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A mark as it is entered."""

    technique: str | None = None
    region: str | None = None
    pressure: str | None = None
    note: str | None = None
