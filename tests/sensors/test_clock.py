import asyncio
from itertools import count

import pytest

from restbeat.sensors.clock import FlatOutClock, RunningClock


def test_a_running_clock_runs_at_its_speed_from_its_start():
    ticks = count(100.0, 2.0)
    clock = RunningClock(10.0, start_s=60.0, monotonic=lambda: next(ticks))
    assert [clock.now(), clock.now()] == pytest.approx([80.0, 100.0])


async def test_a_running_clock_waits_in_session_time():
    clock = RunningClock(1000.0)
    await clock.sleep_until(20.0)
    assert clock.now() >= 20.0


async def test_a_time_that_is_past_is_not_waited_for():
    async with asyncio.timeout(5):
        await RunningClock(1.0, start_s=100.0).sleep_until(50.0)


async def test_a_flat_out_clock_jumps_and_never_back():
    clock = FlatOutClock()
    await clock.sleep_until(3600.0)
    await clock.sleep_until(10.0)
    assert clock.now() == 3600.0
