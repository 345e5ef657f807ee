"""The signal level of every strap at every radio of a practice, and the radio that each strap is near."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import exp
import time
from typing import Generic, TypeVar

from bleak.backends.device import BLEDevice

from ..bluetooth.nearest import MOST, Nearest
from ..device_text import clean_text

T = TypeVar("T")

FRESH_S = 15.0
"""Wall time for which a level is valid, in s; the local adapter rests for 4 s between rounds of 6 s."""
LOUDER_DB = 6.0
"""Hysteresis in dB: another radio has to be this much louder, or a strap between two rooms would flip with every breath."""
_SMOOTH_S = 3.0


@dataclass(frozen=True, slots=True)
class Reception(Generic[T]):
    """A strap as received by one radio."""

    radio: T
    device: BLEDevice
    name: str | None
    level_dbm: float
    """Smoothed over some seconds, because a person walking by shifts a single advertisement by 10 dB."""
    last_s: float
    """Monotonic time of the latest advertisement, in s."""


class SignalLevels(Generic[T]):
    """The levels of every strap by radio; `T` identifies a radio."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._receptions: Nearest[dict[T, Reception[T]]] = Nearest()
        self._near: OrderedDict[str, T] = OrderedDict()

    def record(self, radio: T, device: BLEDevice, name: str | None, rssi_dbm: float, at_s: float | None = None) -> None:
        """Record an advertisement received by `radio` at `at_s` (monotonic, by default now); an old one is ignored."""
        at_s = self._monotonic() if at_s is None else at_s
        address = device.address.upper()
        radios = self._receptions.get(address) or {}
        previous = radios.get(radio)
        if previous is not None and at_s <= previous.last_s:
            return
        level_dbm = rssi_dbm
        if previous is not None and at_s - previous.last_s <= FRESH_S:
            weight = 1.0 - exp(-(at_s - previous.last_s) / _SMOOTH_S)
            level_dbm = previous.level_dbm + weight * (rssi_dbm - previous.level_dbm)
        name = clean_text(name) or (previous.name if previous else None)
        radios[radio] = Reception(radio, device, name, level_dbm, at_s)
        loudest_dbm = max(heard.level_dbm for heard in radios.values())
        self._receptions.keep(address, radios, loudest_dbm, max(heard.last_s for heard in radios.values()))

    def forget(self, radio: T) -> None:
        """Remove a radio that is gone."""
        for address, radios in self._receptions.heard_since(float("-inf")):
            radios.pop(radio, None)
            if not radios:
                self._receptions.drop(address)

    def straps(self) -> list[str]:
        """Return the addresses of the straps that are heard at present."""
        return [address for address, _ in self._receptions.heard_since(self._monotonic() - FRESH_S)]

    def receivers(self, address: str) -> list[Reception[T]]:
        """Return the receptions of a strap at present: first that of the radio it is near, then by level, loudest first."""
        address, oldest_s = address.upper(), self._monotonic() - FRESH_S
        fresh = [heard for heard in (self._receptions.get(address) or {}).values() if heard.last_s >= oldest_s]
        if not fresh:
            return []
        loudest = max(fresh, key=lambda heard: heard.level_dbm)
        current = next((heard for heard in fresh if heard.radio == self._near.get(address)), None)
        near = current if current is not None and loudest.level_dbm < current.level_dbm + LOUDER_DB else loudest
        self._near[address] = near.radio
        self._near.move_to_end(address)
        while len(self._near) > MOST:
            self._near.popitem(last=False)
        return [near, *sorted((heard for heard in fresh if heard is not near), key=lambda heard: -heard.level_dbm)]

    def near(self, address: str) -> T | None:
        """Return the radio that a strap is near, remembered while the strap is connected and therefore silent; None: unknown."""
        self.receivers(address)
        return self._near.get(address.upper())
