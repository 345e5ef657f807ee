"""A practice with virtual straps in a real Chromium, for the tests of visits."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from restbeat.sensors.bluetooth.scanner import StrapSource, on_bus
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.recordings.recording import read
from restbeat.sensors.virtual.straps_on_air import virtual_straps
from restbeat.service.clients.clients import Clients
from restbeat.service.clients.models import Identity
from restbeat.service.commands.options import FIXTURES
from restbeat.service.follow_up.link_store import revoke_all
from restbeat.service.privacy.data_requests import DataRequests
from restbeat.service.radio.radio import AdapterState, StrapSeen
from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.rooms.rooms import Rooms
from restbeat.service.rooms.session_start import Opening
from restbeat.service.sessions.session_store import SessionStore
from restbeat.service.sessions.soap_notes import SessionNotes
from restbeat.service.storage.encryption import IdentityCipher
from restbeat.service.worker.worker import Worker
from restbeat.web.server import serving

from .practices import practice_of
from .web.screen import a_page, chromium

SPEED = 60.0


@pytest.fixture(scope="module")
def worker():
    """One analysis process for all visits, because its imports take seconds."""
    return Worker()


class Practice:
    """A practice with two virtual straps, served on a port."""

    def __init__(self, air, storage):
        self.storage = storage
        self.seen = [StrapSeen(p.strap.address, p.strap.name, p.strap.rssi_dbm, None) for p in air.players]

    def adapter(self):
        return AdapterState(ready=True, text="Bluetooth ready")

    def straps(self):
        return self.seen

    async def sql(self, query, *values):
        return await self.storage.run(lambda db: [tuple(row) for row in db.execute(query, values)])


@asynccontextmanager
async def practice(folder, worker, *, straps=("clear", "none")):
    recordings = [read(FIXTURES / f"polar-h10_simulated_{name}.jsonl.gz") for name in straps]
    async with AsyncExitStack() as stack:
        storage = await stack.enter_async_context(await SessionStore.open(folder / "data"))
        air = await stack.enter_async_context(virtual_straps(recordings, clock_for=lambda _: RunningClock(SPEED), loop=True))
        await stack.enter_async_context(on_bus(air.bus_address))
        made, live_feed = Practice(air, storage), LiveFeed()
        rooms = Rooms(storage, worker, live_feed, made, StrapSource, new_clock=lambda: RunningClock(SPEED))
        made.rooms = await stack.enter_async_context(rooms)
        cipher = IdentityCipher(folder / "data.key")
        made.records = Clients(storage, cipher, rooms.end_sessions_of, revoke_all)
        rights = DataRequests(storage, worker, cipher, rooms)
        made.address = await stack.enter_async_context(
            serving(practice_of(rooms, live_feed, clients=made.records, data_requests=rights), "127.0.0.1", 0)
        )
        yield made


@asynccontextmanager
async def a_screen(size="tablet", *, touch=False):
    async with chromium() as browser, a_page(browser, size, touch=touch) as page:
        yield page
        assert page.troubles == []


async def fill(made):
    """Fill the practice with long names, flags, notes and a session in settle."""
    long = "A-client-with-a-long-pseudonym_000000001"
    for name in (long, *(f"M-{n:03d}" for n in range(1, 13))):
        await made.records.add(name, by="Ada")
    await made.records.set_identity("M-012", Identity(name="Erika Mustermann"), new_key=False, by="Ada")
    opening = Opening(address=made.seen[0].address, client="M-012", consent=True, pain_before=3, posture="Prone")
    room = await made.rooms.open_room(opening, by="Ada")
    for leaving in ("settle", "baseline"):
        await made.rooms.entries.advance(room, leaving, by="Ada")
    await made.rooms.entries.stop(room, by="Ada")
    await made.rooms.entries.advance(room, "recovery", by="Ada")
    async with asyncio.timeout(60):
        while await made.storage.report(1) is None:  # noqa: ASYNC110 the database tells nobody
            await asyncio.sleep(0.1)
    await SessionNotes(made.storage).set_pain_after(1, 8, by="Ada")
    await made.rooms.open_room(Opening(address=made.seen[1].address, client=long, consent=True), by="Ada")
