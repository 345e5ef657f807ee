"""Runs inside the virtual machine: the system's D-Bus and bluetoothd, the strap, and restbeat's own `StrapSource` on them.

Each figure goes to standard output as a JSON line; the judgement is made outside.
"""

import asyncio
from contextlib import aclosing, asynccontextmanager, suppress
import json
from pathlib import Path
import platform
import shutil
import sys
import time
import traceback

from bleak import BleakClient, BleakScanner

from restbeat.sensors.bluetooth.reconnect import LOST_HINT
from restbeat.sensors.bluetooth.scanner import StrapSource
from restbeat.sensors.clock import RunningClock
from restbeat.sensors.protocols.heart_rate import parse
from restbeat.sensors.recordings.recording import HEART_RATE, Packet
from restbeat.sensors.source import ConnectionChange, ConnectionState

BLUETOOTHD = "/usr/libexec/bluetooth/bluetoothd"
HEART_RATE_UUID = "00002a37-0000-1000-8000-00805f9b34fb"
PACKETS = 20
PATIENCE_S = 40.0
DEAF_S = 10.0


def tell(part, **figures):
    """Give a figure to whoever runs the machine."""
    sys.stdout.write(json.dumps({"part": part, **figures}) + "\n")
    sys.stdout.flush()


class Daemon:
    """A program of the system that can be killed and started anew."""

    def __init__(self, *command):
        self.command = command

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(*self.command, stdout=sys.stderr, stderr=sys.stderr)

    async def kill(self):
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()


class BlueZ(Daemon):
    """The real bluetoothd."""

    def __init__(self):
        super().__init__(BLUETOOTHD, "--nodetach")

    async def start(self):
        """Until the adapter is powered."""
        await super().start()
        async with asyncio.timeout(PATIENCE_S):
            while "Powered: yes" not in await output("bluetoothctl", "show"):  # noqa: ASYNC110 another program tells no event
                await asyncio.sleep(0.2)


class Air(Daemon):
    """The strap's own process."""

    def __init__(self):
        super().__init__(sys.executable, str(Path(__file__).with_name("air.py")))

    async def start(self):
        """Until the strap is on the air."""
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(*self.command, stdin=pipe, stdout=pipe, stderr=sys.stderr)
        self.address = (await self.answer())["address"]

    async def answer(self):
        async with asyncio.timeout(PATIENCE_S):
            return json.loads(await self.process.stdout.readline())

    async def order(self, word):
        """`sent`, `still` or `lose`; gives the numbers of all notifications sent so far."""
        self.process.stdin.write(f"{word}\n".encode())
        return await self.answer()


class Heard:
    """What came from the strap, and when."""

    def __init__(self):
        self.numbers, self.changes = [], []
        self.news = asyncio.Event()

    def packet(self, payload):
        self.numbers.append(parse(bytes(payload)).energy_kj)
        self.news.set()

    def change(self, state, hint):
        self.changes.append((time.monotonic(), state, hint))
        self.news.set()

    async def until(self, happened):
        """Wait for it; gives the seconds that it took."""
        start = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not happened():
                    self.news.clear()
                    await self.news.wait()
        except TimeoutError:
            for t, state, hint in self.changes:
                sys.stderr.write(f"{t - start:8.2f} s: {state.value}, {hint}\n")
            raise
        return round(time.monotonic() - start, 2)

    async def until_more(self, count):
        wanted = len(self.numbers) + count
        return await self.until(lambda: len(self.numbers) >= wanted)

    async def until_number(self, number):
        """Wait for this one, or a later one where it was lost."""
        await self.until(lambda: any(heard >= number for heard in self.numbers))

    async def all_of(self, air):
        """Wait until all that was sent so far has come, and a doubled one would have come too; gives what was sent."""
        sent = await air.order("still")
        await self.until_number(sent[-1])
        await asyncio.sleep(0.15)
        return sent

    async def until_state(self, state):
        """The next time that the connection goes over into it; gives the seconds and the hint."""
        known = len(self.changes)
        took_s = await self.until(lambda: any(s is state for _, s, _ in self.changes[known:]))
        return took_s, next(hint for _, s, hint in self.changes[known:] if s is state)


@asynccontextmanager
async def listening(source):
    """A `StrapSource` at work; gives what it heard."""
    heard = Heard()

    async def take():
        async with aclosing(source.items(RunningClock())) as items:
            async for item in items:
                if isinstance(item, Packet) and item.char == HEART_RATE:
                    heard.packet(item.payload)
                elif isinstance(item, ConnectionChange):
                    heard.change(item.state, item.hint)

    taking = asyncio.create_task(take())
    try:
        yield heard
    finally:
        taking.cancel()
        await asyncio.gather(taking, return_exceptions=True)


