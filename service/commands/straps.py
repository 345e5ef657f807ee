"""Commands on real straps: scan and record."""

import asyncio
from collections.abc import Sequence
from contextlib import ExitStack, aclosing
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from ...analysis.live.live_session import LiveSession
from ...sensors.bluetooth.scanner import Advert, StrapSource, adapter_state, inspect, scan
from ...sensors.clock import Clock, RunningClock
from ...sensors.errors import NoAdapterError, SensorError
from ...sensors.protocols.known_devices import known_device
from ...sensors.recordings.recording import Header, Packet, RecordingWriter, read
from ...sensors.source import ConnectionChange, Described, Source
from ...sensors.task_cancellation import cancel_and_wait
from ...sensors.virtual.straps_on_air import OnAir, virtual_straps
from ..errors import OutputError
from ..terminal.console import PlainConsole
from ..terminal.signals import print_line, stop_signal
from .replay import inject_faults, warn

_GIVE_UP_S = 30.0
_LINE_EVERY_S = 10.0
_SAYS_NOTHING = "does not say that it measures heart rate; record it by its address to try"


async def scan_straps(seconds: float, adapter: str | None, *, every: bool = False) -> None:
    """Print the straps in range with battery and whether they send RR; `every`: and whatever else advertises.

    Raises `NoAdapterError` where no scan can start.
    """
    err = PlainConsole(stderr=True)
    err.print(f"Listening for {seconds:g} s ...")
    found = await scan(seconds, adapter=adapter, straps_only=not every)
    if not any(advert.is_strap for advert in found):
        err.print("No heart-rate strap was heard. Put one on, moisten it, come closer, and close other apps that may hold it.")
        if not every:
            err.print("A strap may not say what it is: restbeat scan --all lists every device that is heard.")
    if not found:
        return
    table = Table()
    for heading in ("Name", "Address", "Signal", "Battery", "RR"):
        table.add_column(heading, no_wrap=heading != "Name", justify="right" if heading in {"Signal", "Battery"} else "left")
    for advert in found:
        if not advert.is_strap:
            table.add_row(advert.name or "–", advert.address, _signal(advert), "–", _SAYS_NOTHING)
            continue
        err.print(f"  asking {advert.name or advert.address} ...")
        table.add_row(*await _row(advert, adapter))
    PlainConsole().print(table)


def _signal(advert: Advert) -> str:
    return "–" if advert.rssi_dbm is None else f"{advert.rssi_dbm} dBm"


async def _row(advert: Advert, adapter: str | None) -> tuple[str, str, str, str, str]:
    signal = _signal(advert)
    try:
        strap = await inspect(advert.address, adapter=adapter)
    except SensorError as error:
        return advert.name or "–", advert.address, signal, "–", f"could not be asked: {error}"
    battery = "–" if strap.device.battery_pct is None else f"{strap.device.battery_pct} %"
    row = known_device(strap.device)
    if row is not None and not row.believes_rr:
        rr = f"{row.rr.value}: heart rate only"
    else:
        rr = {True: "yes", False: "no: heart rate only", None: "nothing sent yet: is it worn?"}[strap.has_rr]
    return advert.name or strap.device.name or "–", advert.address, signal, battery, rr


async def record_strap(out: Path, address: str, adapter: str | None, minutes: float | None) -> None:
    """Record a strap until Ctrl-C, or for `minutes` from its first packet.

    Raises `OutputError` where the file exists or cannot be written, or no packet arrived, `NoAdapterError` where Bluetooth is not
    ready, and the source's `SensorError` where the strap is not found.
    """
    err = PlainConsole(stderr=True)
    stop = stop_signal()
    _require_writable(out)
    radio = await adapter_state(adapter)
    if not radio.ready:
        raise NoAdapterError(radio.text)
    recorder = _Recorder(out, RunningClock(), err)
    source = StrapSource(address, adapter=adapter, give_up_after_s=_GIVE_UP_S)
    tasks = [asyncio.create_task(recorder.run(source), name="record"), asyncio.create_task(stop.wait(), name="stop")]
    if minutes is not None:
        tasks.append(asyncio.create_task(recorder.last_for(60 * minutes), name="time limit"))
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await cancel_and_wait(*tasks)
    if not tasks[0].cancelled():
        tasks[0].result()
    if not recorder.started.is_set():
        raise OutputError("Nothing was recorded: the strap sent no packet. No file was written.")
    recorder.live.finish(recorder.clock.now())
    beats = recorder.live.stream.clock
    err.print(f"Wrote {out}: {beats.packets} packets, {beats.beats} beats, {beats.gaps} gaps, {beats.lost_s:.0f} s lost.")


