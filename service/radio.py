"""What the house knows of the air, from the watch that looks for straps."""

from collections.abc import Callable, Sequence

from ..sensors.bluetooth.scanner import StrapWatch
from ..web.ports import AdapterState, StrapSeen


class Air:
    """Real straps and the real adapter; `near` names the room that a strap is in, where proxies tell it."""

    def __init__(self, watch: StrapWatch, near: Callable[[str], str | None] = lambda _: None) -> None:
        self._watch = watch
        self._near = near

    def adapter(self) -> AdapterState:
        """Whether there is a radio."""
        state = self._watch.state
        return AdapterState(ready=state.ready, text=state.text)

    def straps(self) -> Sequence[StrapSeen]:
        """Straps heard lately, strongest first; the house fills in the room."""
        return [
            StrapSeen(advert.address, advert.name, advert.rssi_dbm, None, self._near(advert.address))
            for advert in self._watch.straps
        ]
