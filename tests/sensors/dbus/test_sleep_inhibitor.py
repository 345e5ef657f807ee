"""Holding off sleep: against a logind of our own on a real D-Bus."""

import asyncio
from contextlib import asynccontextmanager
import os

from dbus_fast import Message

from restbeat.sensors.dbus.service_connection import BusService
from restbeat.sensors.dbus.sleep_inhibitor import SleepInhibitor

from .daemon import dbus_daemon


@asynccontextmanager
async def logind(address, *, refuses=False):
    """Yield the calls that a logind gets, and the ends of the pipes that it gives as locks."""
    service, calls, ends = BusService(address, "org.freedesktop.login1"), [], []

    def answer(message):
        calls.append((message.member, message.body))
        if refuses:
            return Message.new_error(message, "org.freedesktop.DBus.Error.AccessDenied", "no")
        watched, given = os.pipe()
        ends.append((watched, given))
        return Message.new_method_return(message, "h", [0], [given])

    await service.join(answer, lambda _name: None)
    try:
        yield calls, ends
    finally:
        await service.leave()


async def test_sleep_is_held_off_until_it_is_released(tmp_path):
    async with dbus_daemon(tmp_path) as address, logind(address) as (calls, ends):
        inhibitor = SleepInhibitor(address)
        assert await inhibitor.hold("A session runs")
        assert await inhibitor.hold("A session runs"), "it is asked for once"
        assert calls == [("Inhibit", ["sleep:idle", "restbeat", "A session runs", "block"])]
        watched, given = ends[0]
        os.close(given)
        os.set_blocking(watched, False)
        try:
            os.read(watched, 1)
            raise AssertionError("the lock is given back already")
        except BlockingIOError:
            pass
        inhibitor.release()
        assert not inhibitor.held
        async with asyncio.timeout(5):
            while True:
                try:
                    assert os.read(watched, 1) == b""
                    break
                except BlockingIOError:
                    await asyncio.sleep(0.01)
        os.close(watched)


async def test_without_logind_or_with_one_that_refuses_nothing_is_held(tmp_path):
    async with dbus_daemon(tmp_path) as address:
        assert not await SleepInhibitor(address).hold("A session runs")
        async with logind(address, refuses=True):
            assert not await SleepInhibitor(address).hold("A session runs")
    assert not await SleepInhibitor(f"unix:path={tmp_path}/nowhere").hold("A session runs")
