"""Virtual straps on the air: recordings, each played on a strap of its own, behind Bleak's real Linux backend."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
import sys
from typing import TYPE_CHECKING

from ..clock import Clock, RunningClock
from ..dbus.private_bus import private_bus
from ..errors import VirtualBusError
from ..recordings.recording import Recording
from ..task_cancellation import cancel_and_wait
from .virtual_strap import VirtualStrap, virtual_straps_of

if sys.platform == "linux" or TYPE_CHECKING:
    from .bluez import VirtualBlueZ
    from .bluez_methods import answer
    from .playback import Player


@dataclass(frozen=True, slots=True)
class OnAir:
    """The virtual straps on the air.

    `bus_address` is for `on_bus`, or for DBUS_SYSTEM_BUS_ADDRESS of another program.
    """

    bus_address: str
    bluez: "VirtualBlueZ"
    players: "tuple[Player, ...]"
    """One for each recording, in order; `player.strap` has the address, `.started` and `.finished` can be awaited."""


@asynccontextmanager
async def virtual_straps(
    recordings: Sequence[Recording],
    *,
    bus_address: str | None = None,
    clock_for: Callable[[VirtualStrap], Clock] = lambda _: RunningClock(),
    adapter: str = "hci0",
    loop: bool = False,
) -> AsyncGenerator[OnAir]:
    """Put recordings on the air within the block, each on a strap of its own.

    A recording starts when a client subscribes to its strap: `clock_for` is called then, and the time of the clock that it
    returns is the recording's time; with a clock that is running already, playback joins the recording midway. Without
    `bus_address` a private bus is started.

    Raises `VirtualBusError` where this is not Linux, dbus-daemon is missing or fails, or the bus refuses the straps.
    """
    if sys.platform != "linux":
        raise VirtualBusError("Virtual straps need Linux: only there does Bleak speak to BlueZ over D-Bus.")
    async with AsyncExitStack() as stack:
        if bus_address is None:
            bus_address = await stack.enter_async_context(private_bus())
        bluez = await stack.enter_async_context(VirtualBlueZ(bus_address, answer))
        bluez.add_adapter(adapter)
        straps = virtual_straps_of(recordings, adapter=adapter)
        players = tuple(
            Player(recording, strap, bluez, clock_for, loop) for recording, strap in zip(recordings, straps, strict=True)
        )
        for strap in straps:
            bluez.add(strap)
        playing = [asyncio.create_task(player.run(), name=f"player of {player.strap.name}") for player in players]
        try:
            yield OnAir(bus_address, bluez, players)
        finally:
            await cancel_and_wait(*playing)
