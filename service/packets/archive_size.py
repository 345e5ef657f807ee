"""The size of the database, its growth, and how much of it is packed: found without reading what has been stored for years."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from ..storage.event_rows import stamp
from ..storage.sqlite import Database

PACKED_HOUR_BYTES: Final = 26_000
SESSION_BYTES: Final = 42_000
"""Space of an hour's packets once they are packed, and of what else a session keeps, its report above all: docs/storage.md."""
_SPANS: Final = (timedelta(days=30), timedelta(days=90))
_MONTH: Final = timedelta(days=30)
_MOST_COUNTED: Final = 1000


class ArchiveSize(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of the database."""

    bytes: int
    """Size of the file, without the write-ahead log."""
    reused_bytes: int
    """Part of it that is free and is used again before the file grows."""
    month_bytes: int | None
    """What a month adds, by the sessions of the last 30 days, or 90 where there was none; None where none was in these either."""
    sessions: int
    """Number of sessions that ended in that time."""
    packed: int
    """Number of those whose packets are packed."""
    unpacked: int
    """Number of ended sessions, of any time, that are not packed yet; counted up to 1,000."""


def archive_size(db: Database, now: datetime) -> ArchiveSize:
    """Return the figures of the database."""
    page, pages, free = (db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count", "freelist_count"))
    unpacked = db.execute(
        "SELECT count(*) FROM (SELECT 1 FROM session INDEXED BY session_unpacked"
        " WHERE packed_utc IS NULL AND ended_utc > '' LIMIT ?)",
        (_MOST_COUNTED,),
    ).fetchone()[0]
    for span in _SPANS:
        sessions, packed, duration_s = db.execute(
            "SELECT count(*), count(packed_utc), coalesce(sum(duration_s), 0) FROM session WHERE ended_utc BETWEEN ? AND ?",
            (stamp(now - span), stamp(now)),
        ).fetchone()
        if sessions:
            break
    added = sessions * SESSION_BYTES + duration_s / 3600 * PACKED_HOUR_BYTES
    return ArchiveSize(
        bytes=page * pages,
        reused_bytes=page * free,
        month_bytes=round(added * (_MONTH / span)) if sessions else None,
        sessions=sessions,
        packed=packed,
        unpacked=unpacked,
    )