async def strap_source(how, air, bluez, *, acquire_notify):
    """Connect, listen, lose the connection, listen again; then bluetoothd dies and comes back."""
    before = await air.order("sent")
    async with listening(StrapSource(air.address, acquire_notify=acquire_notify)) as heard:
        connect_s = await heard.until_more(1)
        await heard.until_more(PACKETS - 1)
        sent = await air.order("lose")
        count = len(heard.numbers)
        tell(how, step="connected", connect_s=connect_s, **compared(new(before, sent), heard.numbers))

        back_s = await heard.until_more(1)
        await heard.until_more(PACKETS - 1)
        known = await heard.all_of(air)
        tell(how, step="link lost", back_s=back_s, **compared(new(sent, known), heard.numbers[count:]))

        await bluez.kill()
        count = len(heard.numbers)
        silent_s, _ = await heard.until_state(ConnectionState.SILENT)
        more_s, hint = await heard.until_state(ConnectionState.LOST)
        tell(how, step="bluetoothd killed", silent_s=silent_s, lost_s=round(silent_s + more_s, 2), told=hint == LOST_HINT)

        sent = await air.order("sent")
        await bluez.start()
        back_s = await heard.until_more(1)
        await heard.until_more(PACKETS - 1)
        known = await heard.all_of(air)
        tell(how, step="bluetoothd back", back_s=back_s, **compared(new(sent, known), heard.numbers[count:]))


async def wrong_way(how, air, bluez, *, acquire_notify):
    """What `StrapSource` is spared: a new client without `disconnect()` of the lost one; then bluetoothd dies."""
    heard, clients = Heard(), []
    try:
        for turn in range(2):
            gone = asyncio.Event()
            device = await BleakScanner.find_device_by_address(air.address, PATIENCE_S)
            clients.append(BleakClient(device, lambda _, gone=gone: gone.set(), timeout=PATIENCE_S))
            await clients[-1].connect()
            before, count = await air.order("sent"), len(heard.numbers)
            await clients[-1].start_notify(
                HEART_RATE_UUID, lambda _, payload: heard.packet(payload), bluez={"use_start_notify": not acquire_notify}
            )
            await heard.until_number(len(before) + PACKETS - 1)
            if turn == 0:
                await air.order("lose")
                await asyncio.wait_for(gone.wait(), PATIENCE_S)
        sent = await heard.all_of(air)
        tell(how, step="no disconnect", **compared(new(before, sent), heard.numbers[count:]))
        await bluez.kill()
        with suppress(TimeoutError):
            await asyncio.wait_for(gone.wait(), DEAF_S)
        tell(how, step="asked", told=gone.is_set(), is_connected=clients[-1].is_connected)
    finally:
        for client in clients:
            with suppress(Exception):
                await asyncio.wait_for(client.disconnect(), 5.0)


def new(before, now):
    return now[len(before) :]


def compared(sent, heard):
    heard = [number for number in heard if number <= sent[-1]]
    return {
        "sent": len(sent),
        "received": len(heard),
        "doubled": len(heard) - len(set(heard)),
        "missing": len(set(sent) - set(heard)),
        "in_order": list(dict.fromkeys(heard)) == sorted(set(heard)),
    }


async def output(*command):
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL)
    return (await process.communicate())[0].decode(errors="replace")


def uptime_s():
    return float(Path("/proc/uptime").read_text().split()[0])


@asynccontextmanager
async def bench():
    """A new adapter with a strap near it, and a bluetoothd that knows neither."""
    air, bluez = Air(), BlueZ()
    await air.start()
    try:
        start = time.monotonic()
        await bluez.start()
        version = (await output("bluetoothctl", "--version")).split()[-1]
        tell("machine", step="bluetoothd", up_s=round(time.monotonic() - start, 2), version=version)
        yield air, bluez
    finally:
        await bluez.kill()
        await air.kill()


async def main():
    tell("machine", step="booted", boot_s=uptime_s(), kernel=platform.release())
    await output("mkdir", "-p", "/run/dbus")
    await output("dbus-uuidgen", "--ensure")
    await Daemon(shutil.which("dbus-daemon"), "--system", "--nofork", "--nopidfile").start()
    for acquire_notify in (False, True):
        how = "AcquireNotify" if acquire_notify else "StartNotify"
        for scene in (strap_source, wrong_way):
            async with bench() as (air, bluez):
                try:
                    await scene(how, air, bluez, acquire_notify=acquire_notify)
                except Exception as error:  # noqa: BLE001 whatever it is, it is the finding, and the next scene goes on
                    traceback.print_exc()
                    tell(how, step=f"{scene.__name__} failed", error=f"{type(error).__name__}: {error}")
    tell("machine", step="done", uptime_s=uptime_s())


if __name__ == "__main__":
    asyncio.run(main())
