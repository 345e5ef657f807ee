"""The straps heard lately by proxies and by this computer's own adapter, in one list."""

from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from ..bluetooth.connection import HEART_RATE_UUID
from ..bluetooth.scanner import Advert, RadioState, StrapWatch
from ..protocols.known_devices import is_sensor_name
from .proxies import Proxies

_LEVEL_UNKNOWN = -127


class ProxiedWatch(StrapWatch):
    """A `StrapWatch` that includes what the proxies hear."""

    def __init__(self, proxies: Proxies, *, adapter: str | None = None) -> None:
        super().__init__(adapter=adapter)
        self._proxies = proxies

    @property
    def state(self) -> RadioState:
        """Whether any radio can be used at present, and what is wrong with proxies."""
        own = super().state
        ready = own.ready or bool(self._proxies.connected)
        texts = ["Bluetooth ready." if ready else own.text, *self._proxies.troubles]
        return RadioState(ready=ready, text=" ".join(texts))

    @property
    def straps(self) -> list[Advert]:
        """Heart-rate straps heard lately by any radio, strongest first; a connected strap does not advertise."""
        adverts = []
        for address in self._proxies.levels.straps():
            near = self._proxies.levels.receivers(address)[0]
            level = None if near.level_dbm <= _LEVEL_UNKNOWN else round(near.level_dbm)
            adverts.append(Advert(near.device.address, near.name, level, heart_rate_service=True))
        return sorted(adverts, key=lambda advert: (-(advert.rssi_dbm or _LEVEL_UNKNOWN), advert.address))

    def near(self, address: str) -> str | None:
        """Return the name of the room whose proxy a strap is near; None where that is this computer's own adapter, or unknown."""
        proxy = self._proxies.levels.near(address)
        return proxy.room if proxy else None

    def _listen(self, device: BLEDevice, data: AdvertisementData) -> None:
        name = device.name or data.local_name
        if HEART_RATE_UUID in data.service_uuids or is_sensor_name(name):
            self._proxies.levels.record(None, device, name, data.rssi)
        else:
            super()._listen(device, data)
