"""How loud every radio of a practice hears every strap, and which of them a strap is near."""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp
import time
from typing import Generic, TypeVar

from bleak.backends.device import BLEDevice

T = TypeVar("T")

FRESH_S = 15.0
"""Wall time for which a level counts; the local adapter rests for 4 s between its rounds of 6 s."""
LOUDER_DB = 6.0
"""So much louder another radio has to be, or a strap between two rooms would change its room with every breath."""
_SMOOTH_S = 3.0


@dataclass(frozen=True, slots=True)
class Reception(Generic[T]):
    """A strap as one radio hears it."""

    radio: T
    device: BLEDevice
    name: str | None
    level_dbm: float
    """Smoothed over some seconds: a single advert is 10 dB off when somebody walks by."""
    last_s: float


class SignalLevels(Generic[T]):
    """Keeps who hears what; `T` tells one radio from another."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._heard: dict[str, dict[T, Reception[T]]] = {}
        self._near: dict[str, T] = {}

    def hear(self, radio: T, device: BLEDevice, name: str | None, rssi_dbm: float, at_s: float | None = None) -> None:
        """Take an advert in; one that was taken in before changes nothing."""
        at_s = self._monotonic() if at_s is None else at_s
        radios = self._heard.setdefault(device.address.upper(), {})
        before = radios.get(radio)
        if before is not None and at_s <= before.last_s:
            return
        level_dbm = rssi_dbm
        if before is not None and at_s - before.last_s <= FRESH_S:
            weight = 1.0 - exp(-(at_s - before.last_s) / _SMOOTH_S)
            level_dbm = before.level_dbm + weight * (rssi_dbm - before.level_dbm)
        radios[radio] = Reception(radio, device, name or (before.name if before else None), level_dbm, at_s)

    def forget(self, radio: T) -> None:
        """Strike out a radio that is gone."""
        for radios in self._heard.values():
            radios.pop(radio, None)

    def straps(self) -> list[str]:
        """Addresses of the straps that are heard at present."""
        oldest_s = self._monotonic() - FRESH_S
        for address, radios in list(self._heard.items()):
            fresh = {radio: heard for radio, heard in radios.items() if heard.last_s >= oldest_s}
            if fresh:
                self._heard[address] = fresh
            else:
                del self._heard[address]
        return list(self._heard)

    def of(self, address: str) -> list[Reception[T]]:
        """Who hears this strap at present: first whom it is near, then by level."""
        address, oldest_s = address.upper(), self._monotonic() - FRESH_S
        fresh = [heard for heard in self._heard.get(address, {}).values() if heard.last_s >= oldest_s]
        if not fresh:
            return []
        loudest = max(fresh, key=lambda heard: heard.level_dbm)
        held = next((heard for heard in fresh if heard.radio == self._near.get(address)), None)
        near = held if held is not None and loudest.level_dbm < held.level_dbm + LOUDER_DB else loudest
        self._near[address] = near.radio
        return [near, *sorted((heard for heard in fresh if heard is not near), key=lambda heard: -heard.level_dbm)]

    def near(self, address: str) -> T | None:
        """The radio that this strap is near, also while it is connected and so not on the air."""
        self.of(address)
        return self._near.get(address.upper())
