"""A practice that is killed: real rooms, storage and web server, a strap that beats by itself, and no analysis process.

Run as a program with the data folder; prints its address when it serves, and runs until it is killed.
"""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
import sys

from restbeat.sensors.recordings.recording import Packet
from restbeat.sensors.source import ConnectionChange, ConnectionState
from restbeat.service.clients.clients import Clients
from restbeat.service.errors import WorkerError
from restbeat.service.follow_up.link_store import revoke_all
from restbeat.service.practice import Practice
from restbeat.service.radio.radio import AdapterState, StrapSeen
from restbeat.service.rooms.live_feed import LiveFeed
from restbeat.service.rooms.rooms import Rooms
from restbeat.service.sessions.report_cache import SessionReports
from restbeat.service.sessions.session_store import SessionStore
from restbeat.service.sessions.soap_notes import SessionNotes
from restbeat.service.settings import PracticeSettings
from restbeat.service.storage.encryption import IdentityCipher
from restbeat.web.server import serving

ADDRESSES = [f"A0:9E:1A:00:00:{n:02X}" for n in range(1, 31)]
BEAT_S = 0.1
"""Ten packets a second: more than a strap sends, so that a kill meets a batch that is being written."""


class Air:
    def adapter(self):
        return AdapterState(ready=True, text="Bluetooth ready")

    def straps(self):
        return [StrapSeen(address, "H10", -60, None) for address in ADDRESSES]


class Strap:
    async def items(self, clock):
        yield ConnectionChange(0.0, ConnectionState.STREAMING)
        while True:
            await asyncio.sleep(BEAT_S)
            yield Packet(clock.now(), "2a37", bytes.fromhex("10480004"))


class NoWorker:
    async def run(self, function, *args):
        raise WorkerError("There is no analysis in this test.")


async def main(data):
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(await SessionStore.open(data))
        feed, worker = LiveFeed(), NoWorker()
        rooms = await stack.enter_async_context(Rooms(store, worker, feed, Air(), lambda _address: Strap()))
        reports, cipher = SessionReports(store, worker), IdentityCipher(data / "key")
        practice = Practice(
            live_feed=feed,
            rooms=rooms,
            settings=PracticeSettings(store),
            reports=reports,
            notes=SessionNotes(store),
            clients=Clients(store, cipher, rooms.end_sessions_of, revoke_all),
        )
        address = await stack.enter_async_context(serving(practice, "127.0.0.1", 0))
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        await asyncio.sleep(timedelta(hours=1).total_seconds())


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
