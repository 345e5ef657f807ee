"""The practice: all running and storing parts, put together in one place for `serve`, `demo` and tests."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ..sensors.clock import Clock, RunningClock
from ..sensors.dbus.sleep_inhibitor import SleepInhibitor
from ..sensors.source import Source
from .accounts.accounts import Accounts
from .backups.nightly_backups import NightlyBackups
from .clients.clients import Clients
from .courses.courses import Courses
from .follow_up.client_pages import ClientPages, open_client_pages
from .follow_up.link_store import revoke_all
from .packets.packing import Packing
from .privacy.data_requests import DataRequests
from .privacy.retention import Retention
from .radio.radio import Radio
from .radio.strap_claims import StrapClaims
from .rooms.live_feed import LiveFeed
from .rooms.rooms import Rooms
from .sessions.report_cache import SessionReports
from .sessions.session_store import SessionStore
from .sessions.soap_notes import SessionNotes
from .settings import PracticeSettings
from .storage.encryption import IdentityCipher
from .testbench.bench import Bench
from .uploads.uploads import Uploads
from .worker.worker import Worker


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """The parts behind the pages. Where a part is None, its pages and addresses do not exist."""

    live_feed: LiveFeed
    rooms: Rooms
    settings: PracticeSettings
    reports: SessionReports
    notes: SessionNotes | None = None
    clients: Clients | None = None
    uploads: Uploads | None = None
    courses: Courses | None = None
    client_pages: ClientPages | None = None
    data_requests: DataRequests | None = None
    backups: NightlyBackups | None = None
    accounts: Accounts | None = None
    """None: no login is needed."""
    test_bench: Bench | None = None


@asynccontextmanager
async def open_practice(
    data: Path,
    key_file: Path,
    radio: Radio,
    source_of: Callable[[str], Source],
    *,
    claims: StrapClaims | None = None,
    new_clock: Callable[[], Clock] = RunningClock,
    login: bool = True,
    setup: bool = False,
    mail_password: str | None = None,
    bench_folders: Sequence[Path] | None = None,
) -> AsyncGenerator[Practice]:
    """Run the practice of a data folder within the block.

    `key_file` decrypts identities; the key of clients' links lies beside it. `source_of` returns the data source of a strap by
    its address, `claims` knows the straps that other programs on this computer use. `setup`: draw a one-time code for another
    admin account, as at the first start. `bench_folders`: folders of recordings for a test bench; None: there is none.

    Raises `StorageError` where the folder cannot be used.
    """
    live_feed, cipher = LiveFeed(), IdentityCipher(key_file)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(await SessionStore.open(data))
        worker = await stack.enter_async_context(Worker())
        rooms = await stack.enter_async_context(
            Rooms(
                store,
                worker,
                live_feed,
                radio,
                source_of,
                claims=claims,
                new_clock=new_clock,
                sleep_inhibitor=SleepInhibitor(),
            )
        )
        await stack.enter_async_context(Retention(store))
        await stack.enter_async_context(Packing(store))
        reports = SessionReports(store, worker)
        uploads = await stack.enter_async_context(Uploads(store, reports))

        async def end_recording_of(client: str, by: str) -> None:
            await uploads.forget(client)
            await rooms.end_sessions_of(client, by)

        yield Practice(
            live_feed=live_feed,
            rooms=rooms,
            settings=PracticeSettings(store),
            reports=reports,
            notes=SessionNotes(store),
            clients=Clients(store, cipher, end_recording_of, revoke_all),
            uploads=uploads,
            courses=Courses(store, worker, cipher, reports),
            client_pages=await stack.enter_async_context(open_client_pages(store, cipher, mail_password)),
            data_requests=DataRequests(store, worker, cipher, rooms, uploads),
            backups=await stack.enter_async_context(NightlyBackups(store)),
            accounts=await Accounts.open(store, setup=setup) if login else None,
            test_bench=await stack.enter_async_context(Bench(live_feed, bench_folders)) if bench_folders else None,
        )
