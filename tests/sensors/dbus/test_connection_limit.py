"""The system bus limits the connections of a user, and each BleakClient uses one."""

import asyncio

import pytest

from restbeat.sensors.bluetooth.scanner import StrapSource, Timing, on_bus
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.source import ConnectionChange
from restbeat.sensors.virtual.straps_on_air import virtual_straps

from ..conftest import recording, until
from .daemon import dbus_daemon


@pytest.mark.dbus
async def test_too_many_connections_are_reported_and_a_strap_connects_when_one_is_free(tmp_path):
    # the connections that the daemon hung up on complain when they are collected, maybe in the middle of another test
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    recordings = [recording(600) for _ in range(6)]
    async with (
        dbus_daemon(tmp_path, max_connections=6) as address,
        virtual_straps(recordings, bus_address=address, clock_for=lambda _: RunningClock(5)) as air,
        on_bus(address),
    ):
        said = {player.strap.address: [] for player in air.players}

        async def listen(strap):
            source = StrapSource(strap.address, timing=Timing(first_wait_s=0.05, longest_wait_s=0.2))
            async for item in source.items(RunningClock(5)):
                if isinstance(item, ConnectionChange):
                    said[strap.address].append(item)

        tasks = [asyncio.create_task(listen(player.strap)) for player in air.players]
        try:
            await until(lambda: sum(player.started.is_set() for player in air.players) == 4, 20)
            refused = [player for player in air.players if not player.started.is_set()]
            await until(lambda: all(any("256 a user" in (c.hint or "") for c in said[p.strap.address]) for p in refused), 20)
            streaming = next(n for n, player in enumerate(air.players) if player.started.is_set())
            tasks[streaming].cancel()
            await asyncio.wait([tasks[streaming]])
            await until(lambda: any(player.started.is_set() for player in refused), 20)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
