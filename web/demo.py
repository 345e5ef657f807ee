"""The demo: three rooms on virtual straps, found and read through Bleak like real ones."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from rich.console import Console

from ..sensors.bluetooth.scanner import StrapSource, on_bus
from ..sensors.clock import Clock, RunningClock
from ..sensors.dbus.temporary_folder import passing_folder
from ..sensors.errors import VirtualBusError
from ..sensors.recordings.recording import Recording, read
from ..sensors.source import ReplaySource, ScriptedSource, Source
from ..sensors.virtual.start_on_packet_clock import HeldClock
from ..sensors.virtual.straps_on_air import OnAir, virtual_straps
from ..sensors.virtual.virtual_strap import VirtualStrap
from ..service.commands.options import FIXTURES
from ..service.commands.replay import inject_faults
from ..service.practice import open_practice
from ..service.rooms.radio import AdapterState, StrapSeen
from ..service.storage.encryption import key_file_of
from ..service.terminal.signals import print_line, stop_signal
from .server import demand_loopback, is_loopback, print_login_hint, served

RECORDINGS = (
    "polar-h10_simulated_clear.jsonl.gz",
    "polar-h10_simulated_noisy.jsonl.gz",
    "polar-h10_simulated_sleepy.jsonl.gz",
)


@dataclass(frozen=True, slots=True)
class _Client:
    """One room of the demo."""

    recording: Recording
    address: str
    name: str
    source: Source
    clock: Clock
    arrival_speed: float
    """1 where the recording's own times are played, whatever the speed."""


@dataclass(slots=True)
class _VirtualRadio:
    text: str
    seen: list[StrapSeen] = field(default_factory=list)

    def adapter(self) -> AdapterState:
        return AdapterState(ready=True, text=self.text)

    def straps(self) -> Sequence[StrapSeen]:
        return self.seen


async def run_demo(
    *,
    host: str,
    port: int,
    data: Path | None,
    speed: float,
    faults: Sequence[str] = (),
    seed: int = 1,
    bench_folders: Sequence[Path] | None = None,
    login: bool | None = None,
    key_file: Path | None = None,
) -> None:
    """Run the demo until Ctrl-C; with folders, a test bench on their recordings too.

    `login`: by default one is asked for only where other computers can come in.
    """
    login = not is_loopback(host) if login is None else login
    demand_loopback(host, login=login)
    stop = stop_signal()
    print_line("Setting up three rooms on virtual straps ...")
    recordings = inject_faults(
        Console(stderr=True, highlight=False), [read(FIXTURES / name) for name in RECORDINGS], faults, seed
    )
    async with AsyncExitStack() as stack:
        folder = await stack.enter_async_context(nullcontext(data) if data else passing_folder("restbeat-demo-"))
        key = key_file_of(key_file, data) if key_file or data else folder / "identity.key"
        clients, radio = await stack.enter_async_context(_on_air(recordings, speed))
        practice = await stack.enter_async_context(
            open_practice(
                folder,
                key,
                radio,
                StrapSource,
                new_clock=lambda: RunningClock(speed),
                login=login,
                bench_folders=bench_folders,
            )
        )
        for number, client in enumerate(clients, 1):
            device = msgspec.structs.replace(client.recording.header.device, address=client.address, name=client.name)
            header = msgspec.structs.replace(
                client.recording.header, device=device, client=f"demo-{number}", arrival_speed=client.arrival_speed
            )
            await practice.rooms.start(client.address, client.source, client.clock, header)
        address = await stack.enter_async_context(served(practice, host, port))
        print_line(f"{radio.text}\nrestbeat demo at {address}   clock x{speed:g}   Ctrl-C ends it")
        if practice.accounts:
            print_login_hint(practice.accounts, address)
        if practice.test_bench:
            print_line(f"test bench at {address}/bench")
        await stop.wait()
        print_line("Ending the demo.")


@asynccontextmanager
async def _on_air(recordings: Sequence[Recording], speed: float) -> AsyncGenerator[tuple[list[_Client], _VirtualRadio]]:
    """Virtual straps behind Bleak where there can be a D-Bus; elsewhere the same recordings from the replay source."""
    clocks: dict[str, HeldClock] = {}

    def begin(strap: VirtualStrap) -> Clock:
        clock = clocks.setdefault(strap.address, HeldClock(speed))
        clock.start()
        return clock

    async with AsyncExitStack() as stack:
        try:
            air = await stack.enter_async_context(virtual_straps(recordings, clock_for=begin, loop=True))
        except VirtualBusError as error:
            yield _replayed(recordings, speed, error)
            return
        await stack.enter_async_context(on_bus(air.bus_address))
        yield _heard(air, clocks, speed)


def _heard(air: OnAir, clocks: dict[str, HeldClock], speed: float) -> tuple[list[_Client], _VirtualRadio]:
    radio = _VirtualRadio("Virtual Bluetooth ready: three straps, read through Bleak on a private D-Bus.")
    clients: list[_Client] = []
    for player in air.players:
        strap, clock = player.strap, HeldClock(speed)
        clocks[strap.address] = clock
        source = ScriptedSource(StrapSource(strap.address), player.recording)
        clients.append(_Client(player.recording, strap.address, strap.name, source, clock, speed))
        radio.seen.append(StrapSeen(strap.address, strap.name, strap.rssi_dbm, None))
    return clients, radio


def _replayed(recordings: Sequence[Recording], speed: float, why: VirtualBusError) -> tuple[list[_Client], _VirtualRadio]:
    text = f"{why} The recordings are replayed without Bluetooth instead."
    clients = [
        _Client(
            recording,
            f"replay-{n}",
            recording.header.device.name or f"Recording {n}",
            ReplaySource(recording),
            RunningClock(speed),
            1.0,
        )
        for n, recording in enumerate(recordings, 1)
    ]
    return clients, _VirtualRadio(text)
