"""The interface to ESPHome Bluetooth proxies: a connection to each, what they hear, and Bleak backends through them.

Imported only where a proxy is used, because it needs the extra `restbeat[proxy]`. Bleak is left unchanged: the manager of
habluetooth would replace Bleak's classes for the whole program, and is set up here without that step.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
import logging
from types import TracebackType
from typing import Any, Self

from aioesphomeapi.client import APIClient
from aioesphomeapi.core import (
    APIConnectionError,
    EncryptionPlaintextAPIError,
    InvalidEncryptionKeyAPIError,
    RequiresEncryptionAPIError,
)
from bleak.backends.client import BaseBleakClient
from bleak_esphome import connect_scanner
from bleak_esphome.backend.client import ESPHomeClient, ESPHomeClientData
from bluetooth_adapters import AdapterDetails, BluetoothAdapters
from habluetooth import BluetoothManager, BluetoothServiceInfoBleak
from habluetooth.central_manager import CentralBluetoothManager

from ..bluetooth.gatt import full_uuid
from ..protocols.heart_rate import HEART_RATE_SERVICE
from ..protocols.known_devices import is_sensor_name
from ..task_cancellation import cancel_and_wait, cancellation_requested
from .address import ProxyAddress, ProxyError
from .signal_levels import SignalLevels

_LOG = logging.getLogger(__name__)
_CONNECT_S, _DISCONNECT_S = 15.0, 2.0
_KEEPALIVE_S = 5.0
"""Interval of keepalives, in s; an unplugged proxy counts as lost after 4.5 of them."""
_POLL_S = 0.25
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 15.0
_HEART_RATE_UUID = full_uuid(f"{HEART_RATE_SERVICE:04x}")


class Proxies:
    """A connection to each proxy within the block, re-established whenever it is lost.

    Entering raises `ProxyError` where the program uses proxies already.
    """

    def __init__(self, addresses: Sequence[ProxyAddress], *, keys: Mapping[str, str] | None = None) -> None:
        """`keys` maps a host, or "" for all hosts, to its Noise key in base64; a proxy without a key is used in plaintext."""
        self.levels: SignalLevels[ProxyAddress | None] = SignalLevels()
        """Signal levels by radio; None is this computer's own adapter, whose levels others record."""
        self.polled = asyncio.Event()
        """Set, and replaced by a new event, after each poll of what the proxies hear."""
        self._addresses = tuple(addresses)
        self._keys = keys or {}
        self._manager: _Manager
        self._sessions: dict[ProxyAddress, ESPHomeClientData] = {}
        self._troubles = {address: f"{_name_of(address)} is not connected yet." for address in addresses}
        self.wanted: set[str] = set()
        """Addresses, in upper case, that are looked for by themselves, whatever the device advertises."""
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def connected(self) -> list[ProxyAddress]:
        """Proxies that are connected at present."""
        return list(self._sessions)

    @property
    def troubles(self) -> list[str]:
        """A sentence for each proxy that cannot be used, or not fully, at present."""
        return list(self._troubles.values())

    def client_through(self, proxy: ProxyAddress) -> type[BaseBleakClient] | None:
        """Return a Bleak backend that connects through a proxy; None where the proxy is gone, full, or only listens."""
        data = self._sessions.get(proxy)
        if data is None or data.scanner is None or not data.scanner.connectable:
            return None
        if not (data.bluetooth_device.available and data.bluetooth_device.ble_connections_free):
            return None

        return _client_through(data)

    async def __aenter__(self) -> Self:
        if CentralBluetoothManager.manager is not None:
            raise ProxyError("Bluetooth proxies are in use already, and a program can use them only once at a time.")
        self._manager = CentralBluetoothManager.manager = _Manager()
        await self._manager.async_setup()
        self._tasks = [asyncio.create_task(self._maintain(address), name=f"proxy {address.host}") for address in self._addresses]
        self._tasks.append(asyncio.create_task(self._poll(), name="proxies"))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await cancel_and_wait(*self._tasks)
        self._manager.async_stop()
        CentralBluetoothManager.manager = None

    async def _maintain(self, address: ProxyAddress) -> None:
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                async with self._session(address) as stopped:
                    wait_s = _FIRST_WAIT_S
                    await stopped.wait()
                self._troubles[address] = f"The connection to {_name_of(address, within=True)} was lost."
            except (Exception, asyncio.CancelledError) as error:  # whatever the proxy does, it is tried again
                if cancellation_requested():
                    raise
                _LOG.debug("%s", address, exc_info=True)
                self._troubles[address] = _trouble_text(address, error)
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)

    @asynccontextmanager
    async def _session(self, address: ProxyAddress) -> AsyncGenerator[asyncio.Event]:
        stopped = asyncio.Event()

        async def on_stop(_expected: bool) -> None:
            stopped.set()

        key = self._keys.get(address.host, self._keys.get(""))
        client = APIClient(
            address.host, address.port, client_info="restbeat", keepalive=_KEEPALIVE_S, noise_psk=key, provide_time=False
        )
        try:
            async with asyncio.timeout(_CONNECT_S):
                await client.connect(on_stop=on_stop, login=True, log_errors=False)
                device_info = await client.device_info()
            data = connect_scanner(client, device_info, available=True)
            if data.scanner is None:
                raise ProxyError(f"{_name_of(address)} has no scanner.")
            stop_scanner = data.scanner.async_setup()
            unregister = self._manager.async_register_scanner(data.scanner)
            try:
                self._sessions[address] = data
                self._troubles.pop(address, None)
                if not data.scanner.connectable:
                    self._troubles[address] = f"{_name_of(address)} only listens: set `active: true` in its `bluetooth_proxy`."
                yield stopped
            finally:
                del self._sessions[address]
                self.levels.forget(address)
                data.bluetooth_device.async_set_unavailable()
                for callback in list(data.disconnect_callbacks):
                    callback()
                stop_scanner()
                unregister()
        finally:
            try:
                async with asyncio.timeout(_DISCONNECT_S):
                    await client.disconnect()
            except Exception:  # noqa: BLE001 closed by force whatever was raised
                client.force_disconnect()

    async def _poll(self) -> None:
        while True:
            for address, data in self._sessions.items():
                if data.scanner is None:
                    continue
                times = data.scanner.discovered_device_timestamps
                for device, advert in data.scanner.discovered_devices_and_advertisement_data.values():
                    name = advert.local_name or device.name
                    wanted = device.address.upper() in self.wanted
                    if wanted or _HEART_RATE_UUID in advert.service_uuids or is_sensor_name(name):
                        self.levels.record(address, device, name, advert.rssi, times.get(device.address))
            polled, self.polled = self.polled, asyncio.Event()
            polled.set()
            await asyncio.sleep(_POLL_S)


