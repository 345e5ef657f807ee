"""The API behaves as described: schemathesis sends valid and invalid requests to a real practice."""

import asyncio
from contextlib import asynccontextmanager
import os
from pathlib import Path
import sys

from argon2 import PasswordHasher

from restbeat.service.accounts.accounts import Accounts
from restbeat.service.accounts.passwords import Passwords
from restbeat.service.clients.clients import Clients
from restbeat.service.follow_up.client_pages import open_client_pages
from restbeat.service.follow_up.link_store import revoke_all
from restbeat.service.follow_up.models import LinkRequest
from restbeat.service.privacy.data_requests import DataRequests
from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.rooms.rooms import Rooms
from restbeat.service.rooms.session_start import Opening
from restbeat.service.sessions.report_cache import SessionReports
from restbeat.service.sessions.session_store import SessionStore
from restbeat.service.storage.encryption import IdentityCipher
from restbeat.service.testbench.bench import Bench
from restbeat.service.uploads.uploads import Uploads
from restbeat.service.worker.worker import Worker
from restbeat.web.server import serving

from ...practices import practice_of
from ...service.practice_under_test import Air, Strap

FIXTURES = Path(__file__).parents[3] / "fixtures"
SETTINGS = Path(__file__).parent / "schemathesis.toml"
PASSWORD = "correct horse battery"


@asynccontextmanager
async def practice(folder):
    """Serve a whole practice with a login and a running session; yield its address and the login."""
    live_feed, quick = LiveFeed(), Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    async with (
        await SessionStore.open(folder) as storage,
        Worker() as worker,
        Rooms(storage, worker, live_feed, Air(), Strap) as rooms,
    ):
        accounts = await Accounts.open(storage, passwords=quick)
        login = await accounts.set_up(accounts.setup_code, "Ada", PASSWORD, peer="here")
        cipher = IdentityCipher(folder / "practice.key")
        records = Clients(storage, cipher, rooms.end_sessions_of, revoke_all)
        rights = DataRequests(storage, worker, cipher, rooms)
        await rooms.open_room(Opening(address="A0:9E:1A:00:00:07", client="M-014", consent=True), by="Ada")
        await records.agree("M-014", "share", by="Ada")
        async with (
            open_client_pages(storage, cipher) as links,
            Bench(live_feed, [FIXTURES]) as bench,
            Uploads(storage, SessionReports(storage, worker)) as uploads,
        ):
            await links.make("M-014", LinkRequest(sessions=[], coming=True, days=60, language=None, remind=True), by="Ada")
            parts = {
                "accounts": accounts,
                "clients": records,
                "uploads": uploads,
                "data_requests": rights,
                "client_pages": links,
                "test_bench": bench,
            }
            async with serving(practice_of(rooms, live_feed, **parts), "127.0.0.1", 0) as address:
                yield address, login


async def test_schemathesis_finds_no_failure(tmp_path):
    async with practice(tmp_path) as (address, login):
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(SETTINGS)),
            *("run", f"{address}/api/v1/openapi.json"),
        ]
        secrets = os.environ | {"LOGIN": login.token, "CSRF": login.csrf}
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=tmp_path, env=secrets
        )
        async with asyncio.timeout(300):
            out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
