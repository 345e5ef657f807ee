"""The interface to Bluetooth: scanning for straps, inspecting one, and streaming from one.

Only this module and those that it stands on import Bleak: `discovery`, `connection`, `polar_streams`, `dbus_override`.
"""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
import random
import time
from types import TracebackType
from typing import Self

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
import msgspec

from ..device_text import clean_text
from ..errors import NoAdapterError, PayloadError
from ..model import Device
from ..protocols.heart_rate import parse
from ..protocols.known_devices import is_sensor_name
from ..recordings.recording import HEART_RATE
from .connection import HEART_RATE_UUID, BleakStrap
from .dbus_override import on_bus
from .discovery import START_S, RadioState, discovery_of
from .nearest import Nearest
from .reconnect import ReconnectingSource, Timing

__all__ = [
    "Advert",
    "Inspected",
    "RadioState",
    "StrapSource",
    "StrapWatch",
    "Timing",
    "adapter_state",
    "inspect",
    "on_bus",
    "scan",
]

_FORGET_S = 20.0
_RENAMED_S = 10.0
"""Time for which a strap keeps its name on the list, whatever it calls itself meanwhile."""
_RSSI_UNKNOWN = -127
_MOST_OTHERS = 30
"""Devices listed that do not say that they measure heart rate; a strap that is worn and looked for is near."""


class Advert(msgspec.Struct, frozen=True):
    """A Bluetooth device that was heard advertising."""

    address: str
    name: str | None
    rssi_dbm: int | None
    heart_rate_service: bool
    """Whether it advertises the heart rate service."""

    @property
    def is_strap(self) -> bool:
        """Whether it says, or its name tells, that it measures heart rate; whether it does shows when it is connected."""
        return self.heart_rate_service or is_sensor_name(self.name)


class Inspected(msgspec.Struct, frozen=True):
    """A strap's description of itself; `has_rr` is None where it sent no heart rate in time, for example off the body."""

    device: Device
    has_rr: bool | None


async def scan(seconds: float, *, adapter: str | None = None, straps_only: bool = True) -> list[Advert]:
    """Scan for `seconds` (wall time); return heart-rate straps first, then by signal strength, a hundred of each at most.

    Without `straps_only`, devices are listed that neither say nor have a name that tells that they measure heart rate.
    Raises `NoAdapterError` where no adapter can be used.
    """
    straps, others = Nearest[Advert](), Nearest[Advert]()

    def listen(device: BLEDevice, data: AdvertisementData) -> None:
        advert = _advert(device, data)
        if advert.is_strap or not straps_only:
            (straps if advert.is_strap else others).keep(advert.address, advert, _level_dbm(advert), time.monotonic())

    discovery = discovery_of(adapter)
    async with discovery.listening(listen):
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await discovery.unavailable.wait()
    if discovery.unavailable.is_set():
        raise NoAdapterError(discovery.state.text)
    heard = (*straps.heard_since(float("-inf")), *others.heard_since(float("-inf")))
    return _strongest_first(dict(reversed(heard)).values())


async def adapter_state(adapter: str | None = None) -> RadioState:
    """Return whether a powered adapter can be used; never raises."""
    discovery = discovery_of(adapter)
    async with discovery.listening(lambda _device, _data: None):
        with suppress(TimeoutError):
            async with asyncio.timeout(START_S):
                await discovery.state_known.wait()
    return discovery.state


async def inspect(address: str, *, adapter: str | None = None, find_s: float = 6.0, listen_s: float = 4.0) -> Inspected:
    """Connect to a strap, read its description, and listen whether it sends RR intervals.

    Times are wall time. Raises `NoAdapterError`, `StrapNotFoundError` or `ConnectError`.
    """
    strap = BleakStrap(address, adapter)
    await strap.find(find_s)
    async with strap.connect() as connection:
        device = await connection.describe()
        rr_seen: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        packets = 0

        def listen(uuid: str, payload: bytes) -> None:
            nonlocal packets
            with suppress(PayloadError):
                if uuid == HEART_RATE:
                    packets += 1
                    if any(parse(payload).rr_1024) and not rr_seen.done():
                        rr_seen.set_result(True)

        await connection.listen(listen)
        await asyncio.wait({rr_seen}, timeout=listen_s)
        return Inspected(device, True if rr_seen.done() else False if packets else None)


