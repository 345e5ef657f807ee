"""The running scan of an adapter: behind the door that is `ble`."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
import logging
from weakref import WeakKeyDictionary

from bleak import BleakScanner
from bleak.args.bluez import BlueZScannerArgs
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
import msgspec

from .error_messages import scan_error_text

_LOG = logging.getLogger(__name__)
_ROUND_S, _REST_S, _RETRY_S = 6.0, 4.0, 2.0
START_S = 5.0
"""Wall time in which a scan starts or stops."""

Listener = Callable[[BLEDevice, AdvertisementData], None]


class RadioState(msgspec.Struct, frozen=True):
    """Whether there is a Bluetooth adapter to listen with, and if not, why and what to do."""

    ready: bool
    text: str


_READY = RadioState(ready=True, text="Bluetooth ready.")


class Discovery:
    """The running scan of an adapter, however many listen: BlueZ allows a program a single one."""

    def __init__(self, adapter: str | None) -> None:
        self.state = RadioState(ready=False, text="Looking for a Bluetooth adapter.")
        self.settled = asyncio.Event()
        """Whether there is a radio has become known."""
        self.troubled = asyncio.Event()
        """There is none."""
        self._bluez: BlueZScannerArgs = {"adapter": adapter} if adapter else {}
        self._listeners: dict[Listener, bool] = {}
        self._scanning: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._between = asyncio.Event()

    @asynccontextmanager
    async def listened_to(self, listener: Listener, *, at_leisure: bool = False) -> AsyncGenerator[None]:
        """Have the listener told of every advertisement; a scan at leisure rests between its rounds."""
        self._listeners[listener] = at_leisure
        # a new round: BlueZ would report a strap that it has reported to this scan only much later
        self._wake.set()
        if self._scanning is None:
            self.settled.clear()
            self.troubled.clear()
            self._scanning = asyncio.create_task(self._scan(), name="Bluetooth scan")
        try:
            yield
        finally:
            del self._listeners[listener]
            if not self._listeners:
                # never cancelled: a scan that was cut off while it starts would go on in BlueZ for ever
                self._between.clear()
                self._wake.set()
                await self._between.wait()

    async def _scan(self) -> None:
        try:
            while self._listeners:
                self._between.set()
                self._wake.clear()
                try:
                    await self._round()
                except Exception as error:  # noqa: BLE001 Bleak passes on what D-Bus and the system raise
                    _LOG.debug("no scan", exc_info=True)
                    self._now(RadioState(ready=False, text=scan_error_text(error)))
                    await self._pause(_RETRY_S)
                else:
                    if all(self._listeners.values()):
                        await self._pause(_REST_S)
        finally:
            self._scanning = None
            self._between.set()

    async def _round(self) -> None:
        scanner = BleakScanner(self._heard, bluez=self._bluez)
        async with asyncio.timeout(START_S):
            await scanner.start()
        try:
            self._now(_READY)
            await self._pause(_ROUND_S)
        finally:
            async with asyncio.timeout(START_S):
                await scanner.stop()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    def _heard(self, device: BLEDevice, data: AdvertisementData) -> None:
        for listener in list(self._listeners):
            listener(device, data)

    def _now(self, state: RadioState) -> None:
        self.state = state
        self.settled.set()
        if state.ready:
            self.troubled.clear()
        else:
            self.troubled.set()


_discoveries: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str | None, Discovery]] = WeakKeyDictionary()
"""One an adapter and event loop, as the radio itself is one."""


def discovery_of(adapter: str | None) -> Discovery:
    """Give the scan of an adapter, or of the one that the system prefers."""
    return _discoveries.setdefault(asyncio.get_running_loop(), {}).setdefault(adapter, Discovery(adapter))
