"""The files that wait on clients' pages: received, read, shown, and stored as sessions once a person has decided."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
import logging
from pathlib import Path
import secrets
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from ...sensors.recordings.recording import read
from ...sensors.task_cancellation import cancel_and_wait
from ..clients import client_store
from ..clients.consents import has_consent, of_client, refusal
from ..errors import DiskFullError, RefusedError, ServiceError, StorageError, UnconfirmedError, UnknownError
from ..exchange.packet_reconstruction import began_of, dated
from ..sessions.report_cache import SessionReports
from ..sessions.session_store import NewSession, SessionStore
from ..settings import read_settings
from ..storage.audit_log import note
from ..storage.event_rows import stamp
from ..storage.sqlite import Database
from .dates import in_zone, require_possible
from .division import in_phases
from .file_contents import shown
from .file_reader import FileReader
from .models import Added, Choice, ReadUpload, Twin, Upload
from .twins import twin_of
from .waiting_files import append, clear, erase

_LOG = logging.getLogger(__name__)
_FOLDER: Final = "uploads"
_PIECE_BYTES: Final = 1 << 20
_NAME: Final = 80


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of what is taken in."""

    file_bytes: int = 256 * 1024 * 1024
    """Largest file."""
    of_client: int = 12
    """Most files that wait on one client's page."""
    of_practice: int = 40
    free_bytes: int = 512 * 1024 * 1024
    """Least free space on the disk beside the largest file."""
    piece_s: float = 30.0
    """How long the next piece of a file may take, in s."""
    whole_s: float = 900.0
    kept_for: timedelta = timedelta(hours=1)
    """How long a file waits for a decision."""


DEFAULT_LIMITS: Final = Limits()


@dataclass(slots=True, eq=False)
class _Held:
    """A file that waits. What is kept of it is its beats, as a recording; the file itself is erased once it is read."""

    key: str
    client: str
    name: str
    kept: Path
    until: datetime
    read: ReadUpload
    adding: asyncio.Lock = field(default_factory=asyncio.Lock)
    session: int | None = None
    """The session that it has become."""


