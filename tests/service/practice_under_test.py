"""A practice with a real database and a real worker, and straps that are written by hand: what its tests share."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from restbeat.sensors.clock import RunningClock
from restbeat.sensors.model import Device, Phase
from restbeat.sensors.recordings.recording import Header, Packet, PhaseStart
from restbeat.sensors.source import ConnectionChange, ConnectionState
from restbeat.service.radio.radio import AdapterState, StrapSeen
from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.rooms.rooms import Rooms
from restbeat.service.rooms.session_start import Opening
from restbeat.service.sessions.report_cache import SessionReports
from restbeat.service.sessions.session_store import NewSession, SessionStore
from restbeat.service.sessions.soap_notes import SessionNotes
from restbeat.service.settings import PracticeSettings

ADDRESS = "A0:9E:1A:00:00:01"
PACKETS = [Packet(float(t), "2a37", bytes.fromhex("1040") + (1004 + 40 * (t % 2)).to_bytes(2, "little")) for t in range(1, 91)]
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


class Air:
    def adapter(self):
        return AdapterState(ready=True, text="Bluetooth ready")

    seen = (StrapSeen(ADDRESS, "H10", -60, None),)

    def straps(self):
        return self.seen


class Strap:
    """Sends its packets at once, then stays."""

    def __init__(self, address, packets=PACKETS):
        self.packets = packets
        self.heard = asyncio.Event()

    async def items(self, clock):
        yield ConnectionChange(0.0, ConnectionState.STREAMING)
        for packet in self.packets:
            yield packet
        self.heard.set()
        await asyncio.Event().wait()


class PracticeUnderTest:
    """Rooms with their storage, worker and live feed, and the straps that they have opened."""

    def __init__(self, storage, worker, **more):
        self.storage, self.worker, self.live_feed, self.straps = storage, worker, LiveFeed(), []
        self.air = Air()
        clock = partial(RunningClock, start_s=91.0)  # behind the packets, which all come at once
        self.rooms = Rooms(storage, worker, self.live_feed, self.air, self._strap, new_clock=clock, now_utc=lambda: NOW, **more)
        self.settings = PracticeSettings(storage, now_utc=lambda: NOW)
        self.reports = SessionReports(storage, worker)
        self.notes = SessionNotes(storage, now_utc=lambda: NOW)

    def _strap(self, address):
        self.straps.append(Strap(address))
        return self.straps[-1]


@pytest.fixture
async def bench(tmp_path, worker_pool):
    async with await SessionStore.open(tmp_path) as storage:
        made = PracticeUnderTest(storage, worker_pool)
        async with made.rooms:
            yield made


async def open_room(bench, address=ADDRESS, **plan):
    return await bench.rooms.open_room(Opening(address=address, **({"consent": True} | plan)), by="Ada")


async def ended(bench, session):
    async with asyncio.timeout(60):
        while await bench.storage.report(session) is None:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.05)


async def audit(bench):
    query = "SELECT actor, action, client, session, detail FROM audit ORDER BY id"
    return await bench.storage.run(lambda db: [tuple(row) for row in db.execute(query)])


async def flags(bench):
    return await bench.storage.run(lambda db: [row[0] for row in db.execute("SELECT reason FROM flag")])


async def cut_off(storage, header=None):
    """A session as a crash leaves it: begun, 90 s long, no end."""
    header = header or Header(Device(name="H10", address=ADDRESS))
    session = await storage.create_session(NewSession(header=header, source="H10", room="room-1", consent="imported"))
    for event in (PhaseStart(0.5, Phase.BASELINE), *PACKETS):
        storage.append(session, event)
    await storage.flush()
    return session


async def reopened(tmp_path, worker, header=None):
    first = await SessionStore.open(tmp_path, now_utc=lambda: NOW - timedelta(seconds=120))
    session = await cut_off(first, header)
    await first.close()
    return session, PracticeUnderTest(await SessionStore.open(tmp_path, now_utc=lambda: NOW), worker)
