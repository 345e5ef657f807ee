"""The command that puts recordings on the air as virtual straps."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from ..sensors.clock import RunningClock
from ..sensors.recordings.recording import read
from ..sensors.virtual.straps_on_air import OnAir, virtual_straps
from ..web.server import print_line, stop_signal
from .commands.replay import put_in, warn


async def run_virtual_sensor(
    files: Sequence[Path], bus_address: str | None, speed: float, faults: Sequence[str], seed: int
) -> None:
    """Keep recordings on the air until Ctrl-C; each starts when a program subscribes to its strap."""
    stop, err = stop_signal(), Console(stderr=True, highlight=False)
    recordings = [read(path) for path in files]
    for recording in recordings:
        warn(err, recording.warnings)
    recordings = put_in(err, recordings, faults, seed)
    async with virtual_straps(recordings, bus_address=bus_address, clock_for=lambda _: RunningClock(speed)) as air:
        print_line(f"On the air at DBUS_SYSTEM_BUS_ADDRESS={air.bus_address}")
        for path, player in zip(files, air.players, strict=True):
            print_line(f"  {player.strap.address}  {player.strap.name}  plays {path.name}")
        print_line("Each starts when a program subscribes to its heart rate. Ctrl-C ends it.")
        telling = asyncio.create_task(_tell(air), name="progress")
        try:
            await stop.wait()
        finally:
            telling.cancel()


async def _tell(air: OnAir) -> None:
    async def one(number: int) -> None:
        player = air.players[number]
        await player.started.wait()
        print_line(f"{player.strap.name}: playing")
        await player.finished.wait()
        print_line(
            f"{player.strap.name}: played to its end, {player.sent} packets heard, {player.unheard} sent while nobody listened"
        )

    await asyncio.gather(*(one(number) for number in range(len(air.players))))