class Uploads:
    """The waiting files of a practice, within an `async with` block. `by`: name of the account that acts, for the audit log.

    They lie in a folder of the data folder that only this account of the computer can open, under names drawn by chance; a
    restart erases them. `new_key` draws a name; `sweep_s`: how often those that nobody decided on are erased.
    """

    def __init__(
        self,
        store: SessionStore,
        reports: SessionReports,
        *,
        reader: FileReader | None = None,
        limits: Limits = DEFAULT_LIMITS,
        now_utc: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_key: Callable[[], str] = secrets.token_hex,
        sweep_s: float = 60.0,
    ) -> None:
        self._store = store
        self._reports = reports
        self._reader = reader or FileReader()
        self.limits = limits
        self._now_utc = now_utc
        self._new_key = new_key
        self._sweep_s = sweep_s
        self._folder = store.folder / _FOLDER
        self._held: dict[str, _Held] = {}
        self._coming: Counter[str] = Counter()
        """Number of files that are being received or read, by client."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(clear, self._folder)
        self._own(self._sweep(), "waiting files")
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await cancel_and_wait(*self._tasks)
        self._held.clear()
        await asyncio.to_thread(clear, self._folder)

    async def receive(self, client: str, name: str, pieces: AsyncIterator[bytes], *, size: int | None = None) -> Upload:
        """Take a file in, read it, and return what it holds; it waits for a decision then.

        `name`: what the person's computer calls it; it is shown, and never part of a path. `size`: as announced.
        Raises `UnknownClientError` where there is no such client, `RefusedError` where they do not agree to be recorded, too many
        files wait, it is too large, comes too slowly or cannot become a session, `StorageError` where the disk is full or fails.
        """
        name = shown(name.replace("\\", "/").rpartition("/")[2], _NAME) or "The file"
        await self._require_room(client)
        if size is not None and size > self.limits.file_bytes:
            raise self._too_large(name)
        self._coming[client] += 1
        key = self._new_key()
        path, kept = self._folder / key, self._folder / f"{key}.jsonl"
        try:
            await self._write(path, name, pieces)
            read_upload = await self._reader.read(path, kept, name)
            await self._require_consent(client)
            held = _Held(key, client, name, kept, self._now_utc() + self.limits.kept_for, read_upload)
            self._held[key] = held
        finally:
            self._coming -= Counter((client,))
            await asyncio.to_thread(erase, path, *(() if key in self._held else (kept,)))
        return await self._upload(held)

    async def of_client(self, client: str) -> list[Upload]:
        """Return the files that wait on a client's page, oldest first. Raises `UnknownClientError`."""
        await self._erase_outdated()
        await self._store.read(lambda db: client_store.row_of(db, client))
        return [await self._upload(held) for held in list(self._held.values()) if held.client == client and held.session is None]

    async def discard(self, client: str, key: str) -> None:
        """Erase a file. Raises `UnknownError` where none waits under that name."""
        held = self._one(client, key)
        del self._held[key]
        await asyncio.to_thread(erase, held.kept)

    async def forget(self, client: str) -> None:
        """Erase every file of a client: they were erased themselves, or no longer agree to be recorded."""
        held = [one for one in self._held.values() if one.client == client]
        for one in held:
            self._held.pop(one.key, None)
        await asyncio.to_thread(erase, *(one.kept for one in held))

    async def add(self, client: str, key: str, choice: Choice, *, by: str) -> Added:
        """Store a file as a session, and return it once it is on the disk; asked again, the same one.

        Raises `UnknownError` where no such file waits, `UnconfirmedError` where its beats are stored already, and `RefusedError`
        where its date or parts do not fit, or the client does not agree to be recorded.
        """
        held = self._one(client, key)
        async with held.adding:
            if held.session is None:
                held.session = await self._store_session(held, choice, by)
                await asyncio.to_thread(erase, held.kept)
                self._own(self._report(held.session), f"report of session {held.session}")
        return Added(session=held.session)

    async def _store_session(self, held: _Held, choice: Choice, by: str) -> int:
        client, now = held.client, self._now_utc()
        twin = await self._twin(held)
        if twin and not choice.confirmed:
            raise UnconfirmedError(
                f"{held.name} holds the beats of {_twin_words(twin, client)}. Add it only if it shall be there twice."
            )
        recording = await asyncio.to_thread(read, held.kept)
        events = await asyncio.to_thread(in_phases, recording.events, choice.parts)
        header, duration_s = recording.header, events[-1].t
        settings = await self._store.read(read_settings)
        began = began_of(header) or (in_zone(choice.began_local, settings) if choice.began_local else None)
        if began is not None:
            header = dated(header, began)
            require_possible(began, timedelta(seconds=duration_s), settings.keep_months, now)
        extra = {"imported": header.extra["imported"] | {"beats": held.read.digest}}
        header = msgspec.structs.replace(header, client=client, kind=choice.kind, extra=extra)
        new = NewSession(header=header, source=f"{held.read.contents.format} file", speed=None, began_utc=began or now)

        def also(db: Database, session: int) -> None:
            client_store.row_of(db, client)
            _demand_consent(db, client)
            note(db, now, by, "session imported", client=client, session=session, detail=held.read.contents.format)

        ended = (began or now) + timedelta(seconds=duration_s if began else 0.0)
        return await self._store.add_whole(new, events, ended, duration_s, also)

    async def _report(self, session: int) -> None:
        """Compute the figures of an added session; where that fails, its page computes them."""
        try:
            await self._reports.make(session)
        except ServiceError as error:
            _LOG.warning("The figures of session %d, which was imported, could not be computed yet: %s", session, error)

    async def _write(self, path: Path, name: str, pieces: AsyncIterator[bytes]) -> None:
        size, waiting = 0, bytearray()
        try:
            async with asyncio.timeout(self.limits.whole_s):
                while True:
                    async with asyncio.timeout(self.limits.piece_s):
                        piece = await anext(pieces, None)
                    size += len(piece or b"")
                    if size > self.limits.file_bytes:
                        raise self._too_large(name)
                    waiting += piece or b""
                    if waiting and (piece is None or len(waiting) >= _PIECE_BYTES):
                        await asyncio.to_thread(append, path, bytes(waiting))
                        waiting.clear()
                    if piece is None:
                        break
        except TimeoutError:
            raise RefusedError(f"{name} came too slowly, and was left. Try again, nearer to the router.") from None
        except OSError as error:
            raise StorageError(f"{name} could not be written to the disk: {error.strerror}. Nothing was kept.") from error
        if not size:
            raise RefusedError(f"{name} is empty.")

    def _too_large(self, name: str) -> RefusedError:
        return RefusedError(
            f"{name} is larger than {self.limits.file_bytes >> 20} MiB: no session of heartbeats is. Nothing was kept."
        )

    async def _require_room(self, client: str) -> None:
        await self._erase_outdated()
        await self._require_consent(client)
        waiting = [one for one in self._held.values() if one.session is None]
        mine = sum(one.client == client for one in waiting) + self._coming[client]
        if mine >= self.limits.of_client:
            raise RefusedError(f"{mine} files wait here already. Add or discard some of them first.")
        if len(waiting) + self._coming.total() >= self.limits.of_practice:
            raise RefusedError(
                f"{self.limits.of_practice} files wait on clients’ pages already. Add or discard some of them first."
            )
        free = self._store.free_bytes
        if free is not None and free < self.limits.free_bytes + self.limits.file_bytes:
            raise DiskFullError("There is too little space on the disk for files. Free some space, then try again.")

    async def _require_consent(self, client: str) -> None:
        def check(db: Database) -> None:
            client_store.row_of(db, client)
            _demand_consent(db, client)

        await self._store.read(check)

    async def _upload(self, held: _Held) -> Upload:
        return Upload(
            upload=held.key,
            name=held.name,
            contents=held.read.contents,
            twin=await self._twin(held),
            until_utc=stamp(held.until),
        )

    async def _twin(self, held: _Held) -> Twin | None:
        return await self._store.read(lambda db: twin_of(db, held.read, held.client))

    def _one(self, client: str, key: str) -> _Held:
        held = self._held.get(key)
        if held is None or held.client != client or held.until < self._now_utc():
            raise UnknownError("This file waits no longer: it was added, discarded, or erased after an hour. Choose it again.")
        return held

    async def _erase_outdated(self) -> None:
        now = self._now_utc()
        over = [one for one in self._held.values() if one.until < now]
        for one in over:
            self._held.pop(one.key, None)
        if over:
            await asyncio.to_thread(erase, *(one.kept for one in over))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self._sweep_s)
            await self._erase_outdated()

    def _own(self, job: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(job, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _demand_consent(db: Database, client: str) -> None:
    if not has_consent(db, client, "record"):
        raise RefusedError(refusal(of_client(db, client), client))


def _twin_words(twin: Twin, client: str) -> str:
    return f"session {twin.session}" + ("" if twin.client == client else f", of {twin.client or 'nobody named'}")
