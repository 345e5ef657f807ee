"""Deletion of sessions older than the practice keeps them."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
import logging
from types import TracebackType
from typing import Final, Self

from ...sensors.task_cancellation import cancel_and_wait
from ..errors import StorageError
from ..settings import read_settings
from ..storage.audit_log import note
from ..storage.event_rows import stamp
from ..storage.sqlite import Database
from ..storage.storage import Storage
from .erasure import wipe

_LOG = logging.getLogger(__name__)
_EVERY_S: Final = 86_400.0
_DAYS_PER_MONTH: Final = 30.44
_CLOCK_TRUSTED: Final = timedelta(days=60)
"""Age of the newest session up to which the clock is believed."""


def delete_outdated(db: Database, now: datetime) -> int:
    """Delete the sessions that ended longer ago than the practice keeps them, wipe their data, and return their number.

    None is deleted while the newest session seems to be months old: the computer's clock may have been set forward.
    """
    months = read_settings(db).keep_months
    if months is None:
        return 0
    newest = db.execute("SELECT max(ended_utc) FROM session").fetchone()[0]
    if newest is not None and newest < stamp(now - _CLOCK_TRUSTED):
        _LOG.warning("No session ended since %s: is this computer's clock right? No outdated session is deleted.", newest[:10])
        return 0
    before = stamp(now - timedelta(days=months * _DAYS_PER_MONTH))
    outdated = [row[0] for row in db.execute("SELECT id FROM session WHERE ended_utc IS NOT NULL AND ended_utc < ?", (before,))]
    if outdated:
        with db.atomic():
            for session in outdated:
                db.execute("DELETE FROM audit WHERE session = ?", (session,))
                db.execute("DELETE FROM session WHERE id = ?", (session,))
            note(db, now, "restbeat", "outdated sessions deleted", detail=f"{len(outdated)}, kept for {months} months")
        wipe(db)
    return len(outdated)


class Retention:
    """Task that deletes outdated sessions at the start and then each day, within an `async with` block."""

    def __init__(self, storage: Storage, *, now_utc: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._storage = storage
        self._now_utc = now_utc
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="retention")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._task:
            await cancel_and_wait(self._task)

    async def _run(self) -> None:
        while True:
            now = self._now_utc()
            try:
                if deleted := await self._storage.run(partial(delete_outdated, now=now)):
                    _LOG.info("%d sessions that the practice no longer keeps were deleted.", deleted)
            except StorageError as error:
                _LOG.error("Outdated sessions could not be deleted: %s", error)
            await asyncio.sleep(_EVERY_S)
