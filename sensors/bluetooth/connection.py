"""Finding and connecting a strap with Bleak; used through `scanner`."""

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
from .error_messages import NO_HEART_RATE, connect_error_text
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
    """A strap that Bleak can reach, real or virtual, as a `reconnect.Strap`."""

    def __init__(self, address: str, adapter: str | None, *, acquire_notify: bool = False, pmd: bool = False) -> None:
        """With `pmd`, a Polar strap's ECG, pulse intervals and acceleration are streamed too."""
        self._address = address
        self._adapter = adapter
        self._acquire_notify = acquire_notify
        self._pmd = pmd
        self._device: BLEDevice | None = None
        self._name: str | None = None
        self._first_attempt = True

    async def find(self, seconds: float) -> None:
        """Look for the strap for at most `seconds` (wall time).

        Raises `NoAdapterError` where no adapter can be used, `StrapNotFoundError` where the strap was not heard.
        """
        self._device = await self._already_connected() if self._first_attempt else None
        self._first_attempt = False
        if self._device is not None:
            return
        heard: asyncio.Future[BLEDevice] = asyncio.get_running_loop().create_future()

        def listen(device: BLEDevice, _: AdvertisementData) -> None:
            if device.address.lower() == self._address.lower() and not heard.done():
                heard.set_result(device)

        discovery = discovery_of(self._adapter)
        async with discovery.listening(listen):
            unavailable = asyncio.create_task(discovery.unavailable.wait())
            either: set[asyncio.Future[Any]] = {heard, unavailable}
            try:
                await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            finally:
                unavailable.cancel()
        if heard.done():
            self._device = heard.result()
            self._name = self._device.name or self._name
        elif discovery.unavailable.is_set():
            raise NoAdapterError(discovery.state.text)
        else:
            raise StrapNotFoundError(self._not_heard_text)

    @property
    def _not_heard_text(self) -> str:
        """The sentence for a strap that was not heard; one with a single connection is silent while another app uses it."""
        return " ".join(filter(None, (NOT_HEARD, busy_hint(self._name))))

    async def _already_connected(self) -> BLEDevice | None:
        """Return the strap where it is still connected, as after a crash, and therefore not on the air; else None."""
        with suppress(Exception):
            async with asyncio.timeout(START_S):
                radio = await BleakAdapter.get(bluez={"adapter": self._adapter} if self._adapter else {})
                held = await radio.get_connected_devices([HEART_RATE_UUID])
                return next((device for device in held if device.address.lower() == self._address.lower()), None)
        return None

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator["BleakConnection"]:
        """Connect to the strap that `find` found, and disconnect at the end of the block in any case.

        Raises `ConnectError` where the connection fails, `StrapNotFoundError` where `find` has not found it.
        """
        if self._device is None:
            raise StrapNotFoundError(self._not_heard_text)
        lost = asyncio.Event()
        client = BleakClient(self._device, lambda _: lost.set(), timeout=_CONNECT_S)
        try:
            try:
                await connect_within(_CONNECT_S + _DISCONNECT_S, client.connect())
            except Exception as error:
                raise ConnectError(connect_error_text(error, self._device.name)) from error
            connection = BleakConnection(client, lost, self._device, acquire_notify=self._acquire_notify, pmd=self._pmd)
            try:
                yield connection
            finally:
                await connection.stop_streams()
        finally:
            # also after a loss: BlueZ keeps the subscriptions, and the next client would receive everything twice (bleak #2002)
            try:
                async with asyncio.timeout(_DISCONNECT_S):
                    await client.disconnect()
            except Exception:  # noqa: BLE001 Bleak has closed its connection whatever is raised here
                _LOG.debug("%s did not disconnect cleanly", self._address, exc_info=True)


