"""Packing of ended sessions' packets into chunks, a bounded piece at a time, beside sessions that run.

A piece is read and compressed on a reading thread, and put in place by one transaction that compares what it replaces. Killed
at any instant, a session's packets are in rows, in chunks or in both, each once, and packing goes on from there.
"""

from array import array
import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
import logging
import time
from types import TracebackType
from typing import Final, Self

import msgspec

from ...sensors.task_cancellation import cancel_and_wait
from ..errors import StorageError
from ..storage.event_rows import stamp
from ..storage.sqlite import Database
from ..storage.storage import Storage
from .packet_chunk import PacketRow, decode, encode

_LOG = logging.getLogger(__name__)
AFTER: Final = timedelta(hours=1)
"""How long after its end a session is packed; until then it is likelier to be reopened."""
_MOST_PACKETS: Final = 1800
_MOST_BYTES: Final = 256 * 1024
"""Bounds of a piece, so that neither compressing it nor deleting its rows takes long."""
_LOOK_EVERY_S: Final = 60.0
_REST: Final = 9.0
"""Packing rests so many times as long as a piece took: a tenth of one core at most."""
_LEAST_REST_S: Final = 0.02


class Piece(msgspec.Struct, frozen=True):
    """The next packets to pack of a session, and their chunk; without packets the session is packed.

    An empty chunk: they could not be packed so that they read back bit for bit.
    """

    session: int
    rows: Sequence[PacketRow]
    chunk: bytes


def next_piece(db: Database, ended_before: datetime, passed: Sequence[int] = ()) -> Piece | None:
    """Return what is to be packed next, of the session that ended first; None where all is packed.

    `passed`: sessions that are left out.
    """
    found = db.execute(
        "SELECT id FROM session INDEXED BY session_unpacked"
        " WHERE packed_utc IS NULL AND ended_utc < ? ORDER BY ended_utc LIMIT ?",
        (stamp(ended_before), len(passed) + 1),
    ).fetchall()
    session = next((row[0] for row in found if row[0] not in passed), None)
    if session is None:
        return None
    rows: list[PacketRow] = []
    size = 0
    for row in db.execute(
        "SELECT seq, t_s, char, payload FROM packet WHERE session = ? ORDER BY seq LIMIT ?", (session, _MOST_PACKETS)
    ):
        rows.append(row)
        size += len(row[3])
        if size > _MOST_BYTES:
            break
    if not rows:
        return Piece(session, rows, b"")
    chunk = encode(rows)
    return Piece(session, rows, chunk if _identical(decode(chunk), rows) else b"")


def put_in_place(db: Database, piece: Piece, now: datetime) -> bool:
    """Store a piece in place of its rows, and return whether the session still has them and is over: else nothing is changed."""
    with db.atomic():
        over = "SELECT 1 FROM session WHERE id = ? AND ended_utc IS NOT NULL"
        if db.execute(over, (piece.session,)).fetchone() is None:
            return False
        if not piece.rows:
            if db.execute("SELECT 1 FROM packet WHERE session = ? LIMIT 1", (piece.session,)).fetchone() is not None:
                return False
            db.execute("UPDATE session SET packed_utc = ? WHERE id = ?", (stamp(now), piece.session))
            return True
        which = (piece.session, piece.rows[0][0], piece.rows[-1][0])
        rows = db.execute(
            "SELECT seq, t_s, char, payload FROM packet WHERE session = ? AND seq BETWEEN ? AND ?", which
        ).fetchall()
        if not _identical(rows, piece.rows):
            return False
        db.execute("INSERT INTO packet_chunk VALUES (?, ?, ?, ?, ?, ?)", (*which, rows[-1][1], len(rows), piece.chunk))
        db.execute("DELETE FROM packet WHERE session = ? AND seq BETWEEN ? AND ?", which)
    return True


def _identical(some: Sequence[PacketRow], others: Sequence[PacketRow]) -> bool:
    """Return whether packets are the same bit for bit: 0.0 equals -0.0, so their times are compared as bytes too."""
    return some == others and _times(some) == _times(others)


def _times(rows: Sequence[PacketRow]) -> bytes:
    return array("d", (row[1] for row in rows)).tobytes()


class Packing:
    """Task that packs the sessions that ended an hour ago, the older ones first, within an `async with` block."""

    def __init__(
        self,
        storage: Storage,
        *,
        now_utc: Callable[[], datetime] = lambda: datetime.now(UTC),
        after: timedelta = AFTER,
        look_every_s: float = _LOOK_EVERY_S,
    ) -> None:
        self._storage = storage
        self._now_utc = now_utc
        self._after = after
        self._look_every_s = look_every_s
        self._passed: list[int] = []
        """Sessions that could not be packed; they are tried again at the next start."""
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="packing")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._task:
            await cancel_and_wait(self._task)

    async def _run(self) -> None:
        while True:
            began_s = time.monotonic()
            try:
                going = await self.pack_one()
            except StorageError as error:
                _LOG.error("Packets could not be packed: %s", error)
                going = False
            took_s = time.monotonic() - began_s
            await asyncio.sleep(max(_LEAST_REST_S, _REST * took_s) if going else self._look_every_s)

    async def pack_one(self) -> bool:
        """Pack the next piece and return whether there was one. Raises `StorageError` where the database fails."""
        now = self._now_utc()
        piece = await self._storage.read(partial(next_piece, ended_before=now - self._after, passed=self._passed))
        if piece is None:
            return False
        if piece.rows and not piece.chunk:
            _LOG.error("The packets of session %d could not be packed, and stay as they are: report this.", piece.session)
            self._passed.append(piece.session)
            return True
        if not await self._storage.run(partial(put_in_place, piece=piece, now=now)):
            _LOG.info("Session %d changed while it was packed; it is tried again later.", piece.session)
            return False
        return True
