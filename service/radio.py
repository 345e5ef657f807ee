"""What the house knows of the air, from the watch that looks for straps."""

from collections.abc import Sequence

from ..sensors.ble import StrapWatch
from ..web.ports import AdapterState, StrapSeen


class Air:
    """Real straps and the real adapter."""

    def __init__(self, watch: StrapWatch) -> None:
        self._watch = watch

    def adapter(self) -> AdapterState:
        """Whether there is a radio."""
        state = self._watch.state
        return AdapterState(ready=state.ready, text=state.text)

    def straps(self) -> Sequence[StrapSeen]:
        """Straps heard lately, strongest first; the house fills in the room."""
        return [StrapSeen(advert.address, advert.name, advert.rssi_dbm, None) for advert in self._watch.straps]
