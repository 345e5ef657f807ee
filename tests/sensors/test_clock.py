import asyncio
from itertools import count
import time

import pytest

from restbeat.sensors.clock import FlatOutClock, RunningClock, TransportClock, elapsed_s
from restbeat.sensors.computer_sleep import SleepWatch


def test_a_running_clock_runs_at_its_speed_from_its_start():
    ticks = count(100.0, 2.0)
    clock = RunningClock(10.0, start_s=60.0, monotonic=lambda: next(ticks))
    assert [clock.now(), clock.now()] == pytest.approx([80.0, 100.0])


async def test_a_running_clock_waits_in_session_time():
    clock = RunningClock(1000.0)
    await clock.sleep_until(20.0)
    assert clock.now() >= 20.0


async def test_waiting_for_a_past_time_returns_at_once():
    async with asyncio.timeout(5):
        await RunningClock(1.0, start_s=100.0).sleep_until(50.0)


async def test_a_flat_out_clock_jumps_and_never_back():
    clock = FlatOutClock()
    await clock.sleep_until(3600.0)
    await clock.sleep_until(10.0)
    assert clock.now() == 3600.0


class ManualTime:
    """A monotonic clock that the test sets."""

    t = 0.0

    def __call__(self):
        return self.t


def test_a_transport_clock_stands_still_while_paused_and_resumes_there():
    hands = ManualTime()
    clock = TransportClock(10.0, monotonic=hands)
    hands.t = 3.0
    clock.steer(paused=True)
    hands.t = 50.0
    assert (clock.now(), clock.speed, clock.full_speed, clock.paused) == (30.0, 0.0, 10.0, True)
    clock.steer(paused=False, speed=2.0)
    hands.t = 51.0
    assert clock.now() == 32.0
    clock.steer(at_s=5.0)
    hands.t = 52.0
    assert clock.now() == 7.0


def test_a_held_transport_clock_stands_still_whatever_is_set():
    hands = ManualTime()
    clock = TransportClock(1.0, monotonic=hands)
    with clock.held():
        hands.t = 4.0
        clock.steer(paused=False, at_s=100.0)
        hands.t = 9.0
        assert clock.now() == 100.0
    hands.t = 10.0
    assert clock.now() == 101.0


async def test_a_wait_on_a_transport_clock_ends_with_a_seek_and_not_before():
    clock = TransportClock(1.0, paused=True)
    waiting = asyncio.create_task(clock.sleep_until(3600.0))
    for _ in range(5):
        await asyncio.sleep(0)
    clock.steer(speed=1000.0)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    clock.steer(at_s=3600.0)
    async with asyncio.timeout(5):
        await waiting


def test_the_time_asleep_counts_for_a_session():
    before = elapsed_s()
    assert elapsed_s() >= before
    assert RunningClock()._monotonic is elapsed_s
    if hasattr(time, "CLOCK_BOOTTIME"):
        assert elapsed_s() == pytest.approx(time.clock_gettime(time.CLOCK_BOOTTIME), abs=5)


def test_a_sleep_is_told_once_and_a_jitter_of_the_clocks_never():
    elapsed, awake = iter([100.0, 700.4, 701.0, 702.0]), iter([50.0, 50.4, 50.6, 51.6])
    watch = SleepWatch(elapsed=lambda: next(elapsed), awake=lambda: next(awake))
    assert [watch.slept_s() for _ in range(3)] == pytest.approx([600.0, 0.0, 0.0])
