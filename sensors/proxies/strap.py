"""A strap heard by proxies, by this computer's own adapter, or by both: connected through the radio that it is near."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
import logging
import random

from bleak import BleakClient
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from ..bluetooth.connection import BleakConnection, BleakStrap, connect_within
from ..bluetooth.discovery import discovery_of
from ..bluetooth.error_messages import connect_error_text
from ..bluetooth.reconnect import ReconnectingSource
from ..bluetooth.scanner import Timing
from ..errors import ConnectError, NoAdapterError, StrapNotFoundError
from .address import ProxyAddress
from .proxies import Proxies

_LOG = logging.getLogger(__name__)
_CONNECT_S, _DISCONNECT_S = 15.0, 5.0
_NO_SLOT = (
    "The strap is heard, but by no proxy that can connect to one more. End a session near it, or put another proxy into the room."
)


class ProxiedStrap(BleakStrap):
    """A `reconnect.Strap` that connects through the radio that the strap is near, and through another where that failed."""

    def __init__(self, address: str, proxies: Proxies, adapter: str | None, *, pmd: bool = False) -> None:
        super().__init__(address, adapter, pmd=pmd)
        self._proxies = proxies
        self._backend: type[BaseBleakClient] | None = None
        self._radio: ProxyAddress | None = None
        self._failed_radios: set[ProxyAddress | None] = set()
        proxies.wanted.add(address.upper())

    async def find(self, seconds: float) -> None:
        """Look for the strap for at most `seconds` (wall time).

        Raises `NoAdapterError` where neither an adapter nor a proxy can be used, `StrapNotFoundError` where the strap was not
        heard, or only by proxies without a free connection.
        """
        self._device = await self._already_connected() if self._first_attempt else None
        self._first_attempt = False
        self._backend = self._radio = None
        discovery = discovery_of(self._adapter)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), discovery.listening(self._listen):
                while self._device is None:
                    polled = self._proxies.polled
                    self._choose()
                    if self._device is None:
                        await polled.wait()
        if self._device is None and discovery.unavailable.is_set() and not self._proxies.connected:
            raise NoAdapterError(" ".join([discovery.state.text, *self._proxies.troubles]))
        if self._device is None:
            raise StrapNotFoundError(_NO_SLOT if self._proxies.levels.receivers(self._address) else self._not_heard_text)

    def _listen(self, device: BLEDevice, data: AdvertisementData) -> None:
        if device.address.upper() == self._address.upper():
            self._proxies.levels.record(None, device, device.name or data.local_name, data.rssi)

    def _choose(self) -> None:
        heard = self._proxies.levels.receivers(self._address)
        if all(reception.radio in self._failed_radios for reception in heard):
            self._failed_radios.clear()
        for reception in heard:
            if reception.radio in self._failed_radios:
                continue
            self._radio = reception.radio
            self._backend = None if reception.radio is None else self._proxies.client_through(reception.radio)
            if reception.radio is None or self._backend is not None:
                self._device, self._name = reception.device, reception.name or self._name
                return

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[BleakConnection]:
        """Connect through the radio by which the strap was found, and disconnect at the end of the block in any case.

        Raises `ConnectError` where the connection fails, `StrapNotFoundError` where `find` has not found it.
        """
        self._failed_radios.add(self._radio)
        if self._backend is None:
            async with super().connect() as connection:
                self._failed_radios.clear()
                yield connection
            return
        if self._device is None:
            raise StrapNotFoundError(self._not_heard_text)
        lost = asyncio.Event()
        client = BleakClient(self._device, lambda _: lost.set(), timeout=_CONNECT_S, backend=self._backend)
        try:
            try:
                await connect_within(_CONNECT_S + _DISCONNECT_S, client.connect())
            except Exception as error:
                raise ConnectError(connect_error_text(error, self._device.name)) from error
            self._failed_radios.clear()
            connection = BleakConnection(client, lost, self._device, acquire_notify=False, pmd=self._pmd)
            try:
                yield connection
            finally:
                if not lost.is_set():
                    # silent: a proxy that hangs still counts as connected, and would be chosen again
                    self._failed_radios.add(self._radio)
                await connection.stop_streams()
        finally:
            try:
                async with asyncio.timeout(_DISCONNECT_S):
                    await client.disconnect()
            except Exception:  # noqa: BLE001 a proxy that is gone has released the strap
                _LOG.debug("%s did not disconnect cleanly", self._address, exc_info=True)


class ProxiedSource(ReconnectingSource):
    """A strap as a `Source`, like `StrapSource`, through whichever radio hears it."""

    def __init__(
        self,
        address: str,
        proxies: Proxies,
        *,
        adapter: str | None = None,
        rng: random.Random | None = None,
        timing: Timing | None = None,
        pmd: bool = True,
    ) -> None:
        """With `pmd`, a Polar strap's ECG, pulse intervals and acceleration are streamed too."""
        strap = ProxiedStrap(address, proxies, adapter, pmd=pmd)
        super().__init__(strap, rng=rng or random.Random(), timing=timing or Timing())  # noqa: S311 jitter, no secret
