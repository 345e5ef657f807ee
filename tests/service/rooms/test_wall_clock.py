"""A wall clock that is set forward or back, by daylight saving, a time server or by hand, while sessions run."""

import asyncio
from datetime import timedelta

import pytest

from restbeat.sensors.model import Device
from restbeat.sensors.recordings.recording import Header, PhaseStart
from restbeat.sensors.source import ConnectionChange, ConnectionState
from restbeat.service.courses.courses import Courses
from restbeat.service.storage.encryption import IdentityCipher

from ..practice_under_test import ADDRESS, NOW, ended, open_room

SHIFTS = {
    "an hour back, as in autumn": timedelta(hours=-1),
    "an hour forward, as in spring": timedelta(hours=1),
    "a step of a time server": timedelta(seconds=-0.7),
    "a day back": timedelta(days=-1),
    "a day forward": timedelta(days=1),
    "a year back": timedelta(days=-365),
    "a year forward": timedelta(days=365),
}


@pytest.mark.parametrize("shift", SHIFTS.values(), ids=SHIFTS)
async def test_a_wall_clock_that_is_set_moves_no_phase_and_stops_nothing(bench, tmp_path, shift):
    room = await open_room(bench)
    await bench.straps[0].heard.wait()
    assert await bench.rooms.entries.advance(room, "settle") == "baseline"
    bench.rooms._now_utc = bench.storage._now_utc = lambda: NOW + shift
    before_s = bench.live_feed.rooms()[0].now_s
    assert await bench.rooms.entries.advance(room, "baseline") == "massage"
    entry = await bench.rooms.entries.pain(room, 4, ago_s=0.1)
    await bench.rooms.undo(room, entry.number)
    for leaving in ("massage", "recovery"):
        await bench.rooms.entries.advance(room, leaving)
    session = bench.live_feed.rooms()[0].session
    await ended(bench, session)
    _, events = await bench.storage.events(session)
    starts = [event.t for event in events if isinstance(event, PhaseStart)]
    assert starts == sorted(starts)
    assert starts[-1] - before_s < 30, "session time is no time of day"
    (row,) = (await bench.storage.sessions()).rows
    assert (row.state, row.duration_s) == ("ended", pytest.approx(starts[-1]))
    assert (await bench.reports.of(session))[1].duration_s >= 0


async def test_sessions_begun_by_a_wrong_clock_are_listed_and_what_is_due_is_told(bench, tmp_path):
    clock = {"shift": timedelta(0)}
    bench.rooms._now_utc = bench.storage._now_utc = lambda: NOW + clock["shift"]
    for number, shift in enumerate((timedelta(0), timedelta(days=365), timedelta(days=-365), timedelta(hours=1))):
        clock["shift"] = shift
        room = await bench.rooms.start(f"x{number}", _Silent(), bench.rooms._new_clock(), _header(number))
        for leaving in ("settle", "baseline", "massage", "recovery"):
            await bench.rooms.entries.advance(room, leaving)
        await ended(bench, number + 1)
    clock["shift"] = timedelta(0)
    rows = (await bench.storage.sessions()).rows
    assert [row.session for row in rows] == [2, 4, 1, 3], "by the time that was told, newest first"
    courses = Courses(bench.storage, bench.worker, IdentityCipher(tmp_path / "key"), bench.reports, now_utc=lambda: NOW)
    assert len((await courses.practice()).rows) == 4
    assert (await courses.plan("M-1")) is not None


def _header(number):
    return Header(Device(name="H10", address=ADDRESS), client=f"M-{number}")


class _Silent:
    async def items(self, clock):
        yield ConnectionChange(0.0, ConnectionState.STREAMING)
        await asyncio.Event().wait()