class StrapWatch:
    """The straps heard lately, kept up to date within the block; where there is no adapter, it keeps looking for one."""

    def __init__(self, *, adapter: str | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._adapter = adapter
        self._monotonic = monotonic
        self._heard: Nearest[tuple[float, Advert]] = Nearest()
        """Adverts, each with the time since when its name is the one that it has."""
        self._others: Nearest[Advert] = Nearest(_MOST_OTHERS)
        self._listening: AbstractAsyncContextManager[None]

    @property
    def state(self) -> RadioState:
        """Whether an adapter can be used at present."""
        state = discovery_of(self._adapter).state
        return state if state.ready else RadioState(ready=False, text=f"{state.text} restbeat keeps looking.")

    @property
    def straps(self) -> list[Advert]:
        """Heart-rate straps heard within the last 20 s, strongest first; a connected strap does not advertise."""
        heard = self._heard.heard_since(self._monotonic() - _FORGET_S)
        return _strongest_first(advert for _, (_, advert) in heard)

    @property
    def others(self) -> list[Advert]:
        """The nearest devices that neither say nor have a name that tells that they measure heart rate, strongest first."""
        return _strongest_first(advert for _, advert in self._others.heard_since(self._monotonic() - _FORGET_S))

    async def __aenter__(self) -> Self:
        self._listening = discovery_of(self._adapter).listening(self._listen, with_rests=True)
        await self._listening.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._listening.__aexit__(kind, error, trace)

    def _listen(self, device: BLEDevice, data: AdvertisementData) -> None:
        advert, now_s = _advert(device, data), self._monotonic()
        if not advert.is_strap and self._heard.get(advert.address) is None:
            self._others.keep(advert.address, advert, _level_dbm(advert), now_s)
            return
        self._others.drop(advert.address)
        named_s, before = self._heard.get(advert.address) or (now_s, advert)
        if before.name is not None and advert.name != before.name:
            if now_s - named_s < _RENAMED_S:
                advert = msgspec.structs.replace(advert, name=before.name)
            else:
                named_s = now_s
        self._heard.keep(advert.address, (named_s, advert), _level_dbm(advert), now_s)


class StrapSource(ReconnectingSource):
    """A strap on the air as a `Source` that reconnects after every loss."""

    def __init__(
        self,
        address: str,
        *,
        adapter: str | None = None,
        rng: random.Random | None = None,
        timing: Timing | None = None,
        give_up_after_s: float | None = None,
        acquire_notify: bool = False,
        pmd: bool = True,
    ) -> None:
        """Without `give_up_after_s` (wall time) it never gives up.

        `acquire_notify` selects AcquireNotify instead of StartNotify on Linux. With `pmd`, a Polar strap's ECG, pulse
        intervals and acceleration are streamed too.
        """
        timing = timing or Timing()
        if give_up_after_s is not None:
            timing = replace(timing, give_up_after_s=give_up_after_s)
        super().__init__(
            BleakStrap(address, adapter, acquire_notify=acquire_notify, pmd=pmd),
            rng=rng or random.Random(),  # noqa: S311 jitter, no secret
            timing=timing,
        )


def _advert(device: BLEDevice, data: AdvertisementData) -> Advert:
    rssi_dbm = None if data.rssi <= _RSSI_UNKNOWN else data.rssi
    return Advert(device.address, clean_text(device.name or data.local_name), rssi_dbm, HEART_RATE_UUID in data.service_uuids)


def _level_dbm(advert: Advert) -> float:
    return _RSSI_UNKNOWN if advert.rssi_dbm is None else advert.rssi_dbm


def _strongest_first(adverts: Iterable[Advert]) -> list[Advert]:
    return sorted(adverts, key=lambda a: (not a.is_strap, -_level_dbm(a), a.address))