async def connect_within(seconds: float, connecting: Coroutine[Any, Any, None]) -> None:
    """Wait for Bleak to connect, at most `seconds`; when cancelled, wait briefly for Bleak to end.

    Bleak reacts to a cancellation by asking bluetoothd to disconnect, and waits for the reply without limit: where bluetoothd
    hangs, only a second cancellation ends it. Raises `TimeoutError`, and what the connecting itself raises.
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
    """A connection to a strap over Bleak, as a `reconnect.Connection`."""

    def __init__(
        self, client: BleakClient, lost: asyncio.Event, device: BLEDevice, *, acquire_notify: bool, pmd: bool = False
    ) -> None:
        """With `pmd`, `stop_streams` has to be called before the client disconnects."""
        self.lost = lost
        self._client = client
        self._device = device
        self._acquire_notify = acquire_notify
        self._pmd = pmd
        self._polar: PolarStreams | None = None
        self._starting: asyncio.Task[None] | None = None

    async def describe(self) -> Device:
        """Read how the strap describes itself, up to the first read that it leaves unanswered.

        Raises `ConnectError` where the connection is lost.
        """
        values: dict[str, bytes] = {}
        try:
            characteristics = list(self._client.services.characteristics.values())
        except BleakError as error:  # a connection that is lost at once has no services
            raise ConnectError(connect_error_text(error)) from error
        for characteristic in characteristics:
            uuid = short_uuid(characteristic.uuid)
            if uuid in SERVICE_OF and "read" in characteristic.properties:
                try:
                    async with asyncio.timeout(_READ_S):
                        values[uuid] = bytes(await self._client.read_gatt_char(characteristic))
                except TimeoutError:
                    break  # the heart rate is waiting for this
                except Exception as error:
                    _LOG.debug("%s: the characteristic %s could not be read", self._device.address, uuid, exc_info=True)
                    if self.lost.is_set():
                        raise ConnectError(connect_error_text(error)) from error
        return device_of(values, name=self._device.name, address=self._device.address)

    async def listen(self, on_packet: OnPacket) -> None:
        """Subscribe to the heart rate, and to the battery where possible; a Polar strap's streams are started in the background.

        Raises `ConnectError` where the device has no heart rate service, or the heart rate cannot be subscribed to.
        """
        if HEART_RATE_UUID not in {service.uuid for service in self._client.services}:
            raise ConnectError(NO_HEART_RATE)
        try:
            await self._subscribe(HEART_RATE, on_packet)
        except Exception as error:
            raise ConnectError(connect_error_text(error)) from error
        with suppress(Exception):
            # the battery level is optional
            battery = self._client.services.get_characteristic(full_uuid(BATTERY))
            if battery is not None and "notify" in battery.properties:
                await self._subscribe(BATTERY, on_packet)
        if self._pmd:
            # in the background: a strap that does not answer must not delay the watchdog over its heart rate
            self._polar = PolarStreams(
                self._client, lambda payload: on_packet(PMD_DATA, payload), acquire_notify=self._acquire_notify
            )
            self._starting = asyncio.create_task(self._polar.start(), name="Polar streams")

    async def stop_streams(self) -> None:
        """Stop the Polar streams that `listen` has started; takes at most 1.4 s."""
        if self._starting is not None:
            await cancel_and_wait(self._starting)
        if self._polar is not None and not self.lost.is_set():
            await self._polar.stop()

    async def _subscribe(self, uuid: str, on_packet: OnPacket) -> None:
        """Subscribe to a characteristic; where a device has several of it, to that of its own service."""
        own = full_uuid(f"{HEART_RATE_SERVICE:04x}" if uuid == HEART_RATE else SERVICE_OF[uuid])
        service = next((one for one in self._client.services if one.uuid == own), None)
        of_service = service.get_characteristic(full_uuid(uuid)) if service else None
        async with asyncio.timeout(_READ_S):
            await self._client.start_notify(
                of_service or full_uuid(uuid),
                lambda _, payload: on_packet(uuid, bytes(payload)),
                bluez={"use_start_notify": not self._acquire_notify},
            )