def _require_writable(out: Path) -> None:
    if out.exists():
        raise OutputError(f"{out} exists already and is kept. Choose another name.")
    if not out.parent.is_dir():
        raise OutputError(f"There is no folder {out.parent}. Make it, or choose another place.")


class _Recorder:
    """Writer of items as they arrive, which also shows the heart rate; the file is created at the first packet."""

    def __init__(self, out: Path, clock: Clock, err: Console) -> None:
        self.clock = clock
        self.live = LiveSession()
        self.started = asyncio.Event()
        self._out = out
        self._err = err
        self._header = Header(source="restbeat record")
        self._shown_s = 0.0

    async def run(self, source: Source) -> None:
        """Write items until the source ends. Raises `OutputError` where the file cannot be written."""
        try:
            with ExitStack() as stack:
                writer: RecordingWriter | None = None
                async with aclosing(source.items(self.clock)) as items:
                    async for item in items:
                        if isinstance(item, Described):
                            self._header = msgspec.structs.replace(self._header, device=item.device)
                        elif isinstance(item, ConnectionChange):
                            self._err.print(f"{item.state.value}{f': {item.hint}' if item.hint else ''}", soft_wrap=True)
                        elif writer or isinstance(item, Packet):
                            writer = writer or RecordingWriter(
                                stack.enter_context(self._out.open("w", encoding="utf-8")), self._header
                            )
                            writer.write(item)
                            self.live.push(item)
                            self.started.set()
                            self._show_progress()
        except OSError as error:
            raise OutputError(f"{self._out} could not be written: {error.strerror}. What was written before is kept.") from error

    async def last_for(self, seconds: float) -> None:
        """Wait until `seconds` after the first packet."""
        await self.started.wait()
        await asyncio.sleep(seconds)

    def _show_progress(self) -> None:
        figures = self.live.figures(self.clock.now())
        text = f"{self.clock.now():5.0f} s  {figures.hr_bpm or '–':>4} bpm  {self.live.stream.clock.beats} beats"
        if self._err.is_terminal:
            self._err.print(text, end="\r")
        elif self.clock.now() - self._shown_s >= _LINE_EVERY_S:
            self._shown_s = self.clock.now()
            self._err.print(text)


async def run_virtual_sensor(
    files: Sequence[Path], bus_address: str | None, speed: float, faults: Sequence[str], seed: int
) -> None:
    """Play recordings as virtual straps until Ctrl-C; each starts when a program subscribes to its strap."""
    stop, err = stop_signal(), PlainConsole(stderr=True)
    recordings = [read(path) for path in files]
    for recording in recordings:
        warn(err, recording.warnings)
    recordings = inject_faults(err, recordings, faults, seed)
    async with virtual_straps(recordings, bus_address=bus_address, clock_for=lambda _: RunningClock(speed)) as air:
        print_line(f"On the air at DBUS_SYSTEM_BUS_ADDRESS={air.bus_address}")
        for path, player in zip(files, air.players, strict=True):
            print_line(f"  {player.strap.address}  {player.strap.name}  plays {path.name}")
        print_line("Each starts when a program subscribes to its heart rate. Ctrl-C ends it.")
        progress = asyncio.create_task(_show_progress(air), name="progress")
        try:
            await stop.wait()
        finally:
            progress.cancel()


async def _show_progress(air: OnAir) -> None:
    async def one(number: int) -> None:
        player = air.players[number]
        await player.started.wait()
        print_line(f"{player.strap.name}: playing")
        await player.finished.wait()
        print_line(
            f"{player.strap.name}: played to its end, {player.sent} packets heard, {player.unheard} sent while nobody listened"
        )

    await asyncio.gather(*(one(number) for number in range(len(air.players))))
