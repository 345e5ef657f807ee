"""The demo: three rooms on virtual straps, which are found and read through Bleak like real ones."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ..sensors.bluetooth.scanner import StrapSource, on_bus
from ..sensors.clock import Clock, RunningClock
from ..sensors.dbus.temporary_folder import temporary_folder
from ..sensors.errors import VirtualBusError
from ..sensors.recordings.recording import Recording, read
from ..sensors.source import ReplaySource, ScriptedSource, Source
from ..sensors.virtual.start_on_packet_clock import StartableClock
from ..sensors.virtual.straps_on_air import OnAir, virtual_straps
from ..sensors.virtual.virtual_strap import VirtualStrap
from ..service.commands.options import FIXTURES
from ..service.commands.replay import inject_faults
from ..service.practice import open_practice
from ..service.radio.radio import AdapterState, StrapSeen
from ..service.storage.encryption import key_file_of
from ..service.terminal.console import PlainConsole
from ..service.terminal.signals import print_line, stop_signal
from ..service.worker.freed_memory import limit_freed_memory
from .server import demand_loopback, is_loopback, print_login_hint, serving

RECORDINGS = (
    "polar-h10_simulated_clear.jsonl.gz",
    "polar-h10_simulated_noisy.jsonl.gz",
    "polar-h10_simulated_sleepy.jsonl.gz",
)


@dataclass(frozen=True, slots=True)
class _DemoClient:
    """The client of one room of the demo, with their strap."""

    recording: Recording
    address: str
    name: str
    source: Source
    clock: Clock
    arrival_speed: float
    """Speed of the arrival times; 1 where the recording's own times are played, at any clock speed."""


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
    """Run the demo until Ctrl-C; with `bench_folders`, a test bench that plays their recordings too.

    `data`: folder of the sessions; None for a temporary one. `speed`: of the session clock. `faults`: added to the recordings,
    drawn with `seed`. `login`: None asks for a login only where other computers can connect.

    Raises `ServeError` where the port cannot be had, or where `login` is False and others could connect, and `StorageError`
    where the data folder cannot be opened.
    """
    login = not is_loopback(host) if login is None else login
    demand_loopback(host, login=login)
    limit_freed_memory()
    stop = stop_signal()
    print_line("Setting up three rooms on virtual straps ...")
    recordings = inject_faults(PlainConsole(stderr=True), [read(FIXTURES / name) for name in RECORDINGS], faults, seed)
    async with AsyncExitStack() as stack:
        folder = await stack.enter_async_context(nullcontext(data) if data else temporary_folder("restbeat-demo-"))
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
        address = await stack.enter_async_context(serving(practice, host, port))
        print_line(f"{radio.text}\nrestbeat demo at {address}   clock x{speed:g}   Ctrl-C ends it")
        if practice.accounts:
            print_login_hint(practice.accounts, address)
        if practice.test_bench:
            print_line(f"test bench at {address}/bench")
        await stop.wait()
        print_line("Ending the demo.")


@asynccontextmanager
async def _on_air(recordings: Sequence[Recording], speed: float) -> AsyncGenerator[tuple[list[_DemoClient], _VirtualRadio]]:
    """Yield the demo's clients and radio: virtual straps behind Bleak where a D-Bus can run, elsewhere replayed recordings."""
    clocks: dict[str, StartableClock] = {}

    def start_clock(strap: VirtualStrap) -> Clock:
        clock = clocks.setdefault(strap.address, StartableClock(speed))
        clock.start()
        return clock

    async with AsyncExitStack() as stack:
        try:
            air = await stack.enter_async_context(virtual_straps(recordings, clock_for=start_clock, loop=True))
        except VirtualBusError as error:
            yield _replayed_clients(recordings, speed, error)
            return
        await stack.enter_async_context(on_bus(air.bus_address))
        yield _clients_on_air(air, clocks, speed)


def _clients_on_air(air: OnAir, clocks: dict[str, StartableClock], speed: float) -> tuple[list[_DemoClient], _VirtualRadio]:
    radio = _VirtualRadio("Virtual Bluetooth ready: three straps, read through Bleak on a private D-Bus.")
    clients: list[_DemoClient] = []
    for player in air.players:
        strap, clock = player.strap, StartableClock(speed)
        clocks[strap.address] = clock
        source = ScriptedSource(StrapSource(strap.address), player.recording)
        clients.append(_DemoClient(player.recording, strap.address, strap.name, source, clock, speed))
        radio.seen.append(StrapSeen(strap.address, strap.name, strap.rssi_dbm, None))
    return clients, radio


def _replayed_clients(
    recordings: Sequence[Recording], speed: float, error: VirtualBusError
) -> tuple[list[_DemoClient], _VirtualRadio]:
    text = f"{error} The recordings are replayed without Bluetooth instead."
    clients = [
        _DemoClient(
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
