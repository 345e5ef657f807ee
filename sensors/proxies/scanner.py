"""Which straps were heard lately, by proxies and by this computer's own adapter, in one list."""

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from ..bluetooth.connection import HEART_RATE_UUID
from ..bluetooth.scanner import Advert, RadioState, StrapWatch
from .proxies import Proxies

_LEVEL_UNKNOWN = -127


class ProxiedWatch(StrapWatch):
    """A `StrapWatch` that hears with the ears of the proxies too."""

    def __init__(self, proxies: Proxies, *, adapter: str | None = None) -> None:
        super().__init__(adapter=adapter)
        self._proxies = proxies

    @property
    def state(self) -> RadioState:
        """Whether there is a radio at present, and what is amiss with proxies."""
        own = super().state
        ready = own.ready or bool(self._proxies.connected)
        texts = ["Bluetooth ready." if ready else own.text, *self._proxies.troubles]
        return RadioState(ready=ready, text=" ".join(texts))

    @property
    def straps(self) -> list[Advert]:
        """Heart-rate straps heard of late by any radio, strongest first; one that is connected is not on the air."""
        adverts = []
        for address in self._proxies.hearing.straps():
            near = self._proxies.hearing.of(address)[0]
            level = None if near.level_dbm <= _LEVEL_UNKNOWN else round(near.level_dbm)
            adverts.append(Advert(near.device.address, near.name, level, heart_rate_service=True))
        return sorted(adverts, key=lambda advert: (-(advert.rssi_dbm or _LEVEL_UNKNOWN), advert.address))

    def near(self, address: str) -> str | None:
        """Name of the room whose proxy hears this strap loudest; None where this computer's own adapter does."""
        proxy = self._proxies.hearing.near(address)
        return proxy.room if proxy else None

    def _listen(self, device: BLEDevice, data: AdvertisementData) -> None:
        if HEART_RATE_UUID in data.service_uuids:
            self._proxies.hearing.hear(None, device, device.name or data.local_name, data.rssi)