def _client_through(data: ESPHomeClientData) -> type[BaseBleakClient]:
    class Through(ESPHomeClient):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, client_data=data, **options)

    return Through


class _NoAdapters(BluetoothAdapters):
    """No adapters for habluetooth, because this computer's own are used by `discovery`."""

    @property
    def adapters(self) -> dict[str, AdapterDetails]:
        return {}

    @property
    def default_adapter(self) -> str:
        return ""


class _Manager(BluetoothManager):
    """A manager of the proxies' scanners only, which leaves Bleak and this computer's adapters alone."""

    def __init__(self) -> None:
        super().__init__(bluetooth_adapters=_NoAdapters())

    async def async_setup(self) -> None:
        """Set up only the expiry of devices: the rest would replace Bleak's classes and query the kernel for its adapters."""
        self._loop = asyncio.get_running_loop()
        self.async_setup_unavailable_tracking()

    def _discover_service_info(self, service_info: BluetoothServiceInfoBleak) -> None:
        """Ignore it: the scanners are polled, since this reports only the scanner that habluetooth considers best."""


def _name_of(address: ProxyAddress, *, within: bool = False) -> str:
    article = "the" if within else "The"
    room = f" in {address.room}" if address.room != address.host else ""
    return f"{article} proxy{room} ({address.host}:{address.port})"


def _trouble_text(address: ProxyAddress, error: BaseException) -> str:
    if isinstance(error, RequiresEncryptionAPIError):
        return f"{_name_of(address)} wants its encryption key. Name a file that has it with --proxy-key-file."
    if isinstance(error, InvalidEncryptionKeyAPIError):
        return f"{_name_of(address)} does not take the encryption key. Compare it with `api: encryption: key` of the proxy."
    if isinstance(error, EncryptionPlaintextAPIError):
        return f"{_name_of(address)} speaks without encryption, but a key is given for it. Give it none, or set one on the proxy."
    if isinstance(error, TimeoutError | APIConnectionError):
        return f"{_name_of(address)} does not answer. Check that it is powered and on this network."
    return str(error) if isinstance(error, ProxyError) else f"{_name_of(address)} cannot be used: {error}."
