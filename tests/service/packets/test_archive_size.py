from datetime import timedelta

from restbeat.service.packets.archive_size import PACKED_HOUR_BYTES, SESSION_BYTES, archive_size
from restbeat.service.packets.packing import Packing
from restbeat.service.sessions.session_store import SessionStore

from ..stored import HEADER, NOON, stored

DAY = timedelta(days=1)


async def sizes(storage, now):
    return await storage.read(lambda db: archive_size(db, now))


async def test_growth_is_told_by_the_last_month_and_else_by_three(tmp_path):
    async with await SessionStore.open(tmp_path) as storage:
        assert (await sizes(storage, NOON)).month_bytes is None
        for ended, count in ((NOON - 60 * DAY, 6), (NOON - DAY, 2)):
            for _ in range(count):
                await storage.end_session(await stored(storage), ended, 3600.0)
        hour = PACKED_HOUR_BYTES + SESSION_BYTES
        now = await sizes(storage, NOON)
        assert (now.month_bytes, now.sessions, now.packed, now.unpacked) == (2 * hour, 2, 0, 8)
        earlier = await sizes(storage, NOON - 20 * DAY)
        assert (earlier.month_bytes, earlier.sessions) == (2 * hour, 6), "six in ninety days"
        assert now.bytes >= now.reused_bytes


async def test_what_is_packed_is_told(tmp_path):
    async with await SessionStore.open(tmp_path) as storage:
        for _ in range(3):
            await storage.end_session(await stored(storage, HEADER), NOON, 10.0)
        await stored(storage, HEADER)
        packing = Packing(storage, now_utc=lambda: NOON + DAY)
        for _ in range(2):
            await packing.pack_one()
        told = await sizes(storage, NOON + DAY)
        assert (told.sessions, told.packed, told.unpacked) == (3, 1, 2)
