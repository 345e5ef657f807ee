"""Devices heard on the air, kept to a number: the loudest ones, at a cost that does not depend on how many there are."""

from collections import OrderedDict
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MOST: Final = 100
"""Devices that are kept: more straps than any practice has."""
_STEP_DB: Final = 10
_LOUDEST_DBM, _QUIETEST_DBM = 20, -130
_STALE_S: Final = 20.0


class Nearest(Generic[T]):
    """Up to `most` devices by address; where there are more, the loudest, and of equals those that were heard first.

    A crowd of advertisers can thus neither fill the memory nor displace a strap that is nearer than they are.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._tiers: list[OrderedDict[str, tuple[float, T]]] = [
            OrderedDict() for _ in range(_QUIETEST_DBM, _LOUDEST_DBM + 1, _STEP_DB)
        ]
        """By level, quietest first; in each the one that was not heard for longest comes first."""
        self._tier_of: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._tier_of)

    def get(self, address: str) -> T | None:
        """Return what is kept of a device; None where nothing is."""
        tier = self._tier_of.get(address)
        return None if tier is None else self._tiers[tier][address][1]

    def keep(self, address: str, value: T, level_dbm: float, now_s: float) -> bool:
        """Keep `value` of a device that was heard at `now_s`, and return whether there was room for it."""
        tier = int((min(max(level_dbm, _QUIETEST_DBM), _LOUDEST_DBM) - _QUIETEST_DBM) // _STEP_DB)
        if address in self._tier_of:
            self.drop(address)
        elif len(self) >= self._most and not self._make_room(tier, now_s):
            return False
        self._tiers[tier][address] = now_s, value
        self._tier_of[address] = tier
        return True

    def drop(self, address: str) -> None:
        """Forget a device; one that is not kept is ignored."""
        tier = self._tier_of.pop(address, None)
        if tier is not None:
            del self._tiers[tier][address]

    def heard_since(self, oldest_s: float) -> list[tuple[str, T]]:
        """Return the devices that were heard at `oldest_s` or later, and forget the others."""
        for tier in self._tiers:
            while tier and next(iter(tier.values()))[0] < oldest_s:
                self.drop(next(iter(tier)))
        return [(address, value) for tier in self._tiers for address, (_, value) in tier.items()]

    def _make_room(self, tier: int, now_s: float) -> bool:
        """Forget a device that is quieter than that tier, or was not heard for long; return whether there was one."""
        for level, devices in enumerate(self._tiers):
            if devices:
                address, (heard_s, _) = next(iter(devices.items()))
                if level < tier or now_s - heard_s > _STALE_S:
                    self.drop(address)
                    return True
        return False
