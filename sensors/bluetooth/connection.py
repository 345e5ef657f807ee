"""Finding and connecting a strap with Bleak: behind the door that is `ble`."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, suppress
import logging
from typing import Any

from bleak import BleakAdapter, BleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakError

from ..errors import ConnectError, NoAdapterError, StrapNotFoundError
from ..model import Device
from ..protocols.heart_rate import HEART_RATE_SERVICE
from ..protocols.known_devices import busy_hint
from ..recordings.recording import BATTERY, HEART_RATE, PMD_DATA
from ..task_cancellation import cancel_and_wait
from .discovery import START_S, discovery_of
from .error_messages import connect_error_text
from .gatt import SERVICE_OF, device_of, full_uuid, short_uuid
from .polar_streams import PolarStreams
from .reconnect import OnPacket

_LOG = logging.getLogger(__name__)
_CONNECT_S, _READ_S, _DISCONNECT_S = 15.0, 3.0, 5.0
_CUT_OFF_S = 1.0
HEART_RATE_UUID = full_uuid(f"{HEART_RATE_SERVICE:04x}")

NOT_HEARD = (
    "The strap is not heard: out of range, dry, or held by another app or watch? Moisten the electrodes, check that it is worn "
    "and near, and close other apps."
)


class BleakStrap:
    """A real strap, or one that Bleak takes for real."""

    def __init__(self, address: str, adapter: str | None, *, acquire_notify: bool = False, pmd: bool = False) -> None:
        """`pmd` asks a Polar for its ECG, pulse intervals and acceleration too."""
        self._address = address
        self._adapter = adapter
        self._acquire_notify = acquire_notify
        self._pmd = pmd
        self._found: BLEDevice | None = None
        self._name: str | None = None
        self._first = True

    async def find(self, seconds: float) -> None:
        """Look for the strap, so long at most. Raises `NoAdapterError` or `StrapNotFoundError`."""
        self._found = await self._held_already() if self._first else None
        self._first = False
        if self._found is not None:
            return
        heard: asyncio.Future[BLEDevice] = asyncio.get_running_loop().create_future()

        def listen(device: BLEDevice, _: AdvertisementData) -> None:
            if device.address.lower() == self._address.lower() and not heard.done():
                heard.set_result(device)

        discovery = discovery_of(self._adapter)
        async with discovery.listened_to(listen):
            trouble = asyncio.create_task(discovery.troubled.wait())
            either: set[asyncio.Future[Any]] = {heard, trouble}
            try:
                await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            finally:
                trouble.cancel()
        if heard.done():
            self._found = heard.result()
            self._name = self._found.name or self._name
        elif discovery.troubled.is_set():
            raise NoAdapterError(discovery.state.text)
        else:
            raise StrapNotFoundError(self._not_heard)

    @property
    def _not_heard(self) -> str:
        """A strap with a single connection is not even on the air while another app holds it."""
        return " ".join(filter(None, (NOT_HEARD, busy_hint(self._name))))

    async def _held_already(self) -> BLEDevice | None:
        """A strap that a crash left connected is not on the air."""
        with suppress(Exception):
            async with asyncio.timeout(START_S):
                radio = await BleakAdapter.get(bluez={"adapter": self._adapter} if self._adapter else {})
                held = await radio.get_connected_devices([HEART_RATE_UUID])
                return next((device for device in held if device.address.lower() == self._address.lower()), None)
        return None

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator["BleakConnection"]:
        """Connect to the strap as it was found; disconnects in any case. Raises `ConnectError`."""
        if self._found is None:
            raise StrapNotFoundError(self._not_heard)
        gone = asyncio.Event()
        client = BleakClient(self._found, lambda _: gone.set(), timeout=_CONNECT_S)
        try:
            try:
                await connect_within(_CONNECT_S + _DISCONNECT_S, client.connect())
            except Exception as error:
                raise ConnectError(connect_error_text(error, self._found.name)) from error
            connection = BleakConnection(client, gone, self._found, acquire_notify=self._acquire_notify, pmd=self._pmd)
            try:
                yield connection
            finally:
                await connection.leave()
        finally:
            # a lost client too: BlueZ keeps its subscriptions, and the next would hear all twice (bleak #2002)
            try:
                async with asyncio.timeout(_DISCONNECT_S):
                    await client.disconnect()
            except Exception:  # noqa: BLE001 Bleak has closed its connection whatever this is
                _LOG.debug("%s did not disconnect in order", self._address, exc_info=True)


async def connect_within(seconds: float, connecting: Coroutine[Any, Any, None]) -> None:
    """Wait for Bleak to connect, so long at most, and a moment where we are cancelled. Raises `TimeoutError`.

    Bleak answers a cancellation by asking bluetoothd to disconnect, and waits for that answer without end: where bluetoothd
    hangs, only a second cancellation ends it.
    """
    task = asyncio.create_task(connecting, name="connect")
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        for _ in range(2):
            if not task.done():
                task.cancel()
                await asyncio.wait({task}, timeout=_CUT_OFF_S)
    if not task.done() or task.cancelled():
        raise TimeoutError
    task.result()


class BleakConnection:
    """A connection to a strap over Bleak, a `reconnect.Connection`."""

    def __init__(
        self, client: BleakClient, gone: asyncio.Event, found: BLEDevice, *, acquire_notify: bool, pmd: bool = False
    ) -> None:
        """With `pmd`, `leave` is to be called before the client disconnects."""
        self.gone = gone
        self._client = client
        self._found = found
        self._acquire_notify = acquire_notify
        self._pmd = pmd
        self._polar: PolarStreams | None = None
        self._starting: asyncio.Task[None] | None = None

    async def describe(self) -> Device:
        """What the strap tells of itself before it leaves a question open. Raises `ConnectError` where the connection is lost."""
        values: dict[str, bytes] = {}
        try:
            characteristics = list(self._client.services.characteristics.values())
        except BleakError as error:  # a connection that is lost right away takes its services with it
            raise ConnectError(connect_error_text(error)) from error
        for characteristic in characteristics:
            uuid = short_uuid(characteristic.uuid)
            if uuid in SERVICE_OF and "read" in characteristic.properties:
                try:
                    async with asyncio.timeout(_READ_S):
                        values[uuid] = bytes(await self._client.read_gatt_char(characteristic))
                except TimeoutError:
                    break  # its heart rate waits for this
                except Exception as error:
                    _LOG.debug("%s does not tell %s", self._found.address, uuid, exc_info=True)
                    if self.gone.is_set():
                        raise ConnectError(connect_error_text(error)) from error
        return device_of(values, name=self._found.name, address=self._found.address)

    async def listen(self, on_packet: OnPacket) -> None:
        """Subscribe to the heart rate, and to the battery if it can be; a Polar's streams follow. Raises `ConnectError`."""
        try:
            await self._subscribe(HEART_RATE, on_packet)
        except Exception as error:
            raise ConnectError(connect_error_text(error)) from error
        with suppress(Exception):
            # a strap that does not tell its battery is a strap all the same
            battery = self._client.services.get_characteristic(full_uuid(BATTERY))
            if battery is not None and "notify" in battery.properties:
                await self._subscribe(BATTERY, on_packet)
        if self._pmd:
            # beside what goes on: a strap that does not answer must not delay the watch over its heart rate
            self._polar = PolarStreams(
                self._client, lambda payload: on_packet(PMD_DATA, payload), acquire_notify=self._acquire_notify
            )
            self._starting = asyncio.create_task(self._polar.start(), name="Polar streams")

    async def leave(self) -> None:
        """Stop what `listen` has started; takes 1.4 s at most."""
        if self._starting is not None:
            await cancel_and_wait(self._starting)
        if self._polar is not None and not self.gone.is_set():
            await self._polar.stop()

    async def _subscribe(self, uuid: str, on_packet: OnPacket) -> None:
        async with asyncio.timeout(_READ_S):
            await self._client.start_notify(
                full_uuid(uuid),
                lambda _, payload: on_packet(uuid, bytes(payload)),
                bluez={"use_start_notify": not self._acquire_notify},
            )
