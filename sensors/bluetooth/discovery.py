"""The running scan of an adapter, shared by all its listeners; used through `scanner`."""

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
"""Wall time within which a scan has to start or stop, in s."""

Listener = Callable[[BLEDevice, AdvertisementData], None]


class RadioState(msgspec.Struct, frozen=True):
    """Whether a Bluetooth adapter can be used; `text` is a sentence that says so, or why not and what to do."""

    ready: bool
    text: str


_READY = RadioState(ready=True, text="Bluetooth ready.")


class Discovery:
    """The scan of an adapter for any number of listeners: BlueZ allows each program only one."""

    def __init__(self, adapter: str | None) -> None:
        self.state = RadioState(ready=False, text="Looking for a Bluetooth adapter.")
        self.state_known = asyncio.Event()
        """Set once it is known whether there is a usable adapter."""
        self.unavailable = asyncio.Event()
        """Set while there is no usable adapter."""
        self._bluez: BlueZScannerArgs = {"adapter": adapter} if adapter else {}
        self._listeners: dict[Listener, bool] = {}
        self._scanning: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._at_round_start = asyncio.Event()

    @asynccontextmanager
    async def listening(self, listener: Listener, *, with_rests: bool = False) -> AsyncGenerator[None]:
        """Call `listener` with every advertisement within the block, scanning as long as there is a listener.

        Where every listener allows it `with_rests`, the scan pauses 4 s after each round of 6 s.
        """
        self._listeners[listener] = with_rests
        # a new round, because BlueZ is slow to report a strap again that it has reported in this one
        self._wake.set()
        if self._scanning is None:
            self.state_known.clear()
            self.unavailable.clear()
            self._scanning = asyncio.create_task(self._scan(), name="Bluetooth scan")
        try:
            yield
        finally:
            del self._listeners[listener]
            if not self._listeners:
                # not cancelled: a scan that is interrupted while it starts would go on in BlueZ for ever
                self._at_round_start.clear()
                self._wake.set()
                await self._at_round_start.wait()

    async def _scan(self) -> None:
        try:
            while self._listeners:
                self._at_round_start.set()
                self._wake.clear()
                try:
                    await self._scan_round()
                except Exception as error:  # noqa: BLE001 Bleak passes on any error of D-Bus and the system
                    _LOG.debug("the scan failed", exc_info=True)
                    self._set_state(RadioState(ready=False, text=scan_error_text(error)))
                    await self._pause(_RETRY_S)
                else:
                    if all(self._listeners.values()):
                        await self._pause(_REST_S)
        finally:
            self._scanning = None
            self._at_round_start.set()

    async def _scan_round(self) -> None:
        scanner = BleakScanner(self._heard, bluez=self._bluez)
        async with asyncio.timeout(START_S):
            await scanner.start()
        try:
            self._set_state(_READY)
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

    def _set_state(self, state: RadioState) -> None:
        self.state = state
        self.state_known.set()
        if state.ready:
            self.unavailable.clear()
        else:
            self.unavailable.set()


_discoveries: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str | None, Discovery]] = WeakKeyDictionary()
"""One for each event loop and adapter, because an adapter scans only once."""


def discovery_of(adapter: str | None) -> Discovery:
    """Return the scan of an adapter; None means the system's default adapter."""
    return _discoveries.setdefault(asyncio.get_running_loop(), {}).setdefault(adapter, Discovery(adapter))
